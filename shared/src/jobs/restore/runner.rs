//! Running the plan's parallel part: sessions that take steps from the graph until all are done or one fails.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::JoinSet};
use tokio_postgres::error::SqlState;

use super::{
    choices::Choices,
    graph::Graph,
    load, older,
    plan::{is_large_objects, named},
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
        self.left.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// An entry's file is loaded; true when it was its table's last.
    fn done(&self, entry: &Entry) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let count = left.entry((entry.namespace.clone(), entry.tag.clone())).or_insert(1);
        *count = count.saturating_sub(1);
        *count == 0
    }
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
        self.run(session, entry, told)
            .await
            .with_context(|| format!("restoring {} (entry {})", named(entry), entry.dump_id))
    }

    async fn run(&self, session: &Session, entry: &Entry, told: &mut Settings) -> Result<Loaded> {
        if entry.had_dumper {
            if is_large_objects(entry) {
                load::large_objects(session, &self.source, entry, &self.tally).await?;
                return Ok(Loaded::default());
            }
            let rows = load::table(session, &self.source, entry, &self.tally).await?;
            let last = self.parts.done(entry);
            self.tally.part(self.source.size(entry), last);
            return Ok(Loaded { tables: u64::from(last), rows, ..Loaded::default() });
        }
        let set = settings(entry, told, self.choices);
        let metadata = is_shared_grant(entry).then(|| self.metadata(entry)).flatten();
        for sql in set.into_iter().chain(statements(entry, metadata, self.choices)) {
            let sql = older::for_server(entry, sql, session.version().major());
            execute(session, &sql).await?;
        }
        Ok(Loaded::default())
    }

    fn metadata(&self, grant: &Entry) -> Option<&Entry> {
        let is_it = |e: &&Entry| e.desc == "BLOB METADATA" && grant.dependencies.contains(&e.dump_id);
        self.source.toc.entries.iter().find(is_it)
    }

    /// Runs all steps of `graph` in `sessions` at once.
    ///
    /// # Errors
    /// The first one; the other sessions are closed in the middle of what they do. The server notices when it next writes to them: a statement that
    /// builds an index goes on until then, so the caller ends what is left on the server.
    pub(super) async fn parallel(self: &Arc<Self>, graph: Graph, sessions: Vec<Session>) -> Result<Loaded> {
        let shared = Arc::new((Mutex::new(graph), Notify::new()));
        let mut tasks = JoinSet::new();
        for session in sessions {
            tasks.spawn(Arc::clone(self).work(session, Arc::clone(&shared)));
        }
        let mut all = Loaded::default();
        while let Some(ended) = tasks.join_next().await {
            let one = ended
                .map_err(|e| Error::with_source(Kind::Internal, "a restoring session broke off", e))??;
            all.add(one);
        }
        Ok(all)
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
                if graph.finished() {
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
                wake.await;
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

fn held(graph: &Mutex<Graph>) -> MutexGuard<'_, Graph> {
    graph.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One statement text, again after a deadlock: the server has rolled all of it back then.
async fn execute(session: &Session, sql: &str) -> Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        match session.batch_execute(sql).await {
            Ok(()) => return Ok(()),
            Err(e) if tries < TRIES && e.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {
                tracing::debug!(tries, "deadlock while restoring; trying again");
            }
            Err(e) => return Err(session.error(e)),
        }
    }
}
