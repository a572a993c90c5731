//! What a backup will read, as a value: every file that holds data, with the statement that fills it. Made from the catalog; nothing is read
//! or written by it.
//!
//! ```text
//! small tables   one part each
//! large tables   a part for each slice, a range of pages
//! large objects  a file each, read after the tables
//! ```

use std::{collections::HashMap, sync::Arc, sync::atomic::AtomicUsize};

use serde::Serialize;

use super::entries;
use crate::{
    archive::Codec,
    catalog::{Catalog, DataSource, Slice},
    pg::ServerVersion,
};

/// A table's rows, or a slice of them, which make one file.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// Dump id of the entry.
    pub entry: i32,
    /// Name of the object in the backup's folder.
    pub file: String,
    /// Schema, unquoted.
    pub schema: String,
    /// Table, unquoted.
    pub table: String,
    /// First page, and the first page that is not read any more where there is one; none for whole tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<(u32, Option<u32>)>,
    /// Bytes of COPY text to expect.
    pub expected_bytes: u64,
    /// The statement that streams the rows.
    pub copy: String,
    /// Parts of the same table that are not done.
    #[serde(skip)]
    pub(super) left: Arc<AtomicUsize>,
}

impl Part {
    /// `schema.table`, unquoted, for people.
    pub fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// All that a backup reads.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The largest first, so that none of them is begun last.
    pub parts: Vec<Part>,
    /// Oids of large objects.
    pub large_objects: Vec<u32>,
    /// Whether the archive has a list of large objects, which may be empty.
    pub has_list: bool,
}

impl Plan {
    /// What the catalog says there is to read. Tables that were measured and [sliced](Catalog::slice) bring their sizes and slices with them.
    pub fn of(catalog: &Catalog, codec: Codec) -> Self {
        let mut plan = Self::default();
        let mut left: HashMap<u32, Arc<AtomicUsize>> = HashMap::new();
        for entry in &catalog.entries {
            match (&entry.data, entries::file(entry)) {
                (Some(DataSource::Table(source)), Some(file)) => {
                    let left = left.entry(source.oid).or_default();
                    left.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    plan.parts.push(Part {
                        entry: entry.dump_id,
                        file: format!("{file}{}", codec.suffix()),
                        schema: source.schema.clone(),
                        table: source.name.clone(),
                        pages: source.slice.map(|Slice { from, to }| (from, to)),
                        expected_bytes: source.bytes,
                        copy: source.copy_out(),
                        left: Arc::clone(left),
                    });
                }
                (Some(DataSource::LargeObjects(oids)), _) => {
                    plan.has_list = true;
                    plan.large_objects.extend(oids);
                }
                _ => {}
            }
        }
        plan.parts.sort_by_key(|part| std::cmp::Reverse(part.expected_bytes));
        plan
    }

    /// Number of tables.
    pub fn tables(&self) -> u64 {
        let first = |p: &&Part| p.pages.is_none_or(|(from, _)| from == 0);
        self.parts.iter().filter(first).count() as u64
    }

    /// Bytes of COPY text to expect of all tables.
    pub fn expected_bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.expected_bytes).sum()
    }
}

/// A plan for people: what `planOnly` answers.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Registered name of the database.
    database: String,
    /// Version of its server.
    server_version: String,
    tables: u64,
    large_objects: u64,
    /// Bytes of COPY text to expect.
    expected_bytes: u64,
    /// Tables and slices to read at once.
    concurrency: usize,
    /// Number of parts; only the largest [`Shown::PARTS`] of them are listed.
    part_count: u64,
    parts: Vec<Part>,
    warnings: Vec<String>,
}

impl Shown {
    /// A function answers with 6 MB at most (Lambda quotas), and statements can be long.
    const PARTS: usize = 1000;

    /// The plan of one database.
    pub(super) fn of(
        plan: Plan,
        database: &str,
        version: ServerVersion,
        concurrency: usize,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            database: database.to_owned(),
            server_version: version.to_string(),
            tables: plan.tables(),
            large_objects: plan.large_objects.len() as u64,
            expected_bytes: plan.expected_bytes(),
            concurrency,
            part_count: plan.parts.len() as u64,
            parts: plan.parts.into_iter().take(Self::PARTS).collect(),
            warnings,
        }
    }
}
