//! ACL entries: the grants of every object that has an entry, and of system objects and extension members whose grants were changed.

mod item;
mod sources;
mod statements;

use tokio_postgres::Row;

use self::sources::SOURCES;
pub use self::{
    item::AclItem,
    statements::{AclKind, Subject, statements},
};
use super::{
    class::{
        FIRST_USER_OID, PG_CLASS, PG_EXTENSION, PG_FOREIGN_DATA_WRAPPER, PG_FOREIGN_SERVER, PG_LANGUAGE,
        PG_LARGEOBJECT, PG_NAMESPACE, PG_TYPE, definition,
    },
    draft::{Context, Draft, Drafts, Key, Part, Section},
    rows::field,
};
use crate::{base::Result, pg::ident};

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

/// Objects that are there before anything is restored and whose grants users change: those of `pg_catalog`, `public`, and
/// languages. pg_dump leaves
/// `information_schema` out as well.
fn in_every_database(class: u32, row: &Row) -> Result<bool> {
    let schema: Option<&str> = field(row, if class == PG_NAMESPACE { "name" } else { "schema" })?;
    let system = schema == Some("pg_catalog");
    let oid: u32 = field(row, "oid")?;
    let system = system || class == PG_LANGUAGE;
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
        PG_NAMESPACE if name == "public" => public_schema(&owner),
        _ => initial.unwrap_or(usual),
    };
    let (kind, bare) = match object.id.class {
        PG_NAMESPACE => (AclKind::Schema, ident(name)),
        PG_TYPE => (AclKind::Type, ident(name)),
        PG_LARGEOBJECT => (AclKind::LargeObject, name.to_owned()),
        PG_LANGUAGE => (AclKind::Language, ident(name)),
        PG_FOREIGN_DATA_WRAPPER => (AclKind::ForeignDataWrapper, ident(name)),
        PG_FOREIGN_SERVER => (AclKind::ForeignServer, ident(name)),
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
    let public_creates =
        acl.iter().any(|i| i.split('/').next().is_some_and(|i| i.starts_with('=') && i.contains('C')));
    let mut definition = checked(cx, out, &subject, &owner, &tag, acl, base);
    // Before PostgreSQL 15 a new database lets PUBLIC create in `public`: if that was taken away here, a copy on such a server must not
    // have it. pg_dump 18 has only newer servers in mind.
    if object.id.class == PG_NAMESPACE && name == "public" && cx.version.major() < 15 && !public_creates {
        definition.insert_str(0, "REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n");
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

/// What `public` has in a new database of PostgreSQL 15 and later, once it belongs to `owner`; pg_dump takes it for all versions.
fn public_schema(owner: &str) -> Vec<String> {
    let owner = format!("\"{}\"", owner.replace('"', "\"\""));
    vec![format!("{owner}=UC/{owner}"), format!("=U/{owner}")]
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
