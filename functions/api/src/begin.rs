//! Beginning a run: its record, and the function that works on it started. Never waits for the run.

use pgbaton::{
    base::{Error, Kind, Result},
    ledger::{Failure, Record, Status},
};
use serde_json::Value;

use crate::{app::App, backups::stored, idempotency::Ask, invoke, problem::Problem};

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
    match invoke::start(app, function, event).await {
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
