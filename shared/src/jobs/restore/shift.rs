//! The time of one function: when it begins no more entries, and when it lets go of those it is at, so that another function can go on in time.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::budget;

/// When a function stops. Both times lie before the one at which [`conduct`](crate::jobs::run::conduct) ends the run as failed.
#[derive(Debug, Clone, Copy)]
pub(in crate::jobs) struct Shift {
    /// None where no other function may go on.
    over: Option<Instant>,
    end: Instant,
}

impl Shift {
    /// The shift of a function with `left` to run. With `goes_on` it stops early enough for what it is at to end, mostly, and for the next function to
    /// be called: a twelfth of its time, two seconds at least.
    pub(in crate::jobs) fn new(left: Duration, goes_on: bool) -> Self {
        let usable = left.saturating_sub(budget::reserve(left));
        let call = (left / 60).max(Duration::from_secs(1));
        let last = (left / 12).max(Duration::from_secs(2));
        let now = Instant::now();
        if goes_on {
            Self { over: Some(now + usable.saturating_sub(last)), end: now + usable.saturating_sub(call) }
        } else {
            // Just before `conduct` would say less.
            Self { over: None, end: now + usable.saturating_sub(Duration::from_millis(300)) }
        }
    }

    /// The same for work that no other function can go on with.
    pub(in crate::jobs) fn alone(self) -> Self {
        Self { over: None, ..self }
    }

    /// For a worker, whose time others look after.
    pub(in crate::jobs) fn endless() -> Self {
        Self { over: None, end: Instant::now() + Duration::from_secs(86_400) }
    }

    /// Whether no more entries are to be begun.
    pub(in crate::jobs) fn is_over(&self) -> bool {
        self.over.is_some_and(|over| Instant::now() >= over)
    }

    /// Waits until no more entries are to be begun.
    pub(in crate::jobs) async fn over(&self) {
        match self.over {
            Some(over) => tokio::time::sleep_until(over).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until all is to be let go.
    pub(in crate::jobs) async fn end(&self) {
        tokio::time::sleep_until(self.end).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stops_before_the_run_would_fail() {
        for seconds in [4, 8, 30, 300, 900] {
            let left = Duration::from_secs(seconds);
            let begun = Instant::now();
            let shift = Shift::new(left, true);
            let over = shift.over.unwrap();
            assert!(begun < over && over < shift.end, "{seconds} s");
            assert!(
                shift.end + Duration::from_millis(900) < begun + left - budget::reserve(left),
                "{seconds} s"
            );
            assert!(!shift.is_over() && shift.alone().over.is_none());
        }
        // Of 15 minutes 13.5 are for entries.
        let over = Shift::new(Duration::from_secs(900), true).over.unwrap();
        assert_eq!(over.duration_since(Instant::now()).as_secs() / 10, 80);
    }
}
