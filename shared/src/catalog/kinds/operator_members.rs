//! The operators and functions of operator families: those of an operator class and the loose ones, which belong to the family alone.
//! `pg_depend` tells them apart.

use std::collections::HashMap;

use tokio_postgres::Row;

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_OPCLASS, PG_OPFAMILY},
        draft::{CatalogId, Context},
        rows::field,
    },
    pg::qualified,
};

/// pg_dump sorts by strategy alone; the rest of its order is that of the index by which the server finds a family's operators.
const OPERATORS: &str = "
SELECT d.refclassid AS class, d.refobjid AS oid, o.amopstrategy::int4 AS number, o.amopopr::regoperator::text AS operator,
       n.nspname::text AS sort_schema, f.opfname::text AS sort_family
FROM pg_amop o
JOIN pg_depend d ON d.classid = 'pg_amop'::regclass AND d.objid = o.oid
LEFT JOIN pg_opfamily f ON f.oid = o.amopsortfamily
LEFT JOIN pg_namespace n ON n.oid = f.opfnamespace
WHERE o.oid >= $1
  AND (d.refclassid = 'pg_opclass'::regclass OR (d.refclassid = 'pg_opfamily'::regclass AND d.refobjid = o.amopfamily))
ORDER BY o.amopstrategy, o.amoplefttype, o.amoprighttype, o.amoppurpose";

/// pg_dump sorts by number alone; the rest of its order is that in which they were added.
const FUNCTIONS: &str = "
SELECT d.refclassid AS class, d.refobjid AS oid, p.amprocnum::int4 AS number, p.amproc::regprocedure::text AS function,
       p.amproclefttype::regtype::text AS left_type, p.amprocrighttype::regtype::text AS right_type
FROM pg_amproc p
JOIN pg_depend d ON d.classid = 'pg_amproc'::regclass AND d.objid = p.oid
WHERE p.oid >= $1 AND d.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
ORDER BY p.amprocnum, p.oid";

/// `OPERATOR …` and `FUNCTION …` items of each operator class and family, in pg_dump's order.
pub(super) type Members = HashMap<CatalogId, Vec<String>>;

pub(super) async fn load(cx: &Context<'_>) -> Result<Members> {
    let mut members = Members::new();
    for row in cx.rows("operators of operator classes", OPERATORS, &[&FIRST_USER_OID]).await? {
        let mut item =
            format!("OPERATOR {} {}", field::<i32>(&row, "number")?, field::<&str>(&row, "operator")?);
        if let (Some(schema), Some(family)) = (field(&row, "sort_schema")?, field(&row, "sort_family")?) {
            item.push_str(&format!(" FOR ORDER BY {}", qualified(schema, family)));
        }
        members.entry(owner(&row)?).or_default().push(item);
    }
    for row in cx.rows("functions of operator classes", FUNCTIONS, &[&FIRST_USER_OID]).await? {
        let item = format!(
            "FUNCTION {} ({}, {}) {}",
            field::<i32>(&row, "number")?,
            field::<&str>(&row, "left_type")?,
            field::<&str>(&row, "right_type")?,
            field::<&str>(&row, "function")?
        );
        members.entry(owner(&row)?).or_default().push(item);
    }
    Ok(members)
}

fn owner(row: &Row) -> Result<CatalogId> {
    let id = CatalogId { class: field(row, "class")?, oid: field(row, "oid")? };
    debug_assert!(matches!(id.class, PG_OPCLASS | PG_OPFAMILY));
    Ok(id)
}
