//! Verification: whether a backup is still what was written, on one of three levels, each with all that the one before looks at.
//!
//! ```text
//! objects   manifest against the record ─ size and S3's checksum of every object ─ nothing missing
//! read      every object downloaded once: SHA-256 ─ decompressed ─ rows counted and hashed ─ toc.dat names every file
//! restore   scratch database ─ restored by the function for that ─ every table counted and hashed, objects counted ─ dropped
//! ```
//!
//! Three endings: the backup is as it was written (`completed`); it is not (`failed`, code `corrupt`); it could not be told (`failed`, another code).
//! The first two stand on the backup's record as well. No verification removes or changes anything of the backup.
//!
//! What a function has looked at stands in notes ([`done`]); when its time is up the next one goes on from there.

mod compare;
mod content;
mod copy;
mod done;
mod inventory;
mod leftovers;
mod objects;
mod read;
mod scratch;

use std::time::Duration;

use done::Done;
use inventory::Inventory;
pub use leftovers::clean_up;
pub(super) use leftovers::tell;

use super::{
    Invocation, Platform,
    request::{Resume, VerifyRequest, Which},
    restore::shift::Shift,
    run::{self, Ask, Begun, Cut, Outcome},
    successor, tell as told,
};
use crate::{
    base::{Error, Kind, Result, VerifyLevel, clock},
    ledger::{Completion, Lease, Record, Status, Verdict, Verified, fit_to_verify},
};

/// How long after a hand-over the next function may come, in leases: Lambda's queue may be long.
const PATIENCE: u32 = 5;

/// Runs the verification that an event asks for, or finds that another delivery of the event did.
///
/// # Errors
/// [`Kind::Corrupt`] with what is wrong with the backup; any other kind when it could not be told. The record tells the same.
pub async fn run(platform: &Platform, invocation: &Invocation, request: &VerifyRequest) -> Result<Record> {
    platform.require_enabled()?;
    // A record tells of a backup that cannot be found, too.
    let found = find(platform, request).await;
    let ask = Ask { id: request.id.clone(), event_id: request.event_id.clone() };
    let pending = |id, now| Ok(request.pending(id, found.as_ref().ok(), &platform.config, now));
    let cut = Cut::TakenOver { handed: request.resume.as_ref().map(|r| (r.id.clone(), r.fence)) };
    let (record, lease) = match run::begin_or_go_on(platform, invocation, &ask, &cut, pending).await? {
        Begun::Claimed { record, lease, .. } => (record, lease),
        Begun::Elsewhere(record) => return run::elsewhere(*record),
    };
    let left = invocation.budget.time_left();
    let may_go_on = record.hops.unwrap_or_default() < platform.config.max_hops;
    let verify = Verify {
        platform,
        request,
        record: &record,
        lease: &lease,
        shift: Shift::new(left, may_go_on),
        may_go_on,
    };
    let work = async { verify.work(found).await };
    run::conduct(platform, invocation, &record, &lease, work, |may_change| verify.clean(may_change)).await
}

async fn find(platform: &Platform, request: &VerifyRequest) -> Result<Record> {
    match &request.which {
        Which::Backup(id) => platform.ledger.get(id).await,
        Which::Latest(database) => {
            let database = database.as_ref().unwrap_or(&platform.config.database);
            let latest = platform.ledger.latest(Some(database), Status::Completed).await?;
            latest.ok_or_else(|| {
                Error::new(Kind::NotFound, format!("there is no completed backup of {database} to verify"))
            })
        }
    }
}

/// One function's part in a verification.
struct Verify<'a> {
    platform: &'a Platform,
    request: &'a VerifyRequest,
    record: &'a Record,
    lease: &'a Lease,
    shift: Shift,
    may_go_on: bool,
}

/// How far a function has come with a level.
enum Reached {
    /// Its end: what was found is in [`Done`].
    End(Summary),
    /// Its time is up. What it was at when it had got nothing done, so that no other function would get further.
    TimeUp {
        /// None where something was done.
        stuck_at: Option<String>,
    },
}

/// What a verification that came to its end looked at.
#[derive(Debug, Default)]
struct Summary {
    rows: Option<u64>,
    tables: Option<u64>,
    bytes: Option<u64>,
    /// What the sentence of one that passed says.
    says: String,
}

