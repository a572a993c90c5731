//! One view of the database, shared by many sessions and handed on from one to the next.
//!
//! A transaction that imported a snapshot may export it again under a new id, so a run outlives the function that began it. The server
//! forgets a snapshot when no transaction holds it. A snapshot alone does not keep rows: TRUNCATE and rewriting ALTERs make a table that
//! is not locked read as empty, without an error. So every table is locked right after the snapshot, and checked after that.

use std::{collections::HashMap, ops::Deref, time::Duration};

use tokio_postgres::error::SqlState;

use crate::base::{Error, Kind, Result, ResultExt as _};

use super::{
    connect::{Session, single_value},
    failure::read_error,
    quote::qualified,
};

/// Tables to a `LOCK TABLE` statement.
const LOCK_BATCH: usize = 100;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY, NOT DEFERRABLE";

/// How long to wait for a table that another session has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Not at all.
    No,
    /// So long for each batch of 100 tables, to the millisecond.
    AtMost(Duration),
    /// As long as it takes.
    Forever,
}

/// A session inside the transaction that holds the snapshot. Dereferences to the session; the transaction ends when it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    session: Session,
    id: String,
}

impl Deref for Snapshot {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Snapshot {
    /// Takes a new snapshot and exports it.
    ///
    /// # Errors
    /// Those of the statements.
    pub async fn open(session: Session) -> Result<Self> {
        Self::begin(session, None).await.context("taking a snapshot")
    }

    /// Joins the snapshot that another session of the same server and database exported, and exports it again.
    ///
    /// # Errors
    /// [`Kind::SnapshotBroken`] when nobody holds it any more; those of the statements.
    pub async fn import(session: Session, id: &str) -> Result<Self> {
        // pg_export_snapshot's form, snapmgr.c: 00000003-0000001B-1.
        if id.is_empty() || !id.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-') {
            return Err(Error::new(
                Kind::InvalidInput,
                "the id of a snapshot has the form 00000003-0000001B-1",
            ));
        }
        Self::begin(session, Some(id)).await.with_context(|| format!("importing snapshot {id}"))
    }

    async fn begin(session: Session, import: Option<&str>) -> Result<Self> {
        session.batch_execute(BEGIN).await.map_err(|e| session.error(e))?;
        if let Some(id) = import {
            let set = format!("SET TRANSACTION SNAPSHOT '{id}'");
            session.batch_execute(&set).await.map_err(|e| match e.code() {
                // 22023 `invalid snapshot identifier` before 17, 42704 `snapshot "…" does not exist` from there on; 55000 `could not
                // import the requested snapshot` when its transaction has just ended.
                Some(c)
                    if [
                        &SqlState::INVALID_PARAMETER_VALUE,
                        &SqlState::UNDEFINED_OBJECT,
                        &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                    ]
                    .contains(&c) =>
                {
                    Error::new(
                        Kind::SnapshotBroken,
                        format!("snapshot {id} is gone: no session holds it any more"),
                    )
                }
                _ => session.error(e),
            })?;
        }
        let id = single_value(&session, "SELECT pg_catalog.pg_export_snapshot()").await?;
        Ok(Self { session, id })
    }

