//! `/backup/test-connections`: whether every database can be reached. The backup function looks, for it stands in the VPC and may read the secrets; this
//! one does neither.

use std::time::Duration;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use pgbaton::base::{Error, Kind};
use serde_json::json;

use crate::{
    app::App, auth::Reader, backups::Answer, documents::Connections, invoke, problem::Problem,
    query::Parameters,
};

/// The function allows itself less.
const PATIENCE: Duration = Duration::from_millis(9_500);

/// Tries to reach every registered database, within ten seconds.
///
/// One that fails does not fail the call.
#[utoipa::path(
    get, path = "/test-connections", tag = "checks", security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "What was found.", body = Connections))
)]
pub(crate) async fn test_connections(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    Parameters::of(query.as_deref())?.end()?;
    let function = app.config.backup_function.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "BACKUP_FUNCTION is not set, so the API cannot test connections")
    })?;
    let asked = invoke::ask(&app, function, &json!({"testConnections": true}), PATIENCE).await;
    let found = asked.and_then(|answer| {
        answer.ok_or_else(|| Error::new(Kind::Unreachable, format!("{function} did not answer in time")))
    });
    let found = found.map_err(|e| {
        Problem::unavailable("connections could not be tested: the backup function failed, or did not answer within ten seconds", &e)
    })?;
    Ok((StatusCode::OK, Json(found)))
}
