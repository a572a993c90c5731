//! Which backups stay and which go: a pure function of records, rules and the time, that gives a reason for each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use crate::{
    base::id::{DatabaseName, RunId},
    ledger::{PARTIAL, Record, RunKind, Status, Verdict},
};

/// Days that what is left of a failed backup stays where no rule goes by days.
const FAILED_DAYS: u32 = 30;

/// What is kept: a backup that any of them keeps stays. Only completed backups count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Backups younger than this many days.
    pub days: Option<u32>,
    /// The newest so many.
    pub last: u32,
    /// The newest one of each of so many days that have any, and so on. Days are those of `TZ`, weeks begin on Monday (ISO 8601).
    pub daily: u32,
    /// See `daily`.
    pub weekly: u32,
    /// See `daily`.
    pub monthly: u32,
    /// See `daily`.
    pub yearly: u32,
}

impl Rules {
    /// The one rule of `BACKUP_RETENTION_DAYS`.
    pub fn days(days: u32) -> Self {
        Self { days: Some(days), ..Self::default() }
    }

    /// Periods, how many of each, and what one is called.
    fn periods(&self) -> [(Period, u32, &'static str); 4] {
        [
            (Period::Day, self.daily, "day"),
            (Period::Week, self.weekly, "week"),
            (Period::Month, self.monthly, "month"),
            (Period::Year, self.yearly, "year"),
        ]
    }
}

#[derive(Debug, Clone, Copy)]
enum Period {
    Day,
    Week,
    Month,
    Year,
}

impl Period {
    /// What the days of one period have in common, and no others.
    fn of(self, day: Date) -> (i16, i16) {
        let week = day.iso_week_date();
        match self {
            Self::Day => (day.year(), day.day_of_year()),
            Self::Week => (week.year(), week.week().into()),
            Self::Month => (day.year(), day.month().into()),
            Self::Year => (day.year(), 0),
        }
    }
}

/// What the plan is made from, beside the records.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The rules.
    pub rules: &'a dyn RulesOf,
    /// Backups that a run under way reads: a restore, a verification.
    pub in_use: &'a BTreeSet<RunId>,
    /// Whose days count.
    pub time_zone: &'a TimeZone,
    /// The time.
    pub now: Timestamp,
}

/// Which rules a backup falls under.
pub trait RulesOf: std::fmt::Debug {
    /// Those of one.
    fn of(&self, record: &Record) -> Rules;

    /// The schedule, where it has rules of its own: its backups are counted by themselves.
    fn schedule<'r>(&self, record: &'r Record) -> Option<&'r str>;
}

impl RulesOf for Rules {
    fn of(&self, _: &Record) -> Rules {
        *self
    }

    fn schedule<'r>(&self, _: &'r Record) -> Option<&'r str> {
        None
    }
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

/// Decides on every record of a backup, newest first.
///
/// The newest completed backup of a database always stays, whatever the rules or the clock say, and the newest one that has not failed its verification, if
/// that is another; no other rule counts one that has; backups of selections are counted apart from whole ones. So does what an incremental backup that stays builds
/// on (`backup_id`), however far back, and what a run reads at this moment. A record from the future (a clock that was wrong) stays. A removal that was
/// begun is finished: the manifest may be gone, so such a record never counts as good.
pub fn plan(records: &[Record], circumstances: &Circumstances<'_>) -> Vec<Decision> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    let mut kept = kept_by_rules(&sorted, circumstances);
    let mut decisions: Vec<Decision> =
        sorted.iter().map(|r| decide(r, kept.remove(&r.id), circumstances)).collect();
    keep_what_is_needed(&sorted, &mut decisions);
    decisions
}

fn is_completed(r: &Record) -> bool {
    r.kind == RunKind::Backup && r.status == Status::Completed && r.deleting_at.is_none()
}

/// Whether a backup can be relied on, as far as anybody knows.
fn is_good(r: &Record) -> bool {
    is_completed(r) && r.verification != Some(Verdict::Failed)
}

/// Whether a backup holds a selection: it takes the place of none that holds everything.
fn is_partial(r: &Record) -> bool {
    r.mode.as_deref() == Some(PARTIAL)
}

