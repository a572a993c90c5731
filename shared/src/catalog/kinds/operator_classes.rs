//! OPERATOR FAMILY and OPERATOR CLASS entries. What users add to a family of the system has no entry, as in pg_dump: the census names it.

use super::operator_members::{self, Members};
use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_OPCLASS, PG_OPFAMILY, definition},
        draft::{Context, Draft, Drafts, Key, Section},
        rows::field,
    },
    pg::{ident, qualified},
};

const FAMILIES: &str = "
SELECT f.oid, f.opfnamespace AS schema_oid, n.nspname::text AS schema, f.opfname::text AS name,
       pg_get_userbyid(f.opfowner)::text AS owner, a.amname::text AS method
FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am a ON a.oid = f.opfmethod
WHERE f.oid >= $1";

const CLASSES: &str = "
SELECT c.oid, c.opcnamespace AS schema_oid, n.nspname::text AS schema, c.opcname::text AS name,
       pg_get_userbyid(c.opcowner)::text AS owner, a.amname::text AS method, c.opcdefault AS usual,
       c.opcintype::regtype::text AS type, CASE WHEN c.opckeytype <> 0 THEN c.opckeytype::regtype::text END AS storage,
       fn.nspname::text AS family_schema, f.opfname::text AS family
FROM pg_opclass c
JOIN pg_namespace n ON n.oid = c.opcnamespace
JOIN pg_am a ON a.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily
JOIN pg_namespace fn ON fn.oid = f.opfnamespace
WHERE c.oid >= $1";

/// Adds the operator families and classes of the user's schemas.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let families = cx.rows("operator families", FAMILIES, &[&FIRST_USER_OID]).await?;
    let classes = cx.rows("operator classes", CLASSES, &[&FIRST_USER_OID]).await?;
    if families.is_empty() && classes.is_empty() {
        return Ok(());
    }
    let members = operator_members::load(cx).await?;
    for row in families {
        let key = definition(PG_OPFAMILY, field(&row, "oid")?);
        if cx.archives(key.id, field(&row, "schema_oid")?) {
            out.add(family(key, &row, &members)?);
        }
    }
    for row in classes {
        let key = definition(PG_OPCLASS, field(&row, "oid")?);
        if cx.archives(key.id, field(&row, "schema_oid")?) {
            out.add(class(key, &row, &members)?);
        }
    }
    Ok(())
}

fn family(key: Key, row: &tokio_postgres::Row, members: &Members) -> Result<Draft> {
    let mut draft = blank(key, "OPERATOR FAMILY", row)?;
    let what = named("OPERATOR FAMILY", row)?;
    draft.definition = format!("CREATE {what};\n");
    if let Some(loose) = members.get(&key.id) {
        draft.definition.push_str(&format!("ALTER {what} ADD\n    {};\n", loose.join(" ,\n    ")));
    }
    Ok(draft)
}

fn class(key: Key, row: &tokio_postgres::Row, members: &Members) -> Result<Draft> {
    let mut draft = blank(key, "OPERATOR CLASS", row)?;
    let of_type: &str = field(row, "type")?;
    let mut items: Vec<String> =
        field::<Option<&str>>(row, "storage")?.map(|t| format!("STORAGE {t}")).into_iter().collect();
    items.extend(members.get(&key.id).into_iter().flatten().cloned());
    if items.is_empty() {
        // The grammar wants an item; the type itself as storage means nothing.
        items.push(format!("STORAGE {of_type}"));
    }
    draft.definition = format!(
        "CREATE OPERATOR CLASS {}\n    {}FOR TYPE {of_type} USING {} FAMILY {} AS\n    {};\n",
        qualified(field(row, "schema")?, field(row, "name")?),
        if field(row, "usual")? { "DEFAULT " } else { "" },
        ident(field(row, "method")?),
        qualified(field(row, "family_schema")?, field(row, "family")?),
        items.join(" ,\n    ")
    );
    Ok(draft)
}

/// `OPERATOR FAMILY schema.name USING method`.
fn named(what: &str, row: &tokio_postgres::Row) -> Result<String> {
    let name = qualified(field(row, "schema")?, field(row, "name")?);
    Ok(format!("{what} {name} USING {}", ident(field(row, "method")?)))
}

fn blank(key: Key, desc: &'static str, row: &tokio_postgres::Row) -> Result<Draft> {
    let name: String = field(row, "name")?;
    Ok(Draft {
        namespace: Some(field(row, "schema")?),
        owner: field(row, "owner")?,
        drop: format!("DROP {};\n", named(desc, row)?),
        // Classes before families of the same name, then by access method (`DOTypeNameCompare` in pg_dump_sort.c).
        sort_name: format!("{name}\0{desc}\0{}", field::<&str>(row, "method")?),
        ..Draft::blank(key, desc, Section::PreData, name)
    })
}
