//! Five-field cron (crontab(5), Vixie cron) and its translation into EventBridge's six fields.
//!
//! ```text
//! ┌ minute 0-59   ┌ day of month 1-31   ┌ day of week 0-7 or SUN-SAT; 0 and 7 are Sunday
//! 0  2            *  *                  *
//!    └ hour 0-23     └ month 1-12 or JAN-DEC
//! ```
//!
//! Vixie's rule for the two day fields: where neither begins with `*`, a day that fits *either* counts; otherwise it must fit both. EventBridge has
//! only one of the two (the other must be `?`), and counts days of the week from 1, Sunday: names are written, so that no number can be misread.

use std::collections::BTreeSet;

use super::field::{Field, HOUR, MINUTE, MONTH, MONTH_DAY, Steps, WEEK};
use crate::base::{Error, Kind, Result};

/// Days of the week as cron counts them.
const WEEK_DAY: Field = Field { name: "day-of-week", least: 0, most: 7, names: WEEK };
/// The same for writing, without the second Sunday.
const SEVEN: Field = Field { name: "day-of-week", least: 0, most: 6, names: WEEK };

/// The fields of an EventBridge `cron(…)` that fires exactly when this five-field expression would.
///
/// # Errors
/// [`Kind::InvalidInput`] with the field at fault, or with what EventBridge cannot express and a way out.
pub(super) fn translate(text: &str) -> Result<String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, month_day, month, week_day] = fields[..] else {
        return Err(Error::new(
            Kind::InvalidInput,
            format!(
                "a cron expression has five fields (minute hour day-of-month month day-of-week), {} are there",
                fields.len()
            ),
        ));
    };
    for (field, text) in [(&MONTH_DAY, month_day), (&WEEK_DAY, week_day)] {
        if text == "?" {
            return Err(field.wrong(text, "belongs to EventBridge's six fields; write * in five"));
        }
    }
    let minutes = MINUTE.values(minute, Steps::Unix)?;
    let hours = HOUR.values(hour, Steps::Unix)?;
    let months = MONTH.values(month, Steps::Unix)?;
    let days = Days::parse(month_day, week_day)?;
    let (month_day, week_day) = days.one_field()?;
    Ok(format!(
        "{} {} {month_day} {} {week_day} *",
        MINUTE.text(&minutes),
        HOUR.text(&hours),
        MONTH.text(&months)
    ))
}

struct Days {
    of_month: BTreeSet<i16>,
    of_week: BTreeSet<i16>,
    /// Whether a day must fit both fields: where one begins with `*`.
    both: bool,
}

impl Days {
    fn parse(month_day: &str, week_day: &str) -> Result<Self> {
        let of_month = MONTH_DAY.values(month_day, Steps::Unix)?;
        // Stars run over 0 to 6: the second Sunday would be a step of its own.
        let of_week = match week_day.starts_with('*') {
            true => SEVEN.values(week_day, Steps::Unix)?,
            false => WEEK_DAY.values(week_day, Steps::Unix)?,
        };
        let of_week = of_week.into_iter().map(|day| day % 7).collect();
        Ok(Self { of_month, of_week, both: month_day.starts_with('*') || week_day.starts_with('*') })
    }

