//! Schedules as callers see them: with their next runs, and a note where two of one database would meet.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    pace::{backs_up, next_of},
    runs::SHOWN,
};
use crate::{
    base::{clock, config::Config},
    ledger::Schedule,
};

/// How far ahead runs of two schedules are compared, days: months differ in length, weeks do not.
const AHEAD: i64 = 32;
/// Runs of one schedule that are compared.
const COMPARED: usize = 2_000;

/// The schedules `shown`, which are among `all`, as JSON.
pub fn view(shown: &[Schedule], all: &[Schedule], config: &Config, now: Timestamp) -> Vec<Value> {
    let mut firing = BTreeMap::new();
    for schedule in all.iter().filter(|s| s.enabled && s.removing_at.is_none()) {
        firing.insert(&schedule.id, (schedule, next_of(schedule, now, COMPARED)));
    }
    let view_one = |schedule: &Schedule| {
        let own = firing.get(&schedule.id).map_or(&[][..], |(_, runs)| runs.as_slice());
        let notes: Vec<String> = firing
            .values()
            .filter(|(other, _)| {
                other.id != schedule.id && backs_up(other, config) == backs_up(schedule, config)
            })
            .filter_map(|(other, runs)| {
                let at = meeting(own, runs, now)?;
                Some(format!(
                    "{} backs up {} at the same minute, next at {}: the two will run side by side",
                    other.id,
                    backs_up(other, config),
                    clock::text(at)
                ))
            })
            .collect();
        let next: Vec<&Timestamp> = own.iter().take(SHOWN).collect();
        let mut value = json!({
            "id": schedule.id, "name": schedule.name, "schedule": schedule.schedule, "expression": schedule.expression,
            "timezone": schedule.timezone, "options": schedule.options, "enabled": schedule.enabled, "retention": schedule.retention,
            "next_runs": next, "in_effect": schedule.in_effect(), "notes": notes,
            "created_by": schedule.created_by, "created_at": clock::text(schedule.created_at),
            "updated_by": schedule.updated_by, "updated_at": clock::text(schedule.updated_at),
        });
        if let Some(at) = schedule.removing_at {
            value["removing_at"] = clock::text(at).into();
        }
        value
    };
    shown.iter().map(view_one).collect()
}

/// The first minute in which both fire.
fn meeting(a: &[Timestamp], b: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let end = now.checked_add(SignedDuration::from_hours(AHEAD * 24)).unwrap_or(Timestamp::MAX);
    let minute = |at: &Timestamp| at.as_second().div_euclid(60);
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(one), Some(other)) = (a.peek(), b.peek()) {
        match minute(one).cmp(&minute(other)) {
            _ if **one > end => return None,
            std::cmp::Ordering::Equal => return Some(**one),
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(texts: &[&str]) -> Vec<Timestamp> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    }

    #[test]
    fn two_meet_in_the_first_minute_that_both_name() {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let a = at(&["2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"]);
        let b = at(&["2026-11-21T03:00:00Z", "2026-11-22T02:00:30Z"]);
        assert_eq!(meeting(&a, &b, now), Some(a[1]));
        assert_eq!(meeting(&b, &a, now), Some(b[1]));
        assert_eq!(meeting(&a, &b[..1], now), None);
        assert_eq!(meeting(&a, &[], now), None);
        let far = at(&["2027-11-21T02:00:00Z"]);
        assert_eq!(meeting(&far, &far, now), None);
    }
}
