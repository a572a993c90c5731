//! Schedule expressions in the three forms that callers may write.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

use super::{cron::Cron, unix_cron};
use crate::base::{Error, Kind, Result};

/// Characters that EventBridge takes as an expression (API reference, CreateSchedule).
const LENGTH: usize = 256;

/// When a schedule fires, in the terms of EventBridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Every so often.
    Rate(Rate),
    /// At the minutes that the fields name, in the schedule's time zone.
    Cron(Box<Cron>),
}

/// `rate(value unit)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    value: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

impl Unit {
    const ALL: [(Self, &str, i64); 3] =
        [(Self::Minute, "minute", 60), (Self::Hour, "hour", 3_600), (Self::Day, "day", 86_400)];

    fn named(self) -> (&'static str, i64) {
        Self::ALL.iter().find(|u| u.0 == self).map_or(("minute", 60), |u| (u.1, u.2))
    }
}

impl Rate {
    /// Every so many hours.
    pub fn hours(value: u32) -> Self {
        Self { value, unit: Unit::Hour }
    }

    fn parse(body: &str) -> Result<Self> {
        let wrong = || {
            Error::new(
                Kind::InvalidInput,
                "rate(…) takes a whole number and minutes, hours or days, such as rate(6 hours), and a year at most",
            )
        };
        let words: Vec<&str> = body.split_whitespace().collect();
        let [number, unit] = words[..] else { return Err(wrong()) };
        let unit = unit.to_ascii_lowercase();
        let single = unit.strip_suffix('s').unwrap_or(&unit);
        let (unit, _, seconds) = *Unit::ALL.iter().find(|u| u.1 == single).ok_or_else(wrong)?;
        let digits = number.bytes().all(|c| c.is_ascii_digit()).then(|| number.parse::<u32>().ok()).flatten();
        let value =
            digits.filter(|n| *n >= 1 && i64::from(*n) * seconds <= 365 * 86_400).ok_or_else(wrong)?;
        Ok(Self { value, unit })
    }

    /// Its interval.
    pub fn seconds(self) -> i64 {
        i64::from(self.value) * self.unit.named().1
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.value == 1 { "" } else { "s" };
        write!(f, "rate({} {}{plural})", self.value, self.unit.named().0)
    }
}

impl Expression {
    /// Parses five-field cron, EventBridge's `cron(…)` or `rate(…)`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with what is wrong and, where EventBridge cannot express it, a way out.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > LENGTH {
            let message = format!("a schedule has at most {LENGTH} characters");
            return Err(Error::new(Kind::InvalidInput, message));
        }
        let inner = |name: &str| {
            let prefix = text.get(..name.len()).filter(|p| p.eq_ignore_ascii_case(name))?;
            text.strip_prefix(prefix)?.trim_start().strip_prefix('(')?.strip_suffix(')')
        };
        if let Some(body) = inner("rate") {
            return Rate::parse(body).map(Self::Rate);
        }
        if inner("at").is_some() {
            let message = "at(…) fires once; a backup that is made once is POST /backup";
            return Err(Error::new(Kind::InvalidInput, message));
        }
        let cron = match inner("cron") {
            Some(body) => Cron::parse(body)?,
            None if text.contains('(') || text.split_whitespace().count() < 2 => {
                let message =
                    "a schedule is five-field cron such as 0 2 * * *, cron(0 2 * * ? *) or rate(6 hours)";
                return Err(Error::new(Kind::InvalidInput, message));
            }
            None => Cron::parse(&unix_cron::translate(text)?)?,
        };
        if cron.text().len() > LENGTH {
            let message = format!(
                "EventBridge would need more than {LENGTH} characters for this schedule: make several with fewer values each"
            );
            return Err(Error::new(Kind::InvalidInput, message));
        }
        Ok(Self::Cron(Box::new(cron)))
    }

    /// [`Expression::parse`], refusing one that never fires after `now`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`].
    pub fn checked(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Self> {
        let expression = Self::parse(text)?;
        match expression.next(now, now, zone) {
            Some(_) => Ok(expression),
            None => Err(Error::new(
                Kind::InvalidInput,
                "this schedule never fires: no day from now on fits day, month and year",
            )),
        }
    }
}

impl fmt::Display for Expression {
    /// As EventBridge gets it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::Cron(cron) => f.write_str(cron.text()),
        }
    }
}

