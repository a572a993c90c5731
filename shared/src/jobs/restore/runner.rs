//! Running the plan's parallel part: sessions that take steps from the graph until all are done, one fails, or the function's time is up.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet};
use tokio_postgres::error::SqlState;

use super::{
    choices::Choices,
    graph::Graph,
    in_work::{InWork, Parts},
    load,
    marks::{self, Marks},
    older,
    plan::{is_large_objects, named},
    shift::Shift,
    source::Source,
    statement::{Settings, is_shared_grant, settings, statements},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result, ResultExt},
    jobs::progress::Tally,
    pg::Session,
};

/// How often a statement is tried when the server says that it met a deadlock: parallel DDL can, where one statement locks tables that its
/// entry does not name.
const TRIES: usize = 5;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Tables whose rows are all loaded.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// What the server said of entries that may fail: [`may_fail`].
    pub refused: Vec<String>,
}

impl Loaded {
    fn add(&mut self, other: Self) {
        self.tables += other.tables;
        self.rows += other.rows;
        self.refused.extend(other.refused);
    }
}

/// Statistics are an estimate that ANALYZE makes anew: a restore does not fail for them.
fn may_fail(entry: &Entry, error: &Error) -> bool {
    entry.desc == "STATISTICS DATA" && matches!(error.kind(), Kind::Database | Kind::Permission)
}

/// What running an entry needs.
pub(super) struct Runner {
    /// The archive.
    pub source: Source,
    /// What the caller left out.
    pub choices: Choices,
    /// Progress.
    pub tally: Arc<Tally>,
    /// Files of tables that are still to be loaded.
    pub parts: Parts,
    /// What is done.
    pub marks: Marks,
    /// When to stop.
    pub shift: Shift,
    /// Entries in work.
    pub at: InWork,
}

impl Runner {
    /// Runs one entry in one session.
    ///
    /// # Errors
    /// Those of its statements, naming the entry.
    pub(super) async fn entry(
        &self,
        session: &Session,
        entry: &Entry,
        told: &mut Settings,
    ) -> Result<Loaded> {
        self.at.begin(&[entry.dump_id]);
        let done = self.run(session, entry, told).await.with_context(|| doing(entry))?;
        self.at.end(&[entry.dump_id]);
        Ok(done)
    }

    async fn run(&self, session: &Session, entry: &Entry, told: &mut Settings) -> Result<Loaded> {
        if entry.had_dumper {
            if is_large_objects(entry) {
                load::large_objects(session, &self.source, entry, &self.marks, &self.tally).await?;
                return Ok(Loaded::default());
            }
            let rows = load::table(session, &self.source, entry, &self.marks, &self.tally).await?;
            let last = self.parts.done(entry);
            self.tally.part(self.source.size(entry), last);
            return Ok(Loaded { tables: u64::from(last), rows: rows.unwrap_or(0), ..Loaded::default() });
        }
        let mut after = told.clone();
        let sql = self.sql(session, entry, &mut after);
        if !sql.is_empty() {
            let sql = self.marks.of(&[entry.dump_id]) + &sql;
            match execute(session, &sql).await {
                Ok(()) => *told = after,
                // What it had set went with its transaction.
                Err(e) if marks::is_done(&e) => {}
                Err(e) => return Err(session.error(e)),
            }
        }
        Ok(Loaded::default())
    }

    /// Runs several entries without data in one transaction and one round trip. False when that cannot be: then nothing of it is done.
    pub(super) async fn together(&self, session: &Session, entries: &[&Entry], told: &mut Settings) -> bool {
        let ids: Vec<i32> = entries.iter().map(|e| e.dump_id).collect();
        let mut after = told.clone();
        let sql: String = entries.iter().map(|e| self.sql(session, e, &mut after)).collect();
        self.at.begin(&ids);
        match execute(session, &(self.marks.of(&ids) + &sql)).await {
            Ok(()) => {
                *told = after;
                self.at.end(&ids);
                true
            }
            Err(e) => {
                tracing::debug!(entries = ids.len(), error = %session.error(e), "one by one");
                self.at.forget(&ids);
                false
            }
        }
    }

    /// Runs an entry's statements in a transaction that the caller has begun.
    ///
    /// # Errors
    /// As [`Runner::entry`].
    pub(super) async fn within(&self, session: &Session, entry: &Entry, told: &mut Settings) -> Result<()> {
        let sql = self.sql(session, entry, told);
        session.batch_execute(&sql).await.map_err(|e| session.error(e)).with_context(|| doing(entry))
    }

