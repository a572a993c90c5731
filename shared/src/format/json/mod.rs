//! One JSON document (RFC 8259) that holds a whole database.
//!
//! ```json
//! {"format":"pgbaton-json","version":1,
//! "backup":{"backup_id":"20261121T020000Z-9f86d081","server_version":"18.4", …},
//! "schema_digest":"…",
//! "entries":[
//! {"id":12,"kind":"TABLE","name":"orders","schema":"shop","owner":"app","section":"pre-data","definition":"CREATE TABLE …", …},
//! …
//! ],
//! "history":[{"id":"…","status":"completed", …}],
//! "tables":[
//! {"entry":31,"schema":"shop","table":"orders","columns":[{"name":"id","type":"bigint"},{"name":"note","type":"text"}],"rows":[
//! [1,"first"],
//! [2,null]
//! ],"row_count":2,"row_hash":"…"}
//! ],
//! "large_objects":[
//! {"oid":16500,"data":["aGVsbG8="]}
//! ],
//! "end":{"tables":1,"rows":2,"large_objects":1}}
//! ```
//!
//! - `backup` is the manifest of an archive (see the archive room) without its objects. `entries` are in the order in which they can be made;
//!   `schema_digest` is the SHA-256 of their JSON texts, each followed by a newline, in hex. `history` is there when it was asked for.
//! - A row is an array of as many values as the table has `columns`; generated columns are not among them. SQL's NULL is `null`, a boolean `true` or
//!   `false`. `smallint`, `integer`, `oid`, and a `bigint` of up to 15 digits, are numbers. **Everything else is a string: the text that PostgreSQL writes
//!   and reads**, so that nothing passes through a double: `"NaN"`, `"1.10"`, `"\\x00ff"`, `"[0:1]={1,2}"`, `"1 mon -3 days"`. A JSON column's value is a
//!   string as well, which holds the JSON: `null` and `"null"` differ there as they do in the table.
//! - `row_hash` is the archive's order-free hash of the rows' COPY text. A large object's `data` are pieces in base64 (RFC 4648) to be put together.
//! - `end` is last: a document without it broke off.
//!
//! Line breaks stand where the picture has them, so tools that work by lines can be used; a reader does not need them. Of the document, of tables and of
//! large objects readers ignore members that they do not know; an entry has no others than those of [`Item`](super::Item). What an older reader would misunderstand raises `version`. The price of one document is that it is written and read by one function, in order.

mod read;
mod token;
mod write;

pub use read::Reader;
pub use write::Writer;

/// What `format` says.
pub const FORMAT: &str = "pgbaton-json";

/// The version that this build writes and the only one it reads.
pub const VERSION: u32 = 1;

/// Most bytes of an item.
const ITEM: usize = 64 << 20;

/// Most bytes of another member that is read as a whole, the head or the columns of a table: a reader takes many times as much memory.
const MEMBER: usize = 1 << 20;

/// Appends bytes as they stand in a JSON string, without its quotes.
pub(super) fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(plain) = rest.iter().position(|b| matches!(b, 0..=0x1f | b'"' | b'\\')) {
        out.extend_from_slice(&rest[..plain]);
        match rest[plain] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[plain + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests;
