//! The database to restore into: reached, created when asked for, and refused when something stands there.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{
    data_only,
    marks::{self, Marks, Notes, Standing},
    plan::shown,
};
use crate::{
    archive::Manifest,
    base::{Error, Kind, Result, ResultExt, id::RunId},
    ledger::{Ledger, Status},
    pg::{self, ConnInfo, Session, ident, literal, pooler, session},
};

/// How many of the objects in the way an error names.
const NAMED: usize = 10;

/// Catalogs of what may stand in a database beside what initdb and extensions put there: the kind's name, the catalog, its columns for name and schema
/// (none for kinds without one), and a condition on `o`.
const KINDS: &[(&str, &str, &str, &str, &str)] = &[
    ("table", "pg_class", "relname", "relnamespace", "o.relkind IN ('r', 'p')"),
    ("view", "pg_class", "relname", "relnamespace", "o.relkind = 'v'"),
    ("materialized view", "pg_class", "relname", "relnamespace", "o.relkind = 'm'"),
    ("sequence", "pg_class", "relname", "relnamespace", "o.relkind = 'S'"),
    ("type", "pg_class", "relname", "relnamespace", "o.relkind = 'c'"),
    ("foreign table", "pg_class", "relname", "relnamespace", "o.relkind = 'f'"),
    (
        "schema",
        "pg_namespace",
        "nspname",
        "",
        "o.nspname !~ '^pg_' AND o.nspname NOT IN ('information_schema', 'public')",
    ),
    ("function", "pg_proc", "oid::pg_catalog.regprocedure", "pronamespace", "true"),
    (
        "type",
        "pg_type",
        "oid::pg_catalog.regtype",
        "typnamespace",
        "o.typtype IN ('e', 'd', 'r', 'p') OR (o.typtype = 'b' AND o.typelem = 0)",
    ),
    ("collation", "pg_collation", "collname", "collnamespace", "true"),
    ("conversion", "pg_conversion", "conname", "connamespace", "true"),
    ("operator", "pg_operator", "oid::pg_catalog.regoperator", "oprnamespace", "true"),
    ("operator family", "pg_opfamily", "opfname", "opfnamespace", "true"),
    ("text search configuration", "pg_ts_config", "cfgname", "cfgnamespace", "true"),
    ("text search dictionary", "pg_ts_dict", "dictname", "dictnamespace", "true"),
    ("text search parser", "pg_ts_parser", "prsname", "prsnamespace", "true"),
    ("text search template", "pg_ts_template", "tmplname", "tmplnamespace", "true"),
    ("foreign data wrapper", "pg_foreign_data_wrapper", "fdwname", "", "true"),
    ("server", "pg_foreign_server", "srvname", "", "true"),
    // Below 16384 the oids are initdb's.
    ("cast", "pg_cast", "oid", "", "o.oid >= 16384"),
    ("language", "pg_language", "lanname", "", "o.oid >= 16384"),
    ("access method", "pg_am", "amname", "", "o.oid >= 16384"),
    ("publication", "pg_publication", "pubname", "", "true"),
    (
        "subscription",
        "pg_subscription",
        "subname",
        "",
        "o.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
    ),
    ("event trigger", "pg_event_trigger", "evtname", "", "true"),
    ("large object", "pg_largeobject_metadata", "oid", "", "true"),
];

/// What of [`KINDS`] stands there, one query for all.
fn standing() -> String {
    let each = KINDS.iter().enumerate().map(|(rank, (kind, catalog, name, schema, condition))| {
        // These print their schema themselves.
        let printed = name.contains("::");
        let (shown, own) = match schema {
            &"" => (format!("o.{name}::pg_catalog.text"), String::new()),
            _ => (
                if printed { format!("o.{name}::pg_catalog.text") } else { format!("n.nspname || '.' || o.{name}") },
                format!(
                    "JOIN pg_catalog.pg_namespace n ON n.oid = o.{schema} AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
                ),
            ),
        };
        format!(
            "SELECT {rank} AS rank, '{kind} ' || {shown} AS what FROM pg_catalog.{catalog} o {own} WHERE ({condition}) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND d.objid = o.oid AND d.deptype = 'e')"
        )
    });
    let all = each.collect::<Vec<_>>().join(" UNION ALL ");
    format!("SELECT what FROM ({all}) AS standing ORDER BY rank, what")
}

