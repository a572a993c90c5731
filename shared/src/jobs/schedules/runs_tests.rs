//! Next runs against a walk through every minute, and against the days on which clocks change.

use std::collections::HashSet;

use jiff::civil::Weekday;
use proptest::prelude::*;

use super::*;

fn runs(expression: &str, after: &str, zone: &str, n: usize) -> Vec<String> {
    let e = Expression::parse(expression).unwrap();
    let after: Timestamp = after.parse().unwrap();
    let zone = TimeZone::get(zone).unwrap();
    e.next_runs(after, after, &zone, n).iter().map(ToString::to_string).collect()
}

#[test]
fn the_examples_of_the_guide() {
    let after = "2026-01-01T00:00:00Z";
    assert_eq!(runs("cron(15 10 ? * 6L 2026-2027)", after, "UTC", 1), ["2026-01-30T10:15:00Z"]);
    assert_eq!(runs("cron(0 8 1 * ? *)", after, "UTC", 2), ["2026-01-01T08:00:00Z", "2026-02-01T08:00:00Z"]);
    assert_eq!(
        runs("cron(0/15 * * * ? *)", after, "UTC", 2),
        ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]
    );
    assert_eq!(runs("cron(0 18 ? * MON-FRI *)", after, "UTC", 3)[2], "2026-01-05T18:00:00Z");
    assert_eq!(runs("cron(0 9 ? * 2#1 *)", after, "UTC", 1), ["2026-01-05T09:00:00Z"]);
    assert_eq!(runs("cron(0 0 L * ? *)", after, "UTC", 2), ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]);
    assert_eq!(runs("cron(0 0 3W * ? *)", after, "UTC", 1), ["2026-01-02T00:00:00Z"]);
    assert_eq!(runs("cron(0 0 ? * L *)", after, "UTC", 1), ["2026-01-03T00:00:00Z"]);
    assert_eq!(runs("cron(0 0 29 2 ? *)", after, "UTC", 1), ["2028-02-29T00:00:00Z"]);
    assert_eq!(runs("cron(0 0 1 1 ? 2199)", after, "UTC", 2), ["2199-01-01T00:00:00Z"]);
}

#[test]
fn rates_count_from_the_start_in_elapsed_time() {
    assert_eq!(
        runs("rate(15 minutes)", "2026-11-21T02:01:00Z", "UTC", 2),
        ["2026-11-21T02:16:00Z", "2026-11-21T02:31:00Z"]
    );
    // The night has 25 hours: 02:00 becomes 01:00 on the clock.
    assert_eq!(runs("rate(1 day)", "2026-10-24T00:00:00Z", "Europe/Berlin", 1), ["2026-10-25T00:00:00Z"]);
    let e = Expression::parse("rate(1 hour)").unwrap();
    let start: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
    for (after, next) in [
        ("2026-11-20T00:00:00Z", "2026-11-21T03:00:00Z"),
        ("2026-11-21T02:59:59.9Z", "2026-11-21T03:00:00Z"),
        ("2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z"),
        ("2026-11-21T03:00:00.1Z", "2026-11-21T04:00:00Z"),
    ] {
        assert_eq!(e.next(after.parse().unwrap(), start, &TimeZone::UTC).unwrap().to_string(), next);
    }
}

