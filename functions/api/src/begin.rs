//! Beginning a run: its record, and the function that works on it started. Never waits for the run.

use aws_sdk_lambda::{error::SdkError, primitives::Blob, types::InvocationType};
use pgbaton::{
    base::{Error, Kind, Result},
    ledger::{Failure, Record, Status},
};
use serde_json::Value;

use crate::{app::App, idempotency::Ask, problem::Problem};

/// Writes the pending record and starts `function` with `event`; gives the record as it stands then. Where an earlier call with the caller's key wrote it
/// already, that run goes on: the function is started again if it may not have been.
///
/// # Errors
/// As the ledger's; when the function cannot be started the record is closed as failed.
pub(crate) async fn begin(
    app: &App,
    ask: &Ask,
    record: Record,
    function: &str,
    event: &Value,
) -> Result<Record, Problem> {
    let there = if ask.resumed { app.ledger.find(&ask.id).await.map_err(stored)? } else { None };
    let record = match there {
        Some(failed) if failed.status == Status::Failed => {
            let why = failed.message.unwrap_or_default();
            let message = format!(
                "the run {} that this Idempotency-Key began has failed ({why}); take a new key",
                failed.id
            );
            return Err(Error::new(Kind::Conflict, message).into());
        }
        Some(begun) if begun.status != Status::Pending => return Ok(begun),
        Some(pending) => pending,
        None => {
            app.ledger.create(&record).await.map_err(stored)?;
            record
        }
    };
    match start(app, function, event).await {
        Ok(()) => Ok(record),
        Err(error) => not_started(app, record, error).await,
    }
}

/// Closes the record of a function that could not be started. It may have started all the same, the answer being lost.
async fn not_started(app: &App, record: Record, error: Error) -> Result<Record, Problem> {
    match app.ledger.fail_pending(&record.id, &Failure::from(&error)).await {
        Ok(_) => Err(error.into()),
        Err(closing) if closing.kind() == Kind::Conflict => app.ledger.get(&record.id).await.map_err(stored),
        Err(closing) => {
            tracing::error!(id = %record.id, error = ?closing, "the record could not be closed; the reaper will");
            Err(error.into())
        }
    }
}

/// An asynchronous invoke: Lambda queues the event and answers at once.
async fn start(app: &App, function: &str, event: &Value) -> Result<()> {
    let invoke = app
        .lambda
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(event.to_string()))
        .send()
        .await;
    match invoke {
        Ok(_) => Ok(()),
        Err(error) => {
            let kind = match &error {
                SdkError::ServiceError(_) | SdkError::ResponseError(_) => Kind::Aws,
                _ => Kind::Unreachable,
            };
            let message = format!("the function {function} could not be started");
            Err(Error::with_source(kind, message, error))
        }
    }
}

/// An error of the ledger where the record itself cannot be what is missing: a table is, which is no caller's fault.
pub(crate) fn stored(error: Error) -> Problem {
    match error.kind() {
        Kind::NotFound => Problem::unavailable("a table of this deployment is missing", &error),
        _ => error.into(),
    }
}
