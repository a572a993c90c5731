//! RULE, except for views' queries, which are part of their views.

use std::fmt::Write;

use super::relations::Relations;
use crate::{
    base::Result,
    catalog::{
        class::PG_REWRITE,
        draft::{CatalogId, Context, Drafts, Section},
        rows::{field, letter},
    },
    pg::ident,
};

const RULES: &str = "SELECT r.oid, r.ev_class, r.rulename, r.ev_enabled, pg_get_ruledef(r.oid) AS definition \
     FROM unnest($1::oid[]) AS src(relid) JOIN pg_rewrite r ON r.ev_class = src.relid \
     WHERE NOT (r.ev_type = '1' AND r.is_instead) \
     ORDER BY r.oid";

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let oids = relations.archived_oids();
    for row in cx.rows("rules", RULES, &[&oids]).await? {
        let Some(table) = relations.get(field(&row, "ev_class")?) else { continue };
        let name: String = field(&row, "rulename")?;
        let id = CatalogId { class: PG_REWRITE, oid: field(&row, "oid")? };
        let mut draft = table.member(id, "RULE", Section::PostData, &name);
        draft.definition = format!("{}\n", field::<&str>(&row, "definition")?);
        let state = match letter(&row, "ev_enabled")? {
            'A' => Some("ENABLE ALWAYS"),
            'R' => Some("ENABLE REPLICA"),
            'D' => Some("DISABLE"),
            _ => None,
        };
        if let Some(state) = state {
            let _ = writeln!(draft.definition, "ALTER TABLE {} {state} RULE {};", table.sql(), ident(&name));
        }
        draft.drop = format!("DROP RULE {} ON {};\n", ident(&name), table.sql());
        draft.depends.insert(table.id().definition());
        out.add(draft);
    }
    Ok(())
}
