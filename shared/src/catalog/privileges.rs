//! What the current user may not read of a database although a full backup needs it.

use serde::Serialize;
use tokio_postgres::Client;

use super::rows::{field, rows};
use crate::base::Result;

/// Names that are given of each kind; all are counted.
const NAMED: u32 = 20;

/// Objects of one kind that a backup would fail of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// How many.
    pub count: i64,
    /// The first 20 of them, as SQL writes them.
    pub names: Vec<String>,
}

/// What keeps a full backup from being made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Tables without SELECT, or USAGE of their schema.
    pub tables: Withheld,
    /// Sequences, likewise.
    pub sequences: Withheld,
    /// Large objects without SELECT.
    pub large_objects: Withheld,
    /// Tables whose policies would leave rows out, which a backup refuses.
    pub row_security: Withheld,
}

impl Missing {
    /// Whether a full backup can be made.
    pub fn is_empty(&self) -> bool {
        let Self { tables, sequences, large_objects, row_security } = self;
        [tables, sequences, large_objects, row_security].iter().all(|w| w.count == 0)
    }
}

/// Relations of user schemas as [`super::tables_to_lock`] has them: of extensions' only those whose rows are the user's.
const OF_USERS: &str = "c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
     AND (NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
          OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))";

const RELATION: &str = "SELECT count(*) OVER () AS count, format('%I.%I', n.nspname, c.relname) AS name \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/// `LOCK TABLE` wants SELECT on the whole table, not on columns.
const TABLES: &str = "c.relkind IN ('r', 'p') AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))";

const SEQUENCES: &str = "c.relkind = 'S' AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT'))";

/// Whatever `row_security` is set to.
const ROW_SECURITY: &str = "c.relkind IN ('r', 'p') AND c.relrowsecurity AND row_security_active(c.oid) \
     AND has_table_privilege(c.oid, 'SELECT')";

/// Servers before 18 have no function for it. Without an ACL the owner alone may read.
const LARGE_OBJECTS: &str = "SELECT count(*) OVER () AS count, l.oid::text AS name FROM pg_largeobject_metadata l \
     WHERE NOT pg_has_role(l.lomowner, 'USAGE') AND current_setting('lo_compat_privileges') <> 'on' \
       AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) a WHERE a.privilege_type = 'SELECT' \
                         AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE'))) \
     ORDER BY l.oid";

/// Looks for what is missing; reads catalogs only. Names are found with an empty `search_path`.
///
/// # Errors
/// As the queries' errors.
pub async fn missing(client: &Client) -> Result<Missing> {
    let relations = |condition: &str| {
        format!("{RELATION} WHERE {OF_USERS} AND {condition} ORDER BY n.nspname, c.relname")
    };
    Ok(Missing {
        tables: withheld(client, "privileges on tables", &relations(TABLES)).await?,
        sequences: withheld(client, "privileges on sequences", &relations(SEQUENCES)).await?,
        large_objects: withheld(client, "privileges on large objects", LARGE_OBJECTS).await?,
        row_security: withheld(client, "row-level security", &relations(ROW_SECURITY)).await?,
    })
}

async fn withheld(client: &Client, what: &str, sql: &str) -> Result<Withheld> {
    let mut found = Withheld::default();
    for row in rows(client, what, &format!("{sql} LIMIT {NAMED}"), &[]).await? {
        found.count = field(&row, "count")?;
        found.names.push(field(&row, "name")?);
    }
    Ok(found)
}
