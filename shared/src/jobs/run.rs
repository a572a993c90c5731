//! How any run lives: begun once per event, claimed by one function, kept alive by a heartbeat, ended in its record whatever happens.

use std::{pin::Pin, time::Duration};

use jiff::Timestamp;

use super::{Invocation, Platform, tell};
use crate::{
    base::{Error, Kind, Result, budget, clock, id::RunId},
    ledger::{Completion, Delivery, Failure, Heartbeat, Lease, Record, Status},
};

/// Pause between looks at a lease that another function is about to let go.
const RECEIVE: Duration = Duration::from_millis(200);

/// What an event asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    /// The run's id, when the caller chose it.
    pub id: Option<RunId>,
    /// The same for every delivery of one event.
    pub event_id: Option<String>,
}

/// What becomes of a run whose function was killed.
#[derive(Debug, Clone)]
pub(super) enum Cut {
    /// What it has done is lost with the function: its record is closed as failed.
    Closed,
    /// What it has done outlives the function: another one goes on with the same run.
    TakenOver {
        /// The run that this event says to go on with, and the fence of the function that hands it over.
        handed: Option<(RunId, u64)>,
    },
}

/// What became of an ask.
pub(super) enum Begun {
    /// This function runs it. `stopped` is the run that an earlier delivery began and that its function did not live to end.
    Claimed {
        /// The record: `pending` as it was found, `in_progress` when another function had it before.
        record: Box<Record>,
        /// The right to write to it.
        lease: Lease,
        /// To be cleaned up after.
        stopped: Option<Box<Record>>,
    },
    /// There is nothing to do: another delivery runs or ran it.
    Elsewhere(Box<Record>),
}

