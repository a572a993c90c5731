//! What runs, and how each database fares: a pure function of records and the time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    base::{
        clock,
        id::{DatabaseName, RunId},
    },
    ledger::{BackupType, Progress, Record, RunKind, ScheduleId, Status},
};

/// A good backup older than this is worth a look where nothing else says how often there should be one.
const OLD_SECONDS: u64 = 26 * 3_600;

/// A run in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brief {
    /// Its id.
    pub id: RunId,
    /// Backup, restore, deletion.
    pub kind: RunKind,
    /// The database.
    pub database: DatabaseName,
    /// Where it stands.
    pub status: Status,
    /// Manual or scheduled.
    pub backup_type: BackupType,
    /// When it was asked for.
    pub created_at: String,
    /// How long it took, or has taken so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Bytes stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
    /// How far it has come, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Warnings it has.
    #[serde(skip_serializing_if = "is_zero")]
    pub warning_count: usize,
    /// Seconds since it was asked for.
    pub age_seconds: u64,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// How a database fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The last backup is good, without warnings, and younger than 26 hours.
    Ok,
    /// It has warnings, or is older.
    Warning,
    /// The last backup failed, or there is none that is good.
    Failing,
    /// There was never one.
    Unknown,
}

/// One database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatabaseHealth {
    /// Its name.
    pub name: DatabaseName,
    /// How it fares.
    pub health: Health,
    /// Its last good backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<Brief>,
    /// Backups that failed since, or in a row if there never was a good one.
    pub consecutive_failures: usize,
}

/// When a schedule fires next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextRuns {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The database that it backs up.
    pub database: String,
    /// Whether it fires.
    pub enabled: bool,
    /// The next three times; none while it does not fire.
    pub next_runs: Vec<Timestamp>,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Whether any run is under way.
    pub running: bool,
    /// What is under way.
    pub current: Vec<Brief>,
    /// The newest good backup of any database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<Brief>,
    /// The most of any database.
    pub consecutive_failures: usize,
    /// Each database that has backups, and those that are known.
    pub databases: Vec<DatabaseHealth>,
    /// By schedule.
    pub next_scheduled: Vec<NextRuns>,
    /// The last runs of any kind.
    pub recent: Vec<Brief>,
}

impl Brief {
    fn of(r: &Record, now: Timestamp) -> Self {
        let seconds = |from: Timestamp| u64::try_from(now.duration_since(from).as_secs()).unwrap_or(0);
        Self {
            id: r.id.clone(),
            kind: r.kind,
            database: r.database.clone(),
            status: r.status,
            backup_type: r.backup_type,
            created_at: clock::text(r.created_at),
            duration_ms: r.duration_ms.or_else(|| {
                (!r.status.is_final()).then_some(r.started_at).flatten().map(|s| seconds(s) * 1000)
            }),
            file_size: r.file_size,
            progress: r.progress.filter(|_| !r.status.is_final()),
            message: r.message.clone(),
            warning_count: r.warnings.len(),
            age_seconds: seconds(r.created_at),
        }
    }
}

/// Puts it together. `backups` are newest first; `known` are databases that are shown also without any.
pub fn overview(
    open: &[Record],
    backups: &[Record],
    recent: &[Record],
    known: &[DatabaseName],
    next_scheduled: Vec<NextRuns>,
    now: Timestamp,
) -> Overview {
    let brief = |r: &Record| Brief::of(r, now);
    let mut by_database: BTreeMap<&DatabaseName, Vec<&Record>> =
        known.iter().map(|name| (name, Vec::new())).collect();
    for r in backups.iter().filter(|r| r.deleting_at.is_none() && r.status.is_final()) {
        by_database.entry(&r.database).or_default().push(r);
    }
    let databases: Vec<DatabaseHealth> =
        by_database.into_iter().map(|(name, runs)| health(name, &runs, now)).collect();
    let good = |r: &&Record| r.status == Status::Completed && r.deleting_at.is_none();
    Overview {
        running: !open.is_empty(),
        current: open.iter().map(brief).collect(),
        last_backup: backups.iter().find(good).map(brief),
        consecutive_failures: databases.iter().map(|d| d.consecutive_failures).max().unwrap_or(0),
        databases,
        next_scheduled,
        recent: recent.iter().map(brief).collect(),
    }
}

fn health(name: &DatabaseName, runs: &[&Record], now: Timestamp) -> DatabaseHealth {
    let good = runs.iter().position(|r| r.status == Status::Completed);
    let last_good = good.map(|n| Brief::of(runs[n], now));
    let health = match (&last_good, good) {
        (None, _) if runs.is_empty() => Health::Unknown,
        (None, _) | (Some(_), Some(1..)) => Health::Failing,
        (Some(b), _) if b.warning_count > 0 || b.age_seconds > OLD_SECONDS => Health::Warning,
        (Some(_), _) => Health::Ok,
    };
    DatabaseHealth { name: name.clone(), health, last_good, consecutive_failures: good.unwrap_or(runs.len()) }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T02:00:00Z".parse().unwrap()
    }

    fn record(n: u32, database: &str, status: Status, hours_ago: i64) -> Record {
        let at = now().checked_sub(hours_ago.hours()).unwrap();
        let id = RunId::parse(&format!("20261121T020000Z-{n:08x}")).unwrap();
        let mut r = Record::pending(
            id,
            RunKind::Backup,
            DatabaseName::parse(database).unwrap(),
            BackupType::Manual,
            at,
        );
        r.status = status;
        r
    }

    #[test]
    fn each_database_is_judged_by_its_own_backups() {
        let warned = {
            let mut r = record(5, "warned", Status::Completed, 3);
            r.warnings.push("x".into());
            r
        };
        let backups = [
            record(1, "bad", Status::Failed, 1),
            record(2, "fine", Status::Completed, 2),
            record(3, "bad", Status::Failed, 2),
            warned,
            record(4, "bad", Status::Completed, 30),
            record(6, "never", Status::Failed, 30),
            record(7, "old", Status::Completed, 30),
        ];
        let running = record(8, "fine", Status::InProgress, 0);
        let main = [DatabaseName::parse("main").unwrap()];
        let o = overview(&[running], &backups, &backups[..2], &main, Vec::new(), now());
        let of = |name: &str| {
            o.databases.iter().find(|d| d.name.as_str() == name).map(|d| (d.health, d.consecutive_failures))
        };
        assert_eq!(of("fine"), Some((Health::Ok, 0)));
        assert_eq!(of("bad"), Some((Health::Failing, 2)));
        assert_eq!(of("warned"), Some((Health::Warning, 0)));
        assert_eq!(of("never"), Some((Health::Failing, 1)));
        assert_eq!(of("old"), Some((Health::Warning, 0)));
        assert_eq!(of("main"), Some((Health::Unknown, 0)));
        assert!(o.running && o.consecutive_failures == 2 && o.recent.len() == 2);
        assert_eq!(o.last_backup.unwrap().age_seconds, 7200);
    }
}
