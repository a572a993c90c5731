//! COMMENT entries: comments on every object that has an entry, and on what lives inside one (columns, inline constraints, rules of views).

mod sources;

use std::collections::BTreeSet;

use tokio_postgres::Row;

use self::sources::SOURCES;
use super::{
    class::{
        PG_AM, PG_CAST, PG_CLASS, PG_COLLATION, PG_CONSTRAINT, PG_CONVERSION, PG_EVENT_TRIGGER, PG_EXTENSION,
        PG_FOREIGN_DATA_WRAPPER, PG_FOREIGN_SERVER, PG_LANGUAGE, PG_LARGEOBJECT, PG_NAMESPACE, PG_OPCLASS,
        PG_OPERATOR, PG_OPFAMILY, PG_POLICY, PG_PROC, PG_PUBLICATION, PG_REWRITE, PG_STATISTIC_EXT,
        PG_SUBSCRIPTION, PG_TRANSFORM, PG_TRIGGER, PG_TS_CONFIG, PG_TS_DICT, PG_TS_PARSER, PG_TS_TEMPLATE,
        PG_TYPE, definition,
    },
    draft::{Context, Draft, Drafts, Key, Part, Section},
    kinds::{aggregates, routines},
    rows::field,
};
use crate::{
    base::Result,
    pg::{ident, literal},
};

/// The comment that initdb puts on `public`.
const PUBLIC_COMMENT: &str = "standard public schema";

/// Adds a COMMENT entry for each comment. Call it when all definitions and aliases are there.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    // 13 shows oids of subscriptions to superusers only, who are the ones that archive any.
    let subscriptions = out.entries.keys().any(|key| key.id.class == PG_SUBSCRIPTION);
    for &(class, what, sql) in SOURCES.iter().filter(|(class, ..)| *class != PG_SUBSCRIPTION || subscriptions)
    {
        for row in cx.rows(what, sql, &[]).await? {
            if let Some(draft) = comment(out, class, &row)? {
                out.add(draft);
            }
        }
    }
    Ok(())
}

fn comment(out: &Drafts, class: u32, row: &Row) -> Result<Option<Draft>> {
    let object = definition(class, field(row, "oid")?);
    let text: Option<&str> = field(row, "description")?;
    let name: &str = field(row, "name")?;
    let public = class == PG_NAMESPACE && name == "public";
    let needs = needs(out, object, row)?;
    // `public` has its comment in every new database, so there it takes an entry to have none.
    let text = match text {
        Some(PUBLIC_COMMENT) if public => return Ok(None),
        None if !public => return Ok(None),
        text => text.unwrap_or_default(),
    };
    let Some(parent) = needs.first() else {
        return if public { public_comment(object, text, row).map(Some) } else { Ok(None) };
    };
    let Some((what, bare)) = words(class, row)? else { return Ok(None) };
    let schema: Option<String> = field(row, "schema")?;
    let qualifier = schema.as_deref().map(|s| format!("{}.", ident(s))).unwrap_or_default();
    let attnum: i32 = field(row, "attnum")?;
    let owner = match class {
        PG_EXTENSION => String::new(),
        _ => out.entries.get(parent).map(|d| d.owner.clone()).unwrap_or_default(),
    };
    Ok(Some(Draft {
        namespace: schema,
        owner,
        definition: format!("COMMENT ON {what} {qualifier}{bare} IS {};\n", literal(text)),
        depends: needs.iter().copied().collect::<BTreeSet<Key>>(),
        ..Draft::blank(
            Key { part: Part::Comment(attnum), ..object },
            "COMMENT",
            Section::None,
            format!("{what} {bare}"),
        )
    }))
}

fn public_comment(object: Key, text: &str, row: &Row) -> Result<Draft> {
    Ok(Draft {
        owner: field(row, "owner")?,
        definition: format!("COMMENT ON SCHEMA public IS {};\n", literal(text)),
        ..Draft::blank(
            Key { part: Part::Comment(0), ..object },
            "COMMENT",
            Section::None,
            "SCHEMA public".to_owned(),
        )
    })
}

/// The entries the comment must follow, the one that makes the object first; none when nothing in the archive makes it.
fn needs(out: &Drafts, object: Key, row: &Row) -> Result<Vec<Key>> {
    let drafted = |key: Key| -> Option<Key> {
        let mut key = key;
        for _ in 0..8 {
            if out.entries.contains_key(&key) {
                return Some(key);
            }
            let holder = out.fragments.get(&key.id).map(|piece| piece.owner);
            key.id = holder.or_else(|| out.aliases.get(&key.id).copied())?;
        }
        None
    };
    let ancestors: Vec<u32> = field::<Option<Vec<u32>>>(row, "ancestors")?.unwrap_or_default();
    let index_constraint: Option<u32> = field(row, "index_constraint")?;
    let relation: Option<u32> = field(row, "relation")?;
    let relation = relation.and_then(|oid| drafted(definition(PG_CLASS, oid)));
    let own = out.entries.contains_key(&object).then_some(object);
    let inherited = || ancestors.iter().find_map(|&oid| drafted(definition(object.id.class, oid)));
    let of_constraint = || index_constraint.and_then(|oid| drafted(definition(PG_CONSTRAINT, oid)));
    let Some(first) = own.or_else(inherited).or_else(of_constraint).or_else(|| drafted(object)).or(relation)
    else {
        return Ok(Vec::new());
    };
    let mut needs = vec![first];
    // What a partition inherits it has only once it is attached.
    if let (Some(relation), None, false) = (relation, own, ancestors.is_empty()) {
        let attach = Key { part: Part::Attach, ..relation };
        needs.push(relation);
        needs.extend(out.entries.contains_key(&attach).then_some(attach));
    }
    Ok(needs)
}