/// What begins the comment on a database that a restore created and has not finished; the run's id follows. It outlives a killed function, so that
/// the next attempt knows the half-filled database for what it is.
const UNFINISHED: &str = "pgbaton: unfinished restore ";

/// The database of one restore.
pub(super) struct Target<'a> {
    /// How it is reached.
    pub info: &'a ConnInfo,
    /// The restore, and after it the failed runs that it repeats, of which it may go on with what they left.
    pub runs: &'a [RunId],
    /// What it restores.
    pub archive: &'a str,
    /// Whether an earlier function of this run had begun to finish it.
    pub finishing: bool,
    /// Something may stand there: the restore makes room for itself, or needs it.
    pub occupied: bool,
    /// Set as soon as this run has created the database.
    pub created: &'a AtomicBool,
}

/// What stands in a target that can be used.
pub(super) enum Found {
    /// Nothing of this restore.
    New,
    /// What an earlier function did, and its marks.
    Begun(Marks, Notes),
    /// All of the archive.
    Finished,
}

/// Settings of a restore's sessions besides those that all have.
#[derive(Debug, Clone)]
pub(super) struct Speech {
    /// The encoding of the archive's SQL and rows, whose bytes are sent as they are.
    pub encoding: String,
    /// `maintenance_work_mem`, MiB; 0 leaves the server's.
    pub index_memory_mb: u32,
    /// Whether commits need not wait for the disk: where marks are kept, what the server loses in a crash it loses with its mark, and the last
    /// transaction waits for all before it.
    pub hasty: bool,
    /// No trigger fires, where the role may see to that.
    pub quiet: bool,
}

impl Target<'_> {
    /// Opens the target. With `create`, a database that is absent is created, like the one that the manifest describes where there is one; and
    /// one that an earlier restore created and did not live to finish is made anew, unless this run may go on with it.
    ///
    /// # Errors
    /// Those of connecting; [`Kind::Conflict`] naming what stands in a database that is not empty.
    pub(super) async fn open(
        &self,
        create: Option<Option<&Manifest>>,
        ledger: &Ledger,
    ) -> Result<(Session, Found)> {
        let session = match (pg::connect(self.info).await, create) {
            (Ok(session), _) => session,
            (Err(e), Some(manifest)) if e.kind() == Kind::NotFound => {
                return Ok((self.create(manifest).await?, Found::New));
            }
            (Err(e), _) => return Err(e),
        };
        prepare(&session).await?;
        let unfinished = unfinished(&session).await?;
        let standing = Marks::find(&session).await?;
        if let Some(standing) = &standing
            && self.runs.iter().any(|run| run.as_str() == standing.run)
        {
            if standing.archive != self.archive {
                return Err(marks::of_another_archive(standing, self.archive));
            }
            let (marks, notes) = Marks::take(&session, &self.runs[0]).await?;
            if unfinished.is_some_and(|run| self.runs.contains(&run)) {
                self.created.store(true, Relaxed);
                self.sign(&session).await?;
            }
            tracing::info!(
                database = self.info.database(),
                by = standing.run,
                "going on with what stands in the target"
            );
            return Ok((session, Found::Begun(marks, notes)));
        }
        if self.finishing && standing.is_none() {
            return Ok((session, Found::Finished));
        }
        if let Some(manifest) = create
            && let Some(run) = &unfinished
            && (self.runs.contains(run) || has_failed(run, ledger).await?)
        {
            session.close().await;
            tracing::info!(
                database = self.info.database(),
                "dropping what an earlier restore left unfinished"
            );
            drop_created(self.info).await?;
            return Ok((self.create(manifest).await?, Found::New));
        }
        if !self.occupied {
            refuse_non_empty(&session, self.info.database(), standing.as_ref()).await?;
        } else if let Some(standing) = &standing {
            return Err(marks::of_another_run(standing, self.info.database()));
        }
        Ok((session, Found::New))
    }

    async fn create(&self, manifest: Option<&Manifest>) -> Result<Session> {
        create_database(self.info, manifest).await?;
        self.created.store(true, Relaxed);
        let session = pg::connect(self.info).await?;
        prepare(&session).await?;
        self.sign(&session).await?;
        Ok(session)
    }

    /// Puts down whose unfinished work the database is.
    async fn sign(&self, session: &Session) -> Result<()> {
        let comment = literal(&format!("{UNFINISHED}{}", self.runs[0]));
        let sql = format!("COMMENT ON DATABASE {} IS {comment}", ident(self.info.database()));
        session.batch_execute(&sql).await.map_err(|e| session.error(e)).context("marking the new database")
    }

    /// Takes the mark off a database that this run created: it is whole now. `comment` is the statement that gives it the archive's own comment.
    pub(super) async fn finished(&self, session: &Session, comment: Option<&str>) -> Result<()> {
        let none = format!("COMMENT ON DATABASE {} IS NULL", ident(self.info.database()));
        let sql = match comment {
            Some(own) => own,
            None if self.created.load(Relaxed) => &none,
            None => return Ok(()),
        };
        session
            .batch_execute(sql)
            .await
            .map_err(|e| session.error(e))
            .context("setting the comment on the target database")
    }
}

