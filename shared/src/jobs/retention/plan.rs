//! Which backups stay and which go: a pure function of records, rules and the time, that gives a reason for each.

use jiff::{Timestamp, ToSpan};

use crate::{
    base::id::RunId,
    ledger::{Record, RunKind, Status},
};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Completed backups stay this many days; what is left of failed ones too.
    pub days: u32,
}

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The run.
    pub id: RunId,
    /// Whether it stays.
    pub keep: bool,
    /// Why.
    pub reason: String,
}

/// Decides on every record, newest first.
///
/// The newest completed backup of a database always stays, whatever the rules or the clock say. A record from the future (a clock that was wrong)
/// stays. A removal that was begun is finished, unless the backup has meanwhile become the newest good one, in which case its manifest may be gone:
/// it is then no good backup any more, so a record marked as being removed never counts as good.
pub fn plan(records: &[Record], rules: Rules, now: Timestamp) -> Vec<Decision> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    let good =
        |r: &Record| r.kind == RunKind::Backup && r.status == Status::Completed && r.deleting_at.is_none();
    let horizon = now.checked_sub((i64::from(rules.days) * 24).hours()).unwrap_or(Timestamp::MIN);
    let mut seen = std::collections::BTreeSet::new();
    sorted
        .into_iter()
        .map(|r| {
            let newest_good = good(r) && seen.insert(r.database.clone());
            let (keep, reason) = if !r.status.is_final() {
                (true, format!("it is {}", r.status.name()))
            } else if r.deleting_at.is_some() {
                (false, "its removal was begun".to_owned())
            } else if newest_good {
                (true, format!("it is the newest good backup of {}", r.database))
            } else if r.created_at >= horizon {
                (true, format!("it is not older than {} days", rules.days))
            } else {
                (false, format!("it is older than {} days", rules.days))
            };
            Decision { id: r.id.clone(), keep, reason }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{base::id::DatabaseName, ledger::BackupType};

    fn record(n: u32, database: &str, status: Status, hours_ago: i64, now: Timestamp) -> Record {
        let at = now.checked_sub(hours_ago.hours()).unwrap();
        let id = RunId::parse(&format!("20261121T020000Z-{n:08x}")).unwrap();
        let database = DatabaseName::parse(database).unwrap();
        let mut r = Record::pending(id, RunKind::Backup, database, BackupType::Manual, at);
        r.status = status;
        r
    }

    fn now() -> Timestamp {
        "2026-11-21T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn old_ones_go_with_a_reason_but_the_newest_good_one_stays() {
        let records = [
            record(1, "a", Status::Completed, 24 * 100, now()),
            record(2, "a", Status::Completed, 24 * 90, now()),
            record(3, "a", Status::Failed, 24 * 80, now()),
            record(4, "a", Status::Failed, 1, now()),
            record(5, "b", Status::InProgress, 24 * 99, now()),
        ];
        let plan = plan(&records, Rules { days: 30 }, now());
        let of = |n: u32| plan.iter().find(|d| d.id.as_str().ends_with(&format!("{n:08x}"))).unwrap();
        assert!(!of(1).keep && of(2).keep && !of(3).keep && of(4).keep && of(5).keep);
        assert_eq!(of(2).reason, "it is the newest good backup of a");
        assert_eq!(of(1).reason, "it is older than 30 days");
    }

    #[test]
    fn a_begun_removal_is_finished_and_does_not_count_as_good() {
        let mut half_gone = record(2, "a", Status::Completed, 1, now());
        half_gone.deleting_at = Some(now());
        let records = [record(1, "a", Status::Completed, 24 * 90, now()), half_gone];
        let plan = plan(&records, Rules { days: 30 }, now());
        assert!(!plan[0].keep && plan[1].keep, "{plan:?}");
    }

    proptest! {
        /// Whatever the records, the rule and the clock: every database that has a good backup keeps its newest one.
        #[test]
        fn the_newest_good_backup_always_stays(
            runs in prop::collection::vec((0usize..3, 0usize..4, -5000i64..50_000, any::<bool>()), 0..30),
            days in 1u32..100,
            shift in -100_000i64..100_000,
        ) {
            let records: Vec<Record> = runs.iter().enumerate().map(|(n, (database, status, hours, deleting))| {
                let status = [Status::Pending, Status::InProgress, Status::Completed, Status::Failed][*status];
                let mut r = record(n as u32, ["a", "b", "c"][*database], status, *hours, now());
                r.deleting_at = (*deleting && status.is_final()).then(now);
                r
            }).collect();
            let clock = now().checked_add(shift.hours()).unwrap();
            let plan = plan(&records, Rules { days }, clock);
            prop_assert_eq!(plan.len(), records.len());
            for database in ["a", "b", "c"] {
                let newest = records.iter()
                    .filter(|r| r.database.as_str() == database && r.status == Status::Completed && r.deleting_at.is_none())
                    .max_by_key(|r| (r.created_at, r.id.clone()));
                if let Some(newest) = newest {
                    prop_assert!(plan.iter().any(|d| d.id == newest.id && d.keep));
                }
            }
            prop_assert!(records.iter().filter(|r| !r.status.is_final()).all(|r| plan.iter().any(|d| d.id == r.id && d.keep)));
        }
    }
}
