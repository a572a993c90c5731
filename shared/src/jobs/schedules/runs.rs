//! When a schedule fires.
//!
//! Around changes of the clock as EventBridge Scheduler documents it (user guide, "Daylight savings time on EventBridge Scheduler"; AWS re:Post,
//! "How can I adjust my Amazon EventBridge schedule for daylight saving?"): a `cron` time that the clock skips in spring is left out; one that
//! comes twice in autumn fires once, taken here as the first of the two. A `rate` counts elapsed time: its days have 24 hours.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

use super::{cron::Cron, expression::Expression};

/// Next runs that answers show.
pub const SHOWN: usize = 3;

impl Expression {
    /// The first time after `after`. A rate fires at `start` plus once, twice … its interval.
    pub fn next(&self, after: Timestamp, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Rate(rate) => {
                let every = rate.seconds();
                let gone = after.as_second().saturating_sub(start.as_second());
                let count = gone.div_euclid(every).max(0).checked_add(1)?;
                // `after` may have a fraction of a second more than was counted, never less.
                Timestamp::from_second(start.as_second().checked_add(count.checked_mul(every)?)?).ok()
            }
            Self::Cron(cron) => cron.runs(after, zone).next(),
        }
    }

    /// The next times after `after`, at most `count`.
    pub fn next_runs(
        &self,
        after: Timestamp,
        start: Timestamp,
        zone: &TimeZone,
        count: usize,
    ) -> Vec<Timestamp> {
        match self {
            Self::Rate(_) => {
                let first = self.next(after, start, zone);
                std::iter::successors(first, |at| self.next(*at, start, zone)).take(count).collect()
            }
            Self::Cron(cron) => cron.runs(after, zone).take(count).collect(),
        }
    }
}

impl Cron {
    /// All times after `after`. First occurrences of local times follow each other as the local times do.
    fn runs(&self, after: Timestamp, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        let from = zone.to_datetime(after).date();
        let months =
            self.years.range(from.year()..).flat_map(|year| self.months.iter().map(|month| (*year, *month)));
        months
            .filter_map(|(year, month)| Date::new(year, month, 1).ok())
            .filter(move |first| first.last_of_month() >= from)
            .flat_map(|first| first.series(1.day()).take_while(move |date| date.month() == first.month()))
            .filter(move |date| *date >= from && self.on(*date))
            .flat_map(|date| self.times(date))
            .filter_map(|time| instant(time, zone))
            .skip_while(move |at| *at <= after)
    }

    fn times(&self, date: Date) -> impl Iterator<Item = DateTime> {
        let of_hour = move |hour: &i8| {
            let hour = *hour;
            self.minutes.iter().map(move |minute| date.at(hour, *minute, 0, 0))
        };
        self.hours.iter().flat_map(of_hour)
    }
}

/// When a local time is: the first time it comes, if it comes.
fn instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } => before,
        AmbiguousOffset::Gap { .. } => return None,
    };
    offset.to_timestamp(time).ok()
}

#[cfg(test)]
#[path = "runs_tests.rs"]
mod tests;
