//! What a function is at, what it has done, and what of each table is left.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use crate::archive::toc::Entry;

/// Which entries a function is at, and how many it has done.
#[derive(Debug, Default)]
pub(super) struct InWork {
    now: Mutex<BTreeSet<i32>>,
    done: AtomicU64,
    elsewhere: AtomicBool,
}

impl InWork {
    /// Dump ids of the entries in work. One that was let go stays among them.
    pub(super) fn entries(&self) -> Vec<i32> {
        held(&self.now).iter().copied().collect()
    }

    /// Entries done.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    /// Whether the work is done by other functions meanwhile.
    pub(super) fn elsewhere(&self) -> bool {
        self.elsewhere.load(Relaxed)
    }

    /// Says whether other functions do the work.
    pub(super) fn set_elsewhere(&self, yes: bool) {
        self.elsewhere.store(yes, Relaxed);
    }

    /// These are begun.
    pub(super) fn begin(&self, entries: &[i32]) {
        held(&self.now).extend(entries);
    }

    /// These are not done after all, and nobody is at them.
    pub(super) fn forget(&self, entries: &[i32]) {
        held(&self.now).retain(|id| !entries.contains(id));
    }

    /// These are done.
    pub(super) fn end(&self, entries: &[i32]) {
        self.forget(entries);
        self.done.fetch_add(entries.len() as u64, Relaxed);
    }
}

/// How many files of each table are left: a large table may have several.
#[derive(Debug, Default)]
pub(super) struct Parts {
    left: Mutex<HashMap<(Option<String>, String), usize>>,
}

impl Parts {
    /// Those of these entries.
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut left: HashMap<_, usize> = HashMap::new();
        for entry in entries {
            *left.entry((entry.namespace.clone(), entry.tag.clone())).or_default() += 1;
        }
        Self { left: Mutex::new(left) }
    }

    /// Number of tables.
    pub(super) fn tables(&self) -> u64 {
        held(&self.left).len() as u64
    }

    /// An entry's file is loaded; true when it was its table's last.
    pub(super) fn done(&self, entry: &Entry) -> bool {
        let mut left = held(&self.left);
        let count = left.entry((entry.namespace.clone(), entry.tag.clone())).or_insert(1);
        *count = count.saturating_sub(1);
        *count == 0
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