    /// The statements of an entry without data, as one text.
    fn sql(&self, session: &Session, entry: &Entry, told: &mut Settings) -> String {
        let set = settings(entry, told, self.choices);
        let metadata = is_shared_grant(entry).then(|| self.metadata(entry)).flatten();
        let all = set.into_iter().chain(statements(entry, metadata, self.choices));
        // Whatever a statement ends with, it ends there.
        all.map(|sql| older::for_server(entry, sql, session.version().major()) + "\n;\n").collect()
    }

    fn metadata(&self, grant: &Entry) -> Option<&Entry> {
        let is_it = |e: &&Entry| e.desc == "BLOB METADATA" && grant.dependencies.contains(&e.dump_id);
        self.source.toc.entries.iter().find(is_it)
    }

    /// Runs all steps of `graph` in `sessions` at once; none when the function's time is up before all are done. Steps that load rows may then end,
    /// others are left to the server.
    ///
    /// # Errors
    /// The first one; the other sessions are closed in the middle of what they do. The server notices when it next writes to them: a statement that
    /// builds an index goes on until then, so the caller ends what is left on the server.
    pub(super) async fn parallel(
        self: &Arc<Self>,
        graph: Graph,
        sessions: Vec<Session>,
    ) -> Result<Option<Loaded>> {
        let shared = Arc::new((Mutex::new(graph), Notify::new()));
        let mut tasks = JoinSet::new();
        for session in sessions {
            tasks.spawn(Arc::clone(self).work(session, Arc::clone(&shared)));
        }
        let mut all = Loaded::default();
        loop {
            let ended = tokio::select! {
                ended = tasks.join_next() => ended,
                () = self.only_builds_are_left() => return Ok(None),
            };
            let Some(ended) = ended else { break };
            let one = ended
                .map_err(|e| Error::with_source(Kind::Internal, "a restoring session broke off", e))??;
            all.add(one);
        }
        let finished = held(&shared.0).finished();
        Ok(finished.then_some(all))
    }

    /// Waits until the function's time is up and nobody loads rows.
    async fn only_builds_are_left(&self) {
        self.shift.over().await;
        while self.at.entries().iter().any(|id| self.source.entry(*id).is_some_and(|e| e.had_dumper)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn work(self: Arc<Self>, session: Session, shared: Arc<(Mutex<Graph>, Notify)>) -> Result<Loaded> {
        let (graph, changed) = &*shared;
        let mut told = Settings::default();
        let mut all = Loaded::default();
        loop {
            // Registered before looking, so that a change in between is not missed.
            let wake = changed.notified();
            let taken = {
                let mut graph = held(graph);
                if graph.finished() || self.shift.is_over() {
                    return Ok(all);
                }
                if let Some(ids) = graph.stalled() {
                    return Err(Error::new(
                        Kind::Corrupt,
                        format!("the archive's entries {ids:?} depend on each other in a circle"),
                    ));
                }
                graph.take().map(|n| (n, graph.id(n)))
            };
            let Some((n, id)) = taken else {
                tokio::select! {
                    () = wake => {}
                    () = self.shift.over() => {}
                }
                continue;
            };
            let entry = self.source.entry(id).ok_or_else(|| {
                Error::new(
                    Kind::Internal,
                    format!("the plan names entry {id}, which the archive does not have"),
                )
            })?;
            match self.entry(&session, entry, &mut told).await {
                Ok(one) => all.add(one),
                Err(e) if may_fail(entry, &e) => all.refused.push(e.to_string()),
                Err(e) => return Err(e),
            }
            held(graph).done(n);
            changed.notify_waiters();
        }
    }
}

fn doing(entry: &Entry) -> String {
    format!("restoring {} (entry {})", named(entry), entry.dump_id)
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One text of statements, which is one transaction, again after a deadlock: the server has rolled all of it back then.
async fn execute(session: &Session, sql: &str) -> std::result::Result<(), tokio_postgres::Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match session.batch_execute(sql).await {
            Err(e) if tries < TRIES && e.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {
                tracing::debug!(tries, "deadlock while restoring; trying again");
            }
            other => return other,
        }
    }
}
