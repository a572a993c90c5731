//! Rows that violate CHECK constraints which the server was told not to validate.

use super::{
    foreign_keys::not_enforced,
    looker::Looker,
    report::Finding,
    strangers::Strangers,
    table::{Tables, counted},
};
use crate::{base::Result, jobs::restore::plan::shown, pg::ident};

/// Of tables with rows of their own: what inherits a constraint has one of its own.
const ALL: &str = "SELECT c.conname::text, c.conrelid, pg_get_expr(c.conbin, c.conrelid), coalesce((to_jsonb(c) ->> 'conenforced')::bool, true), c.oid \
     FROM pg_constraint c WHERE c.contype = 'c' AND c.conrelid <> 0 AND NOT c.convalidated ORDER BY c.conrelid, c.conname";

/// # Errors
/// See [`Looker`].
pub(super) async fn look(looker: &mut Looker<'_>, tables: &Tables, strangers: &Strangers) -> Result<()> {
    for row in looker.list("CHECK constraints", ALL).await? {
        let Some(table) = tables.get(&row.get::<_, u32>(1)).filter(|t| t.kind != 'p') else { continue };
        let (name, expression): (String, String) = (row.get(0), row.get(2));
        let name = shown(&ident(&name));
        let what = format!("CHECK constraint {name} of {}", table.shown());
        let enforced = row.get(3);
        if let Some(reason) =
            not_enforced(enforced).or_else(|| strangers.of_constraint(row.get(4), &[], &[table.oid]))
        {
            looker.report.not_checked(what, reason);
            continue;
        }
        // The expression names columns alone, or the whole row by the table's name. NULL keeps a CHECK.
        let (example, relation) = (table.example(&[]), ident(&table.name));
        let inner = table.from();
        let sql = counted(&format!(
            "SELECT {example} AS example FROM (SELECT {relation}.*, {relation}.ctid FROM {inner} WHERE ({expression}) IS FALSE) AS t"
        ));
        let finding = |count| Finding {
            kind: "check_violation",
            table: table.shown(),
            constraint: Some(name.clone()),
            count: 0,
            examples: Vec::new(),
            message: format!("{count} rows of {} violate {name}, which is NOT VALID", table.shown()),
        };
        if looker.expect_none(&what, &sql, &[table.oid], finding).await? {
            looker.report.checked.check_constraints += 1;
        }
    }
    Ok(())
}
