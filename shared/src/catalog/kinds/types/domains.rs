//! Domains and their constraints.

use std::collections::HashMap;

use super::Type;
use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_CONSTRAINT, definition},
        draft::{Context, Draft, Drafts, Fragment, FragmentKind, Section},
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
       pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c WHERE c.contypid <> 0 AND c.contype IN ('c', 'n') AND c.oid >= $1 ORDER BY c.contypid, c.conname";

struct Constraint {
    oid: u32,
    name: String,
    kind: String,
    definition: String,
    validated: bool,
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
            let id = definition(PG_CONSTRAINT, c.oid).id;
            if c.kind != "c" {
                out.aliases.insert(id, t.key.id);
            } else if c.validated {
                create.push_str(&Fragment::slot(id));
                out.fragments.insert(id, piece(&t, &c));
            } else {
                out.add(separate(&t, &c));
            }
        }
        create.push_str(";\n");
        out.add(t.draft("DOMAIN", create));
    }
    Ok(())
}

async fn constraints(cx: &Context<'_>) -> Result<HashMap<u32, Vec<Constraint>>> {
    let mut by_domain: HashMap<u32, Vec<Constraint>> = HashMap::new();
    for row in cx.rows("constraints of domains", CONSTRAINTS, &[&FIRST_USER_OID]).await? {
        by_domain.entry(field(&row, "domain")?).or_default().push(Constraint {
            oid: field(&row, "oid")?,
            name: field(&row, "name")?,
            kind: field(&row, "kind")?,
            definition: field(&row, "definition")?,
            validated: field(&row, "validated")?,
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

/// A constraint that is part of the domain unless what it uses needs the domain.
fn piece(t: &Type, c: &Constraint) -> Fragment {
    Fragment {
        owner: t.key.id,
        kind: FragmentKind::DomainConstraint,
        inline: format!("\n\tCONSTRAINT {} {}", ident(&c.name), c.definition),
        without: String::new(),
        apart: Some(separate(t, c)),
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
