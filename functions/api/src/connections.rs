//! `/backup/test-connections`: whether every database can be reached. The backup function looks, for it stands in the VPC and may read the secrets; this
//! one does neither.

use std::time::Duration;

use aws_sdk_lambda::{
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    primitives::Blob,
};
use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use pgbaton::base::{Error, Kind, Result};
use serde_json::{Value, json};

use crate::{app::App, auth::Reader, backups::Answer, problem::Problem, query::Parameters};

/// The function allows itself less.
const PATIENCE: Duration = Duration::from_millis(9_500);

/// `GET /backup/test-connections`: every database, within ten seconds.
pub(crate) async fn test(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    Parameters::of(query.as_deref())?.end()?;
    let function = app.config.backup_function.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "BACKUP_FUNCTION is not set, so the API cannot test connections")
    })?;
    let found = tested(&app, function).await.map_err(|e| {
        Problem::unavailable("connections could not be tested: the backup function failed, or did not answer within ten seconds", &e)
    })?;
    Ok((StatusCode::OK, Json(found)))
}

/// A synchronous invoke, with more patience than other calls of AWS get here and no second try.
async fn tested(app: &App, function: &str) -> Result<Value> {
    let limits = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(PATIENCE)
        .operation_timeout(PATIENCE)
        .build();
    let patient = Builder::new().timeout_config(limits).retry_config(RetryConfig::disabled());
    let event = json!({"testConnections": true}).to_string();
    let invoked = app
        .lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(event))
        .customize()
        .config_override(patient)
        .send()
        .await
        .map_err(|e| {
            Error::with_source(Kind::Unreachable, format!("the function {function} could not be invoked"), e)
        })?;
    let payload = invoked.payload.map(Blob::into_inner).unwrap_or_default();
    let answer = serde_json::from_slice(&payload)
        .map_err(|e| Error::with_source(Kind::Aws, format!("the answer of {function} cannot be read"), e))?;
    match invoked.function_error {
        None => Ok(answer),
        Some(_) => {
            let why = answer["errorMessage"].as_str().unwrap_or("no message").to_owned();
            Err(Error::new(Kind::Internal, format!("the function {function} failed: {why}")))
        }
    }
}
