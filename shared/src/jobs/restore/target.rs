//! The database to restore into: reached, created when asked for, and refused when something stands there.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use tokio_postgres::Client;

use crate::{
    archive::Manifest,
    base::{Error, Kind, Result, ResultExt},
    pg::{self, ConnInfo, Session, ident, literal, pooler, session},
};

/// How many of the objects in the way an error names.
const NAMED: usize = 10;

/// What stands in a database beside what initdb and extensions put there.
const STANDING: &str = "\
    SELECT what FROM ( \
      SELECT 1 AS rank, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' \
               WHEN 'c' THEN 'type' WHEN 'f' THEN 'foreign table' ELSE 'table' END || ' ' || n.nspname || '.' || c.relname AS what \
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') \
      UNION ALL \
      SELECT 2, 'schema ' || n.nspname FROM pg_catalog.pg_namespace n \
       WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public') \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid AND d.deptype = 'e') \
      UNION ALL \
      SELECT 3, 'function ' || p.oid::pg_catalog.regprocedure FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
       WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e') \
      UNION ALL \
      SELECT 4, 'type ' || t.oid::pg_catalog.regtype FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
       WHERE t.typtype IN ('e', 'd', 'r') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e') \
      UNION ALL \
      SELECT 5, 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata \
    ) AS standing ORDER BY rank, what";

/// Opens the target, creating its database when it is absent and `create` says so; `created` is set as soon as it stands.
///
/// # Errors
/// Those of connecting; [`Kind::Conflict`] naming what stands in a database that is not empty.
pub(super) async fn open(
    info: &ConnInfo,
    create: bool,
    manifest: Option<&Manifest>,
    created: &AtomicBool,
) -> Result<Session> {
    let session = match pg::connect(info).await {
        Ok(session) => session,
        Err(e) if e.kind() == Kind::NotFound && create => {
            create_database(info, manifest).await?;
            created.store(true, Relaxed);
            pg::connect(info).await?
        }
        Err(e) => return Err(e),
    };
    pooler::refuse_transaction_pooling(&session).await?;
    pin(&session).await?;
    refuse_non_empty(&session, info.database()).await?;
    Ok(session)
}

/// One more session to the target.
pub(super) async fn join(info: &ConnInfo) -> Result<Session> {
    let session = pg::connect(info).await?;
    pin(&session).await?;
    Ok(session)
}

async fn pin(session: &Session) -> Result<()> {
    session::pin_for_restore(session.client(), session.version()).await
}

async fn refuse_non_empty(session: &Session, database: &str) -> Result<()> {
    let rows =
        session.query(STANDING, &[]).await.map_err(|e| session.error(e)).context("looking at the target")?;
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = rows.iter().take(NAMED).map(|r| r.get(0)).collect();
    let more = rows.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Error::new(
        Kind::Conflict,
        format!(
            "the target database {database} is not empty, and nothing in it was touched: it holds {}{more}; restore into an empty or new database",
            names.join(", ")
        ),
    ))
}

/// Creates the target's database like the one that was backed up, as far as the server can; from template0, so that nothing is in it.
async fn create_database(info: &ConnInfo, manifest: Option<&Manifest>) -> Result<()> {
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
async fn maintenance(info: &ConnInfo) -> Result<Session> {
    match pg::connect(&info.with_database("postgres")).await {
        Err(e) if e.kind() == Kind::NotFound => pg::connect(&info.with_database("template1")).await,
        other => other,
    }
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

/// Roles that are missing on the target's server, or that the restoring role cannot hand objects to.
pub(super) async fn missing_roles<'a>(
    client: &Client,
    needed: impl Iterator<Item = &'a String>,
) -> Result<Vec<String>> {
    let needed: Vec<&str> = needed.map(String::as_str).collect();
    let sql = "SELECT r FROM pg_catalog.unnest($1::pg_catalog.text[]) AS r \
               WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text = r) ORDER BY r";
    let rows = client.query(sql, &[&needed]).await.map_err(pg::error).context("looking for roles")?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

/// Extensions that the target's server does not have.
pub(super) async fn missing_extensions(client: &Client, needed: &[&str]) -> Result<Vec<String>> {
    let sql = "SELECT e FROM pg_catalog.unnest($1::pg_catalog.text[]) AS e \
               WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name::pg_catalog.text = e) ORDER BY e";
    let rows = client.query(sql, &[&needed]).await.map_err(pg::error).context("looking for extensions")?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

/// Tablespaces that the target's server does not have.
pub(super) async fn missing_tablespaces(client: &Client, needed: &[&str]) -> Result<Vec<String>> {
    let sql = "SELECT t FROM pg_catalog.unnest($1::pg_catalog.text[]) AS t \
               WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname::pg_catalog.text = t) ORDER BY t";
    let rows = client.query(sql, &[&needed]).await.map_err(pg::error).context("looking for tablespaces")?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
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
