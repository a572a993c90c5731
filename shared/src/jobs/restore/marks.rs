//! Which entries are restored already, kept in the target itself: the transaction that restores an entry inserts its mark, so that both are there or
//! neither is, whatever dies.
//!
//! ```text
//! schema pgbaton_restore
//!   run    one row     the run that works here, and the archive it restores
//!   done   an entry's  dump id; part, 0 for the whole entry or 1… for a batch of its large objects; rows loaded
//!   notes  before the first change: a warning for the record, a tablespace that the target lacks, or an entry that is not made
//! ```
//!
//! The mark is inserted first. Whoever tries an entry that another session is still at, such as an index build whose function is gone, so waits at the
//! key of `done` until that transaction ends, and then finds the entry done, or does it. The schema goes in the transaction that finishes the restore.
//! With `dropExisting` it is made in the transaction that drops: where it is, nothing is dropped any more.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use tokio_postgres::error::SqlState;

use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result, ResultExt, id::RunId},
    pg::{Session, literal},
};

/// The schema of the marks.
pub(in crate::jobs) const SCHEMA: &str = "pgbaton_restore";

/// What to send to have the marks gone.
pub(super) const DROP: &str = "DROP SCHEMA IF EXISTS pgbaton_restore CASCADE;";

/// The marks of one restore; none are kept where the role may not create their schema.
#[derive(Debug, Default)]
pub(super) struct Marks {
    kept: bool,
    /// Rows of what was done before this function began, or by others since, by entry and part.
    done: RwLock<HashMap<(i32, i32), u64>>,
}

/// What a restore finds before its first change and whoever goes on with it must know.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Notes {
    /// For the record.
    pub warnings: Vec<String>,
    /// Tablespaces that are missing: their objects go to the default one.
    pub absent_tablespaces: Vec<String>,
    /// Entries that are not made, since what they make stood there.
    pub kept: Vec<i32>,
}

/// Marks that stand in a target.
#[derive(Debug)]
pub(super) struct Standing {
    /// The run that made them or went on last.
    pub run: String,
    /// What it restores.
    pub archive: String,
}

impl Marks {
    /// Makes the schema, or tells why there is none.
    ///
    /// # Errors
    /// Those of the statements.
    pub(super) async fn make(
        session: &Session,
        run: &RunId,
        archive: &str,
        notes: &Notes,
        entries: &[Entry],
    ) -> Result<(Self, Option<String>)> {
        if entries.iter().any(|e| e.desc == "SCHEMA" && e.tag == SCHEMA) {
            let why = format!(
                "the archive has a schema {SCHEMA} of its own, so no other function could have gone on with this restore"
            );
            return Ok((Self::default(), Some(why)));
        }
        let may = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')";
        let doing = "making the schema of the restore's marks";
        let row = session.query_one(may, &[]).await.map_err(|e| session.error(e)).context(doing)?;
        if !row.get::<_, bool>(0) {
            let why = format!(
                "the role has no CREATE privilege on the target database and so could not make the schema {SCHEMA}: no other function could have gone on with this restore"
            );
            return Ok((Self::default(), Some(why)));
        }
        let mut sql = format!(
            "CREATE SCHEMA {SCHEMA}; COMMENT ON SCHEMA {SCHEMA} IS 'pgbaton keeps here how far a restore has come, and drops it when it is done'; \
             CREATE TABLE {SCHEMA}.run (id pg_catalog.text, archive pg_catalog.text) USING heap; \
             CREATE TABLE {SCHEMA}.done (entry pg_catalog.int4, part pg_catalog.int4 DEFAULT 0, rows pg_catalog.int8 DEFAULT 0, PRIMARY KEY (entry, part)) USING heap; \
             CREATE TABLE {SCHEMA}.notes (about pg_catalog.text, note pg_catalog.text) USING heap; \
             INSERT INTO {SCHEMA}.run VALUES ({}, {});",
            literal(run.as_str()),
            literal(archive)
        );
        let warnings = notes.warnings.iter().map(|w| ("warning", w));
        let tablespaces = notes.absent_tablespaces.iter().map(|t| ("tablespace", t));
        let kept: Vec<String> = notes.kept.iter().map(i32::to_string).collect();
        let kept = kept.iter().map(|id| ("kept", id));
        for (about, note) in warnings.chain(tablespaces).chain(kept) {
            sql.push_str(&format!("INSERT INTO {SCHEMA}.notes VALUES ('{about}', {});", literal(note)));
        }
        session.batch_execute(&sql).await.map_err(|e| session.error(e)).context(doing)?;
        Ok((Self { kept: true, ..Self::default() }, None))
    }

    /// The marks that stand in the target, none when there are none.
    ///
    /// # Errors
    /// Those of the statements.
    pub(super) async fn find(session: &Session) -> Result<Option<Standing>> {
        let doing = "looking for the marks of a restore";
        let there = "SELECT pg_catalog.to_regclass('pgbaton_restore.run') IS NOT NULL AND pg_catalog.to_regclass('pgbaton_restore.done') IS NOT NULL";
        let row = session.query_one(there, &[]).await.map_err(|e| session.error(e)).context(doing)?;
        if !row.get::<_, bool>(0) {
            return Ok(None);
        }
        let sql = format!("SELECT id, archive FROM {SCHEMA}.run");
        let row = session.query_opt(&sql, &[]).await.map_err(|e| session.error(e)).context(doing)?;
        Ok(row.map(|r| Standing { run: r.get(0), archive: r.get(1) }))
    }

