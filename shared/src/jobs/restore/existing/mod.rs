//! `dropExisting`: what the archive will make and stands in the target is dropped first, all of it in one transaction, or nothing.
//!
//! ```text
//! whole archive   every entry's drop, last entry first; then nothing may stand there that an empty target would not have
//! `tables`        the drops of what was picked; what else the archive needs and stands there stays as it is and is not made again
//! ```
//!
//! Nothing is dropped by CASCADE but a base or range type with its own functions, where nothing else depends on either. A drop that fails is tried again after the others: what it waited for may be
//! gone by then, or it with its table. Either that leaves nothing in the way, or nothing is done at all.

mod default_privileges;
mod needed;

use std::collections::{BTreeSet, HashSet};

use needed::Needed;
use tokio_postgres::error::SqlState;

use super::{
    drops::{self, DropStatement, RELATIONS},
    plan::shown,
    target,
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result, ResultExt},
    pg::Session,
};

/// Statements to a round trip.
const TOGETHER: usize = 100;

/// How many of what is in the way an error names.
const NAMED: usize = 10;

/// How long a drop waits for those who use its object.
const PATIENCE: &str = "30s";

/// What is to go, and what may stay.
#[derive(Debug, Default)]
pub(super) struct Existing {
    /// In the order in which they are tried.
    drops: Vec<DropStatement>,
    /// Names in `pg_class` that the archive makes: schema, name.
    relations: Vec<(String, String)>,
    /// Default privileges of a whole archive.
    privileges: BTreeSet<default_privileges::Of>,
    /// With `tables`: what those need, in the archive's order.
    needed: Option<Vec<Needed>>,
}