/// What stands after `COMMENT ON` and the object's name without its schema; together they are the tag. `None` for what cannot be named.
fn words(class: u32, row: &Row) -> Result<Option<(String, String)>> {
    let name = ident(field(row, "name")?);
    let kind: &str = field(row, "kind")?;
    let on: Option<&str> = field(row, "on_name")?;
    let on = on.map(ident).unwrap_or_default();
    let arguments: Option<&str> = field(row, "arguments")?;
    let attribute: Option<&str> = field(row, "column_name")?;
    let fixed = |what: &str| (what.to_owned(), name.clone());
    let on_relation = |what: &str| (format!("{what} {name} ON"), on.clone());
    Ok(Some(match class {
        PG_CLASS if field::<i32>(row, "attnum")? != 0 => {
            let Some(attribute) = attribute else { return Ok(None) };
            ("COLUMN".to_owned(), format!("{name}.{}", ident(attribute)))
        }
        PG_CLASS => fixed(match kind {
            "v" => "VIEW",
            "m" => "MATERIALIZED VIEW",
            "S" => "SEQUENCE",
            "f" => "FOREIGN TABLE",
            "i" | "I" => "INDEX",
            "r" | "p" => "TABLE",
            _ => return Ok(None),
        }),
        PG_TYPE => fixed(if kind == "d" { "DOMAIN" } else { "TYPE" }),
        PG_PROC => {
            let raw: &str = field(row, "name")?;
            let arguments = arguments.unwrap_or_default();
            match kind {
                "a" => ("AGGREGATE".to_owned(), aggregates::signature(raw, arguments)),
                "p" => ("PROCEDURE".to_owned(), routines::signature(raw, arguments)),
                _ => ("FUNCTION".to_owned(), routines::signature(raw, arguments)),
            }
        }
        PG_CONSTRAINT if kind == "d" => (format!("CONSTRAINT {name} ON DOMAIN"), on),
        PG_CONSTRAINT => on_relation("CONSTRAINT"),
        PG_TRIGGER => on_relation("TRIGGER"),
        PG_REWRITE => on_relation("RULE"),
        PG_POLICY => on_relation("POLICY"),
        PG_NAMESPACE => fixed("SCHEMA"),
        PG_EXTENSION => fixed("EXTENSION"),
        PG_FOREIGN_DATA_WRAPPER => fixed("FOREIGN DATA WRAPPER"),
        PG_FOREIGN_SERVER => fixed("SERVER"),
        PG_EVENT_TRIGGER => fixed("EVENT TRIGGER"),
        PG_PUBLICATION => fixed("PUBLICATION"),
        PG_SUBSCRIPTION => fixed("SUBSCRIPTION"),
        PG_STATISTIC_EXT => fixed("STATISTICS"),
        PG_LARGEOBJECT => ("LARGE OBJECT".to_owned(), field::<&str>(row, "name")?.to_owned()),
        PG_CAST => ("CAST".to_owned(), arguments.unwrap_or_default().to_owned()),
        PG_TRANSFORM => {
            ("TRANSFORM".to_owned(), format!("FOR {} LANGUAGE {name}", arguments.unwrap_or_default()))
        }
        PG_OPERATOR => {
            let raw: &str = field(row, "name")?;
            ("OPERATOR".to_owned(), format!("{raw} {}", arguments.unwrap_or_default()))
        }
        PG_OPCLASS => ("OPERATOR CLASS".to_owned(), format!("{name} USING {on}")),
        PG_OPFAMILY => ("OPERATOR FAMILY".to_owned(), format!("{name} USING {on}")),
        PG_LANGUAGE => fixed("LANGUAGE"),
        PG_AM => fixed("ACCESS METHOD"),
        PG_COLLATION => fixed("COLLATION"),
        PG_CONVERSION => fixed("CONVERSION"),
        PG_TS_PARSER => fixed("TEXT SEARCH PARSER"),
        PG_TS_TEMPLATE => fixed("TEXT SEARCH TEMPLATE"),
        PG_TS_DICT => fixed("TEXT SEARCH DICTIONARY"),
        PG_TS_CONFIG => fixed("TEXT SEARCH CONFIGURATION"),
        _ => return Ok(None),
    }))
}