#[test]
fn a_skipped_hour_does_not_fire_and_a_doubled_one_fires_once() {
    assert_eq!(runs("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", 1), ["2026-03-30T00:30:00Z"]);
    assert_eq!(
        runs("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // Asked within the second of the two hours.
    assert_eq!(runs("30 2 * * *", "2026-10-25T01:10:00Z", "Europe/Berlin", 1), ["2026-10-26T01:30:00Z"]);
    // A whole day that the clock skipped: Samoa had no 30 December 2011.
    assert_eq!(runs("0 12 30 * *", "2011-12-01T00:00:00Z", "Pacific/Apia", 1), ["2012-01-29T22:00:00Z"]);
}

/// A five-field expression with the days that it names, made together, so that the walk does not lean on the parser.
#[derive(Debug, Clone)]
struct Made {
    text: String,
    minutes: HashSet<i8>,
    hours: HashSet<i8>,
    months: HashSet<i8>,
    days: MadeDays,
}

#[derive(Debug, Clone)]
enum MadeDays {
    Every,
    OfMonth(HashSet<i8>),
    OfWeek(HashSet<i8>),
}

impl Made {
    fn fits(&self, at: DateTime) -> bool {
        let week_day = match at.date().weekday() {
            Weekday::Sunday => 0,
            Weekday::Monday => 1,
            Weekday::Tuesday => 2,
            Weekday::Wednesday => 3,
            Weekday::Thursday => 4,
            Weekday::Friday => 5,
            Weekday::Saturday => 6,
        };
        let day = match &self.days {
            MadeDays::Every => true,
            MadeDays::OfMonth(days) => days.contains(&at.day()),
            MadeDays::OfWeek(days) => days.contains(&week_day),
        };
        at.second() == 0
            && self.minutes.contains(&at.minute())
            && self.hours.contains(&at.hour())
            && self.months.contains(&at.month())
            && day
    }
}

/// A field's text and its values.
fn field(least: i8, most: i8) -> impl Strategy<Value = (String, HashSet<i8>)> {
    prop_oneof![
        Just(("*".to_owned(), (least..=most).collect())),
        (1..most)
            .prop_map(move |step| (format!("*/{step}"), (least..=most).step_by(step as usize).collect())),
        (least..=most, least..=most, 1i8..5).prop_map(move |(a, b, step)| {
            let (a, b) = (a.min(b), a.max(b));
            (format!("{a}-{b}/{step}"), (a..=b).step_by(step as usize).collect())
        }),
        prop::collection::vec(least..=most, 1..4).prop_map(|all| {
            let text = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            (text, all.into_iter().collect())
        }),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    let days = prop_oneof![
        Just(("* {} *".to_owned(), MadeDays::Every)),
        field(1, 31).prop_map(|(t, d)| (format!("{t} {{}} *"), MadeDays::OfMonth(d))),
        field(0, 6).prop_map(|(t, d)| (format!("* {{}} {t}"), MadeDays::OfWeek(d))),
        Just(("* {} 7,sat".to_owned(), MadeDays::OfWeek([0, 6].into()))),
    ];
    (field(0, 59), field(0, 23), field(1, 12), days).prop_map(|(minute, hour, month, (text, days))| Made {
        text: format!("{} {} {}", minute.0, hour.0, text.replace("{}", &month.0)),
        minutes: minute.1,
        hours: hour.1,
        months: month.1,
        days,
    })
}

/// Every minute of the span at which the expression fits the local clock, the first time that the clock shows it.
fn walked(made: &Made, from: Timestamp, days: i64, zone: &TimeZone) -> Vec<Timestamp> {
    let mut shown = HashSet::new();
    let first = from.as_second() - 86_400;
    let minutes =
        (first..from.as_second() + days * 86_400).step_by(60).filter_map(|s| Timestamp::from_second(s).ok());
    minutes
        .filter(|at| {
            let local = zone.to_datetime(*at);
            shown.insert(local) && made.fits(local) && *at > from
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Nothing is skipped and nothing is made up, over five days around each kind of change of the clock.
    #[test]
    fn next_runs_are_those_of_a_walk_through_every_minute(
        made in made(),
        (zone, from) in prop::sample::select(vec![
            ("Europe/Berlin", "2026-03-27T00:00:00Z"), ("Europe/Berlin", "2026-10-23T00:00:00Z"),
            ("America/New_York", "2026-03-06T00:00:00Z"), ("America/New_York", "2026-10-30T00:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-03T00:00:00Z"), ("Australia/Lord_Howe", "2026-10-02T00:00:00Z"),
            ("America/Santiago", "2026-04-03T00:00:00Z"), ("America/Santiago", "2026-09-04T00:00:00Z"),
            ("Pacific/Apia", "2011-12-28T00:00:00Z"), ("Asia/Kathmandu", "2026-12-29T00:00:00Z"), ("UTC", "2028-02-27T00:00:00Z"),
        ]),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let from: Timestamp = from.parse().unwrap();
        let expression = Expression::parse(&made.text).unwrap();
        let walked = walked(&made, from, 5, &zone);
        let next = expression.next_runs(from, from, &zone, walked.len() + 1);
        let end = from.as_second() + 5 * 86_400;
        prop_assert!(next.windows(2).all(|w| w[0] < w[1]), "{} {next:?}", made.text);
        let within: Vec<Timestamp> = next.into_iter().filter(|at| at.as_second() < end).collect();
        prop_assert_eq!(within, walked, "{}", made.text);
    }

    /// L, # and W against their definitions, looked for from day to day.
    #[test]
    fn special_days_are_those_of_a_walk_through_the_month(
        year in 2024i16..2060, month in 1i8..=12, week_day in 1i8..=7, nth in 1i8..=5, day in 1i8..=31,
    ) {
        let first = Date::new(year, month, 1).unwrap();
        let dates: Vec<Date> =
            first.series(1.day()).take_while(|date| date.month() == month).collect();
        let named = |date: &&Date| date.weekday().to_sunday_one_offset() == week_day;
        let works = |date: &Date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let away = |date: &Date| (date.day() - day).abs();
        let nearest = dates.iter().filter(|date| works(date)).min_by_key(|date| away(date)).copied();
        for (days, expected) in [
            (format!("? {month} {week_day}L"), dates.iter().rfind(named).copied()),
            (format!("? {month} {week_day}#{nth}"), dates.iter().filter(named).nth(nth as usize - 1).copied()),
            (format!("L {month} ?"), dates.last().copied()),
            (format!("{day}W {month} ?"), nearest.filter(|_| day as usize <= dates.len())),
        ] {
            let expression = Expression::parse(&format!("cron(0 0 {days} {year})")).unwrap();
            let before = Timestamp::UNIX_EPOCH;
            let found = expression.next_runs(before, before, &TimeZone::UTC, 2);
            let found: Vec<Date> = found.iter().map(|at| TimeZone::UTC.to_datetime(*at).date()).collect();
            prop_assert_eq!(found, Vec::from_iter(expected), "{}", days);
        }
    }

    /// The same expression, written in EventBridge's fields, fires at the same times.
    #[test]
    fn a_translation_fires_as_its_original(made in made(), after in 0i64..4_000_000_000) {
        let after = Timestamp::from_second(after).unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let expression = Expression::parse(&made.text).unwrap();
        let again = Expression::parse(&expression.to_string()).unwrap();
        prop_assert_eq!(&again, &expression);
        for at in again.next_runs(after, after, &zone, 3) {
            prop_assert!(at > after && made.fits(zone.to_datetime(at)), "{} {at}", made.text);
        }
    }
}
