//! How any run lives: begun once per event, claimed by one function, kept alive by a heartbeat, ended in its record whatever happens.

use std::time::Duration;

use jiff::Timestamp;

use super::{Invocation, Platform};
use crate::{
    base::{Error, Kind, Result, ResultExt, clock, id::RunId},
    ledger::{Completion, Delivery, Failure, Heartbeat, Lease, Record, Status},
};

/// How long a lease lasts unless renewed; the heartbeat renews it four times as often.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// Time kept back before the function's deadline, for aborting uploads and closing the record.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// What an event asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    /// The run's id, when the caller chose it.
    pub id: Option<RunId>,
    /// The same for every delivery of one event.
    pub event_id: Option<String>,
}

/// What became of an ask.
pub(super) enum Begun {
    /// This function runs it. `stopped` is the run that an earlier delivery began and that its function did not live to end.
    Claimed {
        /// The record.
        record: Box<Record>,
        /// The right to write to it.
        lease: Lease,
        /// To be cleaned up after.
        stopped: Option<Box<Record>>,
    },
    /// There is nothing to do: another delivery runs or ran it.
    Elsewhere(Box<Record>),
}

/// Begins the run of an event, once: a second delivery finds the first one's run. Where that run's function was killed, its record is closed
/// as failed and a new run is begun in its place, once.
pub(super) async fn begin(
    platform: &Platform,
    invocation: &Invocation,
    ask: &Ask,
    pending: impl Fn(RunId, Timestamp) -> Result<Record>,
) -> Result<Begun> {
    let ledger = &platform.ledger;
    let now = clock::now();
    let mut id = match &ask.id {
        Some(id) => id.clone(),
        None => RunId::random(now)?,
    };
    if let Some(event) = &ask.event_id {
        id = match ledger.begin_delivery(event, &id).await? {
            Delivery::First(id) | Delivery::Again(id) => id,
        };
    }
    let mut stopped = None;
    let record = match ledger.find(&id).await? {
        None => create(platform, pending(id, now)?).await?,
        Some(there) if there.status == Status::InProgress && there.is_stuck(now) => {
            let closed = ledger.close_if_stuck(there, now).await?;
            if closed.status != Status::Failed {
                return Ok(Begun::Elsewhere(Box::new(closed)));
            }
            let mut again = pending(RunId::random(now)?, now)?;
            again.retry_of = Some(closed.id.clone());
            stopped = Some(Box::new(closed));
            create(platform, again).await?
        }
        Some(there) if there.status == Status::Pending => there,
        Some(there) => return Ok(Begun::Elsewhere(Box::new(there))),
    };
    match ledger.claim(&record.id, &invocation.request_id, LEASE).await {
        Ok(lease) => Ok(Begun::Claimed { record: Box::new(record), lease, stopped }),
        Err(e) if matches!(e.kind(), Kind::Busy | Kind::Conflict) => {
            Ok(Begun::Elsewhere(Box::new(ledger.get(&record.id).await?)))
        }
        Err(e) => Err(e),
    }
}

async fn create(platform: &Platform, record: Record) -> Result<Record> {
    match platform.ledger.create(&record).await {
        Ok(()) => Ok(record),
        // Two deliveries at once: the claim decides.
        Err(e) if e.kind() == Kind::Conflict => platform.ledger.get(&record.id).await,
        Err(e) => Err(e),
    }
}

/// Runs `work` under a heartbeat, until it ends, the lease is lost or the function's time is up, and then closes the record. `clean` undoes what
/// a failed run left; what it cannot undo is logged and added to the record's message.
///
/// # Errors
/// The failure that the record tells of, once it is in the record.
pub(super) async fn conduct<W, C>(
    platform: &Platform,
    invocation: &Invocation,
    record: &Record,
    lease: &Lease,
    work: W,
    clean: impl FnOnce() -> C,
) -> Result<Record>
where
    W: Future<Output = Result<Completion>>,
    C: Future<Output = Result<()>>,
{
    let heartbeat = Heartbeat::start(platform.ledger.clone(), lease.clone(), LEASE);
    let time = invocation.budget.time_left().saturating_sub(LAST_WORDS);
    let lost = heartbeat.lost();
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = lost.cancelled() => Err(heartbeat.error().unwrap_or_else(|| {
            Error::new(Kind::Fenced, format!("the run {} lost its lease", record.id))
        })),
        () = tokio::time::sleep(time) => Err(Error::new(
            Kind::Budget,
            format!("the time of the function is up: {} was not done {} s before its time-out", record.kind.name(), LAST_WORDS.as_secs()),
        )),
    };
    let doing = || format!("{} of database {}", record.kind.name(), record.database);
    let ended = match outcome {
        Ok(completion) => platform.ledger.complete(lease, completion).await.with_context(doing),
        Err(e) => Err(e.context(doing())),
    };
    let error = match ended {
        Ok(record) => {
            tracing::info!(id = %record.id, database = %record.database, rows = record.record_count, bytes = record.file_size,
                warnings = record.warnings.len(), "{} completed", record.kind.name());
            return Ok(record);
        }
        Err(error) => error,
    };
    let mut failure = Failure::from(&error);
    if let Err(left) = clean().await {
        tracing::warn!(id = %record.id, error = %left, "cleaning up after a failed run");
        failure.message.push_str(&format!("; cleaning up: {left}"));
    }
    tracing::error!(id = %record.id, database = %record.database, code = error.kind().code(), error = %error, cause = ?error,
        "{} failed", record.kind.name());
    if error.kind() != Kind::Fenced {
        platform.ledger.fail(lease, &failure).await.context("closing the record")?;
    }
    drop(heartbeat);
    Err(error)
}
