//! What the database holds that is not archived yet. Nothing may be left out in silence: each such object gives a warning.

use super::{
    draft::{Context, Drafts},
    rows::field,
};
use crate::base::Result;

/// First oid of objects that users made (`FirstNormalObjectId` of PostgreSQL's access/transam.h).
const FIRST_USER_OID: u32 = 16_384;

/// A kind of object: its name in the warning, its catalog, which rows of it.
struct Unsupported {
    kind: &'static str,
    catalog: &'static str,
    rows: &'static str,
}

const fn unsupported(kind: &'static str, catalog: &'static str, rows: &'static str) -> Unsupported {
    Unsupported { kind, catalog, rows }
}

/// Kinds to come. A kind that gets a collector loses its line here.
const KINDS: &[Unsupported] = &[
    unsupported("foreign data wrappers", "pg_foreign_data_wrapper", "true"),
    unsupported("foreign servers", "pg_foreign_server", "true"),
    unsupported("foreign tables", "pg_class", "o.relkind = 'f'"),
    unsupported("event triggers", "pg_event_trigger", "true"),
    unsupported("publications", "pg_publication", "true"),
    unsupported("extended statistics", "pg_statistic_ext", "true"),
];

/// Kinds that cannot be read from their catalog, for want of an oid or of privileges.
const OTHERS: &str = "SELECT 'user mappings' AS kind, 'user mapping for ' || usename || ' on ' || srvname AS object \
       FROM pg_user_mappings \
     UNION ALL SELECT 'subscriptions', 'subscription ' || subname FROM pg_subscription \
       WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     UNION ALL SELECT 'security labels', 'security label on ' || objtype || ' ' || objname FROM pg_seclabels \
       WHERE objtype NOT IN ('database', 'role', 'tablespace') \
     UNION ALL SELECT 'rows of extensions'' configuration tables', 'table ' || c.oid::regclass::text \
       FROM pg_extension e, unnest(e.extconfig) AS t(oid) JOIN pg_class c USING (oid) WHERE c.relkind <> 'S' \
     ORDER BY 1, 2";

fn query(kind: &Unsupported) -> String {
    let (name, catalog, rows) = (kind.kind, kind.catalog, kind.rows);
    format!(
        "SELECT '{name}' AS kind, pg_describe_object('{catalog}'::regclass, o.oid, 0) AS object \
         FROM {catalog} o WHERE o.oid >= {FIRST_USER_OID} AND ({rows}) \
           AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{catalog}'::regclass AND e.objid = o.oid \
                             AND e.deptype = 'e')"
    )
}

/// One warning for each object of a kind that is not archived yet.
pub(crate) async fn warn(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let all: Vec<String> = KINDS.iter().map(query).collect();
    let all = format!("{} ORDER BY 1, 2", all.join(" UNION ALL "));
    for sql in [all.as_str(), OTHERS] {
        for row in cx.rows("objects that are not archived yet", sql, &[]).await? {
            let (kind, object): (&str, Option<&str>) = (field(&row, "kind")?, field(&row, "object")?);
            if let Some(object) = object {
                out.warnings.push(format!("{object} is not in the backup: {kind} are not archived yet"));
            }
        }
    }
    Ok(())
}
