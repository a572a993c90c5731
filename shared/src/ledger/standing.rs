//! How each database stands: failures in a row, the last good backup, silence, and what people are still to be told.
//!
//! In `STATE_TABLE`, without a time to live:
//!
//! | item | attributes |
//! |---|---|
//! | `standing#<database>` | `body` (S): a [`Standing`] as JSON; `revision` (N), raised by each write, each of which names the one it read |
//! | `standings` | `names` (SS): the databases that have one |
//!
//! A run's end is counted in the transaction that makes its record final: once, whoever closes it and however often that is tried. What is to be
//! told of it is put down by the same transaction, and removed when it was told ([`super::outbox`]).

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure as OnFailure},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    fault::fault,
    item,
    record::{RunKind, Status},
    table::Ledger,
};
use crate::base::{
    Error, Kind, Result, clock,
    event::EventKind,
    id::{DatabaseName, RunId},
};

/// Notices kept for a database; the oldest go first. An item may have 400 KB.
const NOTICES: usize = 200;
/// How often a write is tried that others come in between.
pub(super) const TRIES: u32 = 30;

/// How a database stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Backups that failed since the last good one.
    #[serde(default)]
    pub failures: u64,
    /// The last good backup.
    #[serde(default)]
    pub last_good: Option<RunId>,
    /// When it completed.
    #[serde(default)]
    pub last_good_at: Option<Timestamp>,
    /// Since when good backups of it are expected, where there is none yet.
    #[serde(default)]
    pub expected_since: Option<Timestamp>,
    /// When it was last told that there is no good backup; none while there is one.
    #[serde(default)]
    pub silence_told_at: Option<Timestamp>,
    /// What is to be told, oldest first.
    #[serde(default)]
    pub outbox: Vec<Notice>,
}

/// Something to be told and counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same each time it is told.
    pub id: String,
    /// What it is; none for what is only counted.
    #[serde(default)]
    pub event: Option<EventKind>,
    /// The run.
    #[serde(default)]
    pub run: Option<RunId>,
    /// When it happened.
    pub at: Timestamp,
    /// Failures in a row then.
    #[serde(default)]
    pub failures: u64,
    /// What happened, where the run's record does not say it.
    #[serde(default)]
    pub message: Option<String>,
    /// Metrics are still to be made of it.
    #[serde(default)]
    pub to_count: bool,
    /// Channels that took it.
    #[serde(default)]
    pub told: Vec<String>,
    /// Until when a function is at it.
    #[serde(default)]
    pub held_until: Option<Timestamp>,
}

/// How a run ended, as far as its database's standing cares.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub id: RunId,
    pub kind: RunKind,
    pub status: Status,
    /// Closed because nobody worked on it.
    pub abandoned: bool,
    pub warnings: bool,
    pub at: Timestamp,
}

impl Standing {
    /// Counts the end of a run, and puts down what is to be told of it.
    pub(super) fn end(&mut self, run: &Ended) {
        let good = run.status == Status::Completed;
        let was_bad = self.failures > 0 || self.silence_told_at.is_some();
        let failures_before = self.failures;
        let mut events = Vec::new();
        match (run.kind, good) {
            (RunKind::Backup, true) => {
                self.failures = 0;
                self.last_good = Some(run.id.clone());
                self.last_good_at = Some(run.at);
                self.silence_told_at = None;
                if run.warnings {
                    events.push(EventKind::BackupCompletedWithWarnings);
                }
                if was_bad {
                    events.push(EventKind::BackupRecovered);
                }
            }
            (RunKind::Backup, false) => {
                self.failures = self.failures.saturating_add(1);
                events.push(match run.abandoned {
                    true => EventKind::BackupStuck,
                    false => EventKind::BackupFailed,
                });
            }
            (RunKind::Restore, true) => events.push(EventKind::RestoreCompleted),
            (RunKind::Restore, false) => events.push(EventKind::RestoreFailed),
            // What a verification finds is told by the job, which knows of which backup.
            (RunKind::Verify | RunKind::Validate | RunKind::Deletion, _) => {}
        }
        if run.kind == RunKind::Backup && self.last_good_at.is_none() {
            self.expected_since.get_or_insert(run.at);
        }
        let mut events: Vec<_> = events.into_iter().map(Some).collect();
        if events.is_empty() {
            events.push(None);
        }
        for (n, event) in events.into_iter().enumerate() {
            self.post(Notice {
                id: format!("{}/{}", run.id, event.map_or("run.ended", EventKind::name)),
                event,
                run: Some(run.id.clone()),
                at: run.at,
                failures: if good { failures_before } else { self.failures },
                message: None,
                to_count: n == 0,
                told: Vec::new(),
                held_until: None,
            });
        }
    }

