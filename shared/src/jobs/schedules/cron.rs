//! EventBridge Scheduler's `cron(minutes hours day-of-month month day-of-week year)` (its user guide, "Cron-based schedules"):
//! `, - * /` in general, `? L W` for days of the month, `? L #` for days of the week, which count from 1, Sunday. Only what that page shows is
//! accepted, so that EventBridge does not refuse later what was accepted here.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

use super::field::{Field, HOUR, MINUTE, MONTH, MONTH_DAY, Steps, WEEK};
use crate::base::{Error, Kind, Result};

const WEEK_DAY: Field = Field { name: "day-of-week", least: 1, most: 7, names: WEEK };
const YEAR: Field = Field { name: "year", least: 1970, most: 2199, names: &[] };

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    pub(super) minutes: Vec<i8>,
    pub(super) hours: Vec<i8>,
    pub(super) months: Vec<i8>,
    pub(super) years: BTreeSet<i16>,
    days: Days,
    text: String,
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

impl Cron {
    /// Parses what stands between the brackets.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] naming the field at fault.
    pub(super) fn parse(body: &str) -> Result<Self> {
        let upper = body.to_ascii_uppercase();
        let fields: Vec<&str> = upper.split_whitespace().collect();
        let wrong = |message: String| Error::new(Kind::InvalidInput, message);
        let [minutes, hours, month_day, month, week_day, year] = fields[..] else {
            return Err(wrong(format!(
                "cron(…) has six fields (minutes hours day-of-month month day-of-week year), {} are there",
                fields.len()
            )));
        };
        let days = match (month_day, week_day) {
            ("?", "?") => return Err(wrong("day-of-month and day-of-week cannot both be ?".into())),
            (_, "?") => Days::OfMonth(month_days(month_day)?),
            ("?", _) => Days::OfWeek(week_days(week_day)?),
            _ => {
                return Err(wrong(
                    "one of day-of-month and day-of-week must be ?; for days that fit either, make two schedules".into(),
                ));
            }
        };
        Ok(Self {
            minutes: small(MINUTE.values(minutes, Steps::EventBridge)?),
            hours: small(HOUR.values(hours, Steps::EventBridge)?),
            months: small(MONTH.values(month, Steps::EventBridge)?),
            years: YEAR.values(year, Steps::EventBridge)?,
            days,
            text: format!("cron({})", fields.join(" ")),
        })
    }

    /// As EventBridge gets it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it fires on this day of its months and years.
    pub(super) fn on(&self, date: Date) -> bool {
        match &self.days {
            Days::OfMonth(days) => days.iter().any(|d| d.on(date)),
            Days::OfWeek(days) => days.iter().any(|d| d.on(date)),
        }
    }
}

impl MonthDay {
    fn on(self, date: Date) -> bool {
        match self {
            Self::On(day) => date.day() == day,
            Self::Last => date.day() == date.days_in_month(),
            Self::Nearest(day) => nearest_workday(date, day) == Some(date.day()),
        }
    }
}

/// The day of `date`'s month, Monday to Friday, nearest to `day`; none where the month has no such day.
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

fn month_days(text: &str) -> Result<Vec<MonthDay>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.strip_suffix('W') {
            _ if part == "L" => all.push(MonthDay::Last),
            Some(day) => all.extend(small([MONTH_DAY.value(day)?]).into_iter().map(MonthDay::Nearest)),
            None if part.starts_with('*') => {
                all.extend(small(MONTH_DAY.values(text, Steps::EventBridge)?).into_iter().map(MonthDay::On));
            }
            None => {
                all.extend(small(MONTH_DAY.values(part, Steps::EventBridge)?).into_iter().map(MonthDay::On))
            }
        }
    }
    Ok(all)
}

fn week_days(text: &str) -> Result<Vec<WeekDay>> {
    let one = |day: &str| {
        WEEK_DAY
            .value(day)
            .and_then(|day| i8::try_from(day).map_err(|_| WEEK_DAY.wrong(text, "is too large")))
    };
    if let Some((day, nth)) = text.split_once('#') {
        // The guide: with # there can be only one expression in the field.
        let n = ["1", "2", "3", "4", "5"].iter().zip(1i8..).find(|(digit, _)| **digit == nth);
        let (_, n) = n.ok_or_else(|| {
            WEEK_DAY.wrong(text, "must be one day with its week, such as MON#1, and nothing else")
        })?;
        return Ok(vec![WeekDay::Nth(one(day)?, n)]);
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.strip_suffix('L') {
            Some("") => all.push(WeekDay::Every(7)),
            Some(day) => all.push(WeekDay::Last(one(day)?)),
            None if part == "*" => {
                all.extend(small(WEEK_DAY.values(text, Steps::No)?).into_iter().map(WeekDay::Every))
            }
            None => all.extend(small(WEEK_DAY.values(part, Steps::No)?).into_iter().map(WeekDay::Every)),
        }
    }
    Ok(all)
}

/// Values of a field whose bounds fit.
fn small(values: impl IntoIterator<Item = i16>) -> Vec<i8> {
    values.into_iter().filter_map(|n| i8::try_from(n).ok()).collect()
}