    /// Takes the marks of an earlier function over for `run`.
    ///
    /// # Errors
    /// Those of the statements.
    pub(super) async fn take(session: &Session, run: &RunId) -> Result<(Self, Notes)> {
        let doing = "reading the marks of the restore";
        let told = |e| Err::<(), Error>(session.error(e)).context(doing);
        let owned = format!("UPDATE {SCHEMA}.run SET id = {}", literal(run.as_str()));
        session.batch_execute(&owned).await.or_else(told)?;
        let read = |sql: String| async move {
            session.query(&sql, &[]).await.map_err(|e| session.error(e)).context(doing)
        };
        let mut notes = Notes::default();
        for row in read(format!("SELECT about, note FROM {SCHEMA}.notes")).await? {
            match row.get(0) {
                "warning" => notes.warnings.push(row.get(1)),
                "kept" => notes.kept.extend(row.get::<_, &str>(1).parse::<i32>()),
                _ => notes.absent_tablespaces.push(row.get(1)),
            }
        }
        Ok((Self::read(session).await?, notes))
    }

    /// The marks as they stand, of whichever function.
    ///
    /// # Errors
    /// Those of the statement.
    pub(super) async fn read(session: &Session) -> Result<Self> {
        let marks = Self { kept: true, ..Self::default() };
        marks.refresh(session).await?;
        Ok(marks)
    }

    /// Reads what others have done meanwhile.
    ///
    /// # Errors
    /// Those of the statement.
    pub(super) async fn refresh(&self, session: &Session) -> Result<()> {
        let sql = format!("SELECT entry, part, rows FROM {SCHEMA}.done");
        let rows = session.query(&sql, &[]).await.map_err(|e| session.error(e));
        let rows = rows.context("reading the marks of the restore")?;
        let done = rows.iter().map(|r| ((r.get(0), r.get(1)), r.get::<_, i64>(2).unsigned_abs())).collect();
        *self.done.write().unwrap_or_else(PoisonError::into_inner) = done;
        Ok(())
    }

    fn done(&self) -> RwLockReadGuard<'_, HashMap<(i32, i32), u64>> {
        self.done.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether marks are kept, so that another function may go on.
    pub(super) fn kept(&self) -> bool {
        self.kept
    }

    /// Whether the entry was done before this function began.
    pub(super) fn has(&self, entry: i32) -> bool {
        self.has_part(entry, 0)
    }

    /// Whether a batch of the entry was done before this function began.
    pub(super) fn has_part(&self, entry: i32, part: i32) -> bool {
        self.done().contains_key(&(entry, part))
    }

    /// Rows loaded before this function began.
    pub(super) fn rows(&self) -> u64 {
        self.done().values().sum()
    }

    /// The statement that marks entries, to be sent before theirs in the same transaction; empty where no marks are kept.
    pub(super) fn of(&self, entries: &[i32]) -> String {
        if !self.kept || entries.is_empty() {
            return String::new();
        }
        let all: Vec<String> = entries.iter().map(|id| format!("({id})")).collect();
        format!("INSERT INTO {SCHEMA}.done (entry) VALUES {};\n", all.join(", "))
    }

    /// As [`Marks::of`], for a batch of one entry.
    pub(super) fn of_part(&self, entry: i32, part: i32) -> String {
        if !self.kept {
            return String::new();
        }
        format!("INSERT INTO {SCHEMA}.done (entry, part) VALUES ({entry}, {part});\n")
    }

    /// The statement that adds to an entry's mark how many rows were loaded.
    pub(super) fn with_rows(&self, entry: i32, rows: u64) -> String {
        if !self.kept {
            return String::new();
        }
        format!("UPDATE {SCHEMA}.done SET rows = {rows} WHERE entry = {entry} AND part = 0;\n")
    }
}

/// Whether a mark could not be inserted because it is there: another session has done the entry.
pub(super) fn is_done(e: &tokio_postgres::Error) -> bool {
    e.as_db_error().is_some_and(|db| {
        *db.code() == SqlState::UNIQUE_VIOLATION && db.schema() == Some(SCHEMA) && db.table() == Some("done")
    })
}

/// The error for marks of another archive.
pub(super) fn of_another_archive(standing: &Standing, archive: &str) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "the restore {} began with {} and cannot go on with {archive}: the archive was changed meanwhile",
            standing.run, standing.archive
        ),
    )
}

/// The error for marks of another run, in a target where something may stand.
pub(super) fn of_another_run(standing: &Standing, database: &str) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "the restore {} is at work in the target database {database}, or did not live to finish: if no restore runs there, DROP SCHEMA {SCHEMA} CASCADE and try again",
            standing.run
        ),
    )
}