impl Existing {
    /// What these entries will make; `own` are those that `tables` picked, none for a whole archive.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for a DROP statement that pg_dump would not write.
    pub(super) fn of<'a>(
        entries: impl Iterator<Item = &'a Entry>,
        own: Option<&HashSet<i32>>,
    ) -> Result<Self> {
        let mut found = Self { needed: own.map(|_| Vec::new()), ..Self::default() };
        let entries: Vec<&Entry> = entries.collect();
        let has_pieces =
            |e: &&&Entry| matches!(e.desc.as_str(), "TABLE" | "FOREIGN TABLE" | "VIEW" | "DOMAIN");
        let with_pieces: HashSet<i32> = entries.iter().filter(has_pieces).map(|e| e.dump_id).collect();
        for &e in &entries {
            let statement = drops::of(e)?;
            if own.is_none_or(|own| own.contains(&e.dump_id)) {
                if RELATIONS.contains(&e.desc.as_str()) {
                    found.relations.push((e.namespace.clone().unwrap_or_default(), e.tag.clone()));
                }
                found.relations.extend(statement.as_ref().and_then(|d| d.relation.clone()));
                found.drops.extend(statement);
                found.privileges.extend(default_privileges::of(e));
            } else if let Some(needed) = &mut found.needed {
                needed.push(Needed::of(e, statement, &with_pieces));
            }
        }
        found.relations.sort();
        found.relations.dedup();
        found.drops.reverse();
        Ok(found)
    }

    /// Drops in the session's transaction, which the caller ends; gives the dump ids of entries that are not to be made, since their objects stand
    /// there, and what is to be told of them.
    ///
    /// # Errors
    /// [`Kind::Conflict`] with all that is in the way; those of the statements.
    pub(super) async fn clear(&self, session: &Session) -> Result<(Vec<i32>, Vec<String>)> {
        let doing = "dropping what stands in the target";
        let patience = format!("SET LOCAL lock_timeout = '{PATIENCE}'");
        session.batch_execute(&patience).await.map_err(|e| session.error(e)).context(doing)?;
        let strange = self.strange_partitions(session).await.context(doing)?;
        if !strange.is_empty() {
            return Err(no_room(session, &[], &strange));
        }
        let unpublished = self.published(session).await.context(doing)?;
        let mut failed: Vec<(&DropStatement, String)> = Vec::new();
        let mut todo: Vec<&DropStatement> = self.drops.iter().collect();
        while !todo.is_empty() {
            let tried = todo.len();
            failed = try_all(session, &todo).await.context(doing)?;
            if failed.len() == tried {
                break;
            }
            todo = failed.iter().map(|(d, _)| *d).collect();
        }
        let standing = match &self.needed {
            None => target::standing_there(session).await?,
            Some(_) => self.relations_there(session).await.context(doing)?,
        };
        if standing.is_empty() {
            let needed = self.needed.as_deref().unwrap_or_default();
            let (kept, told) = needed::kept(session, needed).await.context(doing)?;
            let reached = default_privileges::reset(session, &self.privileges).await.context(doing)?;
            return Ok((kept, unpublished.into_iter().chain(told).chain(reached).collect()));
        }
        // An index that its constraint requires goes with its table: of failures only those count whose object is left.
        let because = failed.iter().filter(|(d, _)| match &d.relation {
            Some(name) => standing.iter().any(|s| s.ends_with(&format!("{}.{}", name.0, name.1))),
            None => !matches!(d.what.split(' ').next(), Some("INDEX" | "CONSTRAINT" | "TRIGGER" | "RULE")),
        });
        let because: Vec<String> = because.map(|(_, why)| why.clone()).collect();
        Err(no_room(session, &standing, &because))
    }

    /// Partitions that the archive does not have would go with their parents, unasked.
    async fn strange_partitions(&self, session: &Session) -> Result<Vec<String>> {
        let (schemas, names) = self.names();
        let sql = "WITH gone AS (SELECT c.oid FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS w (s, n) \
                     JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = w.s \
                     JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname::pg_catalog.text = w.n) \
                   SELECT i.inhrelid::pg_catalog.regclass::pg_catalog.text, i.inhparent::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_inherits i \
                   JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition AND c.relkind IN ('r', 'p', 'f') \
                   WHERE i.inhparent IN (SELECT oid FROM gone) AND i.inhrelid NOT IN (SELECT oid FROM gone) ORDER BY 1";
        let rows = session.query(sql, &[&schemas, &names]).await.map_err(|e| session.error(e))?;
        let told = |r: &tokio_postgres::Row| {
            let (child, parent): (&str, &str) = (r.get(0), r.get(1));
            format!(
                "{} is a partition of {} that the archive does not have, and would go with it",
                shown(child),
                shown(parent)
            )
        };
        Ok(rows.iter().map(told).collect())
    }

    /// With `tables`, publications that lose a table: a whole archive brings its own.
    async fn published(&self, session: &Session) -> Result<Vec<String>> {
        if self.needed.is_none() {
            return Ok(Vec::new());
        }
        let (schemas, names) = self.names();
        let sql = "SELECT p.pubname::pg_catalog.text, pg_catalog.string_agg(w.s || '.' || w.n, ', ' ORDER BY w.s, w.n) \
                   FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS w (s, n) \
                   JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = w.s \
                   JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname::pg_catalog.text = w.n \
                   JOIN pg_catalog.pg_publication_rel r ON r.prrelid = c.oid JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
                   GROUP BY 1 ORDER BY 1";
        let rows = session.query(sql, &[&schemas, &names]).await.map_err(|e| session.error(e))?;
        let told = |r: &tokio_postgres::Row| {
            let (publication, tables): (&str, &str) = (r.get(0), r.get(1));
            let (publication, tables) = (shown(publication), shown(tables));
            format!(
                "the publication {publication} lost {tables}, which dropExisting dropped: ALTER PUBLICATION … ADD TABLE takes them in again"
            )
        };
        Ok(rows.iter().map(told).collect())
    }

    fn names(&self) -> (Vec<&str>, Vec<&str>) {
        self.relations.iter().map(|(s, n)| (s.as_str(), n.as_str())).unzip()
    }

    /// Relations whose names the archive takes.
    async fn relations_there(&self, session: &Session) -> Result<Vec<String>> {
        let (schemas, names) = self.names();
        let sql = "SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence ' WHEN 'i' THEN 'index ' \
                     WHEN 'I' THEN 'index ' WHEN 'f' THEN 'foreign table ' WHEN 'c' THEN 'type ' ELSE 'table ' END || w.s || '.' || w.n \
                   FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS w (s, n) \
                   JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = w.s \
                   JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname::pg_catalog.text = w.n ORDER BY 1";
        let rows = session.query(sql, &[&schemas, &names]).await.map_err(|e| session.error(e))?;
        Ok(rows.iter().map(|r| shown(r.get(0))).collect())
    }
}

