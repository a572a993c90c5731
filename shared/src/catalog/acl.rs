//! ACL entries: the grants of every object that has an entry, and of system objects and extension members whose grants were changed.

mod item;
mod statements;

use tokio_postgres::Row;

pub use self::{
    item::AclItem,
    statements::{AclKind, Subject, statements},
};
use super::{
    class::{
        FIRST_USER_OID, PG_CLASS, PG_EXTENSION, PG_LARGEOBJECT, PG_NAMESPACE, PG_PROC, PG_TYPE, definition,
    },
    draft::{Context, Draft, Drafts, Key, Part, Section},
    rows::field,
};
use crate::{
    base::Result,
    pg::{ServerVersion, ident},
};

/// One query for each catalog that has grants. All give the same columns: `oid`, `attnum` (0 for the object), `schema`, `name`, `arguments`
/// (of a routine), `column_name`, `relkind`, `owner`, `acl` (NULL = never changed), `base` (what a new object has) and `initial` (what initdb
/// or CREATE EXTENSION left, where that differs).
const SOURCES: &[(u32, &str, &str)] = &[
    (PG_NAMESPACE, "grants on schemas", SCHEMAS),
    (PG_TYPE, "grants on types", TYPES),
    (PG_PROC, "grants on functions", ROUTINES),
    (PG_CLASS, "grants on relations", RELATIONS),
    (PG_CLASS, "grants on columns", COLUMNS),
    (PG_LARGEOBJECT, "grants on large objects", LARGE_OBJECTS),
];

