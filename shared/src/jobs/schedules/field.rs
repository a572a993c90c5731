//! One field of a cron expression: numbers, names, lists, ranges and steps as a set of values.

use std::collections::BTreeSet;

use crate::base::{Error, Kind, Result};

/// A field's name for errors, its bounds, and names that stand for values from `least` on.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) least: i16,
    pub(super) most: i16,
    pub(super) names: &'static [&'static str],
}

/// Which steps a dialect knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// `*/5` and `10-40/5` (crontab(5)).
    Unix,
    /// `*/5` and `10/5`, which runs to the field's end (EventBridge Scheduler user guide, "Cron-based schedules").
    EventBridge,
    /// None.
    No,
}

pub(super) const MONTHS: &[&str] =
    &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
pub(super) const WEEK: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(super) const MINUTE: Field = Field { name: "minute", least: 0, most: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", least: 0, most: 23, names: &[] };
pub(super) const MONTH_DAY: Field = Field { name: "day-of-month", least: 1, most: 31, names: &[] };
pub(super) const MONTH: Field = Field { name: "month", least: 1, most: 12, names: MONTHS };

impl Field {
    /// An error of this field that names the part at fault.
    pub(super) fn wrong(&self, part: &str, why: &str) -> Error {
        let shown: String = part.chars().take(40).flat_map(char::escape_debug).collect();
        Error::new(Kind::InvalidInput, format!("the {} \"{shown}\" {why}", self.name))
    }

    /// All values.
    pub(super) fn all(&self) -> BTreeSet<i16> {
        (self.least..=self.most).collect()
    }

    /// One value: a number, or a name in either case.
    pub(super) fn value(&self, text: &str) -> Result<i16> {
        let named = self.names.iter().zip(self.least..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        // Digits alone: parse would take a sign.
        let number = || text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let value = named.map(|(_, value)| value).or_else(number);
        value.filter(|n| (self.least..=self.most).contains(n)).ok_or_else(|| {
            let names = self.names.first().zip(self.names.last());
            let names = names.map(|(a, b)| format!(" or {a} to {b}")).unwrap_or_default();
            self.wrong(text, &format!("is not within {} to {}{names}", self.least, self.most))
        })
    }

    /// A whole field.
    pub(super) fn values(&self, text: &str, steps: Steps) -> Result<BTreeSet<i16>> {
        if text == "*" {
            return Ok(self.all());
        }
        let mut all = BTreeSet::new();
        for part in text.split(',') {
            all.extend(self.part(part, text, steps)?);
        }
        Ok(all)
    }

    fn part(&self, part: &str, whole: &str, steps: Steps) -> Result<Vec<i16>> {
        let (range, step) = match part.split_once('/') {
            None => (part, None),
            Some(_) if steps == Steps::No => {
                return Err(self.wrong(part, "has a step, which this field does not know"));
            }
            Some((range, step)) => (range, Some(self.step(part, step)?)),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" && whole == part => (self.least, self.most),
            _ if range == "*" => {
                return Err(self.wrong(whole, "has * in a list, where it would mean all values"));
            }
            Some(_) if step.is_some() && steps == Steps::EventBridge => {
                return Err(self.wrong(
                    part,
                    "steps through a range, which EventBridge does not promise: list the values",
                ));
            }
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if step.is_some() && steps == Steps::Unix => {
                let why = format!("steps from one value: write {range}-{}/…", self.most);
                return Err(self.wrong(part, &why));
            }
            None if step.is_some() => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        if from > to {
            return Err(self.wrong(part, "runs backwards: list both parts, such as 22-23,0-4"));
        }
        Ok((from..=to).step_by(step.unwrap_or(1)).collect())
    }

    /// A step within the field: `*/90` minutes would mean every hour, which nobody who writes it wants.
    fn step(&self, part: &str, step: &str) -> Result<usize> {
        let most = self.most - self.least;
        let number = step.bytes().all(|c| c.is_ascii_digit()).then(|| step.parse::<i16>().ok()).flatten();
        let step = number.filter(|n| (1..=most).contains(n)).and_then(|n| usize::try_from(n).ok());
        step.ok_or_else(|| {
            self.wrong(part, &format!("needs a step from 1 to {most}; longer intervals are rate(…)"))
        })
    }

    /// The shortest text that EventBridge reads as this set: `*`, `0/15`, `9-17`, or a list.
    pub(super) fn text(&self, values: &BTreeSet<i16>) -> String {
        let list: Vec<i16> = values.iter().copied().collect();
        let (Some(first), Some(last)) = (list.first().copied(), list.last().copied()) else {
            return String::new();
        };
        if *values == self.all() {
            return "*".into();
        }
        let gap = list.get(1).map_or(0, |second| second - first);
        let even = list.len() > 2 && list.windows(2).all(|w| w[1] - w[0] == gap);
        match even {
            true if gap == 1 => format!("{}-{}", self.word(first), self.word(last)),
            true if last + gap > self.most && self.names.is_empty() => format!("{first}/{gap}"),
            _ => list.iter().map(|v| self.word(*v)).collect::<Vec<_>>().join(","),
        }
    }

    fn word(&self, value: i16) -> String {
        let at = usize::try_from(value - self.least).ok();
        let name = at.and_then(|at| self.names.get(at));
        name.map_or_else(|| value.to_string(), |name| (*name).to_owned())
    }
}
