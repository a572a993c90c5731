//! `pg_depend`, as the graph needs it.

use std::collections::HashMap;

use super::{
    draft::{CatalogId, Context},
    graph::Dependency,
    rows::field,
};
use crate::base::Result;

/// Pinned rows (13) and memberships of extensions say nothing about order. What the members of an operator family need, the family
/// needs: those of a class too, as the class comes after its family (`getDependencies` in pg_dump.c).
const DEPENDENCIES: &str = "SELECT DISTINCT classid, objid, refclassid, refobjid FROM pg_depend \
     WHERE deptype NOT IN ('p', 'e') AND objid >= 16384 AND NOT (classid = refclassid AND objid = refobjid) \
     UNION ALL \
     SELECT 'pg_opfamily'::regclass, m.amopfamily, d.refclassid, d.refobjid \
     FROM pg_amop m JOIN pg_depend d ON d.classid = 'pg_amop'::regclass AND d.objid = m.oid \
     WHERE m.oid >= 16384 AND d.deptype NOT IN ('p', 'e', 'i') \
       AND NOT (d.refclassid = 'pg_opfamily'::regclass AND d.refobjid = m.amopfamily) \
     UNION ALL \
     SELECT 'pg_opfamily'::regclass, m.amprocfamily, d.refclassid, d.refobjid \
     FROM pg_amproc m JOIN pg_depend d ON d.classid = 'pg_amproc'::regclass AND d.objid = m.oid \
     WHERE m.oid >= 16384 AND d.deptype NOT IN ('p', 'e', 'i') \
       AND NOT (d.refclassid = 'pg_opfamily'::regclass AND d.refobjid = m.amprocfamily)";

const MEMBERS: &str = "SELECT classid, objid, refclassid, refobjid FROM pg_depend \
     WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'";

/// All dependencies between objects that users made.
pub(crate) async fn load(cx: &Context<'_>) -> Result<Vec<Dependency>> {
    pairs(cx, DEPENDENCIES).await
}

/// The extension each member belongs to.
pub(crate) async fn extensions_of_members(cx: &Context<'_>) -> Result<HashMap<CatalogId, CatalogId>> {
    Ok(pairs(cx, MEMBERS).await?.into_iter().collect())
}

async fn pairs(cx: &Context<'_>, sql: &str) -> Result<Vec<Dependency>> {
    let found = cx.rows("dependencies", sql, &[]).await?;
    found
        .iter()
        .map(|row| {
            let from = CatalogId { class: field(row, "classid")?, oid: field(row, "objid")? };
            let to = CatalogId { class: field(row, "refclassid")?, oid: field(row, "refobjid")? };
            Ok((from, to))
        })
        .collect()
}
