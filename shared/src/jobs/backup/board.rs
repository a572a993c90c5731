//! What of a plan is done: in this function's memory, and in the ledger for the functions that work on it besides or go on with it.
//!
//! Notes, by task: `backup/<run>/done/<task>`: the objects that it wrote, or that another session's lock was in the way.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{
    super::progress::Tally,
    plan::{Plan, Task},
};
use crate::{
    archive::manifest::Object,
    base::{Result, id::RunId},
    ledger::Ledger,
};

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Done {
    /// What it wrote.
    Saved(Vec<Object>),
    /// Another session holds or awaits an exclusive lock on its table: only the holder, which has its lock already, can read it.
    Contested,
}

/// The key of a task's note.
pub(super) fn note(run: &RunId, key: &str) -> String {
    format!("backup/{run}/done/{key}")
}

/// How far one function's share of a plan has come.
pub(super) struct Board {
    ledger: Ledger,
    run: RunId,
    /// Progress, for the record.
    pub tally: Arc<Tally>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Tasks of each table that are not done.
    left: HashMap<(String, String), usize>,
    saved: HashMap<String, Vec<Object>>,
    /// Tasks that this function did.
    own: usize,
    /// Keys of tasks whose notes stand in the ledger.
    noted: HashSet<String>,
    /// For the holder to read.
    contested: VecDeque<Task>,
    /// No more will be contested.
    settled: bool,
}

impl Board {
    /// For `plan`, of which `saved` is done and noted already.
    pub(super) fn new(
        ledger: &Ledger,
        run: &RunId,
        plan: &Plan,
        saved: HashMap<String, Vec<Object>>,
    ) -> Self {
        let tally = Tally::new(plan.tables(), plan.expected_bytes());
        let mut left: HashMap<(String, String), usize> = HashMap::new();
        let (mut tables, mut bytes, mut expected) = (0, 0, 0);
        for task in &plan.tasks {
            let open = usize::from(!saved.contains_key(&task.key()));
            if let Some((schema, table)) = task.table() {
                *left.entry((schema.to_owned(), table.to_owned())).or_default() += open;
            }
            if open == 0 {
                expected += task.expected_bytes();
                bytes += saved[&task.key()].iter().map(|o| o.raw_bytes).sum::<u64>();
            }
        }
        tables += left.values().filter(|n| **n == 0).count() as u64;
        tally.resumed(tables, bytes, expected);
        let noted = saved.keys().cloned().collect();
        Self {
            ledger: ledger.clone(),
            run: run.clone(),
            tally: Arc::new(tally),
            state: Mutex::new(State { left, saved, noted, ..State::default() }),
            changed: Notify::new(),
        }
    }

    /// Reads from the ledger which tasks of `plan` are done.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn noted<'a>(
        ledger: &Ledger,
        run: &RunId,
        tasks: impl Iterator<Item = &'a Task>,
    ) -> Result<HashMap<String, Done>> {
        let keys: Vec<String> = tasks.map(|t| note(run, &t.key())).collect();
        let found = ledger.noted_all::<Done>(&keys).await?;
        let prefix = note(run, "");
        Ok(found.into_iter().map(|(key, done)| (key[prefix.len()..].to_owned(), done)).collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This function has done a task.
    pub(super) fn saved(&self, task: &Task, objects: Vec<Object>) {
        self.state().own += 1;
        self.put(task, objects);
    }

    /// Tasks that this function has done.
    pub(super) fn done_here(&self) -> usize {
        self.state().own
    }

    fn put(&self, task: &Task, objects: Vec<Object>) {
        let mut state = self.state();
        if state.saved.insert(task.key(), objects).is_some() {
            return;
        }
        let last = task.table().is_some_and(|(schema, table)| {
            let left = state.left.entry((schema.to_owned(), table.to_owned())).or_insert(1);
            *left = left.saturating_sub(1);
            *left == 0
        });
        self.tally.part(task.expected_bytes(), last);
    }

    /// Whether a task is done.
    pub(super) fn has(&self, key: &str) -> bool {
        self.state().saved.contains_key(key)
    }

    /// A task waits for the holder.
    pub(super) fn contest(&self, task: Task) {
        self.state().contested.push_back(task);
        self.changed.notify_waiters();
    }

    /// Nothing more will be contested.
    pub(super) fn settle(&self) {
        self.state().settled = true;
        self.changed.notify_waiters();
    }

    /// The next task for the holder; none once all is settled.
    pub(super) async fn next_contested(&self) -> Option<Task> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                while let Some(task) = state.contested.pop_front() {
                    if !state.saved.contains_key(&task.key()) {
                        return Some(task);
                    }
                }
                if state.settled {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Everything that was written.
    pub(super) fn objects(&self, plan: &Plan) -> Vec<Object> {
        let state = self.state();
        plan.tasks.iter().filter_map(|t| state.saved.get(&t.key())).flatten().cloned().collect()
    }

    /// Tasks that are not done.
    pub(super) fn open<'a>(&self, plan: &'a Plan) -> Vec<&'a Task> {
        let state = self.state();
        plan.tasks.iter().filter(|t| !state.saved.contains_key(&t.key())).collect()
    }

    /// Takes over what other functions have noted of these tasks; gives the tasks that are not done.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn fetch<'a>(&self, plan: &'a Plan) -> Result<Vec<&'a Task>> {
        let open = self.open(plan);
        let mut found = Self::noted(&self.ledger, &self.run, open.iter().copied()).await?;
        for task in &open {
            if let Some(Done::Saved(objects)) = found.remove(&task.key()) {
                self.tally.bytes(objects.iter().map(|o| o.raw_bytes).sum());
                self.state().noted.insert(task.key());
                self.put(task, objects);
            }
        }
        Ok(self.open(plan))
    }

    /// Notes in the ledger what is done and not noted yet.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn persist(&self) -> Result<()> {
        let new: Vec<(String, Vec<Object>)> = {
            let state = self.state();
            let new = state.saved.iter().filter(|(key, _)| !state.noted.contains(*key));
            new.map(|(key, objects)| (key.clone(), objects.clone())).collect()
        };
        let notes = new.iter().map(|(key, objects)| (note(&self.run, key), Done::Saved(objects.clone())));
        self.ledger.note_all(notes).await?;
        self.state().noted.extend(new.into_iter().map(|(key, _)| key));
        Ok(())
    }
}
