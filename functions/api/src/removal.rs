//! `DELETE /backup/{id}` and `POST /backup/retention/run`: what goes.

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind},
    jobs::request::RetentionRequest,
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::{Admin, Reader, Scope},
    backups::{self, Answer},
    body::Body,
    documents::{Removal, RemovalFilter, Retention, RetentionOptions, RunPath, UnderWay},
    invoke,
    problem::Problem,
    query::Parameters,
    trace::Audit,
};

/// Removes a run's record, and with `objects=true` all that a backup has stored.
///
/// Refused for what still runs or is being read; without `force=true` also for the newest good backup of a database and for one that an incremental needs.
#[utoipa::path(
    delete, path = "/{id}", tag = "backups", params(RunPath, RemovalFilter), security(("bearer" = ["backup:admin"])),
    responses(
        (status = 200, description = "What was removed.", body = Removal),
        (status = 202, description = "It takes longer and goes on.", body = UnderWay),
        (status = 404, description = "There is none with this id."),
        (status = 409, description = "It stays; `detail` says why."),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Admin(caller): Admin,
    Extension(audit): Extension<Audit>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = backups::run_id(id)?;
    audit.run(id.as_str());
    let mut parameters = Parameters::of(query.as_deref())?;
    let objects = parameters.flag("objects")?;
    let force = parameters.flag("force")?;
    parameters.end()?;
    let event = json!({
        "action": "delete", "id": id.as_str(), "objects": objects, "force": force, "by": caller.subject,
    });
    match invoke::ask(&app, function(&app)?, &event, invoke::PATIENCE).await? {
        Some(answer) => match (answer["removed"].get(0), &answer["refused"]) {
            (Some(removed), _) => Ok((StatusCode::OK, Json(removed.clone()))),
            (None, Value::Object(refused)) => {
                let text = |name: &str| refused.get(name).and_then(Value::as_str).unwrap_or_default();
                let kind =
                    if text("code") == Kind::NotFound.code() { Kind::NotFound } else { Kind::Conflict };
                Err(Error::new(kind, text("message").to_owned()).into())
            }
            _ => Err(Error::new(Kind::Aws, "the function that removes backups gave no answer").into()),
        },
        None => {
            let detail = "the removal takes longer than a call may and goes on; GET /backup/history tells when it is done";
            Ok((
                StatusCode::ACCEPTED,
                Json(json!({"id": id.as_str(), "status": "deleting", "message": detail})),
            ))
        }
    }
}

/// Plans what retention removes, with the reasons, or removes it.
///
/// A trial (the default) needs the scope backup:read; `dryRun: false` needs backup:admin.
#[utoipa::path(
    post, path = "/retention/run", tag = "settings", request_body = Option<RetentionOptions>, security(("bearer" = ["backup:read"])),
    responses(
        (status = 200, description = "The plan, and what was removed.", body = Retention),
        (status = 202, description = "It takes longer and goes on.", body = UnderWay),
    )
)]
pub(crate) async fn run_retention(
    State(app): State<App>,
    Reader(caller): Reader,
    Extension(audit): Extension<Audit>,
    Body(body): Body,
) -> Answer {
    let asked = RetentionRequest::from_body(&body)?;
    if !asked.dry_run {
        audit.needs(Scope::Admin);
        caller.needs(Scope::Admin)?;
    }
    let event = json!({"action": "retention", "dryRun": asked.dry_run});
    match invoke::ask(&app, function(&app)?, &event, invoke::PATIENCE).await? {
        Some(mut answer) => {
            let mut told = json!({"dry_run": asked.dry_run});
            for field in ["plan", "removed", "closed", "aborted_uploads"] {
                told[field] = answer[field].take();
            }
            Ok((StatusCode::OK, Json(told)))
        }
        None => {
            let detail = match asked.dry_run {
                true => "the plan takes longer than a call may; the function's log tells when it is made",
                false => {
                    "retention takes longer than a call may and goes on; GET /backup/history tells what it removes"
                }
            };
            Ok((StatusCode::ACCEPTED, Json(json!({"dry_run": asked.dry_run, "message": detail}))))
        }
    }
}

fn function(app: &App) -> Result<&str, Problem> {
    let missing =
        || Error::new(Kind::Config, "RETENTION_FUNCTION is not set, so the API cannot remove backups").into();
    app.config.retention_function.as_deref().ok_or_else(missing)
}
