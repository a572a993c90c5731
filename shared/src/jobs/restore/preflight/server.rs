//! What the target is asked for by the preflight. Nothing here changes anything: what only trying can tell is tried in a transaction that is rolled
//! back.

use std::collections::HashSet;

use tokio_postgres::error::SqlState;

use super::{needs::OwnedIn, superuser::MANAGED};
use crate::{
    base::{Result, ResultExt},
    pg::{Session, ident},
};

/// Those of `names` for which `exists`, a condition on `r`, does not hold.
async fn lacking(session: &Session, what: &'static str, names: &[&str], exists: &str) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT r FROM pg_catalog.unnest($1::pg_catalog.text[]) AS r WHERE NOT ({exists}) ORDER BY r"
    );
    let rows = session.query(&sql, &[&names]).await.map_err(|e| session.error(e)).context(what)?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

/// Roles that are missing on the target's server.
pub(super) async fn missing_roles(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text = r)";
    lacking(session, "looking for roles", names, exists).await
}

/// Roles that objects cannot be given to: the session's role would have to be a member of them (PostgreSQL manual, ALTER TABLE; since 16 a member that
/// may SET ROLE). Missing roles are not among them.
pub(super) async fn unreachable_roles(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let privilege = if session.version().major() >= 16 { "SET" } else { "MEMBER" };
    let may = format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text = r AND NOT pg_catalog.pg_has_role(oid, '{privilege}'))"
    );
    lacking(session, "looking for roles", names, &may).await
}

/// Extensions that the target's server does not have.
pub(super) async fn missing_extensions(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name::pg_catalog.text = r)";
    lacking(session, "looking for extensions", names, exists).await
}

/// Extensions that are not in the target database yet.
pub(super) async fn absent_extensions(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname::pg_catalog.text = r)";
    lacking(session, "looking for extensions", names, exists).await
}

/// Extensions that only a superuser may install.
pub(super) async fn restricted_extensions(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let free = "NOT EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions v JOIN pg_catalog.pg_available_extensions e \
                ON e.name = v.name AND e.default_version = v.version WHERE v.name::pg_catalog.text = r AND v.superuser AND NOT v.trusted)";
    lacking(session, "looking for extensions", names, free).await
}

/// Tablespaces that the target's server does not have.
pub(super) async fn missing_tablespaces(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname::pg_catalog.text = r)";
    lacking(session, "looking for tablespaces", names, exists).await
}

/// Tablespaces that are there and not for the session's role.
pub(super) async fn closed_tablespaces(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let open = "NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname::pg_catalog.text = r \
                AND NOT pg_catalog.has_tablespace_privilege(oid, 'CREATE') \
                AND oid <> (SELECT dattablespace FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))";
    lacking(session, "looking for tablespaces", names, open).await
}

/// Access methods that the target does not have.
pub(super) async fn missing_access_methods(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_am WHERE amname::pg_catalog.text = r)";
    lacking(session, "looking for access methods", names, exists).await
}

/// Built-in collations that the target database cannot use: initdb imports what its machine has.
pub(super) async fn missing_collations(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collname::pg_catalog.text = r \
                  AND collnamespace = 'pg_catalog'::pg_catalog.regnamespace AND collencoding IN (-1, \
                  (SELECT encoding FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))";
    lacking(session, "looking for collations", names, exists).await
}

/// Schemas that are not there.
pub(super) async fn missing_schemas(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let exists = "EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname::pg_catalog.text = r)";
    lacking(session, "looking for schemas", names, exists).await
}

/// Schemas that are there and in which the session's role may not create.
pub(super) async fn closed_schemas(session: &Session, names: &[&str]) -> Result<Vec<String>> {
    let open = "NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname::pg_catalog.text = r \
                AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE'))";
    lacking(session, "looking for schemas", names, open).await
}

