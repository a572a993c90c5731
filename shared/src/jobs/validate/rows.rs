//! Every row of every table, on the server: whether it can be read, values kept out of line included, and whether a column that must not be NULL is.
//!
//! The values are put together as text, as COPY does it, and thrown away. NULLs are counted by a function: of columns that are declared NOT NULL the
//! planner takes `IS NULL` for false without looking (PostgreSQL 17 and later).

use std::collections::BTreeMap;

use super::{
    looker::{Answer, Looker},
    report::Finding,
    strangers::Strangers,
    table::{Table, Tables},
};
use crate::{base::Result, jobs::restore::plan::shown, pg::ident};

/// Columns with values: name, whether it must not be NULL, whether its values vary in length. Virtual ones (18) are computed.
const COLUMNS: &str = "SELECT a.attrelid, a.attname::text, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), a.attlen < 0 \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid \
     WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v' ORDER BY a.attrelid, a.attnum";

/// Foreign tables: their rows are elsewhere.
const FOREIGN: &str = "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'f' ORDER BY 1, 2";

#[derive(Debug, Default)]
struct Columns {
    not_null: Vec<String>,
    varying: Vec<String>,
}

/// # Errors
/// See [`Looker`].
pub(super) async fn look(looker: &mut Looker<'_>, tables: &Tables, strangers: &Strangers) -> Result<()> {
    for row in looker.list("foreign tables", FOREIGN).await? {
        let name = crate::pg::qualified(row.get(0), row.get(1));
        looker
            .report
            .not_checked(format!("foreign table {}", shown(&name)), "its rows are elsewhere".to_owned());
    }
    let rows = looker.list("columns", COLUMNS).await?;
    let listed = !rows.is_empty();
    let mut columns: BTreeMap<u32, Columns> = BTreeMap::new();
    for row in rows {
        let (name, not_null, varying): (String, bool, bool) = (row.get(1), row.get(2), row.get(3));
        let of = columns.entry(row.get(0)).or_default();
        if not_null {
            of.not_null.push(name.clone());
        }
        if varying {
            of.varying.push(name);
        }
    }
    for table in tables.values().filter(|t| t.kind != 'p') {
        let none = Columns::default();
        let columns = match columns.get(&table.oid) {
            Some(columns) => columns,
            None if listed => &none,
            None => continue,
        };
        if let Some(reason) = strangers.of_tables(&[table.oid]) {
            looker.report.not_checked(format!("the rows of {}", table.shown()), reason);
            continue;
        }
        read(looker, table, columns).await?;
    }
    Ok(())
}

async fn read(looker: &mut Looker<'_>, table: &Table, columns: &Columns) -> Result<()> {
    let what = format!("the rows of {}", table.shown());
    let row = match looker.ask(&what, &statement(table, columns), &[table.oid]).await? {
        Answer::Row(row) => row,
        Answer::NotChecked => return Ok(()),
        // A materialized view that was never filled has no rows to read.
        Answer::Broken(why) if table.kind == 'm' && why.contains("(SQLSTATE 55000)") || passes(&why) => {
            looker.report.not_checked(what, why);
            return Ok(());
        }
        Answer::Refused(why) | Answer::Broken(why) => {
            looker.report.found(Finding {
                kind: "unreadable_table",
                table: table.shown(),
                constraint: None,
                count: 1,
                examples: Vec::new(),
                message: format!("{} cannot be read in full: {why}", table.shown()),
            });
            return Ok(());
        }
    };
    looker.report.checked.tables += 1;
    looker.report.checked.rows += u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
    looker.report.checked.not_null_columns += columns.not_null.len() as u64;
    let nulls: Vec<i64> = row.get(1);
    for (column, _) in columns.not_null.iter().zip(nulls).filter(|(_, nulls)| *nulls > 0) {
        let sql = table.rows_where(&format!("num_nulls(t.{}) > 0", ident(column)), &[]);
        let shown_column = shown(&ident(column));
        let what = format!("NOT NULL of column {shown_column} of {}", table.shown());
        let finding = |count| Finding {
            kind: "not_null_violation",
            table: table.shown(),
            constraint: Some(shown_column.clone()),
            count: 0,
            examples: Vec::new(),
            message: format!(
                "{count} rows of {} have NULL in column {shown_column}, which must not be NULL",
                table.shown()
            ),
        };
        looker.expect_none(&what, &sql, &[table.oid], finding).await?;
    }
    Ok(())
}

/// Whether an error speaks of the moment and not of the table: it was dropped or altered since it was listed, a standby had to break off or has no rows of
/// unlogged tables, the server lacks memory, space or time (PostgreSQL manual, appendix "PostgreSQL Error Codes").
fn passes(why: &str) -> bool {
    ["40", "53", "57", "58030", "42P01", "42703", "3F000", "0A000"]
        .iter()
        .any(|code| why.contains(&format!("(SQLSTATE {code}")))
}

/// Number of rows; NULLs by column; and a number that needs every value of varying length.
fn statement(table: &Table, columns: &Columns) -> String {
    let nulls =
        columns.not_null.iter().map(|c| format!("count(*) FILTER (WHERE num_nulls(t.{}) > 0)", ident(c)));
    let values = columns.varying.iter().map(|c| format!("count(hashtext(format('%s', t.{})))", ident(c)));
    let values: Vec<String> = values.collect();
    let values = if values.is_empty() { "0".to_owned() } else { values.join(" + ") };
    format!(
        "SELECT count(*), ARRAY[{}]::int8[], {values} FROM {} AS t",
        nulls.collect::<Vec<_>>().join(", "),
        table.from()
    )
}
