//! Schedule expressions of EventBridge Scheduler (its user guide, "Schedule types"): `rate(5 minutes)`, `at(2026-11-21T02:00:00)`, and
//! `cron(minutes hours day-of-month month day-of-week year)` with `, - * ? / L W #`.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

/// How far ahead a next time is sought, days: the 29th of February as a given weekday comes once in 28 years, or 40 around 2100.
const HORIZON: i32 = 41 * 366;

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Every so many seconds from the start.
    Rate(i64),
    /// Once, in the schedule's time zone.
    At(DateTime),
    /// At the minutes a cron expression names, in the schedule's time zone.
    Cron(Box<Cron>),
}

/// A parsed cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Days,
    months: Vec<i8>,
    years: Vec<i16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<MonthDay>),
    OfWeek(Vec<WeekDay>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MonthDay {
    On(i8),
    Last,
    /// The Monday to Friday nearest to a day, within the month.
    Nearest(i8),
    LastWorkday,
}

/// Weekdays count from 1, Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WeekDay {
    Every(i8),
    /// The last such day of the month.
    Last(i8),
    /// The nth such day of the month.
    Nth(i8, i8),
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// A sentence naming the part at fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')').map(str::trim);
        if let Some(body) = inner("rate") {
            return rate(body)
                .ok_or_else(|| format!("{text}: a rate is a number and minutes, hours or days"));
        }
        if let Some(body) = inner("at") {
            return body.parse().map(Self::At).map_err(|e| format!("{text}: {e}"));
        }
        match inner("cron") {
            Some(body) => {
                Cron::parse(body).map(|c| Self::Cron(Box::new(c))).map_err(|e| format!("{text}: {e}"))
            }
            None => Err(format!("{text}: a schedule is rate(…), cron(…) or at(…)")),
        }
    }

    /// The first time after `after`; `start` is what a rate counts from. A time that the clock skips in spring is left out, one that comes
    /// twice in autumn counts once.
    pub fn next(&self, after: Timestamp, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Rate(seconds) => {
                let gone = after.as_second().saturating_sub(start.as_second()).max(0);
                let next = start
                    .as_second()
                    .checked_add(gone.checked_div(*seconds)?.checked_add(1)?.checked_mul(*seconds)?)?;
                Timestamp::from_second(next).ok()
            }
            Self::At(time) => instant(*time, zone).filter(|t| *t > after),
            Self::Cron(cron) => cron.next(after, zone),
        }
    }
}

fn rate(body: &str) -> Option<Expression> {
    let (number, unit) = body.split_once(char::is_whitespace)?;
    let number: i64 = number.parse().ok().filter(|n| (1..=1_000_000).contains(n))?;
    let seconds = match unit.trim().strip_suffix('s').unwrap_or(unit.trim()) {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    Some(Expression::Rate(number * seconds))
}

fn instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } => before,
        AmbiguousOffset::Gap { .. } => return None,
    };
    offset.to_timestamp(time).ok()
}

