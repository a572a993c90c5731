//! The published keys at hand: kept for a while, fetched anew when they are old or a token names a key that they lack.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::Algorithm;
use pgbaton::base::{Error, Kind, Result};
use tokio::sync::Mutex;

use super::{
    fetch::Source,
    keys::{Choice, Key, Keys},
};

/// How long things hold.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// The least and the most that a set is used before it is fetched again; Cache-Control chooses in between, and without it the most holds.
    least: Duration,
    most: Duration,
    /// How long beyond that a set is used while a newer one cannot be fetched.
    outage: Duration,
    /// Between fetches for an unknown key: tokens of anybody at all bring them about.
    unknown: Duration,
    /// Between fetches that fail.
    failure: Duration,
}

const TIMES: Times = Times {
    least: Duration::from_secs(60),
    most: Duration::from_secs(600),
    outage: Duration::from_secs(3600),
    unknown: Duration::from_secs(60),
    failure: Duration::from_secs(5),
};

/// Keys by URL.
pub(super) struct PublishedKeys {
    source: Source,
    times: Times,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The set, and until when it is fresh.
    set: Option<(Keys, Instant)>,
    /// The last fetch for an unknown key.
    asked: Option<Instant>,
    /// The last fetch that failed, and why.
    failed: Option<(Instant, String)>,
}

impl PublishedKeys {
    pub(super) fn new(url: &str) -> Self {
        Self { source: Source::new(url), times: TIMES, state: Mutex::default() }
    }

    /// The key for a token whose header names this id and algorithm; none when there is no such key.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] and others of a fetch, while there is no set that may still be used, or no newer one that may have the key.
    pub(super) async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Option<Arc<Key>>> {
        let mut state = self.state.lock().await;
        let fetched = !state.fresh() && self.fetch(&mut state).await;
        let Some((keys, until)) = &state.set else { return Err(state.outage()) };
        if *until + self.times.outage <= Instant::now() {
            return Err(state.outage());
        }
        match keys.choose(id, algorithm) {
            Choice::One(key) => return Ok(Some(key)),
            Choice::None => return Ok(None),
            Choice::UnknownId => {}
        }
        let lately = state.asked.is_some_and(|at| at.elapsed() < self.times.unknown);
        if !fetched && !lately {
            state.asked = Some(Instant::now());
            self.fetch(&mut state).await;
            if let Some(Choice::One(key)) = state.set.as_ref().map(|(keys, _)| keys.choose(id, algorithm)) {
                return Ok(Some(key));
            }
        }
        // The key may be among those that could not be fetched.
        match &state.failed {
            Some(_) => Err(state.outage()),
            None => Ok(None),
        }
    }

    /// Fetches the set unless that failed a moment ago; tells whether a new one is there. What was there stays otherwise.
    async fn fetch(&self, state: &mut State) -> bool {
        if state.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < self.times.failure) {
            return false;
        }
        let fetched = self.source.fetch().await;
        match fetched.and_then(|f| Ok((Keys::parse(&f.document)?, f.max_age))) {
            Ok((keys, age)) => {
                let age = age.unwrap_or(self.times.most).clamp(self.times.least, self.times.most);
                state.set = Some((keys, Instant::now() + age));
                state.failed = None;
                true
            }
            Err(error) => {
                tracing::warn!(?error, "the keys that tokens are checked with cannot be fetched");
                state.failed = Some((Instant::now(), error.to_string()));
                false
            }
        }
    }
}

impl State {
    fn fresh(&self) -> bool {
        self.set.as_ref().is_some_and(|(_, until)| Instant::now() < *until)
    }

    fn outage(&self) -> Error {
        let why = self.failed.as_ref().map_or("they were not fetched", |(_, why)| why.as_str());
        Error::new(Kind::Unreachable, why.to_owned())
    }
}

#[cfg(test)]
#[path = "published_tests.rs"]
mod tests;