    /// The exported id, for [`Snapshot::import`] while this transaction lives.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Exports the snapshot once more, under a new id.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn export(&self) -> Result<String> {
        single_value(&self.session, "SELECT pg_catalog.pg_export_snapshot()")
            .await
            .context("exporting the snapshot")
    }

    /// Locks tables (ordinary and partitioned ones) in ACCESS SHARE mode until the transaction ends, without their children. After an
    /// error the snapshot stands, and the locks of earlier batches hold: it can be tried again.
    ///
    /// # Errors
    /// [`Kind::Busy`] naming a table that another session has locked; [`Kind::SnapshotBroken`] for one that was dropped;
    /// [`Kind::Permission`]; [`Kind::Database`] when the server has no room for the locks, naming the setting to raise.
    pub async fn lock_tables<S: AsRef<str>>(&self, tables: &[(S, S)], wait: LockWait) -> Result<()> {
        for batch in tables.chunks(LOCK_BATCH) {
            let names: Vec<String> = batch.iter().map(|(s, n)| qualified(s.as_ref(), n.as_ref())).collect();
            match self.lock(&names, wait).await {
                Err(e) if e.kind() == Kind::Busy && names.len() > 1 => {
                    return Err(self.name_the_busy_one(&names, e).await);
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Locks as many of the tables as can be had at once, as [`Snapshot::lock_tables`] with [`LockWait::No`]; gives the places of the others, on which another
    /// session holds or awaits a lock that excludes this one.
    ///
    /// # Errors
    /// As [`Snapshot::lock_tables`], [`Kind::Busy`] left out.
    pub async fn try_lock_tables<S: AsRef<str>>(&self, tables: &[(S, S)]) -> Result<Vec<usize>> {
        let mut refused = Vec::new();
        for (n, batch) in tables.chunks(LOCK_BATCH).enumerate() {
            let names: Vec<String> = batch.iter().map(|(s, n)| qualified(s.as_ref(), n.as_ref())).collect();
            match self.lock(&names, LockWait::No).await {
                Err(e) if e.kind() == Kind::Busy && names.len() == 1 => refused.push(n * LOCK_BATCH),
                Err(e) if e.kind() == Kind::Busy => {
                    for (at, name) in names.iter().enumerate() {
                        match self.lock(std::slice::from_ref(name), LockWait::No).await {
                            Err(e) if e.kind() == Kind::Busy => refused.push(n * LOCK_BATCH + at),
                            other => other?,
                        }
                    }
                }
                other => other?,
            }
        }
        Ok(refused)
    }

    /// One statement within a savepoint, so that a refusal does not abort the transaction and lose the snapshot.
    async fn lock(&self, names: &[String], wait: LockWait) -> Result<()> {
        let limit = match wait {
            LockWait::AtMost(limit) => limit.as_millis().clamp(1, i32::MAX as u128),
            LockWait::No | LockWait::Forever => 0,
        };
        let only: Vec<String> = names.iter().map(|n| format!("ONLY {n}")).collect();
        let sql = format!(
            "SAVEPOINT pgbaton_lock; SET LOCAL lock_timeout = {limit}; LOCK TABLE {} IN ACCESS SHARE MODE{}; \
            SET LOCAL lock_timeout = 0; RELEASE SAVEPOINT pgbaton_lock",
            only.join(", "),
            if wait == LockWait::No { " NOWAIT" } else { "" },
        );
        let Err(e) = self.session.batch_execute(&sql).await else { return Ok(()) };
        let full = e.code() == Some(&SqlState::OUT_OF_MEMORY);
        let e = match e.code() {
            Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => {
                let which = if names.len() == 1 { names[0].as_str() } else { "a table" };
                Error::new(Kind::Busy, format!("{which} is locked by another session"))
            }
            _ => self.session.explain(read_error(e)),
        };
        if e.kind() != Kind::ServerLost {
            let back = "ROLLBACK TO SAVEPOINT pgbaton_lock; RELEASE SAVEPOINT pgbaton_lock";
            self.session.batch_execute(back).await.map_err(|e| self.session.error(e))?;
        }
        let e = if full { self.no_room(e).await } else { e };
        Err(e.context("locking tables"))
    }

    /// The lock table is of the server's size (manual, "Lock Management"): the server says only that it is out of shared memory.
    async fn no_room(&self, e: Error) -> Error {
        match single_value(&self.session, "SHOW max_locks_per_transaction").await {
            Ok(now) => e.note(&format!(
                "every table must be locked, and the server has no room for so many locks: raise max_locks_per_transaction, now {now}"
            )),
            Err(_) => e,
        }
    }

    async fn name_the_busy_one(&self, names: &[String], unnamed: Error) -> Error {
        for name in names {
            match self.lock(std::slice::from_ref(name), LockWait::No).await {
                Err(named) => return named,
                Ok(()) => continue,
            }
        }
        unnamed
    }

    /// Proves, after the tables were locked, that none was emptied or rewritten between the snapshot and the lock: the file that the
    /// snapshot sees (`pg_class.relfilenode`) is the one in use (`pg_relation_filenode`, which looks at the present). Entries are
    /// (oid, relfilenode under the snapshot, schema, name); a relfilenode of 0 (partitioned tables) is passed over.
    ///
    /// # Errors
    /// [`Kind::SnapshotBroken`] naming the first table that changed.
    pub async fn verify_unrewritten<S: AsRef<str>>(&self, tables: &[(u32, u32, S, S)]) -> Result<()> {
        let oids: Vec<u32> = tables.iter().filter(|t| t.1 != 0).map(|t| t.0).collect();
        let sql = "SELECT o, pg_catalog.pg_relation_filenode(o::pg_catalog.regclass) FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS o";
        let rows = self.session.query(sql, &[&oids]).await.map_err(|e| self.session.error(e))?;
        let now: HashMap<u32, Option<u32>> = rows.iter().map(|r| (r.get(0), r.get(1))).collect();
        for (oid, seen, schema, name) in tables.iter().filter(|t| t.1 != 0) {
            let what = match now.get(oid).copied().flatten() {
                Some(file) if file == *seen => continue,
                Some(_) => "was truncated or rewritten",
                None => "was dropped",
            };
            let name = qualified(schema.as_ref(), name.as_ref());
            return Err(Error::new(
                Kind::SnapshotBroken,
                format!("table {name} {what} after the snapshot was taken"),
            ));
        }
        Ok(())
    }

    /// Ends the transaction, which frees the snapshot and the locks, and gives the session back.
    ///
    /// # Errors
    /// [`Kind::ServerLost`] when the connection is gone: what was read until then was read under the snapshot.
    pub async fn finish(self) -> Result<Session> {
        self.session
            .batch_execute("COMMIT")
            .await
            .map_err(|e| self.session.error(e))
            .context("ending the snapshot")?;
        Ok(self.session)
    }
}
