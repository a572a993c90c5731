//! `POST /backup/{id}/verify`: a verification of one backup started.

use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind, clock, id::RunId},
    jobs::request::VerifyRequest,
    ledger::fit_to_verify,
};
use serde_json::Value;

use crate::{
    app::App,
    auth::Writer,
    backups::{self, not_started, shown, stored},
    invoke,
    problem::Problem,
    trace::Audit,
};

/// The function that verifies and validates.
pub(crate) fn function(app: &App) -> Result<&str, Problem> {
    let missing = "VERIFY_FUNCTION is not set, so the API cannot start verifications and validations";
    Ok(app.config.verify_function.as_deref().ok_or_else(|| Error::new(Kind::Config, missing))?)
}

/// A pending record, and the function that works on it started. The outcome lands on the backup's record.
pub(crate) async fn create(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let backup = backups::run_id(id)?;
    let body = backups::body(request).await?;
    let mut request = VerifyRequest::from_body(backup.clone(), &body)?;
    let function = function(&app)?;
    let found = app.ledger.find(&backup).await.map_err(stored)?;
    let found = found
        .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no record with the id {backup}")))?;
    fit_to_verify(&found)?;
    let now = clock::now();
    let id = RunId::random(now)?;
    audit.run(id.as_str());
    request.level.get_or_insert(app.config.verify_level);
    request.id = Some(id.clone());
    request.event_id = Some(format!("api/{id}"));
    request.created_by = Some(caller.subject);
    let record = request.pending(id, Some(&found), &app.config, now);
    app.ledger.create(&record).await.map_err(stored)?;
    match invoke::start(&app, function, &request.to_event()).await {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(shown(&record)))),
        Err(error) => not_started(&app, record, error).await,
    }
}
