//! The readers: sessions that share the snapshot and stream tasks, one after another each.

use std::{collections::HashSet, sync::Arc};

use super::{
    board::Board,
    plan::Task,
    saver::{EACH, Saver},
    snapshot,
};
use crate::{
    base::{Kind, Result},
    fanout::Worker,
    pg::{ConnInfo, Snapshot},
};

/// Memory of everything but the tasks under way, bytes.
const BASE: u64 = 64 << 20;

/// How many of `wanted` readers fit into the function's memory, with a fifth of it to spare; one at least.
pub(super) fn affordable(wanted: usize, memory: u64) -> usize {
    let fit = (memory / 5 * 4).saturating_sub(BASE) / EACH;
    wanted.min(usize::try_from(fit).unwrap_or(wanted)).max(1)
}

/// One session that reads.
pub(super) struct Reader {
    session: Snapshot,
    saver: Saver,
    board: Arc<Board>,
    /// Tables that this session has locked.
    locked: HashSet<(String, String)>,
}

impl Reader {
    /// Reads with this session.
    pub(super) fn new(session: Snapshot, saver: Saver, board: Arc<Board>) -> Self {
        Self { session, saver, board, locked: HashSet::new() }
    }

    /// Up to `wanted` of them, as many as the server admits, one at least; and a warning when it does not admit all.
    ///
    /// # Errors
    /// Those of connecting; [`Kind::SnapshotBroken`].
    pub(super) async fn open(
        info: &ConnInfo,
        snapshot: &str,
        wanted: usize,
        saver: &Saver,
        board: &Arc<Board>,
    ) -> Result<(Vec<Self>, Option<String>)> {
        let mut readers = Vec::new();
        for n in 0..wanted {
            match snapshot::join(info, snapshot).await {
                Ok(session) => readers.push(Self::new(session, saver.clone(), Arc::clone(board))),
                // Every slot of the server is taken: go on with fewer, if there is one.
                Err(e) if n > 0 && e.kind() == Kind::Unreachable => {
                    return Ok((
                        readers,
                        Some(format!("{n} of {wanted} reading sessions could be opened: {e}")),
                    ));
                }
                Err(e) => return Err(e.context("opening a session to read with")),
            }
        }
        Ok((readers, None))
    }

    /// Makes sure that reading the task's table will not wait for another session, which may itself wait for the holder: nobody would ever go on. True when
    /// the lock is there.
    ///
    /// # Errors
    /// Those of the statement.
    pub(super) async fn lock(&mut self, task: &Task) -> Result<bool> {
        let Some((schema, table)) = task.table() else { return Ok(true) };
        let table = (schema.to_owned(), table.to_owned());
        if self.locked.contains(&table) {
            return Ok(true);
        }
        let free = self.session.try_lock_tables(std::slice::from_ref(&table)).await?.is_empty();
        if free {
            self.locked.insert(table);
        }
        Ok(free)
    }

    /// The session.
    pub(super) fn session(&self) -> &Snapshot {
        &self.session
    }
}

impl Worker<Task> for Reader {
    async fn work(&mut self, task: Task) -> Result<()> {
        if self.board.has(&task.key()) {
            return Ok(());
        }
        if !self.lock(&task).await? {
            tracing::info!(table = ?task.table(), "another session holds or awaits an exclusive lock; the holder reads this table itself");
            self.board.contest(task);
            return Ok(());
        }
        let objects = self.saver.save(&self.session, &task, &self.board.tally).await?;
        self.board.saved(&task, objects);
        Ok(())
    }

    async fn end(self) -> Result<()> {
        self.session.finish().await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_fit_into_the_memory() {
        assert_eq!(affordable(4, 1769 << 20), 4);
        assert_eq!(affordable(32, 1769 << 20), 32);
        assert_eq!(affordable(32, 512 << 20), 9);
        assert_eq!(affordable(4, 128 << 20), 1);
    }
}
