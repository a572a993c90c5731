//! `DELETE /backup/{id}` and `POST /backup/retention/run`: what goes.

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, Request, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind},
    jobs::request::RetentionRequest,
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::{Admin, Writer},
    backups::{self, Answer},
    invoke,
    problem::Problem,
    query::Parameters,
    trace::Audit,
};

/// `DELETE /backup/{id}`: the record, and with `objects=true` all that was stored.
pub(crate) async fn delete(
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

/// `POST /backup/retention/run`: the plan with its reasons; with `"dryRun": false` it is carried out.
pub(crate) async fn run(State(app): State<App>, Writer(caller): Writer, request: Request) -> Answer {
    let body = backups::body(request).await?;
    let asked = RetentionRequest::from_body(&body)?;
    if !asked.dry_run {
        caller.needs("backup:admin")?;
    }
    let event = json!({"action": "retention", "dryRun": asked.dry_run});
    match invoke::ask(&app, function(&app)?, &event, invoke::PATIENCE).await? {
        Some(mut answer) => {
            answer["dry_run"] = asked.dry_run.into();
            Ok((StatusCode::OK, Json(answer)))
        }
        None => {
            let detail = "retention takes longer than a call may and goes on; GET /backup/history tells what it removes";
            Ok((StatusCode::ACCEPTED, Json(json!({"dry_run": asked.dry_run, "message": detail}))))
        }
    }
}

fn function(app: &App) -> Result<&str, Problem> {
    let missing =
        || Error::new(Kind::Config, "RETENTION_FUNCTION is not set, so the API cannot remove backups").into();
    app.config.retention_function.as_deref().ok_or_else(missing)
}
