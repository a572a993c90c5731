//! `toc.dat`: the table of contents of an archive.
//!
//! ```text
//! header   "PGDMP"
//!          version        3 bytes: major, minor, revision
//!          int size       1 byte, 4
//!          offset size    1 byte, 8 (offsets themselves occur in the custom format only)
//!          format         1 byte: 1 custom, 3 tar; a directory's toc.dat says tar, as pg_dump writes it
//!          compression    before 1.15 an int, the gzip level (0 none, -1 default); from 1.15 a byte: 0 none, 1 gzip, 2 lz4, 3 zstd
//!          created        7 ints: second, minute, hour, day, month from 0, year from 1900, daylight saving; the writer's local time
//!          database       string
//!          server version string
//!          dumper version string
//! count    int
//! entry    dump id        int, from 1
//!          had dumper     int, 1 when the entry has a data file
//!          catalog oid    string of digits
//!          object oid     string of digits
//!          tag            string     desc        string     section     int: 1 none, 2 pre-data, 3 data, 4 post-data
//!          defn           string     drop        string     copy        string
//!          namespace      string     tablespace  string     table am    string, from 1.14
//!          relkind        int, from 1.16     owner   string     "false" string (WITH OIDS, gone since PostgreSQL 12)
//!          dependencies   strings of digits, ended by a null string
//!          file           string, empty without a data file
//! int      sign byte (1 for negative) and "int size" bytes, least first
//! string   int length and so many bytes; length -1 is null
//! ```
//!
//! Which version to write: 1.14 is read by pg_restore 12 and later but knows no other codec than gzip; 1.15 names the codec and needs
//! pg_restore 16; 1.16 needs 17 and adds relkind and several BLOBS entries. pgbaton writes the oldest version that serves the codec
//! ([`Version::for_algorithm`]), so that the widest range of stock tools can restore; 1.16 if a partitioned table has an access method,
//! which only servers of version 17 know.
//!
//! Rules: `ReadHead`, `WriteHead`, `ReadToc`, `WriteToc` in PostgreSQL's `src/bin/pg_dump/pg_backup_archiver.c`.

mod read;
mod write;

use jiff::Timestamp;

use super::codec::Codec;
use crate::{archive::Algorithm, base::Result};

/// A version of the archive format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 1 so far.
    pub major: u8,
    /// 12 (pg_dump 9.0) to 16 (pg_dump 17).
    pub minor: u8,
    /// 0 so far.
    pub revision: u8,
}

impl Version {
    /// The oldest version read: pg_dump 9.0.
    pub const V1_12: Self = Self::new(12);
    /// pg_dump 12: table access methods.
    pub const V1_14: Self = Self::new(14);
    /// pg_dump 16: the codec has a name.
    pub const V1_15: Self = Self::new(15);
    /// The newest version known: pg_dump 17 and 18.
    pub const V1_16: Self = Self::new(16);

    const fn new(minor: u8) -> Self {
        Self { major: 1, minor, revision: 0 }
    }

    /// The oldest version that can name `algorithm`, 1.14 at least.
    pub fn for_algorithm(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::None | Algorithm::Gzip => Self::V1_14,
            Algorithm::Lz4 | Algorithm::Zstd => Self::V1_15,
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// When an archive was made, in the local time of its writer, as C's `struct tm` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Created {
    /// 0 to 60.
    pub second: i32,
    /// 0 to 59.
    pub minute: i32,
    /// 0 to 23.
    pub hour: i32,
    /// Day of the month, from 1.
    pub day: i32,
    /// Month, from 0.
    pub month: i32,
    /// Years since 1900.
    pub year: i32,
    /// 1 in daylight saving time.
    pub dst: i32,
}

impl From<Timestamp> for Created {
    /// In UTC.
    fn from(t: Timestamp) -> Self {
        let t = t.to_zoned(jiff::tz::TimeZone::UTC);
        Self {
            second: t.second().into(),
            minute: t.minute().into(),
            hour: t.hour().into(),
            day: t.day().into(),
            month: i32::from(t.month()) - 1,
            year: i32::from(t.year()) - 1900,
            dst: 0,
        }
    }
}

/// What stands before the entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Format version.
    pub version: Version,
    /// Bytes of an int, 4 on every machine PostgreSQL runs on today.
    pub int_size: u8,
    /// Bytes of an offset; no offset is stored in a directory.
    pub offset_size: u8,
    /// How the data files are compressed. What counts for reading is each file's suffix, not this.
    pub algorithm: Algorithm,
    /// gzip level before 1.15 (-1 is gzip's default, 0 means none); not stored from 1.15 on, then -1 for gzip and 0 otherwise.
    pub gzip_level: i32,
    /// When it was made.
    pub created: Created,
    /// Name of the database.
    pub database: Option<String>,
    /// `server_version` of the server.
    pub server_version: Option<String>,
    /// Version of the program that wrote it. `pg_restore -l` prints it; nothing interprets it.
    pub dumper_version: Option<String>,
}

