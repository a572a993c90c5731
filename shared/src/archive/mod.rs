//! Room: the archive, in the directory format of PostgreSQL's `pg_dump -Fd`, so that the stock `pg_restore` reads it.
//!
//! ```text
//! <folder>/
//!   toc.dat             header and entries (see `toc`), never compressed
//!   4711.dat.zst        rows of the TABLE DATA entry with dump id 4711 (see `data`), through a codec (see `codec`)
//!   blobs.toc           one line per large object (see `blobs`), never compressed
//!   blob_16500.dat.zst  bytes of the large object 16500, as they are, through the codec
//!   manifest.json       pgbaton's own: sizes, SHA-256 and row hashes of all the others (see `manifest`); pg_restore ignores it
//! ```
//!
//! A directory and not one file, because its members can be written and read by many workers at once and each is one S3 object;
//! the price is that a backup is valid only as a whole, which is what the manifest, written last, stands for.
//!
//! This room only transforms bytes that are handed to it. Rules are those of `src/bin/pg_dump/pg_backup_archiver.c`,
//! `pg_backup_directory.c` and `compress_*.c` in PostgreSQL's sources.

pub mod blobs;
pub mod codec;
pub mod data;
pub mod manifest;
pub mod name;
pub mod rowhash;
pub mod toc;

pub use codec::{Algorithm, Codec, Decoder, Encoder};
pub use manifest::Manifest;
pub use toc::Toc;