    /// Puts a notice down, unless there is one with its id.
    pub fn post(&mut self, notice: Notice) {
        if self.outbox.iter().any(|n| n.id == notice.id) {
            return;
        }
        self.outbox.push(notice);
        let over = self.outbox.len().saturating_sub(NOTICES);
        for lost in self.outbox.drain(..over) {
            tracing::error!(
                notice = lost.id,
                "too much is waiting to be told of one database: this is not told"
            );
        }
    }
}

/// A standing as it was read.
pub(super) struct Read {
    pub standing: Standing,
    revision: u64,
}

impl Ledger {
    /// How a database stands; as if nothing had happened yet where nothing is known.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn standing(&self, database: &DatabaseName) -> Result<Standing> {
        Ok(self.read_standing(database).await?.standing)
    }

    /// The databases that have a standing, in order.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn standings(&self) -> Result<Vec<DatabaseName>> {
        let item = self.state_item(NAMES).await?.unwrap_or_default();
        let names = item.get("names").and_then(|v| v.as_ss().ok()).cloned().unwrap_or_default();
        let mut all = names.iter().map(|n| DatabaseName::parse(n)).collect::<Result<Vec<_>>>()?;
        all.sort();
        Ok(all)
    }

    /// Forgets a database: nothing more is told of it, nor expected.
    ///
    /// # Errors
    /// As [`Ledger::ping`]; done again, it goes on where it stopped.
    pub async fn forget_standing(&self, database: &DatabaseName) -> Result<()> {
        // Emptied and not deleted: who may delete one item of the table may delete any.
        self.change_standing(database, |standing| *standing = Standing::default()).await?;
        self.name_standing("DELETE #names :name", database).await
    }

    /// Changes a standing; `change` is done again with what it then is when another function came in between. Nothing is written where it
    /// changes nothing.
    ///
    /// # Errors
    /// [`Kind::Busy`] when others came in between too often; otherwise as [`Ledger::ping`].
    pub async fn change_standing<T>(
        &self,
        database: &DatabaseName,
        mut change: impl FnMut(&mut Standing) -> T,
    ) -> Result<T> {
        for attempt in 0..TRIES {
            let Read { mut standing, revision } = self.read_standing(database).await?;
            let before = standing.clone();
            let outcome = change(&mut standing);
            if standing == before {
                return Ok(outcome);
            }
            let put = self.put_of(database, &standing, revision)?;
            let sent = self
                .client
                .put_item()
                .table_name(&self.state_table)
                .set_item(Some(put.item))
                .set_condition_expression(put.condition_expression)
                .set_expression_attribute_values(put.expression_attribute_values)
                .send()
                .await;
            match sent {
                Ok(_) => return Ok(outcome),
                Err(e) if overtaken(e.code()) => pause(attempt).await,
                Err(e) => return Err(fault(e, "PutItem", &self.state_table)),
            }
        }
        Err(Error::new(Kind::Busy, format!("the standing of database {database} is being changed by others")))
    }

    /// The standing and the revision that a write of it must name. One that cannot be read is begun anew: it must not stop a run from ending.
    pub(super) async fn read_standing(&self, database: &DatabaseName) -> Result<Read> {
        let Some(found) = self.state_item(&key(database)).await? else {
            self.name_standing("ADD #names :name", database).await?;
            return Ok(Read { standing: Standing::default(), revision: 0 });
        };
        let revision = found.get("revision").and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
        let body = found.get("body").and_then(|v| v.as_s().ok()).map_or("", String::as_str);
        let standing = serde_json::from_str(body).unwrap_or_else(|e| {
            tracing::error!(database = %database, error = %e, "the database's standing cannot be read and is begun anew");
            Standing::default()
        });
        if standing == Standing::default() {
            // It may have been forgotten.
            self.name_standing("ADD #names :name", database).await?;
        }
        Ok(Read { standing, revision: revision.unwrap_or_default() })
    }

    /// The write of a standing, to be refused when it is not what was read.
    pub(super) fn put_standing(
        &self,
        database: &DatabaseName,
        read: &Read,
        standing: &Standing,
    ) -> Result<Put> {
        self.put_of(database, standing, read.revision)
    }

    fn put_of(&self, database: &DatabaseName, standing: &Standing, revision: u64) -> Result<Put> {
        let body = serde_json::to_string(standing)
            .map_err(|e| Error::with_source(Kind::Internal, "a standing cannot be written as JSON", e))?;
        let mut put = Put::builder()
            .table_name(&self.state_table)
            .item("id", item::text(key(database)))
            .item("body", item::text(body))
            .item("revision", item::number(revision + 1))
            .item("updated_at", item::text(clock::text(clock::now())));
        put = match revision {
            0 => put.condition_expression("attribute_not_exists(revision)"),
            seen => put
                .condition_expression("revision = :seen")
                .expression_attribute_values(":seen", item::number(seen)),
        };
        put.return_values_on_condition_check_failure(OnFailure::None)
            .build()
            .map_err(|e| Error::with_source(Kind::Internal, "a standing cannot be written", e))
    }

    async fn name_standing(&self, update: &str, database: &DatabaseName) -> Result<()> {
        let name = AttributeValue::Ss(vec![database.to_string()]);
        for attempt in 0..TRIES {
            let sent = self
                .client
                .update_item()
                .table_name(&self.state_table)
                .key("id", item::text(NAMES))
                .update_expression(update)
                .expression_attribute_names("#names", "names")
                .expression_attribute_values(":name", name.clone())
                .send()
                .await;
            match sent {
                Ok(_) => return Ok(()),
                Err(e) if overtaken(e.code()) && attempt + 1 < TRIES => pause(attempt).await,
                Err(e) => return Err(fault(e, "UpdateItem", &self.state_table)),
            }
        }
        Ok(())
    }
}

