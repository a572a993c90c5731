//! STATISTICS DATA: what ANALYZE found, so that the copy plans well from its first query on.
//!
//! PostgreSQL 18 is the first that can take statistics (`pg_restore_relation_stats`, `pg_restore_attribute_stats`: manual, "Statistics
//! Manipulation Functions"). As a restore goes to the same or a newer major, they are archived from servers of 18 and later only: older
//! ones would answer with errors. The counterpart of pg_dump's `dumpRelationStats`.

use std::collections::BTreeMap;
use std::fmt::Write;

use futures_util::TryStreamExt;
use tokio_postgres::{Row, types::ToSql};

use super::{
    indexes::Indexes,
    relations::{Relation, Relations},
};
use crate::{
    base::Result,
    catalog::{
        draft::{CatalogId, Context, Draft, Drafts, Part, Section},
        rows::{failed, field},
    },
    pg::literal,
};

/// Statistics are small beside the rows, but with very many columns they would fill the function's memory.
const MAX_BYTES: usize = 64 << 20;

const RELATIONS: &str = "SELECT c.oid, c.relpages, c.reltuples::text AS reltuples, c.relallvisible, c.relallfrozen \
     FROM unnest($1::oid[]) AS src(relid) JOIN pg_class c ON c.oid = src.relid";

/// `pg_stats` shows only columns that the session may read.
const COLUMNS: &str = "SELECT c.oid, \
       CASE WHEN c.relkind IN ('i', 'I') THEN a.attnum END AS number, s.attname::text AS name, s.inherited, \
       s.null_frac::text, s.avg_width::text, s.n_distinct::text, s.most_common_vals::text, s.most_common_freqs::text, \
       s.histogram_bounds::text, s.correlation::text, s.most_common_elems::text, s.most_common_elem_freqs::text, \
       s.elem_count_histogram::text, s.range_length_histogram::text, s.range_empty_frac::text, s.range_bounds_histogram::text \
     FROM unnest($1::oid[]) AS src(relid) \
     JOIN pg_class c ON c.oid = src.relid \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname \
     ORDER BY c.oid, s.attname, s.inherited";

/// Parameters of `pg_restore_attribute_stats` and their types, in pg_dump's order.
const ARGUMENTS: &[(&str, &str)] = &[
    ("null_frac", "real"),
    ("avg_width", "integer"),
    ("n_distinct", "real"),
    ("most_common_vals", "text"),
    ("most_common_freqs", "real[]"),
    ("histogram_bounds", "text"),
    ("correlation", "real"),
    ("most_common_elems", "text"),
    ("most_common_elem_freqs", "real[]"),
    ("elem_count_histogram", "real[]"),
    ("range_length_histogram", "text"),
    ("range_empty_frac", "real"),
    ("range_bounds_histogram", "text"),
];

/// A relation with statistics of its own.
struct Subject<'a> {
    table: &'a Relation,
    name: &'a str,
    is_index: bool,
}

impl Subject<'_> {
    /// The beginning of a call: which relation.
    fn call(&self, function: &str, version: u32) -> String {
        format!(
            "SELECT * FROM pg_catalog.{function}(\n\t'version', '{version}'::integer,\n\t'schemaname', {},\n\t'relname', {}",
            literal(&self.table.schema),
            literal(self.name)
        )
    }

    fn draft(&self, oid: u32, definition: String, out: &Drafts) -> Draft {
        let id = CatalogId::relation(oid);
        let late = self.is_index || self.table.kind == 'm';
        let section = if late { Section::PostData } else { Section::Data };
        let key = id.part(Part::Statistics);
        let mut draft = self.table.draft(key, "STATISTICS DATA", section, self.name.to_owned());
        draft.owner.clear();
        draft.definition = definition;
        draft.depends.insert(id.definition());
        // A refresh begins the statistics anew, also those of the view's indexes.
        let refresh = CatalogId::relation(self.table.oid).part(Part::Set);
        draft.depends.extend(Some(refresh).filter(|rows| out.entries.contains_key(rows)));
        draft
    }
}

