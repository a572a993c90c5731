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
/// Where it is not known whether the function was started, and where the caller has a key to ask again with, the record stays as it is: a function that
/// finds its record closed would begin another run. The reaper closes what nobody starts.
///
/// # Errors
/// As the ledger's; when the function refuses to start, and the caller has no key, the record is closed as failed.
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
        Err(error) if error.kind() == Kind::Aws && !ask.keyed => not_started(app, record, error).await,
        Err(error) if error.kind() == Kind::Aws => Err(error.into()),
        Err(error) => unknown(app, record, error).await,
    }
}

/// The record of a function of which nobody knows whether it was started, if it tells that it was.
async fn unknown(app: &App, record: Record, error: Error) -> Result<Record, Problem> {
    let there = app.ledger.get(&record.id).await.map_err(stored)?;
    if there.status != Status::Pending {
        return Ok(there);
    }
    let id = &record.id;
    let message = format!(
        "whether the run {id} was started is not known; its record tells, and closes within an hour if it was not"
    );
    Err(Error::with_source(Kind::Unreachable, message, error).into())
}

/// Closes the record of a function that refused to start.
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
