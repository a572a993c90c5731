//! SCHEMA entries.

use crate::{
    base::Result,
    catalog::{
        class::{PG_NAMESPACE, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::ident,
};

const SCHEMAS: &str = "
SELECT oid, nspname::text AS name, nspowner AS owner_oid, pg_get_userbyid(nspowner)::text AS owner
FROM pg_namespace";

/// The role `pg_database_owner`, owner of `public` since PostgreSQL 15.
const PG_DATABASE_OWNER: u32 = 6171;

/// Adds the schemas of the user. `public` exists in every new database, so it gets an entry only when its owner is not the usual one,
/// and that entry creates nothing (`selectDumpableNamespace` in pg_dump.c).
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("schemas", SCHEMAS, &[]).await? {
        let key = definition(PG_NAMESPACE, field(&row, "oid")?);
        let name: String = field(&row, "name")?;
        if !cx.namespaces.contains_key(&key.id.oid) || cx.extension_members.contains(&key.id) {
            continue;
        }
        let (create, drop) = if name != "public" {
            let sql = ident(&name);
            (format!("CREATE SCHEMA {sql};\n"), format!("DROP SCHEMA {sql};\n"))
        } else if field::<u32>(&row, "owner_oid")? == PG_DATABASE_OWNER {
            continue;
        } else {
            (
                "-- *not* creating schema, since initdb creates it\n".to_owned(),
                "-- *not* dropping schema, since initdb creates it\n".to_owned(),
            )
        };
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: create,
            drop,
            ..Draft::blank(key, "SCHEMA", Section::PreData, name)
        });
    }
    Ok(())
}