fn listed(all: &[String]) -> String {
    let more = all.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

/// The error for what would be left, and why.
fn no_room(session: &Session, left: &[String], because: &[String]) -> Error {
    let left = match left {
        [] => String::new(),
        all => format!(": {} would be left", listed(all)),
    };
    let because = match because {
        [] => ", which the archive does not have".to_owned(),
        all => format!(" ({})", listed(all)),
    };
    Error::new(
        Kind::Conflict,
        format!(
            "dropExisting cannot make room for the archive in {}, and nothing was dropped{left}{because}; drop what is in the way yourself, or restore into another database",
            session.info().database()
        ),
    )
}

/// Tries all, many at once where that works; gives those that failed, with the server's words.
async fn try_all<'a>(
    session: &Session,
    todo: &[&'a DropStatement],
) -> Result<Vec<(&'a DropStatement, String)>> {
    let mut failed = Vec::new();
    for batch in todo.chunks(TOGETHER) {
        let sql: String = batch.iter().map(|d| format!("{}\n", d.sql)).collect();
        if batch.iter().all(|d| !d.cascades) && matches!(try_one(session, &sql).await?, Tried::Done) {
            continue;
        }
        for d in batch {
            if let Tried::Failed(why) = try_by_itself(session, d).await? {
                failed.push((*d, why));
            }
        }
    }
    Ok(failed)
}

/// Drops one object; a type with its functions, which need each other, where nothing else needs them.
async fn try_by_itself(session: &Session, d: &DropStatement) -> Result<Tried> {
    let Some((schema, name)) = &d.of_type else { return try_one(session, &d.sql).await };
    let plain = if d.cascades { Tried::Absent } else { try_one(session, &d.sql).await? };
    if matches!(plain, Tried::Done) || (matches!(plain, Tried::Absent) && !d.cascades) {
        return Ok(plain);
    }
    match others_on_type(session, schema, name).await? {
        Some(other) => Ok(Tried::Failed(format!("{} depends on {}", shown(&other), d.what))),
        None if d.cascades => try_one(session, &d.sql).await,
        None => try_one(session, &format!("{} CASCADE;", d.sql.trim_end_matches(';'))).await,
    }
}

/// What became of statements that were tried.
enum Tried {
    Done,
    /// Something that they name is not there, and nothing was done.
    Absent,
    /// Nothing was done; the server's words.
    Failed(String),
}

/// Runs statements, or takes them back.
async fn try_one(session: &Session, sql: &str) -> Result<Tried> {
    let tried =
        session.batch_execute(&format!("SAVEPOINT existing; {sql}; RELEASE SAVEPOINT existing")).await;
    let Err(e) = tried else { return Ok(Tried::Done) };
    let (absent, last) = (is_absent(&e), is_final(&e));
    // One line for each object that depends on it.
    let dependents = e
        .as_db_error()
        .filter(|db| *db.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST)
        .and_then(|db| db.detail())
        .map(|detail| detail.lines().map(shown).collect::<Vec<_>>().join(", "));
    let e = session.error(e);
    if last {
        return Err(e);
    }
    let back = "ROLLBACK TO SAVEPOINT existing; RELEASE SAVEPOINT existing";
    session.batch_execute(back).await.map_err(|e| session.error(e))?;
    Ok(if absent { Tried::Absent } else { Tried::Failed(dependents.unwrap_or_else(|| shown(e.message()))) })
}

/// Whether the server says that something is not there: then there is nothing to drop.
fn is_absent(e: &tokio_postgres::Error) -> bool {
    e.code().is_some_and(|code| {
        [
            SqlState::UNDEFINED_OBJECT,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::UNDEFINED_FUNCTION,
            SqlState::INVALID_SCHEMA_NAME,
        ]
        .contains(code)
    })
}

/// Whether trying the others would be of no use.
fn is_final(e: &tokio_postgres::Error) -> bool {
    e.code().is_none_or(|code| {
        [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::OUT_OF_MEMORY,
            SqlState::QUERY_CANCELED,
            SqlState::ADMIN_SHUTDOWN,
        ]
        .contains(code)
    })
}

/// What depends on a type, its functions, and what the server made with it (arrays, multiranges, their constructors), beside these.
async fn others_on_type(session: &Session, schema: &str, name: &str) -> Result<Option<String>> {
    let sql = "WITH RECURSIVE t AS (SELECT y.oid, ARRAY[y.typinput, y.typoutput, y.typreceive, y.typsend, y.typmodin, y.typmodout, y.typanalyze]::pg_catalog.oid[] \
                   || ARRAY(SELECT r.rngcanonical::pg_catalog.oid FROM pg_catalog.pg_range r WHERE r.rngtypid = y.oid) AS own \
                 FROM pg_catalog.pg_type y JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace \
                 WHERE n.nspname::pg_catalog.text = $1 AND y.typname::pg_catalog.text = $2), \
               of_it(class, object) AS ( \
                 (SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, oid FROM t \
                  UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, f FROM t, pg_catalog.unnest(t.own) AS f WHERE f >= 16384) \
                 UNION SELECT d.classid, d.objid FROM of_it o JOIN pg_catalog.pg_depend d ON d.refclassid = o.class AND d.refobjid = o.object AND d.deptype = 'i') \
               SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) FROM of_it o \
               JOIN pg_catalog.pg_depend d ON d.refclassid = o.class AND d.refobjid = o.object AND d.deptype NOT IN ('i', 'p') \
               WHERE NOT EXISTS (SELECT FROM of_it x WHERE x.class = d.classid AND x.object = d.objid) LIMIT 1";
    let found = session.query_opt(sql, &[&schema, &name]).await.map_err(|e| session.error(e))?;
    Ok(found.map(|r| r.get(0)))
}
