//! `GET /backup/health`: for probes, without a token.

use std::time::{Duration, Instant};

use aws_sdk_s3::error::ProvideErrorMetadata;
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{app::App, documents};

/// An answer serves this long: anybody may ask, and each look costs three AWS calls.
const FRESH: Duration = Duration::from_secs(5);
/// Parts that take longer count as failing.
const PATIENCE: Duration = Duration::from_secs(3);

/// The last answer.
#[derive(Default)]
pub(crate) struct Health(Mutex<Option<(Instant, Vec<&'static str>)>>);

/// Tells whether the tables and the bucket answer.
///
/// For probes: needs no token. An answer is kept for five seconds.
#[utoipa::path(
    get, path = "/health", tag = "checks", operation_id = "health", security(()),
    responses(
        (status = 200, description = "All parts answer.", body = documents::Health),
        (status = 503, description = "Some do not.", body = documents::Health),
    )
)]
pub(crate) async fn check(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let mut last = app.health.0.lock().await;
    let failing = match last.as_ref() {
        Some((at, failing)) if at.elapsed() < FRESH => failing.clone(),
        _ => {
            let failing = look(&app).await;
            *last = Some((Instant::now(), failing.clone()));
            failing
        }
    };
    if failing.is_empty() {
        (StatusCode::OK, Json(json!({"status": "ok"})))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "failing": failing})))
    }
}

async fn look(app: &App) -> Vec<&'static str> {
    let tables = async {
        let asked = tokio::time::timeout(PATIENCE, app.ledger.ping()).await;
        match asked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::warn!(?error, "the tables do not answer");
                Some("tables")
            }
            Err(_) => Some("tables"),
        }
    };
    let bucket = async {
        let head = app.s3.head_bucket().bucket(&app.config.bucket).send();
        match tokio::time::timeout(PATIENCE, head).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                let code = error.code().unwrap_or("no answer");
                tracing::warn!(%error, code, bucket = app.config.bucket, "the bucket does not answer");
                Some("bucket")
            }
            Err(_) => Some("bucket"),
        }
    };
    let (tables, bucket) = tokio::join!(tables, bucket);
    [tables, bucket].into_iter().flatten().collect()
}
