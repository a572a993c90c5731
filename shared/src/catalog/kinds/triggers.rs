//! TRIGGER. Those that partitions get from their parent appear only where their state differs from the parent's.

use std::fmt::Write;

use super::relations::Relations;
use crate::{
    base::Result,
    catalog::{
        class::PG_TRIGGER,
        draft::{CatalogId, Context, Drafts, Section},
        rows::{field, letter},
    },
    pg::{ServerVersion, ident},
};

/// 13 and 14 mark partitions' triggers internal, 15 and later do not and have `tgparentid` to tell them.
fn triggers_query(version: ServerVersion) -> String {
    let (cloned, which) = if version.major() >= 15 {
        ("t.tgparentid <> 0", "(NOT t.tgisinternal AND t.tgparentid = 0) OR t.tgenabled <> u.tgenabled")
    } else {
        ("t.tgisinternal", "NOT t.tgisinternal OR t.tgenabled <> u.tgenabled")
    };
    format!(
        "SELECT t.oid, t.tgrelid, t.tgname, pg_get_triggerdef(t.oid, false) AS definition, t.tgenabled, \
           {cloned} AS cloned \
         FROM unnest($1::oid[]) AS src(relid) \
         JOIN pg_trigger t ON t.tgrelid = src.relid \
         LEFT JOIN pg_trigger u ON u.oid = t.tgparentid \
         WHERE {which} \
         ORDER BY t.tgrelid, t.tgname"
    )
}

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let oids = relations.archived_oids();
    let query = triggers_query(cx.version);
    for row in cx.rows("triggers", &query, &[&oids]).await? {
        let Some(table) = relations.get(field(&row, "tgrelid")?) else { continue };
        let name: String = field(&row, "tgname")?;
        let definition: String = field(&row, "definition")?;
        let state = match letter(&row, "tgenabled")? {
            'D' => Some("DISABLE"),
            'R' => Some("ENABLE REPLICA"),
            'A' => Some("ENABLE ALWAYS"),
            _ => None,
        };
        let id = CatalogId { class: PG_TRIGGER, oid: field(&row, "oid")? };
        let mut draft = table.member(id, "TRIGGER", Section::PostData, &name);
        let alter =
            |state: &str| format!("\n{} {} {state} TRIGGER {};\n", table.alter(), table.sql(), ident(&name));
        if field(&row, "cloned")? {
            // The parent's trigger has made it; only its state is to be said.
            draft.definition = alter(state.unwrap_or("ENABLE"));
        } else {
            draft.definition = format!("{definition};\n");
            if let Some(state) = state {
                let _ = write!(draft.definition, "{}", alter(state));
            }
            draft.drop = format!("DROP TRIGGER {} ON {};\n", ident(&name), table.sql());
        }
        draft.depends.insert(table.id().definition());
        out.add(draft);
    }
    Ok(())
}