/// The newest completed backup of `of`'s database, and the newest good one; whole ones where `of` is, else those of selections.
pub(super) fn newest<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    of: &Record,
) -> [Option<&'r Record>; 2] {
    let mut newest = [None, None];
    let alike = |r: &&Record| r.database == of.database && is_partial(r) == is_partial(of) && is_completed(r);
    for r in records.into_iter().filter(alike) {
        for (place, counts) in newest.iter_mut().zip([true, is_good(r)]) {
            let later = |there: &Record| (r.created_at, &r.id) > (there.created_at, &there.id);
            if counts && place.is_none_or(later) {
                *place = Some(r);
            }
        }
    }
    newest
}

/// Good backups that a rule keeps, with the first reason.
fn kept_by_rules(sorted: &[&Record], c: &Circumstances<'_>) -> BTreeMap<RunId, String> {
    let mut kept = BTreeMap::new();
    let (mut databases, mut completed) = (BTreeSet::new(), BTreeSet::new());
    for r in sorted.iter().filter(|r| is_completed(r)) {
        if completed.insert((&r.database, is_partial(r))) && !is_good(r) {
            let why = "it is the newest completed backup of";
            kept.insert(r.id.clone(), format!("{why} {}, although it failed its verification", r.database));
        }
    }
    let mut groups: BTreeMap<(&DatabaseName, Option<&str>, bool), Vec<&Record>> = BTreeMap::new();
    for r in sorted.iter().filter(|r| is_good(r)) {
        if databases.insert((&r.database, is_partial(r))) {
            let what = if is_partial(r) { "backup of a selection" } else { "backup" };
            kept.insert(r.id.clone(), format!("it is the newest good {what} of {}", r.database));
        }
        groups.entry((&r.database, c.rules.schedule(r), is_partial(r))).or_default().push(r);
    }
    for good in groups.into_values() {
        let Some(rules) = good.first().map(|r| c.rules.of(r)) else { continue };
        let mut keep = |r: &Record, reason: String| {
            kept.entry(r.id.clone()).or_insert(reason);
        };
        for r in good.iter().take(rules.last as usize) {
            keep(r, format!("it is among the last {}", rules.last));
        }
        for (period, most, name) in rules.periods() {
            let mut seen = BTreeSet::new();
            for r in &good {
                let day = c.time_zone.to_datetime(r.created_at).date();
                if seen.len() == most as usize {
                    break;
                }
                if seen.insert(period.of(day)) {
                    keep(r, format!("it is the newest of its {name}, one of the last {most}"));
                }
            }
        }
    }
    kept
}

fn decide(r: &Record, kept: Option<String>, c: &Circumstances<'_>) -> Decision {
    let rules = c.rules.of(r);
    let days = rules.days.or((!is_good(r)).then_some(FAILED_DAYS));
    let young = days.filter(|days| {
        let span = (i64::from(*days) * 24).hours();
        r.created_at >= c.now.checked_sub(span).unwrap_or(Timestamp::MIN)
    });
    let (keep, reason) = if !r.status.is_final() {
        (true, format!("it is {}", r.status.name()))
    } else if c.in_use.contains(&r.id) {
        (true, "a run reads it at this moment".to_owned())
    } else if r.deleting_at.is_some() {
        (false, "its removal was begun".to_owned())
    } else if let Some(reason) = kept {
        (true, reason)
    } else if let Some(days) = young {
        (true, format!("it is not older than {days} days"))
    } else if r.created_at > c.now {
        (true, "it is from the future".to_owned())
    } else {
        let what = days.map_or("no rule keeps it".into(), |days| format!("it is older than {days} days"));
        (false, what)
    };
    Decision { id: r.id.clone(), keep, reason }
}

