//! `POST /backup/validate`: a live database looked through. Small ones are done within the call.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind, clock, id::RunId},
    jobs::{databases, request::ValidateRequest},
    ledger::{Record, Status},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    app::App,
    auth::Writer,
    backups::{self, not_started, shown, stored},
    invoke,
    problem::Problem,
    trace::Audit,
    verify::function,
};

/// How long a call waits for the outcome; API Gateway gives up after 30 s.
const WAIT: Duration = Duration::from_secs(18);
/// Pause between looks.
const LOOK: Duration = Duration::from_millis(250);

/// 200 with the outcome where it is there in time, else 202 with the record, which `GET /backup/{id}` shows with its outcome later.
pub(crate) async fn create(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let end = Instant::now() + WAIT;
    let body = backups::body(request).await?;
    let mut request = ValidateRequest::from_body(&body)?;
    let function = function(&app)?;
    let now = clock::now();
    let id = RunId::random(now)?;
    audit.run(id.as_str());
    let of = databases::of_backup(&app.ledger, &app.config, &request.as_backup()).await.map_err(stored)?;
    request.database = Some(of.name.clone());
    request.id = Some(id.clone());
    request.event_id = Some(format!("api/{id}"));
    request.created_by = Some(caller.subject);
    let mut record = request.pending(id, of.name, now);
    app.ledger.create(&record).await.map_err(stored)?;
    if let Err(error) = invoke::start(&app, function, &request.to_event()).await {
        return not_started(&app, record, error).await;
    }
    while !record.status.is_final() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        record = app.ledger.get(&record.id).await.map_err(stored)?;
    }
    outcome(&record)
}

fn outcome(record: &Record) -> Result<(StatusCode, Json<Value>), Problem> {
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
        Status::Failed => {
            let kind = record.error_code.as_deref().and_then(Kind::parse).unwrap_or(Kind::Internal);
            let why = record.message.clone().unwrap_or_else(|| "no reason recorded".to_owned());
            Err(Error::new(kind, why).into())
        }
        Status::Pending | Status::InProgress => Ok((StatusCode::ACCEPTED, Json(shown(record)))),
    }
}
