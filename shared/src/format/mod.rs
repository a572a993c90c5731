//! Room: what a backup can be besides an archive: an SQL script, one JSON document, CSV files. Streams in, streams out; memory does not grow with a table
//! or a value.
//!
//! ```text
//! archive  a pg_dump directory: many files, read and written by many functions at once, restored by stock pg_restore
//! sql      one script for psql, see `sql`
//! json     one document that holds everything, for other programs and for being carried about, see `json`
//! csv      a file for each table, for spreadsheets and loaders, see `csv`
//! ```
//!
//! Whatever the form, a value is the text that PostgreSQL's output function gives and its input function takes, so none loses digits, bounds or zones. Rows
//! come and go as COPY text, see [`copy_text`]; a row hash over that text, kept with the rows, proves that a way there and back changed nothing.

pub mod copy_text;
pub mod csv;
pub mod item;
pub mod json;
pub mod sql;

pub use item::{Column, Item, Rows};

/// What a reader finds in a document, in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// What is known of the backup.
    Head(serde_json::Value),
    /// An object of the database.
    Item(Box<Item>),
    /// Rows begin.
    Rows(Rows),
    /// More of the rows, as COPY text.
    Text(Vec<u8>),
    /// The rows end.
    RowsEnd {
        /// Their number, as counted.
        rows: u64,
        /// Their hash, as the document has it.
        hash: String,
    },
    /// A large object begins.
    LargeObject(u32),
    /// More of the large object.
    Bytes(Vec<u8>),
    /// The large object ends.
    LargeObjectEnd,
}
