//! STATISTICS entries: extended statistics.

use std::fmt::Write;

use super::relations::Relations;
use crate::{
    base::Result,
    catalog::{
        class::{PG_CLASS, PG_STATISTIC_EXT, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
        select::{Limits, within},
    },
    pg::qualified,
};

/// No target is NULL since 17 and -1 before.
const STATISTICS: &str = "
SELECT s.oid, n.nspname::text AS schema, s.stxname::text AS name, pg_get_userbyid(s.stxowner)::text AS owner, s.stxrelid,
       pg_get_statisticsobjdef(s.oid) AS definition, coalesce(s.stxstattarget, -1)::int4 AS target
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE ";

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let Limits { only, but } = cx.limits(PG_CLASS);
    let query = format!("{STATISTICS}{}", within("s.stxrelid", 1, 2));
    for row in cx.rows("extended statistics", &query, &[&only, &but]).await? {
        let key = definition(PG_STATISTIC_EXT, field(&row, "oid")?);
        let schema: String = field(&row, "schema")?;
        let name: String = field(&row, "name")?;
        let sql = qualified(&schema, &name);
        if cx.extension_members.contains(&key.id)
            || !cx.keeps(key.id)
            || !cx.namespaces.values().any(|n| *n == schema)
        {
            continue;
        }
        if relations.get(field(&row, "stxrelid")?).is_none() {
            out.warnings
                .push(format!("statistics {sql} are not in the backup: their table belongs to an extension"));
            continue;
        }
        let mut definition = format!("{};\n", field::<&str>(&row, "definition")?);
        let target: i32 = field(&row, "target")?;
        if target >= 0 {
            let _ = writeln!(definition, "ALTER STATISTICS {sql} SET STATISTICS {target};");
        }
        out.add(Draft {
            namespace: Some(schema),
            owner: field(&row, "owner")?,
            definition,
            drop: format!("DROP STATISTICS {sql};\n"),
            ..Draft::blank(key, "STATISTICS", Section::PostData, name)
        });
    }
    Ok(())
}