const NAMES: &str = "standings";

fn key(database: &DatabaseName) -> String {
    format!("standing#{database}")
}

/// Whether a write was refused because another came in between.
pub(super) fn overtaken(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ConditionalCheckFailedException"
                | "ConditionalCheckFailed"
                | "TransactionConflictException"
                | "TransactionConflict"
                | "TransactionInProgressException"
                | "ThrottlingError"
                | "ThrottlingException"
                | "ProvisionedThroughputExceeded"
                | "ProvisionedThroughputExceededException"
        )
    )
}

/// Waits before another attempt, not as long as others that failed at the same moment.
pub(super) async fn pause(attempt: u32) {
    let mut byte = [0u8; 1];
    // Without randomness all wait alike, which is no fault.
    let _ = getrandom::fill(&mut byte);
    let most = 10u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(2 + most * u64::from(byte[0]) / 256)).await;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ended(kind: RunKind, status: Status, n: u32) -> Ended {
        Ended {
            id: RunId::parse(&format!("20261121T020000Z-{n:08x}")).unwrap(),
            kind,
            status,
            abandoned: false,
            warnings: false,
            at: Timestamp::from_second(1_800_000_000 + i64::from(n)).unwrap(),
        }
    }

    fn events(standing: &Standing) -> Vec<Option<EventKind>> {
        standing.outbox.iter().map(|n| n.event).collect()
    }

    #[test]
    fn failures_are_counted_and_the_first_good_backup_tells_of_them() {
        use {RunKind::Backup, Status::*};
        let mut s = Standing::default();
        s.end(&ended(Backup, Completed, 1));
        assert_eq!(events(&s), [None], "an ordinary backup is only counted");
        s.end(&ended(Backup, Failed, 2));
        s.end(&Ended { abandoned: true, ..ended(Backup, Failed, 3) });
        assert_eq!(s.failures, 2);
        assert_eq!(s.last_good, Some(ended(Backup, Completed, 1).id));
        s.outbox.clear();
        s.end(&Ended { warnings: true, ..ended(Backup, Completed, 4) });
        assert_eq!(
            events(&s),
            [Some(EventKind::BackupCompletedWithWarnings), Some(EventKind::BackupRecovered)]
        );
        assert_eq!(s.outbox.iter().map(|n| n.to_count).collect::<Vec<_>>(), [true, false]);
        assert!(s.outbox.iter().all(|n| n.failures == 2), "what it recovered from: {:?}", s.outbox);
        assert_eq!(s.failures, 0);
        s.outbox.clear();
        s.end(&ended(Backup, Completed, 5));
        assert_eq!(events(&s), [None]);
    }

    #[test]
    fn a_good_backup_ends_silence_and_a_restore_does_not() {
        let told = Some(Timestamp::UNIX_EPOCH);
        let mut s = Standing { silence_told_at: told, failures: 3, ..Standing::default() };
        s.end(&ended(RunKind::Restore, Status::Completed, 1));
        assert_eq!((s.silence_told_at, s.failures), (told, 3));
        s.end(&ended(RunKind::Backup, Status::Completed, 2));
        assert_eq!(events(&s), [Some(EventKind::RestoreCompleted), Some(EventKind::BackupRecovered)]);
        assert_eq!(s.silence_told_at, None);
    }

    #[test]
    fn the_outbox_is_bounded_and_knows_doubles() {
        let mut s = Standing::default();
        for n in 0..300 {
            s.end(&ended(RunKind::Backup, Status::Failed, n));
            s.end(&ended(RunKind::Backup, Status::Failed, n));
        }
        assert_eq!(s.outbox.len(), NOTICES);
        assert_eq!(s.outbox[NOTICES - 1].run, Some(ended(RunKind::Backup, Status::Failed, 299).id));
        assert!(serde_json::to_string(&s).unwrap().len() < 100 << 10);
    }

    proptest! {
        /// Whatever ends in whatever order: the count is that of failures after the last good backup, and "recovered" is told exactly
        /// where a good one follows bad ones.
        #[test]
        fn counts_follow_from_the_order(ends in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..60)) {
            let mut s = Standing::default();
            let (mut failures, mut recovered) = (0, 0);
            for (n, (backup, good, warnings)) in ends.iter().enumerate() {
                let kind = if *backup { RunKind::Backup } else { RunKind::Restore };
                let status = if *good { Status::Completed } else { Status::Failed };
                s.end(&Ended { warnings: *warnings, ..ended(kind, status, n as u32) });
                match (backup, good) {
                    (true, true) => { recovered += usize::from(failures > 0); failures = 0 }
                    (true, false) => failures += 1,
                    _ => {}
                }
            }
            prop_assert_eq!(s.failures, failures);
            let told = s.outbox.iter().filter(|n| n.event == Some(EventKind::BackupRecovered)).count();
            prop_assert_eq!(told, recovered);
            prop_assert_eq!(s.outbox.iter().filter(|n| n.to_count).count(), ends.len());
            let text = serde_json::to_string(&s).unwrap();
            prop_assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), s);
        }
    }
}
