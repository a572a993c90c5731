//! `ALTER … DEPENDS ON EXTENSION`: objects that are to be dropped together with an extension they do not belong to (`pg_depend` type x).
//!
//! PostgreSQL knows this for functions, procedures, triggers, indexes and materialized views. As in pg_dump the statement is part of the
//! object's own entry.

use super::{
    class::PG_CLASS,
    draft::{CatalogId, Context, Drafts},
    rows::field,
};
use crate::{base::Result, pg::ident};

const BONDS: &str = "SELECT d.classid, d.objid, e.extname::text AS extension, \
       CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'INDEX' END || ' ' || c.oid::regclass::text AS relation \
     FROM pg_depend d \
     JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid \
     LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid \
     WHERE d.deptype = 'x' \
     ORDER BY d.classid, d.objid, e.extname";

/// Completes the definitions of objects that are bound to an extension. Call it when all definitions are there.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("objects that depend on extensions", BONDS, &[]).await? {
        let id = CatalogId { class: field(&row, "classid")?, oid: field(&row, "objid")? };
        // An index may stand under its constraint.
        let entry = match out.aliases.get(&id) {
            Some(constraint) if id.class == PG_CLASS => *constraint,
            _ => id,
        };
        let Some(draft) = out.entries.get_mut(&entry.definition()) else { continue };
        // What follows DROP names the object as ALTER wants it; relations are named by the server.
        let dropped = draft.drop.strip_prefix("DROP ").map(|d| d.trim_end().trim_end_matches(';').to_owned());
        let Some(object) = field::<Option<String>>(&row, "relation")?.or(dropped) else { continue };
        let extension: &str = field(&row, "extension")?;
        draft.definition.push_str(&format!("ALTER {object} DEPENDS ON EXTENSION {};\n", ident(extension)));
    }
    Ok(())
}
