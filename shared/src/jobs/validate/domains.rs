//! Values that violate a domain's constraints which the server was told not to validate.

use super::{
    looker::Looker,
    report::Finding,
    strangers::Strangers,
    table::{Tables, counted},
};
use crate::{
    base::Result,
    jobs::restore::plan::shown,
    pg::{ident, qualified},
};

/// Columns of such a domain, of domains over it, and of arrays of these. `base` is what lies under all domains: a cast to a domain would look at that one's
/// constraints, too.
const ALL: &str = "WITH RECURSIVE over(con, typ) AS ( \
       SELECT c.oid, c.contypid FROM pg_constraint c WHERE c.contype = 'c' AND c.contypid <> 0 AND NOT c.convalidated \
       UNION SELECT o.con, t.oid FROM over o JOIN pg_type t ON t.typtype = 'd' AND t.typbasetype = o.typ), \
     under(domain, typ, typmod) AS ( \
       SELECT t.oid, t.typbasetype, t.typtypmod FROM pg_type t WHERE t.typtype = 'd' \
       UNION SELECT u.domain, t.typbasetype, t.typtypmod FROM under u JOIN pg_type t ON t.oid = u.typ AND t.typtype = 'd') \
     SELECT c.conname::text, n.nspname::text, d.typname::text, pg_get_expr(c.conbin, 0), \
       (SELECT format_type(u.typ, u.typmod) FROM under u JOIN pg_type b ON b.oid = u.typ AND b.typtype <> 'd' WHERE u.domain = d.oid), \
       a.attrelid, a.attname::text, a.atttypid <> o.typ, c.oid \
     FROM over o JOIN pg_constraint c ON c.oid = o.con JOIN pg_type d ON d.oid = c.contypid JOIN pg_namespace n ON n.oid = d.typnamespace \
       JOIN pg_type t ON t.oid = o.typ JOIN pg_attribute a ON a.atttypid IN (o.typ, nullif(t.typarray, 0)) \
     WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum, c.conname";

/// # Errors
/// See [`Looker`].
pub(super) async fn look(looker: &mut Looker<'_>, tables: &Tables, strangers: &Strangers) -> Result<()> {
    for row in looker.list("domains", ALL).await? {
        let Some(table) = tables.get(&row.get::<_, u32>(5)).filter(|t| t.kind != 'p') else { continue };
        let (constraint, schema, domain): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (expression, base, column): (String, String, String) = (row.get(3), row.get(4), row.get(6));
        let (domain, constraint) = (shown(&qualified(&schema, &domain)), shown(&ident(&constraint)));
        let shown_column = shown(&ident(&column));
        let what = format!(
            "constraint {constraint} of domain {domain} in column {shown_column} of {}",
            table.shown()
        );
        let nested: bool = row.get(7);
        let withheld = match nested {
            true => Some("values within arrays are not looked at".to_owned()),
            false => strangers.of_constraint(row.get(8), &[], &[table.oid]),
        };
        if let Some(reason) = withheld {
            looker.report.not_checked(what, reason);
            continue;
        }
        // VALUE, which stands for the value in the expression, is no reserved word: here it is a column.
        let example = table.example(std::slice::from_ref(&column));
        let sql = counted(&format!(
            "SELECT example FROM (SELECT {example} AS example, CAST(t.{} AS {base}) AS value FROM {} AS t) AS v WHERE ({expression}) IS FALSE",
            ident(&column),
            table.from()
        ));
        let finding = |count| Finding {
            kind: "domain_violation",
            table: table.shown(),
            constraint: Some(constraint.clone()),
            count: 0,
            examples: Vec::new(),
            message: format!(
                "{count} rows of {} have in column {shown_column} values that violate {constraint} of domain {domain}",
                table.shown()
            ),
        };
        if looker.expect_none(&what, &sql, &[table.oid], finding).await? {
            looker.report.checked.domain_columns += 1;
        }
    }
    Ok(())
}
