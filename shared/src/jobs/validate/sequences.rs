//! Sequences of serial and identity columns that would next give a value which the column has, or has passed.

use super::{
    looker::Looker,
    report::Finding,
    strangers::Strangers,
    table::{Table, Tables, counted},
};
use crate::{
    base::Result,
    jobs::restore::plan::shown,
    pg::{ident, qualified},
};

/// Those of identity columns, and those that a column owns and takes its default from; one that begins anew is meant to give values again. Of columns of other types than whole numbers nothing can be
/// told.
const ALL: &str = "SELECT d.refobjid, n.nspname::text, s.relname::text, a.attname::text, q.seqincrement, q.seqmin, q.seqmax \
     FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace \
       JOIN pg_sequence q ON q.seqrelid = s.oid JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND NOT q.seqcycle \
       AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype) \
       AND (d.deptype = 'i' OR (d.deptype = 'a' AND EXISTS (SELECT FROM pg_attrdef f JOIN pg_depend u \
              ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid AND u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid \
            WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum))) \
     ORDER BY n.nspname, s.relname";

/// # Errors
/// See [`Looker`].
pub(super) async fn look(looker: &mut Looker<'_>, tables: &Tables, strangers: &Strangers) -> Result<()> {
    for row in looker.list("sequences", ALL).await? {
        let Some(table) = tables.get(&row.get::<_, u32>(0)) else { continue };
        let (schema, name, column): (String, String, String) = (row.get(1), row.get(2), row.get(3));
        let (step, least, most): (i64, i64, i64) = (row.get(4), row.get(5), row.get(6));
        let sequence = qualified(&schema, &name);
        let shown_sequence = shown(&sequence);
        let what = format!("sequence {shown_sequence} of {}", table.shown());
        if let Some(reason) = strangers.of_tables(&[table.oid]) {
            looker.report.not_checked(what, reason);
            continue;
        }
        let sql = beyond(table, &sequence, &column, step, (least, most));
        let finding = |count| Finding {
            kind: "sequence_behind",
            table: table.shown(),
            constraint: Some(shown_sequence.clone()),
            count: 0,
            examples: Vec::new(),
            message: format!(
                "sequence {shown_sequence} is behind column {} of {}: {count} rows have values that it has yet to give",
                shown(&ident(&column)),
                table.shown()
            ),
        };
        if looker.expect_none(&what, &sql, &[table.oid], finding).await? {
            looker.report.checked.sequences += 1;
        }
    }
    Ok(())
}

/// Rows with values that the sequence has not given and still can. What inherits from the table takes its values from the same sequence.
fn beyond(table: &Table, sequence: &str, column: &str, step: i64, (least, most): (i64, i64)) -> String {
    let example = table.example(&[column.to_owned()]);
    let (name, column) = (qualified(&table.schema, &table.name), ident(column));
    // As a whole number of the sequence's range, so that an index on the column serves.
    let next = format!(
        "(SELECT CASE WHEN v.n BETWEEN {least} AND {most} THEN v.n::int8 END \
         FROM (SELECT CASE WHEN is_called THEN last_value::numeric + {step} ELSE last_value END AS n FROM {sequence}) AS v)"
    );
    let condition = match step > 0 {
        true => format!("t.{column} >= {next} AND t.{column} <= {most}"),
        false => format!("t.{column} <= {next} AND t.{column} >= {least}"),
    };
    // Of a step of several, what lies between two steps is somebody else's.
    counted(&format!(
        "SELECT {example} AS example FROM {name} AS t WHERE {condition} AND mod(t.{column}::numeric - {next}, {step}) = 0"
    ))
}
