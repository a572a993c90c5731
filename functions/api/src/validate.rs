//! `POST /backup/validate`: a live database looked through. Small ones are done within the call.

use std::time::Duration;

use axum::{Extension, Json, extract::State, http::StatusCode};
use pgbaton::{
    jobs::{databases, request::ValidateRequest},
    ledger::{Record, Status},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    app::App,
    auth::Writer,
    backups::{Answer, shown, stored},
    begin::begin,
    body::Body,
    documents::{RunRecord, ValidateOptions, Validation},
    idempotency::Ask,
    trace::Audit,
    verify::function,
};

/// How long a call waits for the outcome; API Gateway gives up after 30 s.
const WAIT: Duration = Duration::from_secs(18);
/// Pause between looks.
const LOOK: Duration = Duration::from_millis(250);

/// Looks through a live database for what does not fit together.
///
/// Reads only, in one snapshot. Where it takes longer than a call may, `GET /backup/{id}` has the outcome later, under `validation`.
#[utoipa::path(
    post, path = "/validate", tag = "checks", request_body = Option<ValidateOptions>, security(("bearer" = ["backup:write"])),
    responses(
        (status = 200, description = "The outcome.", body = Validation),
        (status = 202, description = "It goes on, or it failed: its record.", body = RunRecord),
        (status = 404, description = "No such database."),
    )
)]
pub(crate) async fn validate(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    ask: Ask,
    Body(body): Body,
) -> Answer {
    let end = Instant::now() + WAIT;
    let mut request = ValidateRequest::from_body(&body)?;
    let function = function(&app)?;
    audit.run(ask.id.as_str());
    let of = databases::of_backup(&app.ledger, &app.config, &request.as_backup()).await.map_err(stored)?;
    request.database = Some(of.name.clone());
    request.id = Some(ask.id.clone());
    request.event_id = Some(format!("api/{}", ask.id));
    request.created_by = Some(caller.subject);
    let record = request.pending(ask.id.clone(), of.name, ask.at);
    let mut record = begin(&app, &ask, record, function, &request.to_event()).await?;
    while !record.status.is_final() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        record = app.ledger.get(&record.id).await.map_err(stored)?;
    }
    outcome(&record)
}

fn outcome(record: &Record) -> Answer {
    match record.status {
        Status::Completed => {
            let mut answer = record.validation.clone().unwrap_or_else(|| json!({}));
            if let Value::Object(fields) = &mut answer {
                fields.insert("id".into(), record.id.as_str().into());
                fields.insert("database".into(), record.database.as_str().into());
                fields.insert("status".into(), record.status.name().into());
                fields.insert("message".into(), record.message.as_deref().into());
            }
            Ok((StatusCode::OK, Json(answer)))
        }
        // Of a run that failed the record tells why: the call itself did what it was to.
        Status::Failed | Status::Pending | Status::InProgress => {
            Ok((StatusCode::ACCEPTED, Json(shown(record))))
        }
    }
}
