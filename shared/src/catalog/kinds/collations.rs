//! COLLATION entries. As in pg_dump without the provider's version, which the restoring server finds out itself.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_COLLATION, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::{ServerVersion, literal, qualified},
};

/// PostgreSQL 17 renamed `colliculocale`, which came in 15; before that ICU's locale stood in `collcollate`, and the columns of type `name`
/// were empty rather than NULL. 16 brought rules.
fn collations_sql(version: ServerVersion) -> String {
    let locale = match version.major() {
        17.. => "c.colllocale",
        15.. => "c.colliculocale",
        _ => "CASE WHEN c.collprovider = 'i' THEN c.collcollate::text END",
    };
    let rules = if version.major() >= 16 { "c.collicurules" } else { "NULL::text" };
    format!(
        "
SELECT c.oid, c.collnamespace AS schema_oid, n.nspname::text AS schema, c.collname::text AS name, c.collencoding AS encoding,
       pg_get_userbyid(c.collowner)::text AS owner, c.collprovider::text AS provider, c.collisdeterministic AS deterministic,
       c.collcollate::text AS lc_collate, c.collctype::text AS lc_ctype, {locale} AS locale, {rules} AS rules
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.oid >= $1"
    )
}

/// Adds the collations of the user's schemas.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("collations", &collations_sql(cx.version), &[&FIRST_USER_OID]).await? {
        let key = definition(PG_COLLATION, field(&row, "oid")?);
        if !cx.archives(key.id, field(&row, "schema_oid")?) {
            continue;
        }
        let schema: String = field(&row, "schema")?;
        let name: String = field(&row, "name")?;
        let sql_name = qualified(&schema, &name);
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: format!("CREATE COLLATION {sql_name} ({});\n", options(&row)?),
            drop: format!("DROP COLLATION {sql_name};\n"),
            namespace: Some(schema),
            sort_name: format!("{name}\0{:04}", i64::from(field::<i32>(&row, "encoding")?) + 1),
            ..Draft::blank(key, "COLLATION", Section::PreData, name)
        });
    }
    Ok(())
}

fn options(row: &tokio_postgres::Row) -> Result<String> {
    let provider: &str = field(row, "provider")?;
    let mut options = vec![format!(
        "provider = {}",
        match provider {
            "b" => "builtin",
            "i" => "icu",
            _ => "libc",
        }
    )];
    if !field::<bool>(row, "deterministic")? {
        options.push("deterministic = false".to_owned());
    }
    let text =
        |column| -> Result<String> { Ok(literal(field::<Option<&str>>(row, column)?.unwrap_or_default())) };
    let (collate, ctype) = (text("lc_collate")?, text("lc_ctype")?);
    if matches!(provider, "b" | "i") {
        options.push(format!("locale = {}", text("locale")?));
    } else if collate == ctype {
        options.push(format!("locale = {collate}"));
    } else {
        options.push(format!("lc_collate = {collate}, lc_ctype = {ctype}"));
    }
    if let Some(rules) = field::<Option<&str>>(row, "rules")? {
        options.push(format!("rules = {}", literal(rules)));
    }
    Ok(options.join(", "))
}
