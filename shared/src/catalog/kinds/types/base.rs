//! Base types, and shells of types that were never completed.

use std::collections::HashMap;

use super::{Type, shell};
use crate::{
    base::Result,
    catalog::{
        class::FIRST_USER_OID,
        draft::{Context, Drafts},
        rows::field,
    },
    pg::{ServerVersion, literal},
};

/// PostgreSQL 13 has no `typsubscript`.
fn bases_sql(version: ServerVersion) -> String {
    let subscript = if version.major() >= 14 { "nullif(t.typsubscript::text, '-')" } else { "NULL::text" };
    format!(
        "
SELECT t.oid, t.typlen::int4 AS length, t.typinput::text AS input, t.typoutput::text AS output,
       nullif(t.typreceive::text, '-') AS receive, nullif(t.typsend::text, '-') AS send,
       nullif(t.typmodin::text, '-') AS typmod_in, nullif(t.typmodout::text, '-') AS typmod_out,
       nullif(t.typanalyze::text, '-') AS analyze, {subscript} AS subscript, t.typcollation <> 0 AS collatable,
       t.typdefault AS default_literal, format_type(nullif(t.typelem, 0), NULL) AS element, t.typcategory::text AS category,
       t.typispreferred AS preferred, t.typdelim::text AS delimiter, t.typalign::text AS alignment,
       t.typstorage::text AS storage, t.typbyval AS by_value
FROM pg_type t
WHERE t.typtype = 'b' AND t.oid >= $1"
    )
}

pub(super) async fn collect(cx: &Context<'_>, out: &mut Drafts, types: Vec<Type>) -> Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    let mut by_oid: HashMap<u32, Type> = types.into_iter().map(|t| (t.key.id.oid, t)).collect();
    for row in cx.rows("base types", &bases_sql(cx.version), &[&FIRST_USER_OID]).await? {
        let Some(t) = by_oid.remove(&field(&row, "oid")?) else { continue };
        let create = format!("CREATE TYPE {} (\n    {}\n);\n", t.sql_name(), options(&row)?.join(",\n    "));
        let mut draft = t.draft("TYPE", create);
        // Its functions hang on the type as the type does on them.
        draft.drop = format!("DROP TYPE {} CASCADE;\n", t.sql_name());
        out.add(draft);
        out.add(shell(&t));
    }
    Ok(())
}

/// In pg_dump's order.
fn options(row: &tokio_postgres::Row) -> Result<Vec<String>> {
    let text = |column| field::<Option<&str>>(row, column);
    let mut options = vec![match field(row, "length")? {
        -1 => "INTERNALLENGTH = variable".to_owned(),
        bytes => format!("INTERNALLENGTH = {bytes}"),
    }];
    for (option, column) in [
        ("INPUT", "input"),
        ("OUTPUT", "output"),
        ("RECEIVE", "receive"),
        ("SEND", "send"),
        ("TYPMOD_IN", "typmod_in"),
        ("TYPMOD_OUT", "typmod_out"),
        ("ANALYZE", "analyze"),
    ] {
        options.extend(text(column)?.map(|function| format!("{option} = {function}")));
    }
    if field(row, "collatable")? {
        options.push("COLLATABLE = true".to_owned());
    }
    options.extend(text("default_literal")?.map(|value| format!("DEFAULT = {}", literal(value))));
    options.extend(text("subscript")?.map(|function| format!("SUBSCRIPT = {function}")));
    options.extend(text("element")?.map(|element| format!("ELEMENT = {element}")));
    let category: &str = field(row, "category")?;
    if category != "U" {
        options.push(format!("CATEGORY = {}", literal(category)));
    }
    if field(row, "preferred")? {
        options.push("PREFERRED = true".to_owned());
    }
    let delimiter: &str = field(row, "delimiter")?;
    if delimiter != "," {
        options.push(format!("DELIMITER = {}", literal(delimiter)));
    }
    let alignment = match field(row, "alignment")? {
        "c" => "char",
        "s" => "int2",
        "i" => "int4",
        _ => "double",
    };
    let storage = match field(row, "storage")? {
        "p" => "plain",
        "e" => "external",
        "x" => "extended",
        _ => "main",
    };
    options.push(format!("ALIGNMENT = {alignment}"));
    options.push(format!("STORAGE = {storage}"));
    if field(row, "by_value")? {
        options.push("PASSEDBYVALUE".to_owned());
    }
    Ok(options)
}

/// Types that were named and never defined.
pub(super) fn undefined(out: &mut Drafts, types: Vec<Type>) {
    for t in types {
        let create = format!("CREATE TYPE {};\n", t.sql_name());
        out.add(t.draft("TYPE", create));
    }
}
