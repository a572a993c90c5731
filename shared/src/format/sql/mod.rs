//! An SQL script for psql, which this room reads back as well.
//!
//! ```sql
//! -- pgbaton {"format":"pgbaton-sql","version":1,"backup":{…},"skip":312}
//! SET client_encoding = 'UTF8';
//! …
//!
//! --
//! -- Name: orders; Type: TABLE; Schema: shop; Owner: app
//! --
//!
//! -- pgbaton {"item":{"id":12,"kind":"TABLE","name":"orders", …},"before":0,"definition":143,"after":39}
//! CREATE TABLE shop.orders (
//! …
//!
//! -- pgbaton {"rows":{"entry":31,"schema":"shop","table":"orders","columns":[…]},"skip":54}
//! COPY shop.orders (id, note) FROM stdin;
//! 1<tab>first
//! \.
//! -- pgbaton {"rows_end":{"rows":1,"hash":"…"}}
//!
//! -- pgbaton {"rows":{…},"insert":"INSERT INTO shop.orders (id, note) OVERRIDING SYSTEM VALUE VALUES\n"}
//! INSERT INTO shop.orders (id, note) OVERRIDING SYSTEM VALUE VALUES
//! ('1', 'first'),
//! ('2', NULL);
//! -- pgbaton {"rows_end":{"rows":2,"hash":"…"}}
//!
//! -- pgbaton {"large_object":16500}
//! SELECT pg_catalog.lo_put(16500, 0, '\x68656c6c6f');
//! -- pgbaton {"large_object_end":16500}
//!
//! -- pgbaton {"end":{"tables":1,"rows":2,"large_objects":1}}
//! ```
//!
//! psql sees comments and statements. The comments that begin with `-- pgbaton` carry what the statements alone do not say, and how many bytes of SQL follow
//! them, so a reader never searches for the next one in text that a database's user may have written. An item whose definition is no statement of the
//! script brings it within its comment. In `INSERT` every value is a string literal or NULL, which the server reads as COPY would.
//!
//! A script that somebody has edited is for psql; as a backup it is refused.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use read::Reader;
pub use write::{Script, Writer};

use super::item::{Item, Rows};

/// What `format` says.
pub const FORMAT: &str = "pgbaton-sql";

/// The version that this build writes and the only one it reads.
pub const VERSION: u32 = 1;

/// Longest comment of ours, and longest line between them, bytes: a reader takes some times as much memory.
const LINE: usize = 2 << 20;

/// Longest definition that is a statement, bytes.
const DEFINITION: u64 = 64 << 20;

/// What the comments of ours begin with.
const MARK: &[u8] = b"-- pgbaton ";

/// A comment of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Mark {
    Head { format: String, version: u32, backup: serde_json::Value, skip: u64 },
    Item { item: Box<Item>, before: u64, definition: u64, after: u64 },
    Copy { rows: Rows, skip: u64 },
    Insert { rows: Rows, insert: String },
    RowsEnd { rows_end: Counted },
    LargeObject { large_object: u32 },
    LargeObjectEnd { large_object_end: u32 },
    End { end: End },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    rows: u64,
    hash: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    tables: u64,
    rows: u64,
    large_objects: u64,
}

#[cfg(test)]
mod tests;
