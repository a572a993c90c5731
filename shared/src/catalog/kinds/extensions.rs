//! EXTENSION entries. An extension's members come with it and have no entries of their own.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_EXTENSION, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::ident,
};

const EXTENSIONS: &str = "
SELECT e.oid, e.extname::text AS name, n.nspname::text AS schema
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.oid >= $1";

/// Adds the extensions that initdb did not install (it installs plpgsql).
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("extensions", EXTENSIONS, &[&FIRST_USER_OID]).await? {
        let name: String = field(&row, "name")?;
        let schema: String = field(&row, "schema")?;
        let sql = ident(&name);
        out.add(Draft {
            definition: format!("CREATE EXTENSION IF NOT EXISTS {sql} WITH SCHEMA {};\n", ident(&schema)),
            drop: format!("DROP EXTENSION {sql};\n"),
            ..Draft::blank(definition(PG_EXTENSION, field(&row, "oid")?), "EXTENSION", Section::PreData, name)
        });
    }
    Ok(())
}