impl Header {
    /// The header of an archive written now by pgbaton: the oldest version that serves `codec`.
    pub fn new(codec: Codec, created: Timestamp, database: &str, server_version: &str) -> Self {
        Self {
            version: Version::for_algorithm(codec.algorithm()),
            int_size: 4,
            offset_size: 8,
            algorithm: codec.algorithm(),
            gzip_level: match codec {
                Codec::Gzip { level } => level as i32,
                Codec::None | Codec::Zstd { .. } => 0,
            },
            created: created.into(),
            database: Some(database.to_owned()),
            server_version: Some(server_version.to_owned()),
            dumper_version: Some(format!("pgbaton {}", env!("CARGO_PKG_VERSION"))),
        }
    }
}

/// Where pg_restore runs an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Section {
    /// With its object: comments, grants, security labels.
    #[default]
    None,
    /// Definitions that data needs.
    PreData,
    /// Rows, large objects, sequence values.
    Data,
    /// Indexes, constraints, triggers, rules.
    PostData,
}

impl Section {
    /// The number in the file: `teSection` in PostgreSQL's `pg_backup.h`.
    pub fn number(self) -> i32 {
        match self {
            Self::None => 1,
            Self::PreData => 2,
            Self::Data => 3,
            Self::PostData => 4,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        [Self::None, Self::PreData, Self::Data, Self::PostData].into_iter().find(|s| s.number() == number)
    }
}

/// One entry. Strings that pg_dump may leave null are options; null and empty differ in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Number in the archive, from 1, unique.
    pub dump_id: i32,
    /// Whether it has a data file.
    pub had_dumper: bool,
    /// Oid of the catalog the object stands in, 0 for none.
    pub table_oid: u32,
    /// Oid of the object, 0 for none.
    pub oid: u32,
    /// Name, such as `users` or `users users_pkey`.
    pub tag: String,
    /// Kind, such as `TABLE` or `FK CONSTRAINT`.
    pub desc: String,
    /// Section.
    pub section: Section,
    /// SQL that makes it; null or empty for TABLE DATA.
    pub defn: Option<String>,
    /// SQL that drops it.
    pub drop_stmt: Option<String>,
    /// `COPY … FROM stdin;\n` of an entry whose file holds COPY text. An entry with a file and without this holds INSERT statements
    /// (`pg_dump --inserts`) or large objects.
    pub copy_stmt: Option<String>,
    /// Schema, unquoted.
    pub namespace: Option<String>,
    /// Tablespace, unquoted; empty for the default one.
    pub tablespace: Option<String>,
    /// Table access method.
    pub table_am: Option<String>,
    /// `pg_class.relkind`; kept from 1.16 on only.
    pub relkind: Option<char>,
    /// Owner, unquoted.
    pub owner: Option<String>,
    /// Dump ids of what must be there before.
    pub dependencies: Vec<i32>,
    /// Name of its file without a codec's suffix: `4711.dat`, or the list of large objects (`blobs.toc`, from 1.16 `blobs_4711.toc`).
    pub file: Option<String>,
}

/// A whole table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toc {
    /// What stands before the entries.
    pub header: Header,
    /// Entries in the order in which pg_restore runs them serially.
    pub entries: Vec<Entry>,
}

impl Toc {
    /// A table of contents to be written: of version 1.16 at least if pg_restore must know which table is partitioned, as one with an
    /// access method has it set by a statement of its own.
    pub fn new(mut header: Header, entries: Vec<Entry>) -> Self {
        let partitioned =
            |e: &Entry| e.relkind == Some('p') && e.table_am.as_ref().is_some_and(|m| !m.is_empty());
        if entries.iter().any(partitioned) {
            header.version = header.version.max(Version::V1_16);
        }
        Self { header, entries }
    }

    /// Parses `toc.dat`, versions 1.12 to 1.16. Never panics; memory is bounded by a small multiple of the input.
    ///
    /// # Errors
    /// [`Kind::Corrupt`](crate::base::Kind) with the offset when the bytes are truncated or are no archive's,
    /// [`Kind::Unsupported`](crate::base::Kind) for other versions, text that is not UTF-8, tables WITH OIDS and odd integer sizes,
    /// [`Kind::InvalidInput`](crate::base::Kind) for a custom-format archive.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        read::toc(bytes)
    }

    /// The bytes of `toc.dat`. What an archive's version does not know (relkind before 1.16, the access method before 1.14) is left out.
    ///
    /// # Errors
    /// [`Kind::Internal`](crate::base::Kind) for what the format cannot hold: a dump id below 1 or used twice, a NUL in a string, a codec
    /// that the version cannot name.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        write::toc(self)
    }
}

#[cfg(test)]
mod tests;