/// Those of the roles that are to own objects in a schema who may not create there, which the server asks of a new owner unless a superuser gives the
/// object away (PostgreSQL manual, ALTER TABLE). Grants on schemas that the archive makes come later than their objects. Missing roles are not among
/// them.
pub(super) async fn kept_out<'a>(session: &Session, all: &[&'a OwnedIn]) -> Result<Vec<&'a OwnedIn>> {
    let of =
        |part: fn(&OwnedIn) -> Option<&str>| -> Vec<Option<&str>> { all.iter().map(|o| part(o)).collect() };
    let sql = "SELECT n FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[])) \
               WITH ORDINALITY AS u (o, s, m, n) \
               JOIN pg_catalog.pg_roles r ON r.rolname::pg_catalog.text = o \
               LEFT JOIN pg_catalog.pg_roles made ON made.rolname::pg_catalog.text = m \
               LEFT JOIN pg_catalog.pg_namespace own ON own.nspname::pg_catalog.text = s AND m IS NULL \
               WHERE NOT coalesce(pg_catalog.pg_has_role(r.oid, made.oid, 'USAGE'), pg_catalog.has_schema_privilege(r.oid, own.oid, 'CREATE'), true)";
    let rows = session
        .query(sql, &[&of(|o| Some(&o.owner)), &of(|o| Some(&o.schema)), &of(|o| o.made_by.as_deref())])
        .await
        .map_err(|e| session.error(e))
        .context("looking at owners and schemas")?;
    let places = rows.iter().filter_map(|r| usize::try_from(r.get::<_, i64>(0) - 1).ok());
    Ok(places.filter_map(|n| all.get(n).copied()).collect())
}

/// What the session's role may do.
pub(super) struct Abilities {
    /// Its name.
    pub role: String,
    /// Everything.
    pub superuser: bool,
    /// More than a stock server tells: see [`MANAGED`].
    pub managed: bool,
    /// CREATE on the database.
    pub create: bool,
    /// `server_encoding`.
    pub encoding: String,
    /// Languages in which only superusers may write functions.
    pub untrusted: HashSet<String>,
}

/// Asks who the session's role is.
pub(super) async fn abilities(session: &Session) -> Result<Abilities> {
    let sql = "SELECT r.rolname::pg_catalog.text, r.rolsuper, \
                 EXISTS (SELECT FROM pg_catalog.pg_roles m WHERE m.rolname::pg_catalog.text = ANY ($1::pg_catalog.text[]) AND pg_catalog.pg_has_role(m.oid, 'MEMBER')), \
                 pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), \
                 pg_catalog.getdatabaseencoding()::pg_catalog.text, \
                 ARRAY(SELECT lanname::pg_catalog.text FROM pg_catalog.pg_language WHERE NOT lanpltrusted) \
               FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER";
    let row = session
        .query_one(sql, &[&MANAGED])
        .await
        .map_err(|e| session.error(e))
        .context("looking at what the role may do")?;
    let untrusted: Vec<String> = row.get(5);
    Ok(Abilities {
        role: row.get(0),
        superuser: row.get(1),
        managed: row.get(2),
        create: row.get(3),
        encoding: row.get(4),
        untrusted: untrusted.into_iter().collect(),
    })
}

/// Sends one statement in a transaction that is rolled back; the server's words when it refuses.
async fn tried(session: &Session, sql: &str) -> Result<Result<(), (Option<SqlState>, String)>> {
    session.batch_execute("BEGIN").await.map_err(|e| session.error(e))?;
    let answer = session.batch_execute(sql).await;
    session.batch_execute("ROLLBACK").await.map_err(|e| session.error(e))?;
    Ok(answer.map_err(|e| {
        let code = e.code().cloned();
        (code, session.error(e).message().to_owned())
    }))
}

/// Those of the archive's own collations, by their options, that the target's provider does not have, with the server's words.
pub(super) async fn impossible_collations<'a>(
    session: &Session,
    options: impl Iterator<Item = &'a String>,
) -> Result<Vec<(&'a String, String)>> {
    let mut all = Vec::new();
    for options in options {
        let sql = format!("CREATE COLLATION pg_temp.pgbaton_trial {options}");
        match tried(session, &sql).await.context("trying collations")? {
            // Without TEMPORARY on the database nothing can be tried.
            Ok(()) | Err((Some(SqlState::INSUFFICIENT_PRIVILEGE), _)) => {}
            Err((_, words)) => all.push((options, words)),
        }
    }
    Ok(all)
}

/// Providers of security labels that are not loaded: no catalog lists them.
pub(super) async fn missing_providers<'a>(
    session: &Session,
    names: impl Iterator<Item = &'a String>,
) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for name in names {
        let sql = format!("SECURITY LABEL FOR {} ON SCHEMA pg_catalog IS NULL", ident(name));
        if let Err((Some(SqlState::INVALID_PARAMETER_VALUE), _)) =
            tried(session, &sql).await.context("looking for providers of security labels")?
        {
            all.push(name.clone());
        }
    }
    Ok(all)
}

/// What the server says of the first statement that it refuses.
pub(super) async fn refused(session: &Session, statements: &[String]) -> Result<Option<String>> {
    if statements.is_empty() {
        return Ok(None);
    }
    let sql = statements.join(";\n");
    let answer = tried(session, &sql).await.context("trying the database's properties")?;
    Ok(answer.err().map(|(_, words)| words))
}