/// The restore that created the database and has not finished it.
async fn unfinished(session: &Session) -> Result<Option<RunId>> {
    let sql = "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database \
               WHERE datname = pg_catalog.current_database()";
    let row =
        session.query_one(sql, &[]).await.map_err(|e| session.error(e)).context("looking at the target")?;
    let comment: Option<String> = row.get(0);
    Ok(comment.as_deref().and_then(|c| c.strip_prefix(UNFINISHED)).and_then(|id| RunId::parse(id).ok()))
}

async fn has_failed(run: &RunId, ledger: &Ledger) -> Result<bool> {
    Ok(ledger.find(run).await?.is_some_and(|record| record.status == Status::Failed))
}

/// One more session to the target.
pub(super) async fn join(info: &ConnInfo, speech: &Speech) -> Result<Session> {
    let session = pg::connect(info).await?;
    session::pin_for_restore(session.client(), session.version()).await?;
    speak(&session, speech).await?;
    Ok(session)
}

/// Tells the server what a restore's sessions want of it.
pub(super) async fn speak(session: &Session, speech: &Speech) -> Result<()> {
    let encoding = &speech.encoding;
    let mut sql = format!("SET client_encoding = {};", literal(encoding));
    if session.version().major() >= 14 {
        // A build goes on without its client.
        sql.push_str("SET client_connection_check_interval = 0;");
    }
    if speech.index_memory_mb > 0 {
        sql.push_str(&format!("SET maintenance_work_mem = '{}MB';", speech.index_memory_mb));
    }
    if speech.hasty {
        sql.push_str("SET synchronous_commit = off;");
    }
    session
        .batch_execute(&sql)
        .await
        .map_err(|e| session.error(e))
        .with_context(|| format!("setting the archive's encoding, {encoding}"))?;
    if speech.quiet {
        data_only::silence(session).await?;
    }
    Ok(())
}

async fn prepare(session: &Session) -> Result<()> {
    pooler::refuse_transaction_pooling(session).await?;
    session::pin_for_restore(session.client(), session.version()).await
}

/// What stands there beside what initdb and extensions put there.
pub(super) async fn standing_there(session: &Session) -> Result<Vec<String>> {
    let rows = session.query(&standing(), &[]).await.map_err(|e| session.error(e));
    Ok(rows.context("looking at the target")?.iter().map(|r| shown(r.get(0))).collect())
}

