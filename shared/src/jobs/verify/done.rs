//! What a verification has looked at and found, kept so that another function can go on.
//!
//! Note: `verify/<run>/done`. What a function that froze writes late is older and whole in itself: what it lacks is looked at again.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{task::JoinSet, time::Instant};

use super::Verify;
use crate::{
    base::{Error, Kind, Result, id::RunId},
    jobs::Platform,
};

/// Problems kept by name; the others are counted.
const NAMED: usize = 20;
/// Warnings kept.
const WARNINGS: usize = 50;
/// How often the note is written while a function works.
const EVERY: Duration = Duration::from_secs(10);

/// What is done: of a list in an order that every function of the run makes the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Done {
    run: String,
    /// All places before this one are done.
    first: usize,
    /// Places done beyond it.
    beyond: BTreeSet<usize>,
    /// Whether the copy was compared, in full.
    #[serde(default)]
    pub compared: bool,
    /// Rows seen.
    pub rows: u64,
    problems: Vec<String>,
    problem_count: u64,
    /// For the record.
    pub warnings: Vec<String>,
}

/// What looking at one place brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Rows.
    pub rows: u64,
    /// Bytes, for the progress.
    pub bytes: u64,
    /// What is wrong, naming the object.
    pub problem: Option<String>,
    /// What a person should know.
    pub warning: Option<String>,
}

fn key(run: &str) -> String {
    format!("verify/{run}/done")
}

impl Done {
    /// What earlier functions of this run have done.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn load(platform: &Platform, run: &RunId) -> Result<Self> {
        let there: Option<Self> = platform.ledger.noted(&key(run.as_str())).await?;
        Ok(there.unwrap_or_else(|| Self { run: run.to_string(), ..Self::default() }))
    }

    /// Puts it down.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn store(&self, platform: &Platform) -> Result<()> {
        platform.ledger.note(&key(&self.run), self).await
    }

    /// Whether anything is wrong so far.
    pub(super) fn has_problems(&self) -> bool {
        self.problem_count > 0
    }

    /// Adds a problem; the same one again, as a function that goes on finds it, counts once as long as it is kept by name.
    pub(super) fn problem(&mut self, what: String) {
        if self.problems.contains(&what) {
            return;
        }
        self.problem_count += 1;
        if self.problems.len() < NAMED {
            self.problems.push(what);
        }
    }

    /// Adds a warning, once.
    pub(super) fn warning(&mut self, what: String) {
        if self.warnings.len() < WARNINGS && !self.warnings.contains(&what) {
            self.warnings.push(what);
        }
    }

    /// All problems in one sentence.
    pub(super) fn told(&self) -> String {
        let more = self.problem_count.saturating_sub(self.problems.len() as u64);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}{more}", self.problems.join("; "))
    }

    /// Places of a list of `length` that are not done.
    pub(super) fn left(&self, length: usize) -> Vec<usize> {
        (self.first..length).filter(|n| !self.beyond.contains(n)).collect()
    }

    fn add(&mut self, place: usize, seen: Seen) {
        self.beyond.insert(place);
        while self.beyond.remove(&self.first) {
            self.first += 1;
        }
        self.rows += seen.rows;
        if let Some(problem) = seen.problem {
            self.problem(problem);
        }
        if let Some(warning) = seen.warning {
            self.warning(warning);
        }
    }
}

/// How [`Verify::each`] ended.
pub(super) enum Each {
    /// All places are done.
    All,
    /// The function's time is up; the first place that it was at when it has done none.
    TimeUp(Option<usize>),
}

impl Verify<'_> {
    /// Looks at all places of a list of `length` that are not done, `at_once` of them at a time.
    ///
    /// # Errors
    /// The first error of `look`: one that says nothing about the backup.
    pub(super) async fn each<F>(
        &self,
        done: &mut Done,
        length: usize,
        at_once: usize,
        look: impl Fn(usize) -> F,
        mut tell: impl FnMut(&Seen),
    ) -> Result<Each>
    where
        F: Future<Output = Result<Seen>> + Send + 'static,
    {
        let mut left = done.left(length).into_iter().peekable();
        let mut running: JoinSet<(usize, Result<Seen>)> = JoinSet::new();
        let (mut count, mut at, mut noted) = (0u64, BTreeSet::new(), Instant::now());
        loop {
            while running.len() < at_once.max(1)
                && !self.shift.is_over()
                && let Some(place) = left.next()
            {
                let looking = look(place);
                at.insert(place);
                running.spawn(async move { (place, looking.await) });
            }
            let time_up =
                |count, at: &BTreeSet<usize>| Each::TimeUp(at.first().copied().filter(|_| count == 0));
            let ended = tokio::select! {
                ended = running.join_next() => ended,
                () = self.shift.end() => return Ok(time_up(count, &at)),
            };
            let Some(ended) = ended else {
                return Ok(if left.peek().is_none() { Each::All } else { time_up(count, &at) });
            };
            let (place, seen) = ended
                .map_err(|e| Error::with_source(Kind::Internal, "a part of the verification broke off", e))?;
            let seen = seen?;
            tell(&seen);
            at.remove(&place);
            done.add(place, seen);
            count += 1;
            if noted.elapsed() > EVERY {
                done.store(self.platform).await?;
                noted = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn problems_are_counted_once_and_bounded() {
        let mut done = Done::default();
        for n in 0..30 {
            done.problem(format!("p{}", n % 25));
        }
        assert_eq!((done.problems.len(), done.problem_count), (NAMED, 25));
        assert!(done.told().ends_with("p19; and 5 more"), "{}", done.told());
        assert!(done.has_problems());
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_was_not_done(length in 0usize..60, places in prop::collection::vec(0usize..60, 0..80)) {
            let mut done = Done::default();
            for place in places.iter().filter(|p| **p < length) {
                done.add(*place, Seen::default());
            }
            let wanted: Vec<usize> = (0..length).filter(|n| !places.contains(n)).collect();
            prop_assert_eq!(done.left(length), wanted);
            let text = serde_json::to_string(&done).unwrap();
            let back: Done = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.left(length), done.left(length));
        }
    }
}