/// Call it when tables, their rows and indexes are there.
pub(crate) async fn collect(
    cx: &Context<'_>,
    relations: &Relations,
    indexes: &Indexes,
    out: &mut Drafts,
) -> Result<()> {
    if cx.version.major() < 18 {
        return Ok(());
    }
    let mut subjects: BTreeMap<u32, Subject<'_>> = BTreeMap::new();
    for table in relations.archived().filter(|r| matches!(r.kind, 'r' | 'p' | 'm' | 'f')) {
        subjects.insert(table.oid, Subject { table, name: &table.name, is_index: false });
    }
    for (oid, name, table) in indexes.all() {
        if let Some(table) = relations.get(table) {
            subjects.insert(oid, Subject { table, name, is_index: true });
        }
    }
    let oids: Vec<u32> = subjects.keys().copied().collect();
    let mut calls: BTreeMap<u32, String> = BTreeMap::new();
    for row in cx.rows("statistics of relations", RELATIONS, &[&oids]).await? {
        let oid: u32 = field(&row, "oid")?;
        if let Some(subject) = subjects.get(&oid) {
            calls.insert(oid, of_relation(subject, &row, cx.version.num())?);
        }
    }
    let mut bytes: usize = calls.values().map(String::len).sum();
    let parameters: [&(dyn ToSql + Sync); 1] = [&oids];
    let reading = |e| failed(e).context("reading statistics of columns from the catalogs");
    let rows = cx.client.query_raw(COLUMNS, parameters).await.map_err(reading)?;
    let mut rows = std::pin::pin!(rows);
    let mut left_out = 0_usize;
    while let Some(row) = rows.try_next().await.map_err(reading)? {
        let oid: u32 = field(&row, "oid")?;
        let (Some(subject), Some(calls)) = (subjects.get(&oid), calls.get_mut(&oid)) else { continue };
        let call = of_column(subject, &row, cx.version.num())?;
        bytes += call.len();
        if bytes > MAX_BYTES {
            left_out += 1;
        } else {
            calls.push_str(&call);
        }
    }
    if left_out > 0 {
        out.warnings.push(format!(
            "planner statistics of {left_out} columns are not in the backup, as all together are larger than {} MiB: \
             run ANALYZE after a restore",
            MAX_BYTES >> 20
        ));
    }
    for (oid, definition) in calls {
        if let Some(subject) = subjects.get(&oid) {
            let draft = subject.draft(oid, definition, out);
            out.add(draft);
        }
    }
    Ok(())
}

fn of_relation(subject: &Subject<'_>, row: &Row, version: u32) -> Result<String> {
    let mut sql = subject.call("pg_restore_relation_stats", version);
    let _ = write!(sql, ",\n\t'relpages', '{}'::integer", field::<i32>(row, "relpages")?);
    let _ = write!(sql, ",\n\t'reltuples', {}::real", literal(field(row, "reltuples")?));
    let _ = write!(sql, ",\n\t'relallvisible', '{}'::integer", field::<i32>(row, "relallvisible")?);
    let _ = write!(sql, ",\n\t'relallfrozen', '{}'::integer\n);\n", field::<i32>(row, "relallfrozen")?);
    Ok(sql)
}

/// A column by its name; of an index by its number, as the server names those itself.
fn of_column(subject: &Subject<'_>, row: &Row, version: u32) -> Result<String> {
    let mut sql = subject.call("pg_restore_attribute_stats", version);
    match field::<Option<i16>>(row, "number")? {
        Some(number) => {
            let _ = write!(sql, ",\n\t'attnum', '{number}'::smallint");
        }
        None => {
            let _ = write!(sql, ",\n\t'attname', {}", literal(field(row, "name")?));
        }
    }
    let inherited = if field(row, "inherited")? { 't' } else { 'f' };
    let _ = write!(sql, ",\n\t'inherited', '{inherited}'::boolean");
    for (name, kind) in ARGUMENTS {
        if let Some(value) = field::<Option<&str>>(row, name)? {
            let _ = write!(sql, ",\n\t'{name}', {}::{kind}", literal(value));
        }
    }
    sql.push_str("\n);\n");
    Ok(sql)
}
