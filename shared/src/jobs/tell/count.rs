//! The metrics of what happened.

use crate::{
    base::{
        event::EventKind,
        id::DatabaseName,
        metrics::{self, Metric},
    },
    ledger::{Notice, Record, RunKind, Status},
};

/// Writes the metrics of a notice, under the time at which it happened.
pub(super) fn of(database: &DatabaseName, notice: &Notice, record: Option<&Record>) {
    metrics::emit(notice.at, database, &values(notice, record));
}

#[expect(clippy::cast_precision_loss, reason = "CloudWatch's values are doubles")]
fn values(notice: &Notice, record: Option<&Record>) -> Vec<(Metric, f64)> {
    match notice.event {
        Some(EventKind::VerificationFailed) => return vec![(Metric::VerificationFailed, 1.0)],
        Some(EventKind::BackupSilent) => return Vec::new(),
        _ => {}
    }
    let Some(record) = record else { return Vec::new() };
    let good = record.status == Status::Completed;
    let (yes, no) = if good { (1.0, 0.0) } else { (0.0, 1.0) };
    if record.kind == RunKind::Restore {
        return vec![(Metric::RestoreFailed, no)];
    }
    if record.kind != RunKind::Backup {
        return Vec::new();
    }
    let mut all = vec![
        (Metric::BackupSucceeded, yes),
        (Metric::BackupFailed, no),
        (Metric::ConsecutiveFailures, if good { 0.0 } else { notice.failures as f64 }),
    ];
    if let Some(ms) = record.duration_ms {
        all.push((Metric::BackupDurationSeconds, ms as f64 / 1_000.0));
    }
    if good {
        all.push((Metric::BackupWarnings, record.warnings.len() as f64));
        all.extend(record.file_size.map(|bytes| (Metric::BackupBytes, bytes as f64)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::id::RunId, ledger::BackupType};

    fn record(kind: RunKind, status: Status) -> Record {
        let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let database = DatabaseName::parse("shop").unwrap();
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let mut r = Record::pending(id, kind, database, BackupType::Manual, at);
        r.status = status;
        r.duration_ms = Some(2_500);
        r.file_size = Some(1_000);
        r.warnings = vec!["a".into(), "b".into()];
        r
    }

    fn notice(event: Option<EventKind>) -> Notice {
        Notice {
            id: "x".into(),
            event,
            run: None,
            at: "2026-11-21T02:00:00Z".parse().unwrap(),
            failures: 3,
            message: None,
            to_count: true,
            told: Vec::new(),
            held_until: None,
        }
    }

    #[test]
    fn each_end_has_its_numbers() {
        use Metric::*;
        let good = values(&notice(None), Some(&record(RunKind::Backup, Status::Completed)));
        assert_eq!(
            good,
            [
                (BackupSucceeded, 1.0),
                (BackupFailed, 0.0),
                (ConsecutiveFailures, 0.0),
                (BackupDurationSeconds, 2.5),
                (BackupWarnings, 2.0),
                (BackupBytes, 1_000.0),
            ]
        );
        let bad =
            values(&notice(Some(EventKind::BackupFailed)), Some(&record(RunKind::Backup, Status::Failed)));
        assert_eq!(
            bad,
            [
                (BackupSucceeded, 0.0),
                (BackupFailed, 1.0),
                (ConsecutiveFailures, 3.0),
                (BackupDurationSeconds, 2.5)
            ]
        );
        let restore = |status| values(&notice(None), Some(&record(RunKind::Restore, status)));
        assert_eq!(restore(Status::Failed), [(RestoreFailed, 1.0)]);
        assert_eq!(restore(Status::Completed), [(RestoreFailed, 0.0)]);
        let verified = notice(Some(EventKind::VerificationFailed));
        assert_eq!(values(&verified, None), [(VerificationFailed, 1.0)]);
        assert_eq!(values(&notice(None), None), []);
    }
}
