//! Retention: closing runs that nobody works on, aborting uploads that nobody finishes, removing backups that are too old.
//!
//! Order of a removal: the record is marked, the manifest goes (from then on it is no backup), then the data, then the record. A crash in between is
//! made good by the next run, which finds the mark.

mod action;
mod plan;
mod removal;
mod rules;

use jiff::{Timestamp, ToSpan};
use serde::Serialize;

pub use action::Action;
pub use plan::{Circumstances, Decision, Rules, RulesOf, plan};
pub use removal::{Removed, Wish};

use super::{
    Platform, backup,
    schedules::{Desk, Repaired},
    tell::{self, Watched},
    verify,
};
use crate::{
    base::{Result, ResultExt, clock, id::RunId},
    ledger::{Record, RunKind},
};

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Ids of runs that were closed as failed.
    pub closed: Vec<String>,
    /// Uploads that were aborted.
    pub aborted_uploads: usize,
    /// Decisions, with their reasons.
    pub plan: Vec<Line>,
    /// Backups that were removed with their objects.
    pub removed: Vec<Removed>,
    /// What was done for schedules.
    pub schedules: Repaired,
    /// Databases that were looked at.
    pub watched: Vec<Watched>,
    /// A wish that is not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Why a backup stays that somebody wished away.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// `base::Kind::code`: `conflict` or `not_found`.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// One decision, as the function answers it.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The run.
    pub id: String,
    /// Its database.
    pub database: String,
    /// When it was asked for.
    pub created_at: String,
    /// `keep` or `remove`.
    pub decision: &'static str,
    /// Why.
    pub reason: String,
}

/// Does what the event asks for, and closes what is stuck in any case but a trial. What fails for one run is logged and does not keep the others from being cleaned up; the first failure is the
/// outcome's error.
///
/// # Errors
/// Those of the ledger and the store.
pub async fn run(platform: &Platform, action: Action) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    // Also while the service is switched off: nothing must fire then.
    let repaired = match action {
        Action::Reap | Action::Remove { dry_run: false } => {
            let desk = Desk::new(&platform.config, &platform.sdk, platform.ledger.clone());
            desk.repair().await.map(|done| outcome.schedules = done)
        }
        _ => Ok(()),
    };
    if !platform.config.enabled && action == Action::Reap {
        return repaired.map(|()| outcome);
    }
    platform.require_enabled()?;
    // None keeps the others from being done.
    let reaped = match action {
        Action::Remove { dry_run: true } | Action::Delete(_) | Action::Watch => Ok(()),
        _ => reap(platform, &mut outcome).await,
    };
    let done = match action {
        Action::Reap => Ok(()),
        Action::Remove { dry_run } => removal::by_rules(platform, dry_run, &mut outcome).await,
        Action::Delete(wish) => removal::one(platform, &wish, &mut outcome).await,
        Action::Watch => tell::watch(platform).await.map(|seen| outcome.watched = seen),
    };
    // Also what other functions could not tell.
    let told = tell::all(platform).await;
    tracing::info!(
        closed = outcome.closed.len(),
        aborted_uploads = outcome.aborted_uploads,
        removed = outcome.removed.len(),
        "cleaned up"
    );
    reaped.and(done).and(repaired).and(told)?;
    Ok(outcome)
}

async fn reap(platform: &Platform, outcome: &mut Outcome) -> Result<()> {
    let ledger = &platform.ledger;
    let now = clock::now();
    let mut failure = None;
    for record in ledger.stuck(now).await.context("looking for stuck runs")? {
        let id = record.id.clone();
        match close(platform, record, now).await.with_context(|| format!("closing the stuck run {id}")) {
            Ok(true) => outcome.closed.push(id.to_string()),
            Ok(false) => {}
            Err(e) => {
                tracing::error!(id = %id, error = %e, "closing a stuck run");
                failure.get_or_insert(e);
            }
        }
    }
    if let Err(e) = verify::tell(platform, now).await.context("asking for scratch databases to be dropped") {
        tracing::error!(error = %e, "cleaning up after verifications");
        failure.get_or_insert(e);
    }
    outcome.aborted_uploads += abort_orphans(platform, now).await.context("aborting orphaned uploads")?;
    failure.map_or(Ok(()), Err)
}

/// Aborts uploads that were begun an hour ago, longer than any function lives, unless they belong to a run that still goes on.
async fn abort_orphans(platform: &Platform, now: Timestamp) -> Result<usize> {
    let Platform { ledger, store, config, .. } = platform;
    let old = now.checked_sub(1.hours()).unwrap_or(Timestamp::MIN);
    let mut count = 0;
    for upload in store.uploads(&config.prefix).await? {
        if upload.begun.is_none_or(|begun| begun >= old) {
            continue;
        }
        // The folder that holds the file is named after the run.
        let run = upload.key.rsplit('/').nth(1).and_then(|id| RunId::parse(id).ok());
        let goes_on = match run {
            Some(id) => ledger.find(&id).await?.is_some_and(|record| !record.status.is_final()),
            None => false,
        };
        if !goes_on {
            store.abort_upload(&upload).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Closes a run that nobody works on and aborts its uploads; tells whether it is closed.
async fn close(platform: &Platform, record: Record, now: Timestamp) -> Result<bool> {
    let closed = platform.ledger.close_if_stuck(record, now).await?;
    if closed.status.is_final() && closed.kind == RunKind::Backup {
        backup::abort_uploads(platform, &closed).await.context("aborting its uploads")?;
    }
    Ok(closed.status.is_final())
}
