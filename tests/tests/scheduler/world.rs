//! What the run and its workers share and do not make themselves: S3, DynamoDB, the source server.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use pgbaton::{
    base::{Error, Kind, Result},
    jobs::backup::plan::{Plan, Task},
};

use tokio::sync::Notify;

use crate::{
    clock::{Clock, Dice},
    faults::{Faults, Flaw},
};

/// What is on the board for a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The content that was written.
    Saved(u64),
    /// Left to the holder.
    Contested,
}

/// What became of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    /// It goes on.
    InProgress,
    /// The manifest is there.
    Completed,
    /// It ended with this kind of error, at this time.
    Failed(Kind, f64),
}

/// What is counted.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub started: u64,
    pub refused: u64,
    pub retries: u64,
    pub functions: usize,
    pub most_functions: usize,
    pub most_items: usize,
    pub most_readers: usize,
    pub worker_seconds: f64,
    pub bytes_read: f64,
    pub written_again: u64,
    pub hops: u64,
    /// Tasks that a worker found done.
    pub found_done: u64,
    pub contested: u64,
    /// Workers that ended at each step.
    pub ended_at: BTreeMap<&'static str, u64>,
}

/// All that stands somewhere.
pub struct State {
    pub dice: Dice,
    /// Whole objects and their content.
    pub objects: BTreeMap<String, u64>,
    pub notes: HashMap<String, Outcome>,
    /// The id of the snapshot that workers are told to import.
    pub holder: u64,
    /// Sessions that hold a snapshot, by its id.
    pub snapshots: HashSet<u64>,
    pub status: Status,
    pub manifest: Option<Vec<(String, u64)>>,
    /// How the workers' execution ended: the error's name.
    pub execution: Option<std::result::Result<(), String>>,
    pub readers: usize,
    /// Child executions that run.
    pub items: usize,
    /// What must never be seen, as it was seen.
    pub wrong: Vec<String>,
    pub counts: Counts,
}

/// Everything, for all processes.
pub struct World {
    pub clock: Clock,
    pub plan: Plan,
    pub faults: Faults,
    pub flaw: Option<Flaw>,
    /// `MaxConcurrency`.
    pub workers: usize,
    /// Functions that Lambda runs at once for the account.
    pub account: usize,
    /// A task that fails each time, with this kind of error.
    pub broken: Option<(String, Kind)>,
    /// When the holder's function is killed.
    pub holder_dies: Option<f64>,
    /// The step at which the first worker is killed.
    pub dies_at: Option<u32>,
    /// Told when the run ends.
    pub over: Notify,
    state: Mutex<State>,
}

/// COPY text a connection gets at most, bytes per second.
const CONNECTION: f64 = 60e6;
/// And all of them together.
const SERVER: f64 = 1.5e9;

impl World {
    /// With this plan, one worker for now.
    pub fn new(seed: u64, plan: Plan, faults: Faults) -> Self {
        let state = State {
            dice: Dice::new(seed),
            objects: BTreeMap::new(),
            notes: HashMap::new(),
            holder: 0,
            snapshots: HashSet::new(),
            status: Status::InProgress,
            manifest: None,
            execution: None,
            readers: 0,
            items: 0,
            wrong: Vec::new(),
            counts: Counts::default(),
        };
        Self {
            clock: Clock::default(),
            plan,
            faults,
            flaw: None,
            workers: 1,
            account: 1_000,
            broken: None,
            holder_dies: None,
            dies_at: None,
            over: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// What stands somewhere.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// True so often.
    pub fn chance(&self, probability: f64) -> bool {
        self.state().dice.chance(probability)
    }

    /// A random number.
    pub fn between(&self, low: f64, high: f64) -> f64 {
        self.state().dice.between(low, high)
    }

    /// Fails so often.
    pub fn may_fail(&self, probability: f64, kind: Kind) -> Result<()> {
        if self.chance(probability) { Err(Error::new(kind, "a fault of the simulation")) } else { Ok(()) }
    }

    /// Ends the run, unless it has ended.
    pub fn end(&self, how: Status) {
        let mut state = self.state();
        if state.status == Status::InProgress {
            state.status = how;
            self.over.notify_waiters();
        }
    }

    /// Ends the run with this kind of error, unless it has ended.
    pub fn fail(&self, kind: Kind) {
        let now = self.clock.now();
        self.end(Status::Failed(kind, now));
    }

    /// Puts a whole object down unless there is one; the same bytes again are no error.
    pub fn store(&self, key: &str, content: u64) -> Result<()> {
        let mut state = self.state();
        match state.objects.insert(key.to_owned(), content) {
            None => Ok(()),
            Some(there) if there == content => {
                state.counts.written_again += 1;
                Ok(())
            }
            Some(there) => {
                state.objects.insert(key.to_owned(), there);
                state.wrong.push(format!("two contents for {key}"));
                Err(Error::new(Kind::Conflict, "another object stands there"))
            }
        }
    }

    /// Puts an outcome on the board; the last one stands.
    pub fn note(&self, key: &str, outcome: Outcome) {
        let mut state = self.state();
        if let (Some(Outcome::Saved(there)), Outcome::Saved(new)) = (state.notes.get(key), &outcome)
            && there != new
        {
            state.wrong.push(format!("two outcomes for {key}"));
        }
        state.notes.insert(key.to_owned(), outcome);
    }

    /// What reading a task under the snapshot gives.
    pub fn content(key: &str) -> u64 {
        Self::content_of(key, 1)
    }

    /// What reading a task gives, of these versions of its rows.
    pub fn content_of(key: &str, version: u64) -> u64 {
        key.bytes().fold(Dice::new(version).bits(), |hash, byte| Dice::new(hash ^ u64::from(byte)).bits())
    }

    /// The task's object.
    pub fn file(task: &Task) -> String {
        match task {
            Task::Part(part) => part.file.clone(),
            Task::LargeObjects { batch, .. } => format!("blobs-{batch}"),
        }
    }
}

/// One who reads from the server, which shares its speed among all of them.
pub struct Reading(Arc<World>);

impl Reading {
    /// Begins.
    pub fn begin(world: &Arc<World>) -> Self {
        let mut state = world.state();
        state.readers += 1;
        state.counts.most_readers = state.counts.most_readers.max(state.readers);
        drop(state);
        Self(Arc::clone(world))
    }

    /// Seconds that so many bytes take, with as many readers as there are now.
    pub fn seconds(&self, bytes: f64) -> f64 {
        let mut state = self.0.state();
        state.counts.bytes_read += bytes;
        bytes / CONNECTION.min(SERVER / state.readers as f64)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.state().readers -= 1;
    }
}
