//! From an archive's parts to the other formats, and back.
//!
//! ```text
//! backup   snapshot ─ COPY, many at once ─> parts of an archive, set aside ─ one stream ─> .sql, .json, .csv
//! restore  .sql, .json, .csv ─ one stream ─> parts of an archive, set aside ─ many at once ─> database
//! ```
//!
//! The snapshot is read, and the target filled, as fast as for an archive, by as many functions as it takes; only the stream between the two is one function's.
//! What is set aside stands under [`ASIDE`], not among the backups: template.yaml removes what a crash leaves there.

mod document;
mod items;
mod parts;
mod script;
mod tables;
mod unpack;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(in crate::jobs) use parts::Parts;
pub(in crate::jobs) use unpack::{CODEC, Limits, Packed, unpack, unpack_file};

use super::pipe::Place;
use crate::{
    archive::{
        Codec, Manifest,
        manifest::{Column, Contained, Object},
    },
    base::{
        Error, Format, Kind, Result,
        id::{DatabaseName, RunId},
    },
    ledger::{Ledger, ListQuery, RunKind},
};

/// Folder in the bucket's prefix, beside those of the databases, whose names begin with a letter or a digit.
const ASIDE: &str = "_aside";

/// The folder in which a run sets parts aside.
pub(in crate::jobs) fn aside(prefix: &str, database: &DatabaseName, run: &RunId) -> String {
    format!("{prefix}{ASIDE}/{database}/{run}/")
}

/// Columns of tables by the dump id of their rows' entry.
pub(in crate::jobs) type Columns = BTreeMap<i32, Vec<Column>>;

/// What a caller may say of the form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::jobs) struct Form {
    /// SQL: rows as INSERTs.
    pub inserts: bool,
    /// SQL: rows and sequence values alone are statements.
    pub data_only: bool,
}

/// Where to write, and how.
pub(in crate::jobs) struct Output<'a> {
    pub place: &'a Place,
    pub form: Form,
    /// Records of earlier backups for a document that takes them.
    pub history: Option<&'a [serde_json::Value]>,
}

/// What was written.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Written {
    /// For the manifest.
    pub objects: Vec<Object>,
    /// For the manifest.
    pub contents: Vec<Contained>,
}

/// Most records of earlier backups that a document takes.
const HISTORY: usize = 10_000;

/// The records of a database's backups, newest first, as the table keeps them.
///
/// # Errors
/// Those of the ledger.
pub(in crate::jobs) async fn history(
    ledger: &Ledger,
    database: &DatabaseName,
) -> Result<Vec<serde_json::Value>> {
    let mut all = Vec::new();
    let mut query =
        ListQuery { database: Some(database.clone()), limit: 200, ..ListQuery::of(RunKind::Backup) };
    loop {
        let page = ledger.list(&query).await?;
        for record in page.records {
            all.push(serde_json::to_value(&record).map_err(|e| {
                Error::with_source(Kind::Internal, format!("the record {} has no form in JSON", record.id), e)
            })?);
        }
        match page.next_cursor {
            Some(cursor) if all.len() < HISTORY => query.cursor = Some(cursor),
            _ => return Ok(all),
        }
    }
}

/// Name of the file of a format that is one file.
pub(in crate::jobs) fn file_name(format: Format, created: Timestamp, codec: Codec) -> String {
    let stamp = created.strftime("%Y-%m-%dT%H-%M-%S");
    format!("backup-{stamp}.{}{}", format.name(), codec.suffix())
}

/// Writes the parts in another format. `head` is the manifest as far as it is known.
///
/// # Errors
/// Those of reading the parts and of writing; nothing is left half uploaded.
pub(in crate::jobs) async fn convert(
    parts: &Parts,
    format: Format,
    head: &Manifest,
    out: &Output<'_>,
) -> Result<Written> {
    match format {
        Format::Archive => Ok(Written::default()),
        Format::Sql => script::write(parts, head, out).await,
        Format::Json => document::write(parts, head, out).await,
        Format::Csv => tables::write(parts, out).await,
    }
}