/// A time zone by its IANA name, in the spelling of the database.
///
/// # Errors
/// [`Kind::InvalidInput`] naming it.
pub fn zone(name: &str) -> Result<(TimeZone, String)> {
    // Files beside the zones in the database's folder, which are no IANA names.
    let odd = ["posix", "right", "localtime", "Factory"].iter().any(|p| name.starts_with(p));
    let zone = TimeZone::get(name).ok().filter(|_| !odd);
    let known = zone.and_then(|zone| Some((zone.clone(), zone.iana_name()?.to_owned())));
    known.ok_or_else(|| {
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        let message = format!("\"{shown}\" is not an IANA time zone such as Europe/Berlin");
        Error::new(Kind::InvalidInput, message)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(of: &str) -> String {
        Expression::parse(of).map_or_else(|e| e.to_string(), |e| e.to_string())
    }

    #[test]
    fn three_forms() {
        assert_eq!(text("0 2 * * *"), "cron(0 2 * * ? *)");
        assert_eq!(text(" cron(0  2 ? * mon-fri *) "), "cron(0 2 ? * MON-FRI *)");
        assert_eq!(text("RATE( 6 hours )"), "rate(6 hours)");
        assert_eq!(text("rate(1 hours)"), "rate(1 hour)");
        assert_eq!(text("rate(24 hour)"), "rate(24 hours)");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "x",
            "nightly",
            "@daily",
            "at(2026-11-21T02:00:00)",
            "rate()",
            "rate(0 minutes)",
            "rate(-1 hours)",
            "rate(1.5 hours)",
            "rate(5 weeks)",
            "rate(x)",
            "rate(366 days)",
            "rate(99999999999 minutes)",
            "rate(6 hours",
            "rate 6 hours)",
            "cron()",
            "cron(0 2 * * *)",
            "cron(0 2 * * * *)",
            "cron(0 2 ? * ? *)",
            "cron(0 2 1 * 1 *)",
            "cron(60 2 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 2 32 * ? *)",
            "cron(0 2 ? * 0 *)",
            "cron(0 2 ? * 8 *)",
            "cron(0 2 ? * 2#6 *)",
            "cron(0 2 ? * 2#0 *)",
            "cron(0 2 ? * 3#1,6#3 *)",
            "cron(0 2 ? * 2/2 *)",
            "cron(5-1 2 * * ? *)",
            "cron(*/0 2 * * ? *)",
            "cron(0 2 ? FOO 1 *)",
            "cron(, 2 * * ? *)",
            "cron(0 2 * * ? 1969)",
            "cron(0 2 * * ? 2200)",
            "cron(0 2 LW * ? *)",
            "cron(0 2 32W * ? *)",
            "cron(0 2 L-3 * ? *)",
            "cron(? 2 * * ? *)",
            "cron(0 2 *,L * ? *)",
            "cron(0 2 ? * *,2 *)",
            "cron(0-30/5 2 * * ? *)",
            "r\u{e4}te(1 hour)",
        ] {
            assert_eq!(Expression::parse(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
        assert!(Expression::parse(&"0 ".repeat(200)).is_err());
        let now = "2026-11-21T02:00:00Z".parse().unwrap();
        for never in ["0 0 30 2 *", "0 0 31 4,6 *", "cron(0 0 1 1 ? 2025)", "cron(0 0 ? 2 2#5 2026-2027)"] {
            let e = Expression::checked(never, &TimeZone::UTC, now).unwrap_err();
            assert!(e.message().contains("never fires"), "{never}: {e}");
        }
        assert!(Expression::checked("cron(0 0 29 2 ? 2196)", &TimeZone::UTC, now).is_ok());
    }

    #[test]
    fn zones() {
        assert_eq!(zone("europe/berlin").unwrap().1, "Europe/Berlin");
        assert_eq!(zone("UTC").unwrap().1, "UTC");
        for bad in [
            "",
            "Mars/Base",
            "Europe/",
            "../../etc/passwd",
            "/etc/localtime",
            "localtime",
            "right/UTC",
            "CET-1CEST",
            "Europe/Berlin\0",
            "+01:00",
        ] {
            assert_eq!(zone(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(cron\\(|rate\\(|at\\()?[0-9A-Za-z*/,?#LW -]{0,40}\\)?|\\PC{0,30}") {
            let _ = Expression::parse(&text);
            let _ = zone(&text);
        }

        #[test]
        fn what_eventbridge_gets_is_read_the_same_again(text in "[0-5]?[0-9](,[0-5]?[0-9]|-59)?|\\*/[1-9]", hour in "(1?[0-9]|\\*)", day in "(L|1?[1-9]W?|\\*|1/[2-9])") {
            if let Ok(e) = Expression::parse(&format!("cron({text} {hour} {day} * ? *)")) {
                prop_assert_eq!(Expression::parse(&e.to_string()).unwrap(), e);
            }
        }
    }
}
