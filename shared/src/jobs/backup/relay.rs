//! The relay: a backup that outlives its function.
//!
//! A transaction that imported a snapshot may export it again, so the snapshot lives on while it passes from one function to the next:
//!
//! ```text
//! holder     … reads ──┬─ notes what is done ─ invokes ─┐         ┌─ ends what is under way ─ notes ─ gives the lease ─ lets go
//!                      │                                │         │                                       │
//! successor            └──────── claims the hop ─ imports ─ locks ─ exports ─ says "ready" ─ waits ───────┴─ takes the lease ─ reads …
//! ```
//!
//! The holder keeps snapshot, locks and lease until the successor has all of them: a table that is not locked for a moment could be emptied, and would be read
//! as empty. The successor waits for no lock (it would wait behind an ALTER TABLE that waits for the holder); what it cannot lock at once the holder reads
//! itself, in its own session, which has the lock already.
//!
//! Notes: `backup/<run>/hop/<hop>/<try>`: what the successor says. `backup/<run>/warnings`: what the record is to tell.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    board::Board,
    many::{self, Holder},
    work::Work,
};
use crate::{
    base::{Error, Kind, Result, ResultExt, budget::Budget, id::RunId},
    jobs::{
        Platform,
        pipe::Place,
        request::{BackupRequest, Hop},
        successor,
    },
    ledger::{Lease, Record},
    pg::Snapshot,
};

/// How often the other side's note is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// How long the holder waits, at most, for its successor to take what it was given.
const TAKING: Duration = Duration::from_secs(10);

/// What the successor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// It has begun; the token tells two deliveries of one invoke apart.
    Claimed(String),
    /// It holds the snapshot, and these tables (schema, name) are locked by others.
    Waiting(Vec<(String, String)>),
    /// It holds snapshot and locks.
    Ready,
    /// It cannot.
    Failed {
        /// `Kind::code`.
        code: String,
        /// Why.
        message: String,
    },
}

/// Key of the successor's note.
pub(super) fn report_note(hop: &Hop) -> String {
    format!("backup/{}/hop/{}/{}", hop.run, hop.number, hop.attempt)
}

/// Key of the note with warnings met on the way.
pub(super) fn warnings_note(run: &RunId) -> String {
    format!("backup/{run}/warnings")
}

/// The holder's side.
pub(super) struct Invitation<'a> {
    pub platform: &'a Platform,
    pub budget: &'a Budget,
    pub request: &'a BackupRequest,
    pub record: &'a Record,
    pub lease: &'a Lease,
    pub holder: &'a Snapshot,
    pub work: &'a Work,
    /// Where the work is written down.
    pub place: &'a Place,
    pub board: &'a Arc<Board>,
    /// Hand-overs so far.
    pub number: u64,
}