    /// Day-of-month and day-of-week as EventBridge has them, one of them `?`.
    fn one_field(&self) -> Result<(String, String)> {
        let (every_month_day, every_week_day) =
            (self.of_month == MONTH_DAY.all(), self.of_week == SEVEN.all());
        let month_days = || (MONTH_DAY.text(&self.of_month), "?".to_owned());
        let week_days = || ("?".to_owned(), SEVEN.text(&self.of_week));
        let every_day = || ("*".to_owned(), "?".to_owned());
        match (every_month_day, every_week_day, self.both) {
            (true, true, _) => Ok(every_day()),
            (false, true, true) => Ok(month_days()),
            (true, false, true) => Ok(week_days()),
            (_, true, false) | (true, _, false) => Ok(every_day()),
            (false, false, false) => Err(Error::new(
                Kind::InvalidInput,
                "day-of-month and day-of-week are both restricted, which cron reads as \"either\" and EventBridge cannot express in one \
                 expression: make two schedules, one with * as day-of-week and one with * as day-of-month",
            )),
            (false, false, true) => Err(Error::new(
                Kind::InvalidInput,
                "day-of-month and day-of-week must both fit here (one begins with *), which EventBridge cannot express: restrict one of \
                 them alone, or name a week of the month with cron(0 2 ? * MON#1 *)",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translations() {
        for (five, six) in [
            ("0 2 * * *", "0 2 * * ? *"),
            ("*/15 * * * *", "0/15 * * * ? *"),
            ("5,20 1-3 * * *", "5,20 1-3 * * ? *"),
            ("0 9-17/4 * * *", "0 9,13,17 * * ? *"),
            ("0 0 1 * *", "0 0 1 * ? *"),
            ("0 0 */2 * *", "0 0 1/2 * ? *"),
            ("0 0 1 jan,jul *", "0 0 1 JAN,JUL ? *"),
            ("0 0 1 1-3 *", "0 0 1 JAN-MAR ? *"),
            ("0 4 * * 0", "0 4 ? * SUN *"),
            ("0 4 * * 7", "0 4 ? * SUN *"),
            ("0 4 * * 1-5", "0 4 ? * MON-FRI *"),
            ("0 4 * * mon-fri", "0 4 ? * MON-FRI *"),
            ("0 4 * * 5-7", "0 4 ? * SUN,FRI,SAT *"),
            ("0 4 * * */2", "0 4 ? * SUN,TUE,THU,SAT *"),
            ("0 4 * * 0-7", "0 4 * * ? *"),
            ("0 4 1-31 * 1", "0 4 * * ? *"),
            ("0 4 15 * 0-6", "0 4 * * ? *"),
            ("  0   2\t* * * ", "0 2 * * ? *"),
        ] {
            assert_eq!(translate(five).unwrap(), six, "{five}");
        }
    }

    #[test]
    fn what_eventbridge_cannot_express_comes_with_a_way_out() {
        let or = translate("0 0 13 * 5").unwrap_err();
        assert!(or.message().contains("two schedules"), "{or}");
        let and = translate("0 0 */2 * 5").unwrap_err();
        assert!(and.message().contains("must both fit"), "{and}");
        assert!(translate("0 0 1-7 * */2").unwrap_err().message().contains("must both fit"));
    }

    #[test]
    fn nonsense_names_its_field() {
        for (text, part) in [
            ("60 2 * * *", "minute \"60\""),
            ("-1 2 * * *", "minute \"\""),
            ("+1 2 * * *", "minute \"+1\""),
            ("0 24 * * *", "hour \"24\""),
            ("0 2 0 * *", "day-of-month \"0\""),
            ("0 2 32 * *", "day-of-month \"32\""),
            ("0 2 * 13 *", "month \"13\""),
            ("0 2 * foo *", "month \"foo\""),
            ("0 2 * * 8", "day-of-week \"8\""),
            ("0 2 * * fri-mon", "runs backwards"),
            ("5-1 2 * * *", "runs backwards"),
            ("*/0 2 * * *", "step from 1"),
            ("*/90 2 * * *", "rate(…)"),
            ("5/10 2 * * *", "5-59/"),
            (", 2 * * *", "minute \"\""),
            ("1, 2 * * *", "minute \"\""),
            ("*,5 2 * * *", "in a list"),
            ("0 2 ? * 1", "write * in five"),
            ("0 2 L * *", "day-of-month \"L\""),
            ("0 2 * * 1#2", "day-of-week \"1#2\""),
            ("0 2 * *", "five fields"),
            ("0 2 * * * *", "five fields"),
            ("", "five fields"),
            ("@daily", "five fields"),
            ("1-2-3 2 * * *", "minute \"2-3\""),
            ("99999999999 2 * * *", "minute"),
            ("0 2 * * é", "day-of-week \"é\""),
        ] {
            let e = translate(text).unwrap_err();
            assert!(e.kind() == Kind::InvalidInput && e.message().contains(part), "{text}: {e}");
        }
    }
}