impl Verify<'_> {
    fn level(&self) -> VerifyLevel {
        self.record.verified_level.unwrap_or(self.platform.config.verify_level)
    }

    async fn work(&self, found: Result<Record>) -> Result<Outcome> {
        // An earlier function of this run chose the backup.
        let backup = match &self.record.backup_id {
            Some(id) => self.platform.ledger.get(id).await?,
            None => found?,
        };
        fit_to_verify(&backup)?;
        let mut done = Done::load(self.platform, &self.record.id).await?;
        let Some(mut inventory) = Inventory::take(self.platform, &backup, &mut done).await? else {
            return self.judge(&backup, done, Summary::default()).await;
        };
        // What S3 says of the objects is to be had without a key.
        if self.level() > VerifyLevel::Objects && !inventory.unlock(self.platform, &mut done).await? {
            return self.judge(&backup, done, Summary::default()).await;
        }
        let reached = match self.level() {
            VerifyLevel::Objects => self.objects(&inventory, &mut done).await?,
            VerifyLevel::Read => self.read(&inventory, &mut done).await?,
            VerifyLevel::Restore if done.has_problems() => Reached::End(Summary::default()),
            VerifyLevel::Restore => self.restore(&backup, &inventory, &mut done).await?,
        };
        match reached {
            Reached::End(summary) => self.judge(&backup, done, summary).await,
            Reached::TimeUp { stuck_at } => self.hand_over(&done, stuck_at).await,
        }
    }

    /// Puts the outcome on the backup's record, which comes before this run's own end: a crash in between does it again.
    async fn judge(&self, backup: &Record, done: Done, summary: Summary) -> Result<Outcome> {
        let level = self.level();
        let verdict = if done.has_problems() { Verdict::Failed } else { Verdict::Passed };
        let message = match verdict {
            Verdict::Passed => summary.says,
            Verdict::Failed => done.told(),
        };
        let Platform { ledger, config, .. } = self.platform;
        ledger.renew(self.lease, config.lease).await?;
        let outcome = Verified { by: self.record.id.clone(), level, verdict, message: message.clone() };
        // It may be on its way out by now: what is missing then is missing for a reason.
        fit_to_verify(&ledger.get(&backup.id).await?)?;
        if verdict == Verdict::Failed {
            // Under this run's id, so that doing it again tells nobody twice.
            told::verification_failed(self.platform, backup, self.record.id.as_str(), &message).await?;
        }
        ledger.verified(&backup.id, &outcome, clock::now()).await?;
        tracing::info!(id = %backup.id, level = level.name(), verdict = verdict.name(), message, "verified a backup");
        if verdict == Verdict::Failed {
            return Err(Error::new(
                Kind::Corrupt,
                format!("the backup {} is not what was written: {message}", backup.id),
            ));
        }
        Ok(Outcome::Completed(Box::new(Completion {
            file_size: summary.bytes,
            record_count: summary.rows,
            table_count: summary.tables,
            message: Some(format!("the backup {} is as it was written: {message}", backup.id)),
            warnings: done.warnings,
            ..Completion::default()
        })))
    }

    /// Lets another function go on, which is called first and waits for the lease.
    async fn hand_over(&self, done: &Done, stuck_at: Option<String>) -> Result<Outcome> {
        let (platform, most) = (self.platform, self.platform.config.max_hops);
        let refuse = |why: String| {
            Err(Error::new(
                Kind::Budget,
                format!("the time of the function is up before the backup is verified, {why}"),
            ))
        };
        if !self.may_go_on {
            return refuse(format!("and BACKUP_MAX_HOPS ({most}) lets no further function go on with it"));
        }
        if let Some(what) = stuck_at {
            return refuse(format!(
                "and another would come no further: {what} takes longer than one function has time"
            ));
        }
        done.store(platform).await?;
        let resume = Resume { id: self.record.id.clone(), fence: self.lease.fence() };
        let event = VerifyRequest { resume: Some(resume), ..self.request.clone() };
        successor::invoke(platform, &event.to_event()).await?;
        platform.ledger.hand_over(self.lease, platform.config.lease * PATIENCE).await?;
        Ok(Outcome::HandedOver(Box::pin(std::future::ready(()))))
    }

    /// Drops the scratch database of a verification that failed.
    async fn clean(&self, may_change: bool) -> Result<Option<String>> {
        if !may_change || self.level() != VerifyLevel::Restore {
            return Ok(None);
        }
        match self.drop_scratch().await {
            Ok(()) => Ok(None),
            Err(e) => Ok(Some(format!(
                "its scratch database could not be dropped ({e}); the reaper and the next verification try again"
            ))),
        }
    }
}

/// Pause between looks at what another function does.
const LOOK: Duration = Duration::from_secs(1);
