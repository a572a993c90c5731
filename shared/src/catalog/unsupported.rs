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
    // Casts from a range to its multirange belong to the type (deptype i).
    unsupported(
        "casts",
        "pg_cast",
        "NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_cast'::regclass AND i.objid = o.oid AND i.deptype = 'i')",
    ),
    unsupported("operators", "pg_operator", "o.oprcode <> 0"),
    unsupported("operator families", "pg_opfamily", "true"),
    unsupported("operator classes", "pg_opclass", "true"),
    unsupported("collations", "pg_collation", "true"),
    unsupported("conversions", "pg_conversion", "true"),
    unsupported("languages", "pg_language", "o.lanispl"),
    unsupported("transforms", "pg_transform", "true"),
    unsupported("access methods", "pg_am", "true"),
    unsupported("text search parsers", "pg_ts_parser", "true"),
    unsupported("text search templates", "pg_ts_template", "true"),
    unsupported("text search dictionaries", "pg_ts_dict", "true"),
    unsupported("text search configurations", "pg_ts_config", "true"),
    unsupported(
        "base types",
        "pg_type",
        "(o.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid)) \
         OR (o.typtype = 'p' AND NOT o.typisdefined)",
    ),
];

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
    for row in cx.rows("objects that are not archived yet", &all, &[]).await? {
        let (kind, object): (&str, Option<&str>) = (field(&row, "kind")?, field(&row, "object")?);
        if let Some(object) = object {
            out.warnings.push(format!("{object} is not in the backup: {kind} are not archived yet"));
        }
    }
    Ok(())
}
