//! The successor's side of the [relay](super::relay), and how a worker joins.

use std::{collections::HashMap, time::Duration};

use super::{
    board::Board,
    hop::{self, saved},
    many::{self, Holder},
    places::Places,
    plan::Task,
    relay::{LOOK, Report, report_note, warnings_note},
    snapshot,
    work::Work,
};
use crate::{
    archive::manifest::Object,
    base::{Error, Kind, Result, ResultExt, clock, id::RunId},
    jobs::{
        Invocation, Platform,
        request::{BackupRequest, Hop},
        run,
    },
    ledger::{Lease, Record, Status},
    pg::{ConnInfo, Snapshot},
};

/// Pause between two rounds for locks that others hold.
const LOCKS: Duration = Duration::from_millis(300);

/// Takes a backup over from the function that holds its snapshot, and goes on with it.
///
/// # Errors
/// What made the backup fail; the record tells the same. What kept this function from taking over is told to the holder and no error here.
pub(super) async fn take_over(
    platform: &Platform,
    invocation: &Invocation,
    request: &BackupRequest,
    hop: &Hop,
) -> Result<Record> {
    let ledger = &platform.ledger;
    let record = ledger.get(&hop.run).await?;
    let key = report_note(hop);
    // Deliveries of one invoke share its request id.
    let token = format!("{}/{}", invocation.request_id, RunId::random(clock::now())?);
    let claimed = ledger.note_first(&key, &Report::Claimed(token)).await?;
    if !claimed || record.status != Status::InProgress || record.fence != hop.fence {
        return left_behind(platform, record).await;
    }
    let (holder, work, done, places) = match prepare(platform, request, &record, hop, &key).await {
        Ok(prepared) => prepared,
        Err(e) => {
            tracing::warn!(id = %hop.run, error = %e, cause = ?e, "cannot take the backup over");
            let report = Report::Failed { code: e.kind().code().to_owned(), message: e.to_string() };
            ledger.note(&key, &report).await?;
            return Ok(record);
        }
    };
    ledger.note(&key, &Report::Ready).await?;
    let Some(lease) = lease(platform, invocation, hop).await? else {
        holder.finish().await?;
        return left_behind(platform, ledger.get(&hop.run).await?).await;
    };
    // Only the one that has the lease: another try at the same hand-over may hold the snapshot as well, and is about to let it go.
    many::note_holder(ledger, &hop.run, &holder, hop.number).await?;
    let record = ledger.get(&hop.run).await?;
    tracing::info!(id = %record.id, hop = hop.number, "this function goes on with the backup");
    let share = async {
        let plan = &work.plan;
        let open = plan.tasks.iter().filter(|t| !done.contains_key(&t.key()));
        let mut all = saved(Board::noted(ledger, &hop.run, open).await?);
        all.extend(done);
        let mut work = work;
        if let Some(warnings) = ledger.noted(&warnings_note(&hop.run)).await? {
            work.warnings = warnings;
        }
        let hop = hop::Hop {
            platform,
            invocation,
            request,
            record: &record,
            lease: &lease,
            holder,
            work,
            places,
            saved: all,
            number: hop.number,
        };
        hop.run().await
    };
    run::conduct(platform, invocation, &record, &lease, share, |may_change| {
        super::clean(platform, &record, may_change)
    })
    .await
}

/// A delivery that has nothing to take over: another one did, or the run has ended. Where the function that took over was killed, the run is
/// over, since its snapshot is gone; it is closed and cleaned here.
///
/// # Errors
/// The failure of a run that failed: see [`run::elsewhere`].
async fn left_behind(platform: &Platform, record: Record) -> Result<Record> {
    let before = record.status;
    let record = run::settled(platform, record).await?;
    let record = platform.ledger.close_if_stuck(record, clock::now()).await?;
    if before == Status::InProgress && record.was_abandoned() {
        super::clean(platform, &record, true).await?;
    }
    run::elsewhere(record)
}

