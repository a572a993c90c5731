//! ROW SECURITY and POLICY.

use std::fmt::Write;

use super::relations::Relations;
use crate::{
    base::Result,
    catalog::{
        class::PG_POLICY,
        draft::{CatalogId, Context, Drafts, Part, Section},
        rows::{field, letter},
    },
    pg::ident,
};

const POLICIES: &str = "SELECT p.oid, p.polrelid, p.polname, p.polcmd, p.polpermissive, \
       CASE WHEN p.polroles = '{0}' THEN NULL ELSE array_to_string(ARRAY( \
         SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY r.rolname), ', ') END AS roles, \
       pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check \
     FROM unnest($1::oid[]) AS src(relid) JOIN pg_policy p ON p.polrelid = src.relid \
     ORDER BY p.polrelid, p.polname";

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    for table in relations.archived().filter(|r| r.row_security) {
        let key = table.id().part(Part::RowSecurity);
        let mut draft = table.draft(key, "ROW SECURITY", Section::PostData, table.name.clone());
        draft.definition = format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY;\n", table.sql());
        draft.depends.insert(table.id().definition());
        out.add(draft);
    }
    let oids = relations.archived_oids();
    for row in cx.rows("policies", POLICIES, &[&oids]).await? {
        let Some(table) = relations.get(field(&row, "polrelid")?) else { continue };
        let name: String = field(&row, "polname")?;
        let id = CatalogId { class: PG_POLICY, oid: field(&row, "oid")? };
        let mut draft = table.member(id, "POLICY", Section::PostData, &name);
        let restrictive = if field(&row, "polpermissive")? { "" } else { " AS RESTRICTIVE" };
        let command = match letter(&row, "polcmd")? {
            'r' => " FOR SELECT",
            'a' => " FOR INSERT",
            'w' => " FOR UPDATE",
            'd' => " FOR DELETE",
            _ => "",
        };
        let mut sql = format!("CREATE POLICY {} ON {}{restrictive}{command}", ident(&name), table.sql());
        for (word, text) in [
            ("TO", field::<Option<String>>(&row, "roles")?),
            ("USING", field::<Option<String>>(&row, "qual")?.map(|q| format!("({q})"))),
            ("WITH CHECK", field::<Option<String>>(&row, "with_check")?.map(|q| format!("({q})"))),
        ] {
            if let Some(text) = text {
                let _ = write!(sql, " {word} {text}");
            }
        }
        draft.definition = format!("{sql};\n");
        draft.drop = format!("DROP POLICY {} ON {};\n", ident(&name), table.sql());
        draft.depends.insert(table.id().definition());
        out.add(draft);
    }
    Ok(())
}
