//! How large tables are: from the sizes of their files, and of a sample of their rows where that matters.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::{
    Catalog, DataSource,
    rows::{failed, field, rows},
};
use crate::{
    base::{Result, ResultExt},
    pg::{ServerVersion, qualified},
};

/// What planning knows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Pages of the main fork.
    pub pages: u32,
    /// Bytes of COPY text to expect.
    pub bytes: u64,
    /// Whether a range of pages can be read without reading the others.
    pub by_pages: bool,
}

/// Sizes of tables by their oid.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    by_oid: HashMap<u32, Size>,
}

impl Sizes {
    pub(crate) fn of(&self, oid: u32) -> Option<Size> {
        self.by_oid.get(&oid).copied()
    }

    #[cfg(test)]
    pub(crate) fn from_map(by_oid: HashMap<u32, Size>) -> Self {
        Self { by_oid }
    }
}

/// Files of tables with their TOAST; `tid` conditions read only the pages they name with the heap's access method (since 14, "TID Range Scan").
const FILES: &str = "SELECT c.oid, pg_relation_size(c.oid) AS main, current_setting('block_size') AS block_size, \
       pg_relation_size(c.oid) + CASE WHEN c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) ELSE 0 END AS bytes, \
       c.relkind = 'r' AND am.amname = 'heap' AS heap \
     FROM pg_class c LEFT JOIN pg_am am ON am.oid = c.relam WHERE c.oid = ANY ($1)";

/// Pages looked at to count rows.
const SAMPLE_PAGES: u32 = 64;

/// Rows whose text is made: a row may be a gigabyte long.
const SAMPLE_ROWS: u32 = 200;

/// Measures every table that has rows to save, by its files; from `sample_above` bytes on also by a sample of its rows, since COPY text may be a
/// multiple of the files (compressed values) or a fraction (dead rows).
///
/// # Errors
/// As the queries' errors, naming the table.
pub async fn measure(
    client: &Client,
    version: ServerVersion,
    catalog: &Catalog,
    sample_above: u64,
) -> Result<Sizes> {
    let sources = catalog.entries.iter().filter_map(|e| match &e.data {
        Some(DataSource::Table(source)) => Some((source.oid, source)),
        _ => None,
    });
    let sources: HashMap<u32, _> = sources.collect();
    let oids: Vec<u32> = sources.keys().copied().collect();
    let mut sizes = Sizes::default();
    for row in rows(client, "the sizes of tables", FILES, &[&oids]).await? {
        let oid: u32 = field(&row, "oid")?;
        let files = u64::try_from(field::<i64>(&row, "bytes")?).unwrap_or(0);
        // Not cast by the server: the database may have casts of its own.
        let block: i64 = field::<&str>(&row, "block_size")?.parse().unwrap_or(8192);
        let pages = u32::try_from(field::<i64>(&row, "main")? / block.max(1)).unwrap_or(u32::MAX);
        let heap: bool = field::<Option<_>>(&row, "heap")?.unwrap_or(false);
        let mut size = Size { pages, bytes: files, by_pages: heap && version.major() >= 14 };
        if let Some(source) =
            sources.get(&oid).filter(|s| heap && files >= sample_above && pages > 0 && !s.columns.is_empty())
        {
            let table = qualified(&source.schema, &source.name);
            let bytes = sampled(client, &table, &source.columns, pages).await;
            let bytes = bytes.with_context(|| format!("measuring table {table}"))?;
            // Of a file that is written as a whole the upload must not be planned too small.
            size.bytes = match bytes {
                Some(bytes) if size.by_pages => bytes,
                Some(bytes) => bytes.max(files),
                None => files,
            };
        }
        sizes.by_oid.insert(oid, size);
    }
    Ok(sizes)
}

/// Bytes of text of the whole table, from some of its rows; none when the pages looked at hold none. Only the columns that are saved: to compute a
/// generated one may fail.
async fn sampled(client: &Client, table: &str, columns: &str, pages: u32) -> Result<Option<u64>> {
    let percent = (f64::from(SAMPLE_PAGES) * 100.0 / f64::from(pages)).min(100.0);
    let sample = format!("FROM ONLY {table} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)");
    let sql = format!(
        "SELECT (SELECT pg_catalog.count(*) {sample}) AS rows, pg_catalog.count(*) AS looked_at, \
           coalesce(pg_catalog.sum(pg_catalog.octet_length(line)), 0) AS bytes \
         FROM (SELECT pg_catalog.format('%s', ROW({columns})) AS line {sample} LIMIT {SAMPLE_ROWS}) AS looked"
    );
    let row = &client.query_one(&sql, &[]).await.map_err(failed)?;
    let (count, looked_at): (i64, i64) = (field(row, "rows")?, field(row, "looked_at")?);
    let bytes: i64 = field(row, "bytes")?;
    if looked_at == 0 {
        return Ok(None);
    }
    Ok(Some((bytes as f64 / looked_at as f64 * count as f64 / (percent / 100.0)) as u64))
}
