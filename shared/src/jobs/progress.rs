//! How far a run has come: counted by its workers, told to the record every few seconds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio_util::task::AbortOnDropHandle;

use crate::ledger::{Lease, Ledger, Progress};

/// How often the record is told.
const EVERY: Duration = Duration::from_secs(2);

/// Counters shared by the workers. `expected` bytes are the tables' sizes on disk, a guess at the bytes of COPY text.
#[derive(Debug, Default)]
pub(super) struct Tally {
    tables: u64,
    expected: u64,
    tables_done: AtomicU64,
    bytes_done: AtomicU64,
    expected_done: AtomicU64,
}

impl Tally {
    /// Counters for `tables` tables of `expected` bytes together.
    pub(super) fn new(tables: u64, expected: u64) -> Self {
        Self { tables, expected, ..Self::default() }
    }

    /// What an earlier function of the run has done.
    pub(super) fn resumed(&self, tables: u64, bytes: u64, expected: u64) {
        self.tables_done.fetch_add(tables, Relaxed);
        self.bytes_done.fetch_add(bytes, Relaxed);
        self.expected_done.fetch_add(expected, Relaxed);
    }

    /// Bytes of rows were read.
    pub(super) fn bytes(&self, n: u64) {
        self.bytes_done.fetch_add(n, Relaxed);
    }

    /// Part of a table was finished, of `expected` bytes; `last` when no other part of it is left.
    pub(super) fn part(&self, expected: u64, last: bool) {
        self.tables_done.fetch_add(u64::from(last), Relaxed);
        self.expected_done.fetch_add(expected, Relaxed);
    }

    /// All that was to be done is done.
    pub(super) fn whole(&self) -> Progress {
        Progress { percent: 100, ..self.now() }
    }

    fn now(&self) -> Progress {
        let bytes_done = self.bytes_done.load(Relaxed);
        let tables_done = self.tables_done.load(Relaxed);
        // Whichever tells more: the finished tables' sizes, or the bytes read as if COPY text were as long as the table on disk. 99 until
        // the record itself says that it is done.
        let done = self.expected_done.load(Relaxed).max(bytes_done.min(self.expected));
        let by_tables = tables_done * 100 / self.tables.max(1);
        let percent = (done * 100).checked_div(self.expected).unwrap_or(by_tables);
        Progress {
            tables: self.tables,
            tables_done,
            bytes_done,
            percent: u8::try_from(percent.min(99)).unwrap_or(99),
        }
    }

    /// Tells the record until the handle is dropped. A failure to tell is no failure of the run: the heartbeat notices a lost lease.
    pub(super) fn report_to(self: &Arc<Self>, ledger: Ledger, lease: Lease) -> AbortOnDropHandle<()> {
        let tally = Arc::clone(self);
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut last = None;
            loop {
                let now = tally.now();
                if last != Some(now) {
                    match ledger.progress(&lease, &now).await {
                        Ok(()) => last = Some(now),
                        Err(e) => tracing::debug!(id = %lease.id(), error = %e, "telling the progress"),
                    }
                }
                tokio::time::sleep(EVERY).await;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_grows_and_ends_with_the_record() {
        let t = Tally::new(2, 1000);
        assert_eq!(t.now().percent, 0);
        t.bytes(300);
        assert_eq!(t.now().percent, 30);
        t.part(800, true);
        assert_eq!((t.now().percent, t.now().tables_done), (80, 1));
        t.bytes(5000);
        t.part(200, true);
        assert_eq!(t.now().percent, 99);
        let empty = Tally::new(0, 0);
        assert_eq!(empty.now().percent, 0);
    }
}