/// How a function's work on a run ended well.
pub(super) enum Outcome {
    /// All is done.
    Completed(Box<Completion>),
    /// Another function goes on with it and holds the lease. What is left to do here is done without a heartbeat, which has nothing to renew any more.
    HandedOver(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Begins the run of an event, once: a second delivery finds the first one's run. Where that run's function was killed, its record is closed
/// as failed, or taken over ([`Cut`]); where it failed so, or by a fault that passes (see [`Kind::retryable`]), a new run is begun in its place, by one of the deliveries
/// that find it so. So Lambda's retries of an asynchronous invoke are of use, and nothing that succeeded or runs is done twice.
///
/// An event without any id is told by Lambda's request id, which its retries share.
pub(super) async fn begin(
    platform: &Platform,
    invocation: &Invocation,
    ask: &Ask,
    pending: impl Fn(RunId, Timestamp) -> Result<Record>,
) -> Result<Begun> {
    begin_or_go_on(platform, invocation, ask, &Cut::Closed, pending).await
}

/// As [`begin`], for runs that may go on in another function.
pub(super) async fn begin_or_go_on(
    platform: &Platform,
    invocation: &Invocation,
    ask: &Ask,
    cut: &Cut,
    pending: impl Fn(RunId, Timestamp) -> Result<Record>,
) -> Result<Begun> {
    let ledger = &platform.ledger;
    let now = clock::now();
    let handed = match cut {
        Cut::TakenOver { handed } => handed.as_ref(),
        Cut::Closed => None,
    };
    if let Some((id, fence)) = handed
        && let Some(begun) = receive(platform, invocation, id, *fence).await?
    {
        return Ok(begun);
    }
    let mut id = match (handed, &ask.id, &ask.event_id) {
        (Some((id, _)), ..) | (None, Some(id), None) => id.clone(),
        (None, id, event) => {
            let offered = id.clone().map_or_else(|| RunId::random(now), Ok)?;
            let event = event.clone().unwrap_or_else(|| format!("request/{}", invocation.request_id));
            first(ledger.begin_delivery(&event, &offered).await?)
        }
    };
    let mut stopped: Option<Box<Record>> = None;
    let record = loop {
        let record = match ledger.find(&id).await? {
            Some(there) => match go_on(platform, invocation, cut, settled(platform, there).await?).await? {
                Next::Begun(begun) => return Ok(begun),
                Next::Settled(record) => *record,
                Next::Changed => continue,
            },
            None => {
                let mut new = pending(id.clone(), now)?;
                new.retry_of = stopped.as_ref().map(|s| s.id.clone());
                create(platform, new).await?
            }
        };
        match record.status {
            Status::Pending => break record,
            Status::Failed if record.was_abandoned() || may_pass(&record) => {
                id = first(
                    ledger.begin_delivery(&format!("retry/{}", record.id), &RunId::random(now)?).await?,
                );
                stopped = Some(Box::new(record));
            }
            _ => return Ok(Begun::Elsewhere(Box::new(record))),
        }
    };
    match ledger.claim(&record.id, &invocation.request_id, platform.config.lease).await {
        Ok(lease) => Ok(Begun::Claimed { record: Box::new(record), lease, stopped }),
        Err(e) if matches!(e.kind(), Kind::Busy | Kind::Conflict) => {
            Ok(Begun::Elsewhere(Box::new(ledger.get(&record.id).await?)))
        }
        Err(e) => Err(e),
    }
}

fn may_pass(record: &Record) -> bool {
    record.error_code.as_deref().is_some_and(Kind::retryable_code)
}

/// What a delivery answers that has nothing to do: the record, or for a failed run its failure again, so that Lambda hands the event to the
/// queue of failed events in the end.
///
/// # Errors
/// [`Kind::Conflict`] with the reason in the record.
pub(super) fn elsewhere(record: Record) -> Result<Record> {
    let (kind, status) = (record.kind.name(), record.status.name());
    tracing::info!(id = %record.id, status, "another delivery of this event runs or ran this {kind}");
    if record.status == Status::Failed {
        let why = record.message.as_deref().unwrap_or("no reason recorded");
        return Err(Error::new(
            Kind::Conflict,
            format!("the {kind} {} of this event failed: {why}", record.id),
        ));
    }
    Ok(record)
}

fn first(delivery: Delivery) -> RunId {
    match delivery {
        Delivery::First(id) | Delivery::Again(id) => id,
    }
}

/// Takes the lease that another function hands over; none when there is nothing to take. Waits for a function that has called this one and not let
/// go yet.
async fn receive(
    platform: &Platform,
    invocation: &Invocation,
    id: &RunId,
    fence: u64,
) -> Result<Option<Begun>> {
    let Platform { ledger, config, .. } = platform;
    loop {
        match ledger.receive(id, fence, &invocation.request_id, config.lease).await {
            Ok(Some(lease)) => {
                let record = Box::new(ledger.get(id).await?);
                return Ok(Some(Begun::Claimed { record, lease, stopped: None }));
            }
            Ok(None) => {}
            Err(e) if e.kind() == Kind::Fenced => return Ok(None),
            Err(e) => return Err(e),
        }
        if ledger.get(id).await?.is_stuck(clock::now()) {
            return Ok(None);
        }
        tokio::time::sleep(RECEIVE).await;
    }
}

/// What to do with a run that an earlier delivery began.
enum Next {
    /// This function goes on with it.
    Begun(Begun),
    /// Its function lives, or it has ended.
    Settled(Box<Record>),
    /// Another delivery was faster: look again.
    Changed,
}

/// Takes over a run whose function was killed where what it has done outlives the function, and closes it as failed otherwise, also when it has gone
/// on as often as it may.
async fn go_on(platform: &Platform, invocation: &Invocation, cut: &Cut, record: Record) -> Result<Next> {
    let Platform { ledger, config, .. } = platform;
    let now = clock::now();
    if record.status != Status::InProgress || !record.is_stuck(now) {
        return Ok(Next::Settled(Box::new(record)));
    }
    let may = matches!(cut, Cut::TakenOver { .. }) && record.hops.unwrap_or_default() < config.max_hops;
    if !may {
        return Ok(Next::Settled(Box::new(ledger.close_if_stuck(record, now).await?)));
    }
    match ledger.take_over(&record, &invocation.request_id, config.lease).await? {
        Some(lease) => {
            let record = Box::new(ledger.get(&record.id).await?);
            tracing::info!(id = %record.id, hops = record.hops, "taking over from a function that was stopped");
            Ok(Next::Begun(Begun::Claimed { record, lease, stopped: None }))
        }
        None => Ok(Next::Changed),
    }
}

/// A run in progress once it is known whether its function lives: waits until its lease is renewed, or runs out. A retry
/// that came before the lease ran out would otherwise take a dead run for a living one, and nobody would do the work.
pub(super) async fn settled(platform: &Platform, mut record: Record) -> Result<Record> {
    let lease = record.lease_until;
    while record.status == Status::InProgress && record.lease_until == lease {
        if record.is_stuck(clock::now()) {
            return Ok(record);
        }
        tokio::time::sleep(platform.config.lease / 20).await;
        record = platform.ledger.get(&record.id).await?;
    }
    Ok(record)
}

async fn create(platform: &Platform, record: Record) -> Result<Record> {
    match platform.ledger.create(&record).await {
        Ok(()) => Ok(record),
        // Two deliveries at once: the claim decides.
        Err(e) if e.kind() == Kind::Conflict => platform.ledger.get(&record.id).await,
        Err(e) => Err(e),
    }
}

/// Runs `work` under a heartbeat, until it ends or another function goes on with it, the lease is lost or the function's time is up, and then closes the record. `clean` undoes what
/// a failed run left, and tells what it cannot undo; that is added to the record's message. It is told whether this run still may change what
/// others see: not once another function took over, or when it is not known whether the record says completed.
///
/// # Errors
/// The failure that the record tells of, once it is in the record.
pub(super) async fn conduct<W, C>(
    platform: &Platform,
    invocation: &Invocation,
    record: &Record,
    lease: &Lease,
    work: W,
    clean: impl FnOnce(bool) -> C,
) -> Result<Record>
where
    W: Future<Output = Result<Outcome>>,
    C: Future<Output = Result<Option<String>>>,
{
    let heartbeat = Heartbeat::start(platform.ledger.clone(), lease.clone(), platform.config.lease);
    let left = invocation.budget.time_left();
    let reserve = budget::reserve(left);
    let lost = heartbeat.lost();
    let outcome = tokio::select! {
        // Whoever has just given the lease away has not lost it.
        biased;
        outcome = work => outcome,
        () = lost.cancelled() => Err(heartbeat.error().unwrap_or_else(|| {
            Error::new(Kind::Fenced, format!("the run {} lost its lease", record.id))
        })),
        () = tokio::time::sleep(left.saturating_sub(reserve)) => Err(Error::new(
            Kind::Budget,
            format!("the time of the function is up: the {} was not done {:.0} s before its time-out", record.kind.name(), reserve.as_secs_f64()),
        )),
    };
    let doing = || format!("{} of database {}", record.kind.name(), record.database);
    let ended = match outcome {
        Ok(Outcome::Completed(completion)) => complete(platform, lease, *completion).await,
        Ok(Outcome::HandedOver(farewell)) => {
            drop(heartbeat);
            farewell.await;
            let there = platform.ledger.get(&record.id).await?;
            tracing::info!(id = %record.id, database = %record.database, hops = there.hops, "another function goes on with the {}", record.kind.name());
            return Ok(there);
        }
        Err(e) => Err((e.kind() != Kind::Fenced, e)),
    };
    let (may_change, ended) = match ended {
        Ok(record) => (true, Ok(record)),
        Err((may_change, e)) => (may_change, Err(e.context(doing()))),
    };
    let mut error = match ended {
        Ok(record) => {
            tracing::info!(id = %record.id, database = %record.database, rows = record.record_count, bytes = record.file_size,
                warnings = record.warnings.len(), "{} completed", record.kind.name());
            drop(heartbeat);
            tell::at_the_end(platform, &record.database, invocation.budget.time_left()).await;
            return Ok(record);
        }
        Err(error) => error,
    };
    // Closing the record matters more than a clean bucket, which the reaper sees to as well.
    let limit = invocation.budget.time_left() / 2;
    let left = match tokio::time::timeout(limit, clean(may_change)).await {
        Ok(Ok(left)) => left,
        Ok(Err(e)) => Some(format!("cleaning up: {e}")),
        Err(_) => Some(format!("cleaning up was not done within {} s", limit.as_secs())),
    };
    if let Some(left) = left {
        error = error.note(&left);
    }
    tracing::error!(id = %record.id, database = %record.database, code = error.kind().code(), error = %error, cause = ?error,
        "{} failed", record.kind.name());
    if error.kind() != Kind::Fenced
        && let Err(e) = platform.ledger.fail(lease, &Failure::from(&error)).await
    {
        tracing::error!(id = %record.id, error = %e, "the record could not be closed; the reaper will close it");
    }
    drop(heartbeat);
    tell::at_the_end(platform, &record.database, invocation.budget.time_left()).await;
    Err(error)
}

/// Completes the record. When the answer was lost, the record itself tells whether it was done. The error comes with whether this run may still
/// change what others see.
async fn complete(
    platform: &Platform,
    lease: &Lease,
    completion: Completion,
) -> Result<Record, (bool, Error)> {
    let error = match platform.ledger.complete(lease, completion).await {
        Ok(record) => return Ok(record),
        Err(e) => e,
    };
    match platform.ledger.get(lease.id()).await {
        Ok(there) if there.status == Status::Completed && there.fence == lease.fence() => Ok(there),
        Ok(there) => Err((there.status == Status::InProgress && there.fence == lease.fence(), error)),
        Err(_) => Err((false, error)),
    }
}
