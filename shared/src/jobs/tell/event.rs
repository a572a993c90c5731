//! What is told of an event: sentences, and what of the run's record a person needs.

use serde_json::{Map, Value};

use crate::{
    base::{clock, event::EventKind, id::DatabaseName},
    ledger::{Notice, Record, Standing},
    notify::Event,
};

/// What of a record is told, in this order. None of it is secret: a record names secrets, and never holds one.
const FIELDS: &[&str] = &[
    "status",
    "error_code",
    "phase",
    "warnings",
    "backup_type",
    "schedule_id",
    "created_by",
    "created_at",
    "started_at",
    "finished_at",
    "duration_ms",
    "s3_url",
    "file_size",
    "record_count",
    "table_count",
    "database_version",
    "backup_id",
    "target",
    "retry_of",
    "hops",
];
/// Warnings told; the record has the others.
const WARNINGS: usize = 10;

/// The event of a notice. `record` is none when it was removed meanwhile.
pub(super) fn of(
    kind: EventKind,
    database: &DatabaseName,
    notice: &Notice,
    record: Option<&Record>,
    standing: &Standing,
) -> Event {
    let mut facts = record.map(facts).unwrap_or_default();
    if !matches!(kind, EventKind::RestoreFailed | EventKind::RestoreCompleted) {
        facts.push(("consecutive_failures".into(), notice.failures.into()));
        let good = standing.last_good.as_ref().filter(|good| Some(*good) != notice.run.as_ref());
        if let (Some(id), Some(at)) = (good, standing.last_good_at) {
            facts.push(("last_good_backup".into(), id.as_str().into()));
            facts.push(("last_good_backup_at".into(), clock::text(at).into()));
        }
    }
    Event {
        id: notice.id.clone(),
        kind,
        at: notice.at,
        database: database.clone(),
        run_id: notice.run.as_ref().map(ToString::to_string),
        message: message(kind, database, notice, record),
        next_step: next_step(kind, record).to_owned(),
        facts,
    }
}

fn facts(record: &Record) -> Vec<(String, Value)> {
    // A record always is an object.
    let mut all: Map<String, Value> =
        serde_json::to_value(record).ok().and_then(|v| v.as_object().cloned()).unwrap_or_default();
    if let Some(Value::Array(warnings)) = all.get_mut("warnings") {
        let more = warnings.len().saturating_sub(WARNINGS);
        warnings.truncate(WARNINGS);
        if more > 0 {
            warnings.push(format!("and {more} more: see the record").into());
        }
    }
    FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), all.remove(*name)?))).collect()
}

fn message(kind: EventKind, database: &DatabaseName, notice: &Notice, record: Option<&Record>) -> String {
    if let Some(message) = &notice.message {
        return message.clone();
    }
    let said = record.and_then(|r| r.message.clone());
    let warnings = record.map_or(0, |r| r.warnings.len());
    match kind {
        EventKind::BackupRecovered if notice.failures > 0 => format!(
            "A backup of database {database} completed, after {} that failed in a row",
            notice.failures
        ),
        EventKind::BackupRecovered => {
            format!("A backup of database {database} completed, after none for too long")
        }
        EventKind::BackupCompletedWithWarnings => {
            format!("A backup of database {database} completed with {warnings} warnings")
        }
        _ => said.unwrap_or_else(|| format!("{} (database {database}); its record is gone", kind.name())),
    }
}

fn next_step(kind: EventKind, record: Option<&Record>) -> &'static str {
    match kind {
        EventKind::BackupFailed => match record.and_then(|r| r.error_code.as_deref()) {
            Some("unreachable" | "server_lost") => {
                "See that the database is up and that the function can reach it (host, port, security groups); then take a backup with POST /backup."
            }
            Some("authentication") => {
                "Correct the user or password in the database's secret; the next run reads it anew. Then take a backup with POST /backup."
            }
            Some("permission" | "row_security") => {
                "Grant the backup's role what the message names; then take a backup with POST /backup."
            }
            Some("config") => {
                "Correct the setting that the message names and deploy; then take a backup with POST /backup."
            }
            Some("budget" | "source_limit") => {
                "See what held the backup up (locks, load, memory), or raise the limit that the message names; then take a backup with POST /backup."
            }
            _ => {
                "Correct what the message names, then take a backup with POST /backup; the function's log has the whole chain of causes."
            }
        },
        EventKind::BackupCompletedWithWarnings => {
            "Read the warnings: what they name is not in the backup, or not as it stands in the database. Correct it, or note it for the day of a restore."
        }
        EventKind::BackupRecovered => "Nothing: good backups are being made again.",
        EventKind::BackupStuck => {
            "Look at the end of the function's log for a time-out or lack of memory. Where Lambda's retry does not begin a new run within minutes, take a backup with POST /backup."
        }
        EventKind::VerificationFailed => {
            "Do not rely on this backup: take a new one and verify it, verify the one before, and keep this one until it is known what spoilt it."
        }
        EventKind::RestoreFailed => {
            "Correct what the message names and start the restore again; the message says what was left in the target."
        }
        EventKind::RestoreCompleted => {
            "Read the record's warnings, if there are any, and run ANALYZE where they say so."
        }
        EventKind::BackupSilent => {
            "See that the schedule is enabled, that EventBridge Scheduler could deliver it (the queue of failed schedules), and what became of the last runs; then take a backup with POST /backup."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::id::RunId,
        ledger::{BackupType, RunKind, Status},
    };

    #[test]
    fn every_event_says_what_happened_and_what_to_do_with_and_without_its_record() {
        let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let database = DatabaseName::parse("shop").unwrap();
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let mut record =
            Record::pending(id.clone(), RunKind::Backup, database.clone(), BackupType::Manual, at);
        record.status = Status::Failed;
        record.error_code = Some("permission".into());
        record.message = Some("permission denied for table orders".into());
        record.warnings = (0..30).map(|n| format!("warning {n}")).collect();
        record.lease_owner = Some("owner/0123".into());
        let good = RunId::parse("20261120T020000Z-00000001").unwrap();
        let standing = Standing {
            failures: 2,
            last_good: Some(good.clone()),
            last_good_at: Some(at),
            ..Standing::default()
        };
        for kind in EventKind::ALL {
            let notice = Notice {
                id: format!("{id}/{}", kind.name()),
                event: Some(kind),
                run: Some(id.clone()),
                at,
                failures: 2,
                message: None,
                to_count: true,
                told: Vec::new(),
                held_until: None,
            };
            for record in [Some(&record), None] {
                let event = of(kind, &database, &notice, record, &standing);
                assert!(event.message.len() > 10 && event.next_step.ends_with('.'), "{event:?}");
                assert_eq!(event.run_id.as_deref(), Some(id.as_str()));
                let text = event.text();
                assert!(!text.contains("owner/0123"), "{text}");
                if record.is_some() {
                    assert!(text.contains("warnings: and 20 more: see the record"), "{text}");
                    assert_eq!(event.facts[0], ("status".into(), "failed".into()));
                }
                let restores = kind.name().starts_with("restore");
                assert_eq!(text.contains(good.as_str()), !restores, "{text}");
            }
        }
    }
}
