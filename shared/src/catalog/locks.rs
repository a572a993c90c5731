//! The tables that must be locked before anything is read under the snapshot.

use tokio_postgres::Client;

use super::{
    draft::CatalogId,
    rows::{field, letter, rows},
    select::Choice,
};
use crate::{base::Result, pg::ServerVersion};

/// A table to lock ACCESS SHARE right after the snapshot is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTarget {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Schema, unquoted.
    pub schema: String,
    /// Name, unquoted.
    pub name: String,
    /// `r` or `p`: LOCK TABLE takes no other kind that has rows of its own.
    pub relkind: char,
    /// `pg_class.relfilenode` under the snapshot, to be compared with `pg_relation_filenode(oid)` before the rows are read; 0 for
    /// partitioned tables, which have no storage.
    pub relfilenode: u32,
}

/// As pg_dump's `getTables`: tables and partitioned tables of user schemas; of extensions' tables only those whose rows are the user's.
const TARGETS: &str = "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, \
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS member \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' \
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
       AND (NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid \
                          AND d.deptype = 'e') \
            OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))) \
     ORDER BY n.nspname, c.relname";

/// The tables to lock, of all or of what was chosen, in the order in which to lock them (by schema and name, so that two backups never wait for
/// each other).
///
/// # Errors
/// As the query's error.
pub async fn tables_to_lock(
    client: &Client,
    _version: ServerVersion,
    choice: Option<&Choice>,
) -> Result<Vec<LockTarget>> {
    let found = rows(client, "the tables to lock", TARGETS, &[]).await?;
    let mut targets = Vec::new();
    for row in &found {
        let oid: u32 = field(row, "oid")?;
        let member: bool = field(row, "member")?;
        // Of an extension's table there is nothing to read but the rows.
        let chosen = |c: &Choice| c.is_full(oid) || (!member && c.keeps(CatalogId::relation(oid)));
        if choice.is_none_or(chosen) {
            targets.push(LockTarget {
                oid,
                schema: field(row, "nspname")?,
                name: field(row, "relname")?,
                relkind: letter(row, "relkind")?,
                relfilenode: field(row, "relfilenode")?,
            });
        }
    }
    Ok(targets)
}
