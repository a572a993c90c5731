//! What is to be told of a database: taken by one function at a time, and removed once it was told.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    standing::{Notice, Standing},
    table::Ledger,
};
use crate::base::{Result, id::DatabaseName};

/// What became of a notice that a function had taken.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// Metrics were made of it.
    pub counted: bool,
    /// Channels that took it this time.
    pub by: Vec<String>,
    /// Nothing is left to do, or it is too old.
    pub done: bool,
}

impl Ledger {
    /// Takes what is to be told of a database, `most` at once, for `hold`: until then no other function takes the same. A function that is killed
    /// meanwhile leaves it to the next one, which tells it again, under the same id.
    ///
    /// # Errors
    /// As [`Ledger::change_standing`].
    pub async fn take_notices(
        &self,
        database: &DatabaseName,
        now: Timestamp,
        hold: Duration,
        most: usize,
    ) -> Result<Vec<Notice>> {
        self.change_standing(database, |standing| take(standing, now, hold, most)).await
    }

    /// Puts down what became of notices that were taken: those that are done are removed, the others may be taken again.
    ///
    /// # Errors
    /// As [`Ledger::change_standing`].
    pub async fn settle_notices(&self, database: &DatabaseName, told: &[Told]) -> Result<()> {
        self.change_standing(database, |standing| settle(standing, told)).await
    }
}

fn take(standing: &mut Standing, now: Timestamp, hold: Duration, most: usize) -> Vec<Notice> {
    let until = now.checked_add(SignedDuration::try_from(hold).unwrap_or_default()).unwrap_or(now);
    let free = standing.outbox.iter_mut().filter(|n| n.held_until.is_none_or(|held| held <= now));
    free.take(most)
        .map(|notice| {
            notice.held_until = Some(until);
            notice.clone()
        })
        .collect()
}

fn settle(standing: &mut Standing, told: &[Told]) {
    for told in told {
        if told.done {
            standing.outbox.retain(|n| n.id != told.id);
            continue;
        }
        let Some(notice) = standing.outbox.iter_mut().find(|n| n.id == told.id) else { continue };
        notice.held_until = None;
        notice.to_count &= !told.counted;
        let new = told.by.iter().filter(|by| !notice.told.contains(by)).cloned().collect::<Vec<_>>();
        notice.told.extend(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::EventKind;

    fn notice(id: &str) -> Notice {
        Notice {
            id: id.into(),
            event: Some(EventKind::BackupFailed),
            run: None,
            at: Timestamp::UNIX_EPOCH,
            failures: 1,
            message: None,
            to_count: true,
            told: Vec::new(),
            held_until: None,
        }
    }

    #[test]
    fn one_at_a_time_and_again_when_the_hold_is_over() {
        let mut s = Standing { outbox: vec![notice("a"), notice("b"), notice("c")], ..Standing::default() };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let ids = |taken: Vec<Notice>| taken.into_iter().map(|n| n.id).collect::<Vec<_>>();
        let hold = Duration::from_secs(120);
        assert_eq!(ids(take(&mut s, at(0), hold, 2)), ["a", "b"]);
        assert_eq!(ids(take(&mut s, at(1), hold, 9)), ["c"]);
        assert!(take(&mut s, at(119), hold, 9).is_empty());
        assert_eq!(ids(take(&mut s, at(120), hold, 9)), ["a", "b"]);
    }

    #[test]
    fn what_is_done_goes_and_the_rest_remembers_who_took_it() {
        let mut s = Standing { outbox: vec![notice("a"), notice("b")], ..Standing::default() };
        take(&mut s, Timestamp::UNIX_EPOCH, Duration::from_secs(9), 9);
        let told = |id: &str, done| Told { id: id.into(), counted: true, by: vec!["sns".into()], done };
        for _ in 0..2 {
            settle(&mut s, &[told("a", true), told("b", false), told("gone", false)]);
            assert_eq!(s.outbox.len(), 1);
            assert_eq!(s.outbox[0].told, ["sns"]);
            assert!(!s.outbox[0].to_count && s.outbox[0].held_until.is_none());
        }
    }
}
