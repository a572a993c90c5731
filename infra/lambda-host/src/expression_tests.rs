//! Times that EventBridge Scheduler's guide names, and the days on which clocks change.

use super::*;

fn times(expression: &str, after: &str, zone: &str, n: usize) -> Vec<String> {
    let e = Expression::parse(expression).unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let start: Timestamp = after.parse().unwrap();
    let mut at = start;
    let mut all = Vec::new();
    for _ in 0..n {
        match e.next(at, start, &zone) {
            Some(next) => at = next,
            None => break,
        }
        all.push(at.to_string());
    }
    all
}

#[test]
fn rates_count_from_the_start() {
    assert_eq!(
        times("rate(15 minutes)", "2026-11-21T02:01:00Z", "UTC", 2),
        ["2026-11-21T02:16:00Z", "2026-11-21T02:31:00Z"]
    );
    assert_eq!(times("rate(1 day)", "2026-11-21T02:01:00Z", "UTC", 1), ["2026-11-22T02:01:00Z"]);
}

#[test]
fn every_night() {
    assert_eq!(
        times("cron(0 2 * * ? *)", "2026-11-21T02:00:00Z", "UTC", 2),
        ["2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"]
    );
    assert_eq!(
        times("cron(0 2 * * ? *)", "2026-11-21T00:59:00Z", "Europe/Berlin", 1),
        ["2026-11-21T01:00:00Z"]
    );
}

#[test]
fn the_examples_of_the_guide() {
    let after = "2026-01-01T00:00:00Z";
    assert_eq!(times("cron(15 10 ? * 6L 2026-2027)", after, "UTC", 1), ["2026-01-30T10:15:00Z"]);
    assert_eq!(times("cron(0 8 1 * ? *)", after, "UTC", 1), ["2026-01-01T08:00:00Z"]);
    assert_eq!(
        times("cron(0/15 * * * ? *)", after, "UTC", 2),
        ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]
    );
    assert_eq!(times("cron(0 18 ? * MON-FRI *)", after, "UTC", 3)[2], "2026-01-05T18:00:00Z");
    assert_eq!(times("cron(0 9 ? * 2#1 *)", after, "UTC", 1), ["2026-01-05T09:00:00Z"]);
    assert_eq!(times("cron(0 0 L * ? *)", after, "UTC", 2), ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]);
    assert_eq!(times("cron(0 0 3W * ? *)", after, "UTC", 1), ["2026-01-02T00:00:00Z"]);
    assert_eq!(times("cron(0 0 LW MAY ? *)", after, "UTC", 1), ["2026-05-29T00:00:00Z"]);
    assert_eq!(times("at(2026-02-01T03:04:05)", after, "UTC", 2), ["2026-02-01T03:04:05Z"]);
}

#[test]
fn a_skipped_hour_does_not_fire_and_a_doubled_one_fires_once() {
    assert_eq!(
        times("cron(30 2 * * ? *)", "2026-03-28T12:00:00Z", "Europe/Berlin", 1),
        ["2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        times("cron(30 2 * * ? *)", "2026-10-24T12:00:00Z", "Europe/Berlin", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn a_leap_day_is_found_and_a_day_that_never_comes_is_not() {
    assert_eq!(times("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", "UTC", 1), ["2028-02-29T00:00:00Z"]);
    assert!(times("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00Z", "UTC", 1).is_empty());
    assert!(times("cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00Z", "UTC", 1).is_empty());
}

#[test]
fn what_is_wrong_is_refused() {
    for bad in [
        "",
        "0 2 * * *",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "rate(x)",
        "cron(0 2 * * *)",
        "cron(0 2 * * * *)",
        "cron(0 2 ? * ? *)",
        "cron(60 2 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 2 32 * ? *)",
        "cron(0 2 ? * 8 *)",
        "cron(0 2 ? * 2#6 *)",
        "cron(5-1 2 * * ? *)",
        "cron(*/0 2 * * ? *)",
        "cron(0 2 ? FOO 1 *)",
        "cron(, 2 * * ? *)",
        "at(tomorrow)",
    ] {
        assert!(Expression::parse(bad).is_err(), "{bad}");
    }
}
