//! `POST /backup/{id}/verify`: a verification of one backup started.

use axum::{
    Extension, Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind, VerifyLevel},
    jobs::{databases, request::VerifyRequest},
    ledger::fit_to_verify,
};

use crate::{
    app::App,
    auth::Writer,
    backups::{self, Answer, shown, stored},
    begin::begin,
    body::Body,
    documents::{RunPath, RunRecord, VerifyOptions},
    idempotency::Ask,
    problem::Problem,
    trace::Audit,
};

/// The function that verifies and validates.
pub(crate) fn function(app: &App) -> Result<&str, Problem> {
    let missing = "VERIFY_FUNCTION is not set, so the API cannot start verifications and validations";
    Ok(app.config.verify_function.as_deref().ok_or_else(|| Error::new(Kind::Config, missing))?)
}

/// Checks a backup: its objects, every row, or a restore into a scratch database.
///
/// The answer is the verification's pending record; the outcome lands on the backup's record as well.
#[utoipa::path(
    post, path = "/{id}/verify", tag = "checks", params(RunPath), request_body = Option<VerifyOptions>, security(("bearer" = ["backup:write"])),
    responses((status = 202, description = "Begun.", body = RunRecord), (status = 404, description = "No such backup or target."))
)]
pub(crate) async fn verify(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    id: Result<Path<String>, PathRejection>,
    ask: Ask,
    Body(body): Body,
) -> Answer {
    let backup = backups::run_id(id)?;
    let mut request = VerifyRequest::from_body(backup.clone(), &body)?;
    let function = function(&app)?;
    let level = request.level.unwrap_or(app.config.verify_level);
    if let Some(target) = &request.target {
        if level != VerifyLevel::Restore {
            let why = format!("\"target\" goes with the level restore, and this is {}", level.name());
            return Err(Problem::invalid("target", why));
        }
        databases::known_target(&app.ledger, &app.config, target).await.map_err(stored)?;
    }
    let found = app.ledger.find(&backup).await.map_err(stored)?;
    let found = found
        .ok_or_else(|| Error::new(Kind::NotFound, format!("there is no record with the id {backup}")))?;
    fit_to_verify(&found)?;
    audit.run(ask.id.as_str());
    request.level = Some(level);
    request.id = Some(ask.id.clone());
    request.event_id = Some(format!("api/{}", ask.id));
    request.created_by = Some(caller.subject);
    let record = request.pending(ask.id.clone(), Some(&found), &app.config, ask.at);
    let record = begin(&app, &ask, record, function, &request.to_event()).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(&record))))
}