impl Invitation<'_> {
    /// When the time has come, invites the successor, and waits until it is ready.
    ///
    /// # Errors
    /// [`Kind::Budget`] when no further hop is allowed, or none succeeded in time; what the successor said that another try does not help.
    pub(super) async fn until_ready(&self) -> Result<()> {
        let most = self.platform.config.max_hops;
        if self.number >= most {
            tokio::time::sleep(self.budget.work_left().saturating_sub(Duration::from_millis(500))).await;
            let why = match most {
                0 => "the time of the function is up, and BACKUP_MAX_HOPS is 0: the backup may not go on in another one".to_owned(),
                _ => format!("the time of the function is up after {most} hand-overs, as many as BACKUP_MAX_HOPS allows"),
            };
            return Err(Error::new(Kind::Budget, why));
        }
        let early = successor::early(self.budget.whole());
        tokio::time::sleep(self.budget.time_left().saturating_sub(early)).await;
        if self.number == 0 {
            self.work.store(self.place).await?;
        }
        many::note_holder(&self.platform.ledger, &self.record.id, self.holder, self.number).await?;
        self.board.persist().await?;
        let mut attempt = 0;
        let mut earlier: Option<Error> = None;
        loop {
            attempt += 1;
            let run = self.record.id.clone();
            let hop = Hop { run, fence: self.lease.fence(), number: self.number + 1, attempt };
            match self.attempt(hop).await {
                Ok(()) => return Ok(()),
                // A table that was emptied stays so.
                Err(e)
                    if e.kind().retryable()
                        && e.kind() != Kind::SnapshotBroken
                        && !self.patience().is_zero() =>
                {
                    tracing::warn!(id = %self.record.id, attempt, error = %e, "the next function could not take over; trying again");
                    earlier = Some(e);
                    tokio::time::sleep(LOOK * 2).await;
                }
                Err(e) => {
                    return Err(match earlier {
                        Some(before) if e.kind() == Kind::Budget => {
                            e.note(&format!("an earlier try: {before}"))
                        }
                        _ => e,
                    });
                }
            }
        }
    }

    async fn attempt(&self, hop: Hop) -> Result<()> {
        let doing = || format!("handing backup {} over to another function (hop {})", hop.run, hop.number);
        let key = report_note(&hop);
        let request = BackupRequest { hop: Some(hop.clone()), ..self.request.clone() };
        successor::invoke(self.platform, &request.to_event()).await.with_context(doing)?;
        let mut last: Option<Report> = None;
        // It may have died, or Lambda may be out of places.
        let patience = Instant::now() + successor::early(self.budget.whole()) / 3;
        loop {
            let report = self.platform.ledger.noted::<Report>(&key).await?;
            match &report {
                Some(Report::Ready) => return Ok(()),
                Some(Report::Failed { code, message }) => {
                    let kind = Kind::parse(code).unwrap_or(Kind::Internal);
                    return Err(Error::new(kind, message.clone()).context(doing()));
                }
                Some(Report::Waiting(tables)) => {
                    if report != last {
                        self.read_first(tables);
                    }
                    self.board.persist().await?;
                }
                Some(Report::Claimed(_)) | None if Instant::now() > patience => {
                    return Err(Error::new(Kind::Busy, "it was not ready in time").context(doing()));
                }
                Some(Report::Claimed(_)) | None => {}
            }
            if report.is_some() {
                last = report;
            }
            if self.patience().is_zero() {
                let why = match last {
                    None => "no other function began in time".to_owned(),
                    Some(Report::Waiting(tables)) => {
                        let names: Vec<String> =
                            tables.iter().take(5).map(|(s, t)| format!("{s}.{t}")).collect();
                        format!(
                            "locks of other sessions on {} were in the way until the function's time was up",
                            names.join(", ")
                        )
                    }
                    Some(_) => "the other function was not ready in time".to_owned(),
                };
                return Err(Error::new(Kind::Budget, why).context(doing()));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tables that the successor cannot lock are read by the holder itself, at once.
    fn read_first(&self, tables: &[(String, String)]) {
        for task in self.board.open(&self.work.plan) {
            let wanted = |(s, t): (&str, &str)| tables.iter().any(|(schema, name)| schema == s && name == t);
            if task.table().is_some_and(wanted) {
                self.board.contest(task.clone());
            }
        }
    }

    /// Time that is left for what is under way, once the successor is ready.
    pub(super) fn patience(&self) -> Duration {
        // What is kept back is for noting what is done and letting go.
        self.budget.work_left().saturating_sub((self.budget.whole() / 20).max(Duration::from_secs(1)))
    }

    /// Notes what is done, and gives the lease to the successor.
    ///
    /// # Errors
    /// Those of the ledger; [`Kind::Fenced`].
    pub(super) async fn hand_over(&self, warnings: &[String]) -> Result<()> {
        let Platform { ledger, config, .. } = self.platform;
        self.board.persist().await?;
        ledger.note(&warnings_note(&self.record.id), &warnings).await?;
        ledger.hand_over(self.lease, config.lease).await.context("giving the lease to the next function")
    }

    /// Waits, not for long, until workers that begin now import the successor's snapshot. The holder may let go then.
    pub(super) fn until_taken(&self) -> impl Future<Output = ()> + Send + 'static {
        let (ledger, number) = (self.platform.ledger.clone(), self.number);
        let key = many::holder_note(&self.record.id);
        let until = Instant::now() + TAKING.min(self.budget.time_left() / 2);
        async move {
            while Instant::now() < until {
                match ledger.noted::<Holder>(&key).await {
                    Ok(Some(holder)) if holder.hop > number => return,
                    Ok(_) => {}
                    Err(e) => tracing::warn!(error = %e, "looking whether the next function has taken over"),
                }
                tokio::time::sleep(LOOK / 2).await;
            }
        }
    }
}
