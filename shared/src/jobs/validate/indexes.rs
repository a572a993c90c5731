//! Indexes that no query uses and that may lack rows, as a broken-off CREATE INDEX CONCURRENTLY or REINDEX leaves them (PostgreSQL manual, CREATE
//! INDEX, "Building Indexes Concurrently"), and those of partitioned tables that not all partitions have.

use super::{looker::Looker, report::Finding, table::Tables};
use crate::{base::Result, jobs::restore::plan::shown};

/// Which table another role's session builds an index on only `pg_read_all_stats` sees: for others any of them may be.
const ALL: &str = "SELECT i.indrelid, c.relname::text, c.relkind = 'I', i.indisvalid AND i.indisready AND i.indislive, \
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid OR (p.relid IS NULL AND p.datname = current_database())) \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid ORDER BY i.indrelid, c.relname";

/// # Errors
/// See [`Looker`].
pub(super) async fn look(looker: &mut Looker<'_>, tables: &Tables) -> Result<()> {
    for row in looker.list("indexes", ALL).await? {
        let Some(table) = tables.get(&row.get::<_, u32>(0)) else { continue };
        let (name, partitioned, valid, building): (String, bool, bool, bool) =
            (row.get(1), row.get(2), row.get(3), row.get(4));
        let name = shown(&name);
        if !valid && building {
            let what = format!("index {name} of {}", table.shown());
            looker.report.not_checked(what, "an index of the table is being built".to_owned());
            continue;
        }
        looker.report.checked.indexes += 1;
        if !valid {
            let why = match partitioned {
                true => "not all partitions have it",
                false => "it was never finished; rebuild or drop it",
            };
            looker.report.found(Finding {
                kind: "invalid_index",
                table: table.shown(),
                count: 1,
                examples: Vec::new(),
                message: format!("index {name} of {} is invalid: {why}", table.shown()),
                constraint: Some(name),
            });
        }
    }
    Ok(())
}
