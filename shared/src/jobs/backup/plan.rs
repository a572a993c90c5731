//! What a backup will read, as a value: every file that holds data, with the statement that fills it. Made from the catalog; nothing is read
//! or written by it.
//!
//! ```text
//! small tables   one part each
//! large tables   a part for each slice, a range of pages
//! large objects  a file each, in batches, read after the tables
//! ```

use serde::{Deserialize, Serialize};

use super::entries;
use crate::{
    archive::Codec,
    catalog::{Catalog, DataSource, Slice},
    pg::ServerVersion,
};

/// Large objects to a batch: their outcomes together must fit into one item of DynamoDB.
const BATCH: usize = 500;

/// A table's rows, or a slice of them, which make one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<(u32, Option<u32>)>,
    /// Bytes of COPY text to expect.
    pub expected_bytes: u64,
    /// The statement that streams the rows.
    pub copy: String,
}

impl Part {
    /// `schema.table`, unquoted, for people.
    pub fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// What is read in one go, and done again as a whole where that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Rows.
    Part(Part),
    /// Large objects.
    LargeObjects {
        /// From 0.
        batch: usize,
        /// Their oids.
        oids: Vec<u32>,
    },
}

impl Task {
    /// What tells it from the others of its plan.
    pub fn key(&self) -> String {
        match self {
            Self::Part(part) => part.entry.to_string(),
            Self::LargeObjects { batch, .. } => format!("large-objects-{batch}"),
        }
    }

    /// Bytes to expect.
    pub fn expected_bytes(&self) -> u64 {
        match self {
            Self::Part(part) => part.expected_bytes,
            Self::LargeObjects { .. } => 0,
        }
    }

    /// Schema and name of the table that it reads.
    pub fn table(&self) -> Option<(&str, &str)> {
        match self {
            Self::Part(part) => Some((&part.schema, &part.table)),
            Self::LargeObjects { .. } => None,
        }
    }
}

/// All that a backup reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The largest first, so that none of them is begun last.
    pub tasks: Vec<Task>,
    /// Whether the archive has a list of large objects, which may be empty.
    pub has_list: bool,
}

impl Plan {
    /// What the catalog says there is to read. Tables that were measured and [sliced](Catalog::slice) bring their sizes and slices with them.
    pub fn of(catalog: &Catalog, codec: Codec) -> Self {
        let mut parts = Vec::new();
        let mut large_objects: Vec<u32> = Vec::new();
        let mut has_list = false;
        for entry in &catalog.entries {
            match (&entry.data, entries::file(entry)) {
                (Some(DataSource::Table(source)), Some(file)) => parts.push(Part {
                    entry: entry.dump_id,
                    file: format!("{file}{}", codec.suffix()),
                    schema: source.schema.clone(),
                    table: source.name.clone(),
                    pages: source.slice.map(|Slice { from, to }| (from, to)),
                    expected_bytes: source.bytes,
                    copy: source.copy_out(),
                }),
                (Some(DataSource::LargeObjects(oids)), _) => {
                    has_list = true;
                    large_objects.extend(oids);
                }
                _ => {}
            }
        }
        parts.sort_by_key(|part| std::cmp::Reverse(part.expected_bytes));
        let batches = large_objects.chunks(BATCH).map(<[u32]>::to_vec).enumerate();
        let batches = batches.map(|(batch, oids)| Task::LargeObjects { batch, oids });
        Self { tasks: parts.into_iter().map(Task::Part).chain(batches).collect(), has_list }
    }

    /// The parts of tables.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.tasks.iter().filter_map(|task| match task {
            Task::Part(part) => Some(part),
            Task::LargeObjects { .. } => None,
        })
    }

    /// Oids of all large objects.
    pub fn large_objects(&self) -> Vec<u32> {
        let of = |task: &Task| match task {
            Task::Part(_) => Vec::new(),
            Task::LargeObjects { oids, .. } => oids.clone(),
        };
        self.tasks.iter().flat_map(of).collect()
    }

    /// Number of tables.
    pub fn tables(&self) -> u64 {
        self.parts().filter(|p| p.pages.is_none_or(|(from, _)| from == 0)).count() as u64
    }

    /// Bytes of COPY text to expect of all tables.
    pub fn expected_bytes(&self) -> u64 {
        self.parts().map(|p| p.expected_bytes).sum()
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
    /// Whether many functions read them, `concurrency` of them at once.
    workers: bool,
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
        plan: &Plan,
        database: &str,
        version: ServerVersion,
        (workers, concurrency): (bool, usize),
        warnings: Vec<String>,
    ) -> Self {
        Self {
            database: database.to_owned(),
            server_version: version.to_string(),
            tables: plan.tables(),
            large_objects: plan.large_objects().len() as u64,
            expected_bytes: plan.expected_bytes(),
            concurrency,
            workers,
            part_count: plan.parts().count() as u64,
            parts: plan.parts().take(Self::PARTS).cloned().collect(),
            warnings,
        }
    }
}
