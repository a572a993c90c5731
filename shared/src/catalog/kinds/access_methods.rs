//! ACCESS METHOD entries, of indexes and of tables. An access method has neither schema nor owner.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_AM, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::ident,
};

const ACCESS_METHODS: &str = "
SELECT oid, amname::text AS name, amtype::text AS kind, amhandler::text AS handler FROM pg_am WHERE oid >= $1";

/// Adds the access methods that users made.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("access methods", ACCESS_METHODS, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_AM, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) {
            continue;
        }
        let name: String = field(&row, "name")?;
        let sql = ident(&name);
        let kind = if field::<&str>(&row, "kind")? == "t" { "TABLE" } else { "INDEX" };
        let handler: &str = field(&row, "handler")?;
        out.add(Draft {
            definition: format!("CREATE ACCESS METHOD {sql} TYPE {kind} HANDLER {handler};\n"),
            drop: format!("DROP ACCESS METHOD {sql};\n"),
            ..Draft::blank(key, "ACCESS METHOD", Section::PreData, name)
        });
    }
    Ok(())
}
