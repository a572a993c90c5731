//! FOREIGN DATA WRAPPER and SERVER entries.

use std::fmt::Write;

use tokio_postgres::Row;

use crate::{
    base::Result,
    catalog::{
        class::{PG_FOREIGN_DATA_WRAPPER, PG_FOREIGN_SERVER, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::{ident, literal},
};

/// Without those of initdb (there are none) and of extensions. A function is written as `regproc` gives it, `-` for none.
const WRAPPERS: &str = "
SELECT w.oid, w.fdwname::text AS name, pg_get_userbyid(w.fdwowner)::text AS owner,
       w.fdwhandler::regproc::text AS handler, w.fdwvalidator::regproc::text AS validator,
       array_to_string(ARRAY(
           SELECT quote_ident(option_name) || ' ' || quote_literal(option_value)
           FROM pg_options_to_table(w.fdwoptions) ORDER BY option_name), E',\\n    ') AS options
FROM pg_foreign_data_wrapper w";

const SERVERS: &str = "
SELECT s.oid, s.srvname::text AS name, pg_get_userbyid(s.srvowner)::text AS owner, w.fdwname::text AS wrapper,
       s.srvtype AS type, s.srvversion AS version,
       array_to_string(ARRAY(
           SELECT quote_ident(option_name) || ' ' || quote_literal(option_value)
           FROM pg_options_to_table(s.srvoptions) ORDER BY option_name), E',\\n    ') AS options
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw";

/// Adds foreign-data wrappers and servers that do not come with an extension.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("foreign-data wrappers", WRAPPERS, &[]).await? {
        let mut sql = String::new();
        for (word, function) in [("HANDLER", "handler"), ("VALIDATOR", "validator")] {
            let function: &str = field(&row, function)?;
            if function != "-" {
                let _ = write!(sql, " {word} {function}");
            }
        }
        add(cx, out, &row, PG_FOREIGN_DATA_WRAPPER, "FOREIGN DATA WRAPPER", &sql)?;
    }
    for row in cx.rows("foreign servers", SERVERS, &[]).await? {
        let mut sql = String::new();
        for (word, text) in [("TYPE", "type"), ("VERSION", "version")] {
            let text: Option<&str> = field(&row, text)?;
            if let Some(text) = text.filter(|t| !t.is_empty()) {
                let _ = write!(sql, " {word} {}", literal(text));
            }
        }
        let _ = write!(sql, " FOREIGN DATA WRAPPER {}", ident(field(&row, "wrapper")?));
        add(cx, out, &row, PG_FOREIGN_SERVER, "SERVER", &sql)?;
    }
    Ok(())
}

fn add(
    cx: &Context<'_>,
    out: &mut Drafts,
    row: &Row,
    class: u32,
    desc: &'static str,
    clauses: &str,
) -> Result<()> {
    let key = definition(class, field(row, "oid")?);
    if cx.extension_members.contains(&key.id) {
        return Ok(());
    }
    let name: String = field(row, "name")?;
    let sql = ident(&name);
    let options: &str = field(row, "options")?;
    let options = if options.is_empty() { String::new() } else { format!(" OPTIONS (\n    {options}\n)") };
    out.add(Draft {
        owner: field(row, "owner")?,
        definition: format!("CREATE {desc} {sql}{clauses}{options};\n"),
        drop: format!("DROP {desc} {sql};\n"),
        ..Draft::blank(key, desc, Section::PreData, name)
    });
    Ok(())
}