async fn refuse_non_empty(session: &Session, database: &str, marks: Option<&Standing>) -> Result<()> {
    let all = standing_there(session).await?;
    if all.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = all.iter().take(NAMED).cloned().collect();
    let more = all.len().saturating_sub(NAMED);
    let mut more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if let Some(marks) = marks {
        more.push_str(&format!(" (what the restore {} left unfinished)", marks.run));
    }
    Err(Error::new(
        Kind::Conflict,
        format!(
            "the target database {database} is not empty, and nothing in it was touched: it holds {}{more}; restore into an empty or new database, or with dropExisting",
            names.join(", ")
        ),
    ))
}

/// Creates the target's database like the one that was backed up, as far as the server can; from template0, so that nothing is in it.
pub(in crate::jobs) async fn create_database(info: &ConnInfo, manifest: Option<&Manifest>) -> Result<()> {
    let session = maintenance(info).await.context("connecting to create the target")?;
    let options = match manifest {
        Some(m) => options(&m.database.encoding, &m.database.locale, session.version().major()),
        None => String::new(),
    };
    let name = ident(info.database());
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0{options}");
    let doing = || format!("creating database {}", info.database());
    session.batch_execute(&sql).await.map_err(|e| session.error(e)).with_context(doing)?;
    tracing::info!(database = info.database(), "created the target database");
    Ok(())
}

/// A session beside the target.
pub(in crate::jobs) async fn maintenance(info: &ConnInfo) -> Result<Session> {
    match pg::connect(&info.with_database("postgres")).await {
        Err(e) if e.kind() == Kind::NotFound => pg::connect(&info.with_database("template1")).await,
        other => other,
    }
}

/// Drops the marks of a restore that failed.
pub(super) async fn drop_marks(info: &ConnInfo) -> Result<()> {
    let session = pg::connect(info).await?;
    let dropped = session.batch_execute(marks::DROP).await;
    dropped.map_err(|e| session.error(e)).context("dropping the marks of this restore")
}

/// Drops the database that [`open`] created, after a failed restore: nothing half-made is left behind.
pub(super) async fn drop_created(info: &ConnInfo) -> Result<()> {
    let session = maintenance(info).await?;
    let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", ident(info.database()));
    let doing = || format!("dropping database {}, which this restore had created", info.database());
    session.batch_execute(&sql).await.map_err(|e| session.error(e)).with_context(doing)
}

/// Encoding and locale as CREATE DATABASE takes them (PostgreSQL manual, CREATE DATABASE; `locale_provider` came with 15, `builtin` with 17).
fn options(encoding: &str, locale: &BTreeMap<String, String>, major: u32) -> String {
    let mut sql = format!(" ENCODING {}", literal(encoding));
    let get = |name: &str| locale.get(name).filter(|v| !v.is_empty());
    if let Some(v) = get("lc_collate") {
        sql.push_str(&format!(" LC_COLLATE {}", literal(v)));
    }
    if let Some(v) = get("lc_ctype") {
        sql.push_str(&format!(" LC_CTYPE {}", literal(v)));
    }
    match (get("locale_provider").map(String::as_str), get("locale")) {
        (Some("icu"), Some(icu)) if major >= 15 => {
            sql.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", literal(icu)));
            if let Some(rules) = get("icu_rules").filter(|_| major >= 16) {
                sql.push_str(&format!(" ICU_RULES {}", literal(rules)));
            }
        }
        (Some("builtin"), Some(l)) if major >= 17 => {
            sql.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", literal(l)));
        }
        (Some("libc"), _) if major >= 15 => sql.push_str(" LOCALE_PROVIDER libc"),
        _ => {}
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_databases_take_over_encoding_and_locale() {
        let locale: BTreeMap<String, String> =
            [("lc_collate", "C"), ("lc_ctype", "it's"), ("locale_provider", "icu"), ("locale", "de")]
                .into_iter()
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .collect();
        assert_eq!(
            options("UTF8", &locale, 18),
            " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'it''s' LOCALE_PROVIDER icu ICU_LOCALE 'de'"
        );
        assert!(!options("UTF8", &locale, 14).contains("PROVIDER"));
    }
}
