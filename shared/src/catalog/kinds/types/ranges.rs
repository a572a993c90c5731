//! Range types, with the multirange type that comes with each.

use std::collections::HashMap;

use super::{Type, shell};
use crate::{
    base::Result,
    catalog::{
        class::FIRST_USER_OID,
        draft::{Context, Drafts},
        rows::field,
    },
    pg::{ServerVersion, qualified},
};

/// PostgreSQL 13 has no `rngmultitypid`.
fn ranges_sql(version: ServerVersion) -> String {
    let multirange = if version.major() >= 14 { "format_type(r.rngmultitypid, NULL)" } else { "NULL::text" };
    format!(
        "
SELECT r.rngtypid AS oid, format_type(r.rngsubtype, NULL) AS subtype, {multirange} AS multirange,
       opc.opcdefault AS usual_opclass, opn.nspname::text AS opclass_schema, opc.opcname::text AS opclass,
       cn.nspname::text AS collation_schema, co.collname::text AS collation,
       CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::regproc::text END AS canonical,
       CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::regproc::text END AS subtype_diff
FROM pg_range r
JOIN pg_type st ON st.oid = r.rngsubtype
JOIN pg_opclass opc ON opc.oid = r.rngsubopc
JOIN pg_namespace opn ON opn.oid = opc.opcnamespace
LEFT JOIN pg_collation co ON co.oid = r.rngcollation AND r.rngcollation <> st.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE r.rngtypid >= $1"
    )
}

pub(super) async fn collect(cx: &Context<'_>, out: &mut Drafts, types: Vec<Type>) -> Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    let mut by_oid: HashMap<u32, Type> = types.into_iter().map(|t| (t.key.id.oid, t)).collect();
    for row in cx.rows("range types", &ranges_sql(cx.version), &[&FIRST_USER_OID]).await? {
        let Some(t) = by_oid.remove(&field(&row, "oid")?) else { continue };
        let mut options = vec![format!("subtype = {}", field::<&str>(&row, "subtype")?)];
        if let Some(multirange) = field::<Option<&str>>(&row, "multirange")? {
            options.push(format!("multirange_type_name = {multirange}"));
        }
        if !field::<bool>(&row, "usual_opclass")? {
            let opclass = qualified(field(&row, "opclass_schema")?, field(&row, "opclass")?);
            options.push(format!("subtype_opclass = {opclass}"));
        }
        if let (Some(schema), Some(name)) = (field(&row, "collation_schema")?, field(&row, "collation")?) {
            options.push(format!("collation = {}", qualified(schema, name)));
        }
        let canonical: Option<&str> = field(&row, "canonical")?;
        options.extend(canonical.map(|f| format!("canonical = {f}")));
        options.extend(field::<Option<&str>>(&row, "subtype_diff")?.map(|f| format!("subtype_diff = {f}")));
        let create =
            format!("CREATE TYPE {} AS RANGE (\n    {}\n);\n", t.sql_name(), options.join(",\n    "));
        out.add(t.draft("TYPE", create));
        if canonical.is_some() {
            out.add(shell(&t));
        }
    }
    Ok(())
}