/// Waits until the holder gives the lease; none when it died, or ended the run, without.
async fn lease(platform: &Platform, invocation: &Invocation, hop: &Hop) -> Result<Option<Lease>> {
    let Platform { ledger, config, .. } = platform;
    loop {
        match ledger.receive(&hop.run, hop.fence, &invocation.request_id, config.lease).await {
            Ok(Some(lease)) => return Ok(Some(lease)),
            Ok(None) => {
                let record = ledger.get(&hop.run).await?;
                if record.is_stuck(clock::now()) || invocation.budget.work_left().is_zero() {
                    return Ok(None);
                }
            }
            Err(e) if e.kind() == Kind::Fenced => return Ok(None),
            Err(e) => return Err(e),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Imports the snapshot, and locks every table that is still to be read, until nothing is in the way.
async fn prepare(
    platform: &Platform,
    request: &BackupRequest,
    record: &Record,
    hop: &Hop,
    key: &str,
) -> Result<(Snapshot, Work, HashMap<String, Vec<Object>>, Places)> {
    let ledger = &platform.ledger;
    let places = Places::of(platform, record).await?;
    let work = Work::load(&places.work_files(), &places.work.seals).await?;
    let info = super::connection(platform, request).await?;
    let named = info.with_application_name(&format!("pgbaton backup {}", record.id));
    let holder = import(platform, &record.id, &named).await?;
    let mut told = None;
    loop {
        let done = saved(Board::noted(ledger, &hop.run, work.plan.tasks.iter()).await?);
        let open: Vec<&Task> = work.plan.tasks.iter().filter(|t| !done.contains_key(&t.key())).collect();
        let locks = work.locks_of(open.iter().copied());
        let names: Vec<(&str, &str)> = locks.iter().map(|l| (l.schema.as_str(), l.name.as_str())).collect();
        let refused = holder.try_lock_tables(&names).await?;
        if refused.is_empty() {
            let files: Vec<(u32, u32, &str, &str)> =
                locks.iter().map(|l| (l.oid, l.relfilenode, l.schema.as_str(), l.name.as_str())).collect();
            holder.verify_unrewritten(&files).await?;
            return Ok((holder, work, done, places));
        }
        let tables: Vec<(String, String)> =
            refused.iter().map(|&n| (names[n].0.to_owned(), names[n].1.to_owned())).collect();
        if told.as_ref() != Some(&tables) {
            tracing::info!(id = %record.id, ?tables, "other sessions' locks are in the way; the holder reads these tables first");
            ledger.note(key, &Report::Waiting(tables.clone())).await?;
            told = Some(tables);
        }
        let there = ledger.get(&hop.run).await?;
        if there.status != Status::InProgress || there.fence != hop.fence {
            return Err(Error::new(Kind::Fenced, format!("the run {} has ended meanwhile", hop.run)));
        }
        tokio::time::sleep(LOCKS).await;
    }
}

/// Imports the snapshot of whoever holds it now. One that is gone may have been handed on in this moment, so the note is read again.
///
/// # Errors
/// [`Kind::SnapshotBroken`] when nobody holds it.
pub(super) async fn import(platform: &Platform, run: &RunId, info: &ConnInfo) -> Result<Snapshot> {
    let key = many::holder_note(run);
    let mut tried: Option<Holder> = None;
    loop {
        let holder = platform.ledger.noted::<Holder>(&key).await?;
        let holder =
            holder.ok_or_else(|| Error::new(Kind::NotFound, format!("nobody holds a snapshot for {run}")))?;
        match snapshot::join(&info.only(&holder.server), &holder.snapshot).await {
            Err(e) if e.kind() == Kind::SnapshotBroken && tried.as_ref() != Some(&holder) => {
                tried = Some(holder);
                tokio::time::sleep(LOOK).await;
            }
            other => return other.context("joining the backup's snapshot"),
        }
    }
}
