//! CONVERSION entries.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_CONVERSION, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::{literal, qualified},
};

const CONVERSIONS: &str = "
SELECT c.oid, c.connamespace AS schema_oid, n.nspname::text AS schema, c.conname::text AS name,
       pg_get_userbyid(c.conowner)::text AS owner, c.condefault AS usual, c.conproc::text AS function,
       pg_encoding_to_char(c.conforencoding)::text AS source, pg_encoding_to_char(c.contoencoding)::text AS target
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.oid >= $1";

/// Adds the conversions of the user's schemas.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("conversions", CONVERSIONS, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_CONVERSION, field(&row, "oid")?);
        if !cx.archives(key.id, field(&row, "schema_oid")?) {
            continue;
        }
        let schema: String = field(&row, "schema")?;
        let name: String = field(&row, "name")?;
        let sql_name = qualified(&schema, &name);
        let create = format!(
            "CREATE {}CONVERSION {sql_name} FOR {} TO {} FROM {};\n",
            if field(&row, "usual")? { "DEFAULT " } else { "" },
            literal(field(&row, "source")?),
            literal(field(&row, "target")?),
            field::<&str>(&row, "function")?
        );
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: create,
            drop: format!("DROP CONVERSION {sql_name};\n"),
            namespace: Some(schema),
            ..Draft::blank(key, "CONVERSION", Section::PreData, name)
        });
    }
    Ok(())
}
