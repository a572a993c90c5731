//! TEXT SEARCH DICTIONARY entries.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_TS_DICT},
        draft::{Context, Drafts},
        rows::field,
    },
    pg::qualified,
};

const DICTIONARIES: &str = "
SELECT d.oid, d.dictnamespace AS schema_oid, n.nspname::text AS schema, d.dictname::text AS name,
       pg_get_userbyid(d.dictowner)::text AS owner, tn.nspname::text AS template_schema, t.tmplname::text AS template,
       d.dictinitoption AS options
FROM pg_ts_dict d
JOIN pg_namespace n ON n.oid = d.dictnamespace
JOIN pg_ts_template t ON t.oid = d.dicttemplate
JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
WHERE d.oid >= $1";

pub(super) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("text search dictionaries", DICTIONARIES, &[&FIRST_USER_OID]).await? {
        let mut options =
            format!("TEMPLATE = {}", qualified(field(&row, "template_schema")?, field(&row, "template")?));
        // The server keeps the options as text that it quoted itself (`serialize_deflist`).
        if let Some(own) = field::<Option<&str>>(&row, "options")? {
            options.push_str(&format!(",\n    {own}"));
        }
        super::add(cx, out, (PG_TS_DICT, "TEXT SEARCH DICTIONARY"), &row, &options)?;
    }
    Ok(())
}
