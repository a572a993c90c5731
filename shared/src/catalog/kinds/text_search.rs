//! Text search: what a parser, a template, a dictionary and a configuration have in common, and the entries of parsers and templates.

mod configurations;
mod dictionaries;

use tokio_postgres::Row;

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_TS_PARSER, PG_TS_TEMPLATE, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::qualified,
};

/// Parsers have no owner.
const PARSERS: &str = "
SELECT p.oid, p.prsnamespace AS schema_oid, n.nspname::text AS schema, p.prsname::text AS name, '' AS owner,
       p.prsstart::text AS start, p.prstoken::text AS gettoken, p.prsend::text AS finish,
       CASE WHEN p.prsheadline <> 0 THEN p.prsheadline::text END AS headline, p.prslextype::text AS lextypes
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace
WHERE p.oid >= $1";

/// Templates have no owner.
const TEMPLATES: &str = "
SELECT t.oid, t.tmplnamespace AS schema_oid, n.nspname::text AS schema, t.tmplname::text AS name, '' AS owner,
       CASE WHEN t.tmplinit <> 0 THEN t.tmplinit::text END AS init, t.tmpllexize::text AS lexize
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE t.oid >= $1";

/// Adds the text search objects of the user's schemas.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("text search parsers", PARSERS, &[&FIRST_USER_OID]).await? {
        let options = [
            ("START", "start"),
            ("GETTOKEN", "gettoken"),
            ("END", "finish"),
            ("HEADLINE", "headline"),
            ("LEXTYPES", "lextypes"),
        ];
        add(cx, out, (PG_TS_PARSER, "TEXT SEARCH PARSER"), &row, &functions(&row, &options)?)?;
    }
    for row in cx.rows("text search templates", TEMPLATES, &[&FIRST_USER_OID]).await? {
        let options = [("INIT", "init"), ("LEXIZE", "lexize")];
        add(cx, out, (PG_TS_TEMPLATE, "TEXT SEARCH TEMPLATE"), &row, &functions(&row, &options)?)?;
    }
    dictionaries::collect(cx, out).await?;
    configurations::collect(cx, out).await
}

/// `OPTION = function` of each column that is not NULL.
fn functions(row: &Row, options: &[(&str, &str)]) -> Result<String> {
    let mut list = Vec::new();
    for (option, column) in options {
        list.extend(field::<Option<&str>>(row, column)?.map(|f| format!("{option} = {f}")));
    }
    Ok(list.join(",\n    "))
}

/// Adds `CREATE … schema.name ( options );`, unless the object comes with the system or an extension.
fn add(
    cx: &Context<'_>,
    out: &mut Drafts,
    (class, desc): (u32, &'static str),
    row: &Row,
    options: &str,
) -> Result<()> {
    let key = definition(class, field(row, "oid")?);
    if !cx.archives(key.id, field(row, "schema_oid")?) {
        return Ok(());
    }
    let schema: String = field(row, "schema")?;
    let name: String = field(row, "name")?;
    let sql_name = qualified(&schema, &name);
    out.add(Draft {
        owner: field(row, "owner")?,
        definition: format!("CREATE {desc} {sql_name} (\n    {options} );\n"),
        drop: format!("DROP {desc} {sql_name};\n"),
        namespace: Some(schema),
        ..Draft::blank(key, desc, Section::PreData, name)
    });
    Ok(())
}