/// `public` is listed even when its grants were never changed: its base is not what `acldefault` says.
const SCHEMAS: &str = "
SELECT n.oid, 0 AS attnum, NULL::text AS schema, n.nspname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(n.nspowner)::text AS owner, n.nspacl::text[] AS acl,
       acldefault('n', n.nspowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_namespace n
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_namespace'::regclass AND i.objoid = n.oid AND i.objsubid = 0
WHERE n.nspname = 'public' OR (n.nspacl IS DISTINCT FROM i.initprivs AND n.nspname !~ '^pg_(toast|temp)')";

const TYPES: &str = "
SELECT t.oid, 0 AS attnum, n.nspname::text AS schema, t.typname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(t.typowner)::text AS owner, t.typacl::text[] AS acl,
       acldefault('T', t.typowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_type'::regclass AND i.objoid = t.oid AND i.objsubid = 0
WHERE t.typacl IS DISTINCT FROM i.initprivs";

const ROUTINES: &str = "
SELECT p.oid, 0 AS attnum, n.nspname::text AS schema, p.proname::text AS name,
       CASE WHEN p.prokind <> 'a' THEN pg_get_function_identity_arguments(p.oid)
            ELSE array_to_string(ARRAY(
                SELECT format_type(u.t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n), ', ')
       END AS arguments,
       NULL::text AS column_name, p.prokind::text AS relkind, pg_get_userbyid(p.proowner)::text AS owner, p.proacl::text[] AS acl,
       acldefault('f', p.proowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.objsubid = 0
WHERE p.proacl IS DISTINCT FROM i.initprivs";

const RELATIONS: &str = "
SELECT c.oid, 0 AS attnum, n.nspname::text AS schema, c.relname::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       c.relkind::text AS relkind, pg_get_userbyid(c.relowner)::text AS owner, c.relacl::text[] AS acl,
       acldefault(CASE WHEN c.relkind = 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END, c.relowner)::text[] AS base,
       i.initprivs::text[] AS initial
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0
WHERE c.relacl IS DISTINCT FROM i.initprivs";

const COLUMNS: &str = "
SELECT c.oid, a.attnum::int4 AS attnum, n.nspname::text AS schema, c.relname::text AS name, NULL::text AS arguments,
       a.attname::text AS column_name, c.relkind::text AS relkind, pg_get_userbyid(c.relowner)::text AS owner, a.attacl::text[] AS acl,
       acldefault('c', c.relowner)::text[] AS base, i.initprivs::text[] AS initial
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = a.attnum
WHERE NOT a.attisdropped AND a.attacl IS DISTINCT FROM i.initprivs";

const LARGE_OBJECTS: &str = "
SELECT oid, 0 AS attnum, NULL::text AS schema, oid::text AS name, NULL::text AS arguments, NULL::text AS column_name,
       NULL::text AS relkind, pg_get_userbyid(lomowner)::text AS owner, lomacl::text[] AS acl,
       acldefault('L', lomowner)::text[] AS base, NULL::text[] AS initial
FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL";

const MEMBERS: &str = "
SELECT classid, objid, refobjid AS extension FROM pg_depend
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass AND refobjid >= $1";

/// Adds an ACL entry for each object whose grants are not those of a new one. Call it when all definitions are there.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let mut extensions = std::collections::HashMap::new();
    for row in cx.rows("members of extensions", MEMBERS, &[&FIRST_USER_OID]).await? {
        let member = definition(field(&row, "classid")?, field(&row, "objid")?);
        extensions.insert(member, definition(PG_EXTENSION, field(&row, "extension")?));
    }
    for &(class, what, sql) in SOURCES {
        for row in cx.rows(what, sql, &[]).await? {
            let object = definition(class, field(&row, "oid")?);
            let member_of = extensions.get(&object).copied();
            let needs = if out.entries.contains_key(&object) { Some(object) } else { member_of };
            if needs.is_some() || in_every_database(class, &row)? {
                add(cx, out, object, needs, &row)?;
            }
        }
    }
    Ok(())
}

/// Objects that are there before anything is restored and whose grants users change: those of `pg_catalog`, and `public`. pg_dump leaves
/// `information_schema` out as well.
fn in_every_database(class: u32, row: &Row) -> Result<bool> {
    let schema: Option<&str> = field(row, if class == PG_NAMESPACE { "name" } else { "schema" })?;
    let system = schema == Some("pg_catalog");
    let oid: u32 = field(row, "oid")?;
    Ok((system && oid < FIRST_USER_OID) || (class == PG_NAMESPACE && schema == Some("public")))
}

fn add(cx: &Context<'_>, out: &mut Drafts, object: Key, needs: Option<Key>, row: &Row) -> Result<()> {
    let attnum: i32 = field(row, "attnum")?;
    let owner: String = field(row, "owner")?;
    let schema: Option<String> = field(row, "schema")?;
    let name: &str = field(row, "name")?;
    let relkind: Option<&str> = field(row, "relkind")?;
    let usual: Vec<String> = field(row, "base")?;
    let initial: Option<Vec<String>> = field(row, "initial")?;
    let acl = field::<Option<Vec<String>>>(row, "acl")?.unwrap_or_else(|| usual.clone());
    let base = match object.id.class {
        PG_NAMESPACE if name == "public" => public_schema(&owner, cx.version),
        _ => initial.unwrap_or(usual),
    };
    let (kind, bare) = match object.id.class {
        PG_NAMESPACE => (AclKind::Schema, ident(name)),
        PG_TYPE => (AclKind::Type, ident(name)),
        PG_LARGEOBJECT => (AclKind::LargeObject, name.to_owned()),
        PG_CLASS if relkind == Some("S") => (AclKind::Sequence, ident(name)),
        PG_CLASS => (AclKind::Table, ident(name)),
        _ => {
            let kind = if relkind == Some("p") { AclKind::Procedure } else { AclKind::Function };
            (kind, format!("{}({})", ident(name), field::<&str>(row, "arguments")?))
        }
    };
    let full = schema.as_deref().map_or_else(|| bare.clone(), |s| format!("{}.{bare}", ident(s)));
    let column = field::<Option<&str>>(row, "column_name")?.map(ident);
    let tag = match &column {
        Some(column) => format!("COLUMN {bare}.{column}"),
        None => format!("{} {bare}", kind.keyword()),
    };
    let subject = Subject { kind, name: &full, column: column.as_deref(), prefix: "" };
    let mut definition = checked(cx, out, &subject, &owner, &tag, acl, base);
    // Before PostgreSQL 15 a new database lets PUBLIC create in `public`: if that was taken away here, a copy on such a server must not
    // have it.
    if object.id.class == PG_NAMESPACE && name == "public" && cx.version.major() < 15 {
        definition.insert_str(0, "REVOKE ALL ON SCHEMA public FROM PUBLIC;\n");
    }
    if definition.is_empty() {
        return Ok(());
    }
    let key = Key { part: Part::Acl(attnum), ..object };
    let of_relation = Key { part: Part::Acl(0), ..object };
    let mut depends: std::collections::BTreeSet<Key> = needs.into_iter().collect();
    if attnum != 0 && out.entries.contains_key(&of_relation) {
        depends.insert(of_relation);
    }
    // A grantor other than the owner must reach the object through its schema.
    if definition.contains("SET SESSION AUTHORIZATION")
        && let Some((&oid, _)) = cx.namespaces.iter().find(|(_, name)| schema.as_ref() == Some(name))
    {
        let of_schema = Key { part: Part::Acl(0), ..super::class::definition(PG_NAMESPACE, oid) };
        depends.extend(out.entries.contains_key(&of_schema).then_some(of_schema));
    }
    out.add(Draft {
        namespace: schema,
        owner,
        definition,
        depends,
        ..Draft::blank(key, "ACL", Section::None, tag)
    });
    Ok(())
}

/// What `public` has in a new database of PostgreSQL 15 and later, once it belongs to `owner`; from an older server all that PUBLIC has
/// comes as a GRANT, so that the copy has the same on servers of every version (pg_dump does nearly so).
fn public_schema(owner: &str, version: ServerVersion) -> Vec<String> {
    let owner = format!("\"{}\"", owner.replace('"', "\"\""));
    let mut base = vec![format!("{owner}=UC/{owner}")];
    if version.major() >= 15 {
        base.push(format!("=U/{owner}"));
    }
    base
}

/// [`statements`], with a warning in place of an error, and without grants to and by roles that were dropped: the server shows their oid,
/// which is no role's name.
pub(crate) fn checked(
    cx: &Context<'_>,
    out: &mut Drafts,
    subject: &Subject<'_>,
    owner: &str,
    what: &str,
    mut acl: Vec<String>,
    mut base: Vec<String>,
) -> String {
    let dropped = |name: &str| {
        !name.is_empty() && name.bytes().all(|c| c.is_ascii_digit()) && !cx.roles.values().any(|r| r == name)
    };
    let alive = |item: &String| {
        AclItem::parse(item)
            .map_or(true, |i| !dropped(&i.grantor) && !i.grantee.as_deref().is_some_and(dropped))
    };
    let before = acl.len();
    acl.retain(alive);
    base.retain(alive);
    if acl.len() < before {
        out.warnings.push(format!("grants on {what} to or by a role that was dropped are not archived"));
    }
    statements(subject, owner, &acl, &base).unwrap_or_else(|e| {
        out.warnings.push(format!("grants on {what} are not archived: {e}"));
        String::new()
    })
}
