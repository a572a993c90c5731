//! TYPE entries of base, enum, composite and range types, DOMAIN entries, and the catalog rows that come with a type.

mod base;
mod domains;
mod ranges;

use std::collections::HashMap;

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_CLASS, PG_PROC, PG_TYPE, definition},
        draft::{CatalogId, Context, Draft, Drafts, Key, Section},
        rows::field,
    },
    pg::{ident, literal, qualified},
};

/// A type as every kind of type has it.
struct Type {
    key: Key,
    schema: String,
    name: String,
    owner: String,
}

impl Type {
    fn sql_name(&self) -> String {
        qualified(&self.schema, &self.name)
    }

    fn draft(&self, desc: &'static str, create: String) -> Draft {
        Draft {
            namespace: Some(self.schema.clone()),
            owner: self.owner.clone(),
            definition: create,
            drop: format!("DROP {desc} {};\n", self.sql_name()),
            ..Draft::blank(self.key, desc, Section::PreData, self.name.clone())
        }
    }
}

/// Base, enum, composite, domain and range types and types never defined (`p`); without array types and row types of relations (their
/// `pg_class` row is no composite type's).
const TYPES: &str = "
SELECT t.oid, t.typnamespace AS schema_oid, n.nspname::text AS schema, t.typname::text AS name,
       pg_get_userbyid(t.typowner)::text AS owner, t.typtype::text AS kind
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
WHERE CASE WHEN t.typisdefined THEN t.typtype IN ('b', 'c', 'd', 'e', 'r') ELSE t.typtype = 'p' END
  AND (c.oid IS NULL OR c.relkind = 'c') AND e.oid IS NULL AND t.oid >= $1";

const LABELS: &str = "
SELECT enumtypid AS oid, enumlabel::text AS label FROM pg_enum WHERE enumtypid >= $1 ORDER BY enumtypid, enumsortorder";

const ATTRIBUTES: &str = "
SELECT c.reltype AS oid, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       cn.nspname::text AS collation_schema, co.collname::text AS collation
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE c.relkind = 'c'
ORDER BY c.reltype, a.attnum";

/// Row types (`relation` is their `pg_class` row) and array types (`element`).
const COMPANIONS: &str = "
SELECT t.oid, t.typrelid AS relation, c.relkind::text AS relkind,
       CASE WHEN e.typarray = t.oid THEN t.typelem ELSE 0 END AS element
FROM pg_type t
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_type e ON e.oid = t.typelem
WHERE t.oid >= $1 AND (c.oid IS NOT NULL OR e.typarray = t.oid)";

/// PostgreSQL 13 has no multirange types.
const MULTIRANGES: &str = "SELECT rngmultitypid AS oid, rngtypid AS range FROM pg_range WHERE rngtypid >= $1";

/// The functions that construct values of a range or multirange type, made together with it.
const CONSTRUCTORS: &str = "
SELECT objid AS oid, refobjid AS type FROM pg_depend
WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_type'::regclass AND deptype = 'i' AND objid >= $1";

/// Adds base, enum, composite, range types and domains of the user's schemas; what comes with any type (its array type, a table's row type, a
/// multirange type, constructor functions) becomes an alias.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let mut kinds: HashMap<char, Vec<Type>> = HashMap::new();
    for row in cx.rows("types", TYPES, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_TYPE, field(&row, "oid")?);
        let in_user_schema = cx.namespaces.contains_key(&field(&row, "schema_oid")?);
        if !in_user_schema || cx.extension_members.contains(&key.id) {
            continue;
        }
        let kind: String = field(&row, "kind")?;
        kinds.entry(kind.chars().next().unwrap_or('?')).or_default().push(Type {
            key,
            schema: field(&row, "schema")?,
            name: field(&row, "name")?,
            owner: field(&row, "owner")?,
        });
    }
    companions(cx, out).await?;
    base::undefined(out, kinds.remove(&'p').unwrap_or_default());
    base::collect(cx, out, kinds.remove(&'b').unwrap_or_default()).await?;
    enums(cx, out, kinds.remove(&'e').unwrap_or_default()).await?;
    composites(cx, out, kinds.remove(&'c').unwrap_or_default()).await?;
    ranges::collect(cx, out, kinds.remove(&'r').unwrap_or_default()).await?;
    domains::collect(cx, out, kinds.remove(&'d').unwrap_or_default()).await
}