impl Cron {
    fn parse(body: &str) -> Result<Self, String> {
        let fields: Vec<&str> = body.split_whitespace().collect();
        let [minutes, hours, month_day, month, week_day, year] = fields[..] else {
            return Err(format!("six fields are needed, {} are there", fields.len()));
        };
        let days = match (month_day, week_day) {
            ("?", "?") => return Err("day-of-month and day-of-week cannot both be ?".into()),
            (_, "?") => Days::OfMonth(month_days(month_day)?),
            ("?", _) => Days::OfWeek(week_days(week_day)?),
            _ => return Err("one of day-of-month and day-of-week must be ?".into()),
        };
        let small = |v: Vec<i16>| v.into_iter().filter_map(|n| i8::try_from(n).ok()).collect();
        Ok(Self {
            minutes: small(numbers("minutes", minutes, 0, 59, &[])?),
            hours: small(numbers("hours", hours, 0, 23, &[])?),
            days,
            months: small(numbers("month", month, 1, 12, &MONTHS)?),
            years: numbers("year", year, 1970, 2199, &[])?,
        })
    }

    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(after).date();
        for _ in 0..HORIZON {
            if self.on(date) {
                let times =
                    self.hours.iter().flat_map(|h| self.minutes.iter().map(move |m| date.at(*h, *m, 0, 0)));
                if let Some(found) = times.filter_map(|t| instant(t, zone)).find(|t| *t > after) {
                    return Some(found);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn on(&self, date: Date) -> bool {
        self.years.contains(&date.year())
            && self.months.contains(&date.month())
            && match &self.days {
                Days::OfMonth(days) => days.iter().any(|d| d.on(date)),
                Days::OfWeek(days) => days.iter().any(|d| d.on(date)),
            }
    }
}

impl MonthDay {
    fn on(self, date: Date) -> bool {
        let last = date.days_in_month();
        match self {
            Self::On(day) => date.day() == day,
            Self::Last => date.day() == last,
            Self::Nearest(day) => day <= last && nearest_workday(date, day) == Some(date.day()),
            Self::LastWorkday => nearest_workday(date, last) == Some(date.day()),
        }
    }
}

/// The day of `date`'s month, Monday to Friday, nearest to `day`.
fn nearest_workday(date: Date, day: i8) -> Option<i8> {
    let wanted = Date::new(date.year(), date.month(), day).ok()?;
    Some(match wanted.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == date.days_in_month() => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}

impl WeekDay {
    fn on(self, date: Date) -> bool {
        let today = date.weekday().to_sunday_one_offset();
        match self {
            Self::Every(day) => today == day,
            Self::Last(day) => today == day && date.day() + 7 > date.days_in_month(),
            Self::Nth(day, n) => today == day && (date.day() - 1) / 7 + 1 == n,
        }
    }
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEK: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A list of values, ranges and steps within `least..=most`; names count from `least`.
fn numbers(field: &str, text: &str, least: i16, most: i16, names: &[&str]) -> Result<Vec<i16>, String> {
    let wrong = |part: &str| format!("{field} \"{part}\" is not within {least} to {most}");
    let value = |part: &str| -> Result<i16, String> {
        let upper = part.to_ascii_uppercase();
        let named =
            names.iter().position(|n| *n == upper).and_then(|i| i16::try_from(i).ok()).map(|i| i + least);
        named.or_else(|| part.parse().ok()).filter(|n| (least..=most).contains(n)).ok_or_else(|| wrong(part))
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step = step.parse::<i16>().ok().filter(|s| *s > 0).ok_or_else(|| wrong(part))?;
                (range, Some(step))
            }
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (value(from)?, value(to)?),
            None => (value(range)?, if step.is_some() { most } else { value(range)? }),
        };
        if from > to {
            return Err(format!("{field} \"{part}\" runs backwards"));
        }
        all.extend((from..=to).step_by(usize::try_from(step.unwrap_or(1)).unwrap_or(1)));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn month_days(text: &str) -> Result<Vec<MonthDay>, String> {
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.to_ascii_uppercase().as_str() {
            "L" => all.push(MonthDay::Last),
            "LW" => all.push(MonthDay::LastWorkday),
            upper => match upper.strip_suffix('W') {
                Some(day) => {
                    all.extend(small("day-of-month", day, 31, &[])?.into_iter().map(MonthDay::Nearest))
                }
                None => all.extend(small("day-of-month", part, 31, &[])?.into_iter().map(MonthDay::On)),
            },
        }
    }
    Ok(all)
}

fn week_days(text: &str) -> Result<Vec<WeekDay>, String> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let upper = part.to_ascii_uppercase();
        let one = |day: &str| {
            small("day-of-week", day, 7, &WEEK)?.first().copied().ok_or_else(|| "no day-of-week".to_owned())
        };
        if upper == "L" {
            all.push(WeekDay::Every(7));
        } else if let Some((day, nth)) = upper.split_once('#') {
            let nth = nth.parse().ok().filter(|n| (1..=5).contains(n));
            all.push(WeekDay::Nth(
                one(day)?,
                nth.ok_or_else(|| format!("day-of-week \"{part}\" has no such week"))?,
            ));
        } else if let Some(day) = upper.strip_suffix('L') {
            all.push(WeekDay::Last(one(day)?));
        } else {
            all.extend(small("day-of-week", &upper, 7, &WEEK)?.into_iter().map(WeekDay::Every));
        }
    }
    Ok(all)
}

/// [`numbers`] from 1 to `most`.
fn small(field: &str, text: &str, most: i16, names: &[&str]) -> Result<Vec<i8>, String> {
    let all = numbers(field, text, 1, most, names)?;
    Ok(all.into_iter().filter_map(|n| i8::try_from(n).ok()).collect())
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