/// What a backup that stays builds on stays too. Removals that were begun are finished all the same: those are no backups any more.
fn keep_what_is_needed(sorted: &[&Record], decisions: &mut [Decision]) {
    let place: BTreeMap<RunId, usize> = sorted.iter().enumerate().map(|(n, r)| (r.id.clone(), n)).collect();
    let mut queue: Vec<usize> = (0..sorted.len()).filter(|n| decisions[*n].keep).collect();
    while let Some(n) = queue.pop() {
        let base = sorted[n].backup_id.as_ref().and_then(|id| place.get(id)).copied();
        if let Some(base) = base.filter(|b| !decisions[*b].keep && sorted[*b].deleting_at.is_none()) {
            decisions[base].keep = true;
            decisions[base].reason = format!("the incremental backup {} needs it", sorted[n].id);
            queue.push(base);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::BackupType;

    fn record(n: u32, database: &str, status: Status, hours_ago: i64) -> Record {
        let at = now().checked_sub(hours_ago.hours()).unwrap();
        let id = RunId::parse(&format!("20261121T020000Z-{n:08x}")).unwrap();
        let database = DatabaseName::parse(database).unwrap();
        let mut r = Record::pending(id, RunKind::Backup, database, BackupType::Manual, at);
        r.status = status;
        r
    }

    fn now() -> Timestamp {
        "2026-11-21T02:00:00Z".parse().unwrap()
    }

    fn planned(records: &[Record], rules: Rules, now: Timestamp) -> Vec<Decision> {
        let (in_use, time_zone) = (BTreeSet::new(), TimeZone::UTC);
        plan(records, &Circumstances { rules: &rules, in_use: &in_use, time_zone: &time_zone, now })
    }

    fn kept(records: &[Record], rules: Rules) -> Vec<u32> {
        let all = planned(records, rules, now());
        let number = |d: &Decision| u32::from_str_radix(&d.id.as_str()[17..], 16).unwrap();
        let mut numbers: Vec<u32> = all.iter().filter(|d| d.keep).map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn old_ones_go_with_a_reason_but_the_newest_good_one_stays() {
        let records = [
            record(1, "a", Status::Completed, 24 * 100),
            record(2, "a", Status::Completed, 24 * 90),
            record(3, "a", Status::Failed, 24 * 80),
            record(4, "a", Status::Failed, 1),
            record(5, "b", Status::InProgress, 24 * 99),
        ];
        let plan = planned(&records, Rules::days(30), now());
        let of = |n: u32| plan.iter().find(|d| d.id.as_str().ends_with(&format!("{n:08x}"))).unwrap();
        assert!(!of(1).keep && of(2).keep && !of(3).keep && of(4).keep && of(5).keep);
        assert_eq!(of(2).reason, "it is the newest good backup of a");
        assert_eq!(of(1).reason, "it is older than 30 days");
    }

    #[test]
    fn counts_and_periods() {
        // Three a day for 400 days, the newest is number 0: at 02:00, 18:00 and 10:00.
        let records: Vec<Record> =
            (0..1200).map(|n| record(n, "a", Status::Completed, i64::from(n) * 8)).collect();
        let of = |change: fn(&mut Rules)| {
            let mut rules = Rules::default();
            change(&mut rules);
            kept(&records, rules)
        };
        assert_eq!(of(|_| {}), [0]);
        assert_eq!(of(|r| r.last = 3), [0, 1, 2]);
        // 02:00 of the 21st, then 18:00 of the days before.
        assert_eq!(of(|r| r.daily = 3), [0, 1, 4]);
        // The 21st of November 2026 is a Saturday: the Sundays before end their weeks.
        assert_eq!(of(|r| r.weekly = 3), [0, 16, 37]);
        let months = of(|r| r.monthly = 3);
        assert_eq!(months, [0, 61, 154]);
        assert_eq!(of(|r| r.yearly = 5).len(), 2);
        assert_eq!(of(|r| (r.last, r.days) = (1, Some(1))), [0, 1, 2, 3]);
    }

    #[test]
    fn days_are_those_of_the_time_zone() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        // 02:00, 18:00 and 10:00 in UTC are 11:00, 03:00 of the same day, and 19:00 of the day before.
        let records: Vec<Record> =
            (0..4).map(|n| record(n, "a", Status::Completed, i64::from(n) * 8)).collect();
        let (in_use, rules) = (BTreeSet::new(), Rules { daily: 2, ..Rules::default() });
        let plan =
            plan(&records, &Circumstances { rules: &rules, in_use: &in_use, time_zone: &zone, now: now() });
        assert_eq!(plan.iter().map(|d| d.keep).collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn what_is_read_or_needed_stays() {
        let mut incremental = record(1, "a", Status::Completed, 1);
        let base = record(2, "a", Status::Completed, 24 * 400);
        let middle = {
            let mut r = record(3, "a", Status::Completed, 24 * 300);
            r.backup_id = Some(base.id.clone());
            r
        };
        incremental.backup_id = Some(middle.id.clone());
        let read = record(4, "a", Status::Completed, 24 * 500);
        let old = record(5, "a", Status::Completed, 24 * 500);
        let records = [incremental, base, middle, read.clone(), old];
        let (in_use, zone) = (BTreeSet::from([read.id]), TimeZone::UTC);
        let rules = Rules::days(1);
        let c = Circumstances { rules: &rules, in_use: &in_use, time_zone: &zone, now: now() };
        let plan = plan(&records, &c);
        let removed: Vec<&str> = plan.iter().filter(|d| !d.keep).map(|d| d.id.as_str()).collect();
        assert_eq!(removed, ["20261121T020000Z-00000005"]);
        assert!(plan.iter().any(|d| d.reason == "the incremental backup 20261121T020000Z-00000003 needs it"));
    }

    #[test]
    fn a_selection_takes_no_place_of_a_whole_backup() {
        let mut records = [1, 2, 3, 4].map(|n| record(n, "a", Status::Completed, i64::from(n) * 24 * 40));
        for partial in [0, 1] {
            records[partial].mode = Some(PARTIAL.into());
        }
        assert_eq!(kept(&records, Rules::days(30)), [1, 3]);
        assert_eq!(kept(&records, Rules { last: 1, ..Rules::default() }), [1, 3]);
        assert_eq!(kept(&records, Rules { last: 2, ..Rules::default() }), [1, 2, 3, 4]);
    }

    #[test]
    fn what_failed_its_verification_takes_no_place() {
        let mut damaged = record(1, "a", Status::Completed, 1);
        damaged.verification = Some(Verdict::Failed);
        let old_damaged = {
            let mut r = record(4, "a", Status::Completed, 24 * 70);
            r.verification = Some(Verdict::Failed);
            r
        };
        let records = [
            damaged,
            record(2, "a", Status::Completed, 24 * 50),
            record(3, "a", Status::Completed, 24 * 60),
            old_damaged,
        ];
        assert_eq!(kept(&records, Rules { last: 1, ..Rules::default() }), [1, 2]);
        let reasons: Vec<String> =
            planned(&records, Rules::days(1), now()).into_iter().map(|d| d.reason).collect();
        assert!(reasons[0].contains("although it failed its verification"), "{reasons:?}");
        assert_eq!(reasons[1], "it is the newest good backup of a");
        let [completed, good] = newest(&records, &records[3]);
        assert_eq!(
            (completed.map(|r| &r.id), good.map(|r| &r.id)),
            (Some(&records[0].id), Some(&records[1].id))
        );
    }

    #[test]
    fn a_begun_removal_is_finished_and_does_not_count_as_good() {
        let mut half_gone = record(2, "a", Status::Completed, 1);
        half_gone.deleting_at = Some(now());
        let records = [record(1, "a", Status::Completed, 24 * 90), half_gone];
        let plan = planned(&records, Rules::days(30), now());
        assert!(!plan[0].keep && plan[1].keep, "{plan:?}");
    }

    fn rules() -> impl Strategy<Value = Rules> {
        let few = 0u32..5;
        (prop::option::of(1u32..100), few.clone(), few.clone(), few.clone(), few.clone(), few).prop_map(
            |(days, last, daily, weekly, monthly, yearly)| Rules {
                days,
                last,
                daily,
                weekly,
                monthly,
                yearly,
            },
        )
    }

    type Run = (usize, usize, i64, bool, Option<prop::sample::Index>);

    fn records(runs: &[Run]) -> Vec<Record> {
        let mut all: Vec<Record> = Vec::new();
        for (n, (database, status, hours, deleting, base)) in runs.iter().enumerate() {
            let status = [Status::Pending, Status::InProgress, Status::Completed, Status::Failed][*status];
            let mut r = record(n as u32, ["a", "b", "c"][*database], status, *hours);
            r.deleting_at = (*deleting && status.is_final()).then(now);
            r.mode = Some(if n % 5 < 2 { PARTIAL } else { "full" }.into());
            // Every third was verified and failed.
            r.verification = (n % 3 == 1 && status == Status::Completed).then_some(Verdict::Failed);
            // Only what is there can be built on.
            r.backup_id = base.filter(|_| !all.is_empty()).map(|at| at.get(&all).id.clone());
            all.push(r);
        }
        all
    }

    fn runs() -> impl Strategy<Value = Vec<Run>> {
        let base = prop::option::weighted(0.3, any::<prop::sample::Index>());
        prop::collection::vec(
            (0usize..3, 0usize..4, -5000i64..50_000, prop::bool::weighted(0.2), base),
            0..30,
        )
    }

    proptest! {
        /// Whatever the records, the rules and the clock: every database that has a good backup keeps its newest one, nothing that runs is touched, and
        /// whatever stays has all that it builds on.
        #[test]
        fn the_newest_good_backup_and_what_it_needs_always_stay(runs in runs(), rules in rules(), shift in -100_000i64..100_000) {
            let records = records(&runs);
            let plan = planned(&records, rules, now().checked_add(shift.hours()).unwrap());
            prop_assert_eq!(plan.len(), records.len());
            let keeps = |id: &RunId| plan.iter().any(|d| d.id == *id && d.keep);
            for of in &records {
                prop_assert!(newest(&records, of).into_iter().flatten().all(|r| keeps(&r.id)));
            }
            prop_assert!(records.iter().filter(|r| !r.status.is_final()).all(|r| keeps(&r.id)));
            for r in records.iter().filter(|r| keeps(&r.id)) {
                let base = r.backup_id.as_ref().and_then(|id| records.iter().find(|b| b.id == *id));
                prop_assert!(base.is_none_or(|b| keeps(&b.id) || b.deleting_at.is_some()));
            }
        }

        /// However often it runs, and wherever it is killed between two removals: the newest good backup of the beginning is there at the end.
        #[test]
        fn nor_does_a_sequence_of_runs_and_crashes_remove_it(
            runs in runs(),
            steps in prop::collection::vec((rules(), -100_000i64..100_000, 0usize..8), 1..6),
        ) {
            let mut there = records(&runs);
            let newest: Vec<RunId> = there.iter().flat_map(|of| newest(&there, of)).flatten().map(|r| r.id.clone()).collect();
            for (rules, shift, done) in steps {
                let clock = now().checked_add(shift.hours()).unwrap();
                let doomed: Vec<RunId> = planned(&there, rules, clock).into_iter().filter(|d| !d.keep).map(|d| d.id).collect();
                for (n, id) in doomed.into_iter().take(done).enumerate() {
                    // The last one is killed behind its mark.
                    if n + 1 == done {
                        there.iter_mut().filter(|r| r.id == id).for_each(|r| r.deleting_at = Some(clock));
                    } else {
                        there.retain(|r| r.id != id);
                    }
                }
            }
            for id in newest {
                prop_assert!(there.iter().any(|r| r.id == id && r.deleting_at.is_none()));
            }
        }

        /// A backup that one rule keeps is kept by it together with any others.
        #[test]
        fn more_rules_keep_more(runs in runs(), one in rules(), more in rules()) {
            let records = records(&runs);
            let sum = Rules {
                days: one.days.max(more.days),
                last: one.last.max(more.last),
                daily: one.daily.max(more.daily),
                weekly: one.weekly.max(more.weekly),
                monthly: one.monthly.max(more.monthly),
                yearly: one.yearly.max(more.yearly),
            };
            let all = planned(&records, sum, now());
            for d in planned(&records, one, now()).iter().filter(|d| d.keep && one.days.is_some()) {
                prop_assert!(all.iter().any(|a| a.id == d.id && a.keep), "{d:?}");
            }
        }
    }
}