async fn companions(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let mut stands_for: HashMap<u32, CatalogId> = HashMap::new();
    let mut arrays = Vec::new();
    for row in cx.rows("types", COMPANIONS, &[&FIRST_USER_OID]).await? {
        let oid: u32 = field(&row, "oid")?;
        let element: u32 = field(&row, "element")?;
        let relkind: Option<String> = field(&row, "relkind")?;
        if element != 0 {
            arrays.push((oid, element));
        } else if let Some(relkind) = relkind {
            let relation = CatalogId { class: PG_CLASS, oid: field(&row, "relation")? };
            if relkind == "c" {
                out.aliases.insert(relation, CatalogId { class: PG_TYPE, oid });
            } else {
                stands_for.insert(oid, relation);
            }
        }
    }
    if cx.version.major() >= 14 {
        for row in cx.rows("multirange types", MULTIRANGES, &[&FIRST_USER_OID]).await? {
            stands_for.insert(field(&row, "oid")?, CatalogId { class: PG_TYPE, oid: field(&row, "range")? });
        }
    }
    for (array, element) in arrays {
        let whose = stands_for.get(&element).copied().unwrap_or(CatalogId { class: PG_TYPE, oid: element });
        stands_for.insert(array, whose);
    }
    for row in cx.rows("range constructors", CONSTRUCTORS, &[&FIRST_USER_OID]).await? {
        let of: u32 = field(&row, "type")?;
        let whose = stands_for.get(&of).copied().unwrap_or(CatalogId { class: PG_TYPE, oid: of });
        out.aliases.insert(CatalogId { class: PG_PROC, oid: field(&row, "oid")? }, whose);
    }
    out.aliases.extend(stands_for.into_iter().map(|(oid, whose)| (CatalogId { class: PG_TYPE, oid }, whose)));
    Ok(())
}

async fn enums(cx: &Context<'_>, out: &mut Drafts, types: Vec<Type>) -> Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    let mut labels: HashMap<u32, Vec<String>> = HashMap::new();
    for row in cx.rows("enum labels", LABELS, &[&FIRST_USER_OID]).await? {
        let label: &str = field(&row, "label")?;
        labels.entry(field(&row, "oid")?).or_default().push(format!("\n    {}", literal(label)));
    }
    for t in types {
        let list = labels.remove(&t.key.id.oid).unwrap_or_default().join(",");
        let create = format!("CREATE TYPE {} AS ENUM ({list}\n);\n", t.sql_name());
        out.add(t.draft("TYPE", create));
    }
    Ok(())
}

async fn composites(cx: &Context<'_>, out: &mut Drafts, types: Vec<Type>) -> Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    let mut attributes: HashMap<u32, Vec<String>> = HashMap::new();
    for row in cx.rows("attributes of composite types", ATTRIBUTES, &[]).await? {
        let mut line = format!("\n\t{} {}", ident(field(&row, "name")?), field::<&str>(&row, "type")?);
        if let (Some(schema), Some(name)) = (field(&row, "collation_schema")?, field(&row, "collation")?) {
            line.push_str(&format!(" COLLATE {}", qualified(schema, name)));
        }
        attributes.entry(field(&row, "oid")?).or_default().push(line);
    }
    for t in types {
        let list = attributes.remove(&t.key.id.oid).unwrap_or_default().join(",");
        let create = format!("CREATE TYPE {} AS ({list}\n);\n", t.sql_name());
        out.add(t.draft("TYPE", create));
    }
    Ok(())
}

/// A base type's functions, or a range type's canonical function, take or give the type, so a shell of the type comes before them. As in
/// pg_dump the shell has no catalog row of its own: class 0.
fn shell(t: &Type) -> Draft {
    Draft {
        key: definition(0, t.key.id.oid),
        drop: String::new(),
        ..t.draft("SHELL TYPE", format!("CREATE TYPE {};\n", t.sql_name()))
    }
}
