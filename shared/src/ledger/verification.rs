//! What verifications leave in the ledger: their outcome on the backup's record, and on their own the name of the scratch database that is to be dropped.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    claim::{HOLDS, Lease, fenced},
    item,
    record::{Record, RunKind, Status},
    table::{Ledger, missing},
};
use crate::base::{Error, Kind, Result, VerifyLevel, clock, id::RunId};

/// Characters of a verification's sentence kept on the backup's record.
const SENTENCE: usize = 1_000;

/// How a verification that came to its end judges a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that the level looks at is as it was written.
    Passed,
    /// Something is not; the message says what.
    Failed,
}

impl Verdict {
    /// The attribute's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

/// The outcome of one verification, for the backup's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The run that verified.
    pub by: RunId,
    /// How thoroughly.
    pub level: VerifyLevel,
    /// The judgement.
    pub verdict: Verdict,
    /// One sentence.
    pub message: String,
}

impl Verified {
    /// Whether this outcome may take the place of the one in the record: a lesser level that finds nothing does not hide what a higher one found.
    fn replaces(&self, there: &Record) -> bool {
        let worse = there.verification == Some(Verdict::Failed)
            && self.verdict == Verdict::Passed
            && there.verified_level.is_some_and(|level| self.level < level);
        !worse
    }
}

impl Ledger {
    /// Puts the outcome of a verification on the backup's record. An outcome that would hide a failure found at a higher level is not put there. Done
    /// again, it is no error.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Conflict`] when the backup is being removed or is no completed backup.
    pub async fn verified(&self, backup: &RunId, outcome: &Verified, now: Timestamp) -> Result<()> {
        loop {
            let there = self.get(backup).await?;
            fit_to_verify(&there)?;
            if !outcome.replaces(&there) {
                tracing::info!(id = %backup, by = %outcome.by, "a failure found at a higher level stays on the record");
                return Ok(());
            }
            let mut message: String = outcome.message.chars().take(SENTENCE).collect();
            if message.len() < outcome.message.len() {
                message.push('…');
            }
            let mut values = vec![
                (":at", item::text(clock::text(now))),
                (":level", item::text(outcome.level.name())),
                (":verdict", item::text(outcome.verdict.name())),
                (":message", item::text(message)),
                (":by", item::text(outcome.by.as_str())),
                (":completed", item::text(Status::Completed.name())),
            ];
            // Two at once: the later one looks again at what the earlier one said.
            let unchanged = match there.verified_at {
                Some(at) => {
                    values.push((":seen", item::text(clock::text(at))));
                    "verified_at = :seen"
                }
                None => "attribute_not_exists(verified_at)",
            };
            let update = "SET verified_at = :at, verified_level = :level, verification = :verdict, verification_message = :message, verification_id = :by";
            let condition =
                format!("#status = :completed AND attribute_not_exists(deleting_at) AND {unchanged}");
            match self.update(backup, update, &condition, values).await? {
                Ok(_) => return Ok(()),
                Err(None) => return Err(missing(backup)),
                Err(Some(_)) => {}
            }
        }
    }

    /// Puts down, before it is made, the name of the scratch database that a run of this lease makes; none once it is dropped.
    ///
    /// # Errors
    /// As [`Ledger::renew`].
    pub async fn scratch(&self, lease: &Lease, database: Option<&str>) -> Result<()> {
        let (update, value) = scratch(database);
        let values = value.into_iter().chain(lease.terms());
        match self.update(&lease.id, update, HOLDS, values).await? {
            Ok(_) => Ok(()),
            Err(there) => Err(fenced(lease, there.as_deref())),
        }
    }

    /// Takes the name of a scratch database that was dropped off the record of a run that has ended. A record that is gone is no error.
    ///
    /// # Errors
    /// [`Kind::Conflict`] while the run goes on.
    pub async fn scratch_dropped(&self, id: &RunId) -> Result<()> {
        let (update, _) = scratch(None);
        let values = [
            (":completed", item::text(Status::Completed.name())),
            (":failed", item::text(Status::Failed.name())),
        ];
        match self.update(id, update, "#status IN (:completed, :failed)", values).await? {
            Ok(_) | Err(None) => Ok(()),
            Err(Some(_)) => Err(Error::new(Kind::Conflict, format!("the run {id} goes on"))),
        }
    }
}

fn scratch(database: Option<&str>) -> (&'static str, Option<(&'static str, AttributeValue)>) {
    match database {
        Some(name) => ("SET scratch_database = :scratch", Some((":scratch", item::text(name)))),
        None => ("REMOVE scratch_database", None),
    }
}

/// Refuses what cannot be verified: a run that is no backup, is not completed, or is being removed.
///
/// # Errors
/// [`Kind::Conflict`].
pub fn fit_to_verify(record: &Record) -> Result<()> {
    let id = &record.id;
    let why = if record.kind != RunKind::Backup {
        format!("{id} is a {}, not a backup", record.kind.name())
    } else if record.deleting_at.is_some() {
        format!("the backup {id} is being removed")
    } else if record.status != Status::Completed {
        format!("the backup {id} is {}; only a completed one can be verified", record.status.name())
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Conflict, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::id::DatabaseName, ledger::BackupType};

    fn record() -> Record {
        let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let mut r =
            Record::pending(id, RunKind::Backup, DatabaseName::parse("a").unwrap(), BackupType::Manual, at);
        r.status = Status::Completed;
        r
    }

    #[test]
    fn a_lesser_level_does_not_hide_a_failure() {
        let mut there = record();
        let outcome = |level, verdict| Verified {
            by: RunId::parse("20261121T030000Z-9f86d081").unwrap(),
            level,
            verdict,
            message: String::new(),
        };
        assert!(outcome(VerifyLevel::Objects, Verdict::Passed).replaces(&there));
        there.verification = Some(Verdict::Failed);
        there.verified_level = Some(VerifyLevel::Read);
        assert!(!outcome(VerifyLevel::Objects, Verdict::Passed).replaces(&there));
        assert!(outcome(VerifyLevel::Objects, Verdict::Failed).replaces(&there));
        assert!(outcome(VerifyLevel::Read, Verdict::Passed).replaces(&there));
        assert!(outcome(VerifyLevel::Restore, Verdict::Passed).replaces(&there));
        there.verification = Some(Verdict::Passed);
        assert!(outcome(VerifyLevel::Objects, Verdict::Passed).replaces(&there));
    }

    #[test]
    fn only_completed_backups_that_stay_are_verified() {
        assert!(fit_to_verify(&record()).is_ok());
        let changes: [fn(&mut Record); 4] = [
            |r| r.kind = RunKind::Restore,
            |r| r.status = Status::InProgress,
            |r| r.status = Status::Failed,
            |r| r.deleting_at = Some(r.created_at),
        ];
        for change in changes {
            let mut r = record();
            change(&mut r);
            assert_eq!(fit_to_verify(&r).unwrap_err().kind(), Kind::Conflict);
        }
    }
}
