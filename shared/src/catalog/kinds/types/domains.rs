//! Domains and their constraints.

use std::collections::{HashMap, HashSet};

use super::Type;
use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_CONSTRAINT, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::{ident, literal, qualified},
};

const DOMAINS: &str = "
SELECT t.oid, format_type(t.typbasetype, t.typtypmod) AS base, t.typnotnull AS not_null,
       pg_get_expr(t.typdefaultbin, 'pg_type'::regclass) AS default_expression, t.typdefault AS default_literal,
       cn.nspname::text AS collation_schema, co.collname::text AS collation
FROM pg_type t
JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_collation co ON co.oid = t.typcollation AND t.typcollation <> b.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE t.typtype = 'd' AND t.oid >= $1";

/// Before PostgreSQL 17 a domain's NOT NULL was no constraint and had no name.
const CONSTRAINTS: &str = "
SELECT c.contypid AS domain, c.oid, c.conname::text AS name, c.contype::text AS kind, c.convalidated AS validated,
       pg_get_constraintdef(c.oid) AS definition,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
               AND d.refclassid <> 'pg_type'::regclass AND d.refobjid >= $1) AS uses_objects
FROM pg_constraint c WHERE c.contypid <> 0 AND c.contype IN ('c', 'n') ORDER BY c.contypid, c.conname";

/// CHECK constraints that need, through whatever they use, the domain they belong to. A composite type's columns hang on its `pg_class`
/// row, defaults on `pg_attrdef`: those two steps are not in `pg_depend` in this direction.
const LOOPS: &str = "
WITH RECURSIVE edge(classid, objid, refclassid, refobjid) AS (
    SELECT classid, objid, refclassid, refobjid FROM pg_depend WHERE objid >= $1 AND refobjid >= $1
    UNION ALL
    SELECT 'pg_type'::regclass, oid, 'pg_class'::regclass, typrelid FROM pg_type WHERE typrelid <> 0 AND oid >= $1
    UNION ALL
    SELECT 'pg_class'::regclass, adrelid, 'pg_attrdef'::regclass, oid FROM pg_attrdef
), needs(con, classid, objid) AS (
    SELECT c.oid, d.refclassid, d.refobjid
    FROM pg_constraint c JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid AND d.deptype = 'n'
    WHERE c.contypid <> 0 AND c.contype = 'c' AND d.refobjid >= $1
    UNION
    SELECT n.con, e.refclassid, e.refobjid FROM needs n JOIN edge e ON e.classid = n.classid AND e.objid = n.objid
)
SELECT DISTINCT c.oid
FROM needs n JOIN pg_constraint c ON c.oid = n.con
WHERE n.classid = 'pg_type'::regclass AND n.objid = c.contypid";

struct Constraint {
    oid: u32,
    name: String,
    kind: String,
    definition: String,
    separate: bool,
}

pub(super) async fn collect(cx: &Context<'_>, out: &mut Drafts, types: Vec<Type>) -> Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    let mut by_oid: HashMap<u32, Type> = types.into_iter().map(|t| (t.key.id.oid, t)).collect();
    let mut constraints = constraints(cx).await?;
    for row in cx.rows("domains", DOMAINS, &[&FIRST_USER_OID]).await? {
        let Some(t) = by_oid.remove(&field(&row, "oid")?) else { continue };
        let own = constraints.remove(&t.key.id.oid).unwrap_or_default();
        let mut create = format!("CREATE DOMAIN {} AS {}", t.sql_name(), field::<&str>(&row, "base")?);
        if let (Some(schema), Some(name)) = (field(&row, "collation_schema")?, field(&row, "collation")?) {
            create.push_str(&format!(" COLLATE {}", qualified(schema, name)));
        }
        if field(&row, "not_null")? {
            create.push_str(&not_null(&t.name, &own));
        }
        match (
            field::<Option<&str>>(&row, "default_expression")?,
            field::<Option<&str>>(&row, "default_literal")?,
        ) {
            (Some(expression), _) => create.push_str(&format!(" DEFAULT {expression}")),
            (None, Some(text)) => create.push_str(&format!(" DEFAULT {}", literal(text))),
            (None, None) => {}
        }
        for c in own {
            let key = definition(PG_CONSTRAINT, c.oid);
            if c.separate {
                out.add(separate(&t, &c));
                continue;
            }
            if c.kind == "c" {
                create.push_str(&format!("\n\tCONSTRAINT {} {}", ident(&c.name), c.definition));
            }
            out.aliases.insert(key.id, t.key.id);
        }
        create.push_str(";\n");
        out.add(t.draft("DOMAIN", create));
    }
    Ok(())
}

async fn constraints(cx: &Context<'_>) -> Result<HashMap<u32, Vec<Constraint>>> {
    let rows = cx.rows("constraints of domains", CONSTRAINTS, &[&FIRST_USER_OID]).await?;
    let mut looped = HashSet::new();
    let mut any = false;
    for row in &rows {
        any |= field::<bool>(row, "uses_objects")?;
    }
    if any {
        for row in cx.rows("constraints of domains", LOOPS, &[&FIRST_USER_OID]).await? {
            looped.insert(field::<u32>(&row, "oid")?);
        }
    }
    let mut by_domain: HashMap<u32, Vec<Constraint>> = HashMap::new();
    for row in &rows {
        let oid: u32 = field(row, "oid")?;
        by_domain.entry(field(row, "domain")?).or_default().push(Constraint {
            oid,
            name: field(row, "name")?,
            kind: field(row, "kind")?,
            definition: field(row, "definition")?,
            separate: !field::<bool>(row, "validated")? || looped.contains(&oid),
        });
    }
    Ok(by_domain)
}

/// The name is left out where the server would choose the same.
fn not_null(domain: &str, constraints: &[Constraint]) -> String {
    match constraints.iter().find(|c| c.kind == "n") {
        Some(c) if c.name != format!("{domain}_not_null") => {
            format!(" CONSTRAINT {} NOT NULL", ident(&c.name))
        }
        _ => " NOT NULL".to_owned(),
    }
}

fn separate(t: &Type, c: &Constraint) -> Draft {
    let domain = t.sql_name();
    let name = ident(&c.name);
    Draft {
        namespace: Some(t.schema.clone()),
        owner: t.owner.clone(),
        definition: format!("ALTER DOMAIN {domain}\n    ADD CONSTRAINT {name} {};\n", c.definition),
        drop: format!("ALTER DOMAIN {domain} DROP CONSTRAINT {name};\n"),
        depends: [t.key].into(),
        sort_name: c.name.clone(),
        ..Draft::blank(
            definition(PG_CONSTRAINT, c.oid),
            "CHECK CONSTRAINT",
            Section::PostData,
            format!("{} {}", t.name, c.name),
        )
    }
}
