//! All that remains to be known of a backup once its catalogs are read: enough to finish it in another function.
//!
//! It stands in the backup's folder as `plan.json`, for the functions that go on with the backup and for people; the archive does not need it.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    plan::{Plan, Task},
    saver::Saver,
};
use crate::{
    archive::manifest::{Counted, Database, Object, Selection},
    base::{Error, Kind, Result, ResultExt},
    jobs::{convert::Columns, decoded::Files, pipe::Place, seals::Seals},
};

/// Name in the backup's folder.
const FILE: &str = "plan.json";

/// The version that this build writes and the only one it reads: both sides of a hand-over are of one deployment, or the run fails.
const VERSION: u32 = 1;

/// Largest one that is read, bytes.
const MAX_BYTES: u64 = 512 << 20;

/// A table that is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locked {
    /// `pg_class.oid`.
    pub oid: u32,
    /// The file that the snapshot sees; 0 for partitioned tables.
    pub relfilenode: u32,
    /// Schema, unquoted.
    pub schema: String,
    /// Name, unquoted.
    pub name: String,
}

/// What is to be saved, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Work {
    version: u32,
    /// The snapshot's instant by the server's clock.
    pub snapshot_at: Timestamp,
    /// `server_version`.
    pub server_version: String,
    /// For the manifest.
    pub database: Database,
    /// For the manifest.
    pub census: BTreeMap<String, Counted>,
    /// For the manifest; none where everything was asked for.
    #[serde(default)]
    pub selection: Option<Selection>,
    /// Objects beside tables' rows.
    pub other_objects: u64,
    /// For manifest and record.
    pub warnings: Vec<String>,
    /// What is read.
    pub plan: Plan,
    /// Every table.
    pub locks: Vec<Locked>,
    /// `toc.dat`, written before any row.
    pub toc: Object,
    /// Columns of all rows, for formats that name them; empty for an archive.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub columns: Columns,
}

impl Work {
    /// With what the catalogs said.
    #[allow(clippy::too_many_arguments, reason = "the fields of a value, each named where it is given")]
    pub(super) fn new(
        snapshot_at: Timestamp,
        server_version: String,
        database: Database,
        census: BTreeMap<String, Counted>,
        selection: Option<Selection>,
        other_objects: u64,
        warnings: Vec<String>,
        plan: Plan,
        locks: Vec<Locked>,
        toc: Object,
        columns: Columns,
    ) -> Self {
        Self {
            version: VERSION,
            snapshot_at,
            server_version,
            database,
            census,
            selection,
            other_objects,
            warnings,
            plan,
            locks,
            toc,
            columns,
        }
    }

    /// Writes the list of large objects, where the archive has one; again is no error.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn list(&self, saver: &Saver) -> Result<Option<Object>> {
        match self.plan.has_list {
            true => saver.list(&self.plan.large_objects()).await.map(Some),
            false => Ok(None),
        }
    }

    /// Writes it down; again is no error.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn store(&self, place: &Place) -> Result<()> {
        let bytes = serde_json::to_vec(self)
            .map_err(|e| Error::with_source(Kind::Internal, "the plan cannot be written as JSON", e))?;
        place.put(FILE, bytes).await.map(drop).context("writing the plan")
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`Kind::Corrupt`], [`Kind::Unsupported`]; those of the store.
    pub(super) async fn load(files: &Files, seals: &Seals) -> Result<Self> {
        let key = seals.stored(FILE);
        let bytes = files.whole(&key, None, MAX_BYTES).await.context("reading the plan")?;
        let work: Self = serde_json::from_slice(&bytes)
            .map_err(|e| Error::new(Kind::Corrupt, format!("{key} is damaged or of another version: {e}")))?;
        match work.version {
            VERSION => Ok(work),
            other => Err(Error::new(
                Kind::Unsupported,
                format!("{key} has version {other}, this build reads {VERSION}"),
            )),
        }
    }

    /// The locks that reading these tasks needs.
    pub(super) fn locks_of<'a>(&'a self, tasks: impl Iterator<Item = &'a Task>) -> Vec<&'a Locked> {
        let tables: HashSet<(&str, &str)> = tasks.filter_map(Task::table).collect();
        self.locks.iter().filter(|l| tables.contains(&(l.schema.as_str(), l.name.as_str()))).collect()
    }
}
