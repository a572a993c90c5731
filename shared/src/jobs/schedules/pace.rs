//! How often the schedules let a database be backed up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::expression::{Expression, zone};
use crate::{
    base::{config::Config, id::DatabaseName},
    ledger::Schedule,
};

/// Runs that are looked at: of every five minutes those of a month, of each month those of centuries.
const LOOKED_AT: usize = 10_000;
/// From when on, days before now: the pause that now falls into counts as well.
const BACK: i64 = 9;

/// By database, the longest time from one run of its schedules to the next; none where no schedule of it fires.
pub type Paces = BTreeMap<DatabaseName, Option<SignedDuration>>;

/// The database that a schedule backs up.
pub fn backs_up<'a>(schedule: &'a Schedule, config: &'a Config) -> &'a str {
    let named = schedule.options.get("database").and_then(Value::as_str);
    named.unwrap_or_else(|| config.database.as_str())
}

/// Next runs of a schedule, at most `count`; a record that cannot be understood, or is switched off, has none.
pub fn next_of(schedule: &Schedule, now: Timestamp, count: usize) -> Vec<Timestamp> {
    if !schedule.enabled || schedule.removing_at.is_some() {
        return Vec::new();
    }
    let parsed = Expression::parse(&schedule.expression).and_then(|e| Ok((e, zone(&schedule.timezone)?.0)));
    parsed.map_or_else(|_| Vec::new(), |(e, zone)| e.next_runs(now, schedule.counts_from, &zone, count))
}

/// The paces of all databases that have schedules.
pub(in crate::jobs) fn paces(schedules: &[Schedule], config: &Config, now: Timestamp) -> Paces {
    let mut runs: BTreeMap<DatabaseName, Vec<Vec<Timestamp>>> = BTreeMap::new();
    for schedule in schedules.iter().filter(|s| s.removing_at.is_none()) {
        if let Ok(database) = DatabaseName::parse(backs_up(schedule, config)) {
            let from = now.checked_sub(SignedDuration::from_hours(BACK * 24)).unwrap_or(now);
            runs.entry(database).or_default().push(next_of(schedule, from, LOOKED_AT));
        }
    }
    runs.into_iter().map(|(database, all)| (database, longest(&all))).collect()
}

/// The longest time without a run of any schedule.
fn longest(all: &[Vec<Timestamp>]) -> Option<SignedDuration> {
    // After the last run of a schedule that was looked at it has more, which would fill gaps.
    let end = all.iter().filter(|runs| runs.len() == LOOKED_AT).filter_map(|runs| runs.last()).min();
    let mut runs: Vec<&Timestamp> =
        all.iter().flatten().filter(|at| end.is_none_or(|end| *at <= end)).collect();
    runs.sort_unstable();
    runs.windows(2).map(|pair| pair[1].duration_since(*pair[0])).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<Timestamp> {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        Expression::parse(text).unwrap().next_runs(now, now, &jiff::tz::TimeZone::UTC, LOOKED_AT)
    }

    #[test]
    fn schedules_of_one_database_fill_each_others_gaps() {
        let gap = |texts: &[&str]| {
            let all: Vec<_> = texts.iter().map(|text| runs(text)).collect();
            longest(&all).map(|gap| gap.as_hours())
        };
        assert_eq!(gap(&["0 2 * * *"]), Some(24));
        assert_eq!(gap(&["0 2 * * 1-5"]), Some(72));
        assert_eq!(gap(&["0 2 * * 1-5", "0 2 * * 0,6"]), Some(24));
        assert_eq!(gap(&["0 2 * * 0"]), Some(7 * 24));
        assert_eq!(
            gap(&["0 * * * *", "0 2 1 * *"]),
            Some(1),
            "the hourly one goes on after what was looked at"
        );
        assert_eq!(gap(&["*/10 9-17 * * 1-5"]), Some(63), "from Friday 17:50 to Monday 09:00");
        assert_eq!(gap(&["rate(6 hours)"]), Some(6));
        assert_eq!((gap(&[]), longest(&[runs("0 2 * * *")[..1].to_vec()])), (None, None));
    }
}
