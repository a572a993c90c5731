//! `manifest.json`: what a backup consists of. It is written last and alone makes the backup valid; it is removed first.
//!
//! ```json
//! { "format": "pgbaton-manifest", "version": 1,
//!   "backup_id": "20261121T020000Z-9f86d081",
//!   "database": { "name": "main", "server_name": "shop", "encoding": "UTF8", "locale": { "lc_collate": "C.UTF-8" } },
//!   "server_version": "18.4", "pgbaton_version": "0.1.0",
//!   "created_at": "…", "finished_at": "…", "snapshot_at": "…",
//!   "codec": "zstd", "rows": 5000, "bytes": 83044, "raw_bytes": 190211,
//!   "objects": [ { "name": "toc.dat", "bytes": 8043, "raw_bytes": 8043, "sha256": "…" },
//!                { "name": "12.dat.zst", "bytes": 75001, "raw_bytes": 182168, "sha256": "…",
//!                  "entry": 12, "table": "public.orders", "rows": 5000, "content_hash": "…" } ],
//!   "selection": { "tables": ["shop.*"], "exclude_data": ["audit"] },
//!   "census": { "pg_class": { "objects": 41, "archived": 41 }, "pg_proc": { "objects": 7, "archived": 7 } },
//!   "warnings": [] }
//! ```
//!
//! Of another format than the archive (`"format": "json"` in a manifest of version 2, under the name `form`), the rows that are within one object stand in
//! `contents`: `{"entry": 12, "table": "public.orders", "rows": 5000, "bytes": 182168, "content_hash": "…"}`; a CSV's object names its `columns` and their types.
//!
//! Readers ignore fields they do not know; what an older reader would misunderstand raises the version.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{codec::Algorithm, name, rowhash::Digest};
use crate::base::{
    Encryption, Error, Format, Kind, Result,
    id::{DatabaseName, RunId},
};

/// Name of the manifest in the backup's folder.
pub const FILE: &str = "manifest.json";

/// The version of archives' manifests.
pub const VERSION: u32 = 1;

/// The version of the manifests of other formats and of encrypted backups, which an earlier reader would take for plain archives: the newest that this build
/// reads.
pub const VERSION_OF_OTHERS: u32 = 2;

/// Name, without the suffix of encrypted files, of the whole manifest of an encrypted backup; [`FILE`] then holds what may be seen without a key.
pub const FULL: &str = "manifest.full.json";

/// Largest manifest written or read, in bytes: room for about half a million objects.
pub const MAX_BYTES: usize = 128 << 20;

const FORMAT: &str = "pgbaton-manifest";

/// The database that was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Name it is registered under.
    pub name: DatabaseName,
    /// Its name on the server.
    pub server_name: String,
    /// `server_encoding`, such as `UTF8`.
    pub encoding: String,
    /// Locale settings by name (`lc_collate`, `lc_ctype`, `locale_provider`, `icu_locale` …): a restore into a database made anew takes them over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locale: BTreeMap<String, String>,
}

/// One object of the backup, the manifest itself left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// File name in the backup's folder, codec's suffix included.
    pub name: String,
    /// Bytes stored.
    pub bytes: u64,
    /// Bytes before compression.
    pub raw_bytes: u64,
    /// SHA-256 of the bytes stored, 64 hex digits.
    pub sha256: String,
    /// What S3 keeps as the object's checksum and verified on arrival, as its HEAD answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_checksum: Option<String>,
    /// Dump id of its entry in the table of contents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<i32>,
    /// `schema.table`, unquoted, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Number of rows of a table's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Order-free hash of the rows, 32 hex digits: see [`rowhash`](super::rowhash).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    /// Columns of a CSV, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
}

/// A column of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Unquoted.
    pub name: String,
    /// As `format_type` writes it.
    #[serde(rename = "type")]
    pub type_name: String,
}

/// Rows within an object that holds more than them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contained {
    /// Dump id of their entry.
    pub entry: i32,
    /// `schema.table`, unquoted, for people.
    pub table: String,
    /// Their number.
    pub rows: u64,
    /// Bytes of COPY text.
    pub bytes: u64,
    /// Order-free hash, 32 hex digits.
    pub content_hash: String,
}

/// Rows of a backup, wherever they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved<'a> {
    /// Dump id of their entry.
    pub entry: i32,
    /// `schema.table`, unquoted, for people.
    pub table: &'a str,
    /// Their number.
    pub rows: u64,
    /// Bytes of COPY text, or of what stands for it.
    pub bytes: u64,
    /// Order-free hash, 32 hex digits.
    pub content_hash: Option<&'a str>,
}

impl Object {
    /// An object that holds no rows.
    pub fn new(name: impl Into<String>, bytes: u64, raw_bytes: u64, sha256: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            bytes,
            raw_bytes,
            sha256: sha256.into(),
            s3_checksum: None,
            entry: None,
            table: None,
            rows: None,
            content_hash: None,
            columns: Vec::new(),
        }
    }

    /// The same, with what its rows come to.
    #[must_use]
    pub fn with_rows(mut self, entry: i32, table: impl Into<String>, digest: Digest) -> Self {
        self.entry = Some(entry);
        self.table = Some(table.into());
        self.rows = Some(digest.rows);
        self.content_hash = Some(digest.hex());
        self
    }
}

/// The whole manifest. Totals are computed by [`Manifest::to_bytes`] and checked by [`Manifest::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The run that made the backup.
    pub backup_id: RunId,
    /// The database.
    pub database: Database,
    /// `server_version`.
    pub server_version: String,
    /// Version of pgbaton that wrote it.
    pub pgbaton_version: String,
    /// When the run began.
    pub created_at: Timestamp,
    /// When its last object was stored.
    pub finished_at: Timestamp,
    /// The instant whose committed state the backup holds.
    pub snapshot_at: Timestamp,
    /// How data files are compressed.
    pub codec: Algorithm,
    /// What the backup is stored as.
    #[serde(default, rename = "form", skip_serializing_if = "Format::is_archive")]
    pub format: Format,
    /// With what every file is encrypted; none for files that are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Every object but the manifest, in the order they were stored.
    pub objects: Vec<Object>,
    /// The rows within objects that hold more than the rows of one entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Contained>,
    /// The database's objects by system catalog; empty in manifests of versions that did not count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub census: BTreeMap<String, Counted>,
    /// What of the database was asked for; none for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// What could not be archived, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What of a database was asked for, as the request spelt it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Patterns of the only tables; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Patterns of what was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_tables: Vec<String>,
    /// Patterns of those without their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_data: Vec<String>,
    /// Whether what is left out is there with its structure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_schema_only: bool,
}

/// Objects of one system catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many the database held; members of extensions left out.
    pub objects: u64,
    /// How many of them the archive brings back.
    pub archived: u64,
}

#[derive(Serialize, Deserialize)]
struct Document<M> {
    format: String,
    version: u32,
    rows: u64,
    bytes: u64,
    raw_bytes: u64,
    #[serde(flatten)]
    manifest: M,
}

/// Read first, so that a manifest of another version is named as such whatever else it holds.
#[derive(Deserialize)]
struct Stamp {
    format: String,
    version: u32,
}

impl Manifest {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.saved().map(|s| s.rows).fold(0, u64::saturating_add)
    }

    /// The rows of all entries.
    pub fn saved(&self) -> impl Iterator<Item = Saved<'_>> {
        let objects = self.objects.iter().filter_map(|o| {
            Some(Saved {
                entry: o.entry?,
                table: o.table.as_deref().unwrap_or_default(),
                rows: o.rows?,
                bytes: o.raw_bytes,
                content_hash: o.content_hash.as_deref(),
            })
        });
        let contents = self.contents.iter().map(|c| Saved {
            entry: c.entry,
            table: &c.table,
            rows: c.rows,
            bytes: c.bytes,
            content_hash: Some(&c.content_hash),
        });
        objects.chain(contents)
    }

    /// What may be seen of an encrypted backup without a key: enough to find its files, to prove that they are those that were written, and to remove them.
    /// `full` is the object with the whole manifest.
    #[must_use]
    pub fn public(&self, full: Object) -> Self {
        let bare = |o: &Object| Object {
            s3_checksum: o.s3_checksum.clone(),
            ..Object::new(&o.name, o.bytes, o.bytes, &o.sha256)
        };
        Self {
            database: Database {
                name: self.database.name.clone(),
                server_name: String::new(),
                encoding: String::new(),
                locale: BTreeMap::new(),
            },
            server_version: String::new(),
            objects: self.objects.iter().chain([&full]).map(bare).collect(),
            contents: Vec::new(),
            census: BTreeMap::new(),
            selection: None,
            warnings: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether this is what [`Manifest::public`] gives of `whole`, `full` being the object that holds it.
    pub fn is_public_of(&self, whole: &Self, full: &str) -> bool {
        let Some(full) = self.object(full) else { return false };
        *self == whole.public(full.clone())
    }

    /// What of the manifest goes into a document that holds the whole backup: everything but its objects.
    ///
    /// # Errors
    /// [`Kind::Internal`].
    pub fn head(&self) -> Result<serde_json::Value> {
        let head = Self { objects: Vec::new(), contents: Vec::new(), ..self.clone() };
        serde_json::to_value(head)
            .map_err(|e| Error::with_source(Kind::Internal, "the manifest cannot be written as JSON", e))
    }

    /// A manifest without objects, of what [`Manifest::head`] gave.
    ///
    /// # Errors
    /// [`Kind::Corrupt`].
    pub fn of_head(head: serde_json::Value) -> Result<Self> {
        let head: Self = serde_json::from_value(head).map_err(|e| {
            Error::new(Kind::Corrupt, format!("what a document says of its backup is damaged: {e}"))
        })?;
        Ok(Self { objects: Vec::new(), contents: Vec::new(), ..head })
    }

    /// Bytes stored, the manifest left out.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|o| o.bytes).fold(0, u64::saturating_add)
    }

    /// Bytes before compression.
    pub fn raw_bytes(&self) -> u64 {
        self.objects.iter().map(|o| o.raw_bytes).fold(0, u64::saturating_add)
    }

    /// The object of this name.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|o| o.name == name)
    }

    /// The bytes of `manifest.json`.
    ///
    /// # Errors
    /// [`Kind::Internal`] when an object's name or hash has another form than [`Manifest::parse`] accepts;
    /// [`Kind::Unsupported`] when there are so many objects that it would exceed [`MAX_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check().map_err(|e| Error::new(Kind::Internal, e.message().to_owned()))?;
        let document = Document {
            format: FORMAT.to_owned(),
            version: if self.format.is_archive() && self.encryption.is_none() {
                VERSION
            } else {
                VERSION_OF_OTHERS
            },
            rows: self.rows(),
            bytes: self.bytes(),
            raw_bytes: self.raw_bytes(),
            manifest: self,
        };
        let mut bytes = serde_json::to_vec_pretty(&document)
            .map_err(|e| Error::with_source(Kind::Internal, "the manifest cannot be written as JSON", e))?;
        bytes.push(b'\n');
        if bytes.len() > MAX_BYTES {
            return Err(Error::new(
                Kind::Unsupported,
                format!("the manifest of {} objects is larger than {MAX_BYTES} bytes", self.objects.len()),
            ));
        }
        Ok(bytes)
    }

    /// Parses `manifest.json`.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for another version, [`Kind::Corrupt`] for everything else that [`Manifest::to_bytes`] does not write: unsafe or
    /// repeated object names, malformed hashes, totals that do not add up, more than [`MAX_BYTES`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let damaged = |e: serde_json::Error| {
            Error::new(Kind::Corrupt, format!("{FILE} is damaged or no manifest of pgbaton: {e}"))
        };
        if bytes.len() > MAX_BYTES {
            return Err(Error::new(Kind::Corrupt, format!("{FILE} is larger than {MAX_BYTES} bytes")));
        }
        let stamp: Stamp = serde_json::from_slice(bytes).map_err(damaged)?;
        if stamp.format != FORMAT {
            return Err(Error::new(Kind::Corrupt, format!("{FILE} is not in the format {FORMAT}")));
        }
        if !(VERSION..=VERSION_OF_OTHERS).contains(&stamp.version) {
            return Err(Error::new(
                Kind::Unsupported,
                format!("{FILE} has version {}; this build reads up to {VERSION_OF_OTHERS}", stamp.version),
            ));
        }
        let document: Document<Self> = serde_json::from_slice(bytes).map_err(damaged)?;
        let manifest = document.manifest;
        manifest.check()?;
        let totals = (manifest.rows(), manifest.bytes(), manifest.raw_bytes());
        if totals != (document.rows, document.bytes, document.raw_bytes) {
            return Err(Error::new(
                Kind::Corrupt,
                format!("{FILE} is damaged: its totals are not the sums of its objects"),
            ));
        }
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        let hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let mut seen = HashSet::new();
        for object in &self.objects {
            let wrong = |why: &str| {
                Error::new(
                    Kind::Corrupt,
                    format!("{FILE} is damaged: object {}: {why}", name::shown(&object.name)),
                )
            };
            name::check(&object.name).map_err(|e| wrong(e.message()))?;
            if object.name == FILE || !seen.insert(object.name.as_str()) {
                return Err(wrong("it is listed twice, or is the manifest itself"));
            }
            if !hex(&object.sha256, 64) {
                return Err(wrong("its SHA-256 is not 64 hex digits"));
            }
            if object.content_hash.as_deref().is_some_and(|h| !hex(h, 32)) {
                return Err(wrong("its content hash is not 32 hex digits"));
            }
        }
        if let Some(rows) = self.contents.iter().find(|c| !hex(&c.content_hash, 32)) {
            let table = name::shown(&rows.table);
            return Err(Error::new(
                Kind::Corrupt,
                format!("{FILE} is damaged: the content hash of {table} is not 32 hex digits"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        let at: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        Manifest {
            backup_id: RunId::parse("20261121T020000Z-9f86d081").unwrap(),
            database: Database {
                name: DatabaseName::parse("main").unwrap(),
                server_name: "shop \"é\"".into(),
                encoding: "UTF8".into(),
                locale: [("lc_collate".to_owned(), "C.UTF-8".to_owned())].into(),
            },
            server_version: "18.4".into(),
            pgbaton_version: "0.1.0".into(),
            created_at: at,
            finished_at: at,
            snapshot_at: at,
            codec: Algorithm::Zstd,
            format: Format::Archive,
            encryption: None,
            contents: Vec::new(),
            objects: vec![
                Object::new("toc.dat", 10, 10, "0".repeat(64)),
                Object::new("12.dat.zst", 20, 90, "a".repeat(64)).with_rows(
                    12,
                    "public.t",
                    Digest { rows: 3, sum: 7 },
                ),
            ],
            census: BTreeMap::from([("pg_class".to_owned(), Counted { objects: 2, archived: 2 })]),
            selection: Some(Selection { tables: vec!["shop.*".into()], ..Selection::default() }),
            warnings: vec!["one".into()],
        }
    }

    fn with(edit: impl FnOnce(&mut serde_json::Value)) -> Result<Manifest> {
        let mut json = serde_json::from_slice(&manifest().to_bytes().unwrap()).unwrap();
        edit(&mut json);
        Manifest::parse(&serde_json::to_vec(&json).unwrap())
    }

    #[test]
    fn round_trip() {
        let m = manifest();
        assert_eq!(Manifest::parse(&m.to_bytes().unwrap()).unwrap(), m);
        assert_eq!((m.rows(), m.bytes(), m.raw_bytes()), (3, 30, 100));
        assert_eq!(
            m.object("12.dat.zst").unwrap().content_hash.as_deref(),
            Some("00000000000000000000000000000007")
        );
    }

    #[test]
    fn other_formats_count_the_rows_within_their_objects() {
        let mut m = manifest();
        m.format = Format::Json;
        let content_hash = "0".repeat(32);
        m.contents = vec![Contained { entry: 9, table: "a.b".into(), rows: 4, bytes: 8, content_hash }];
        let bytes = m.to_bytes().unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("\"version\": 2"));
        assert_eq!(Manifest::parse(&bytes).unwrap(), m);
        assert_eq!(m.rows(), 7);
        let head = Manifest::of_head(m.head().unwrap()).unwrap();
        assert_eq!(head, Manifest { objects: Vec::new(), contents: Vec::new(), ..m.clone() });
        m.contents[0].content_hash = "x".into();
        assert!(m.to_bytes().is_err());
    }

    #[test]
    fn what_may_be_seen_of_an_encrypted_backup_names_nothing_of_it() {
        let mut whole = manifest();
        whole.encryption = Some(Encryption::Age { recipients: vec!["age1x".into()] });
        let full = Object::new("manifest.full.json.age", 5, 5, "b".repeat(64));
        let public = whole.public(full);
        let text = String::from_utf8(public.to_bytes().unwrap()).unwrap();
        for secret in ["public.t", "shop", "C.UTF-8", "18.4", "pg_class", "\"one\""] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let read = Manifest::parse(text.as_bytes()).unwrap();
        assert!(read.is_public_of(&whole, "manifest.full.json.age"));
        let mut other = whole.clone();
        other.objects.pop();
        assert!(!read.is_public_of(&other, "manifest.full.json.age"));
    }

    #[test]
    fn later_versions_are_refused_by_number_and_unknown_fields_ignored() {
        let e =
            Manifest::parse(br#"{"format":"pgbaton-manifest","version":3,"wholly":"other"}"#).unwrap_err();
        assert_eq!(e.kind(), Kind::Unsupported);
        assert!(e.message().contains("version 3"));
        assert_eq!(with(|j| j["added_later"] = 1.into()).unwrap(), manifest());
    }

    #[test]
    fn tampering_is_refused() {
        type Edit = fn(&mut serde_json::Value);
        let edits: [Edit; 9] = [
            |j| j["format"] = "tar".into(),
            |j| j["objects"][1]["name"] = "../../etc/passwd".into(),
            |j| j["objects"][1]["name"] = "/x".into(),
            |j| j["objects"][1]["name"] = "a\\b".into(),
            |j| j["objects"][1]["name"] = "toc.dat".into(),
            |j| j["objects"][1]["sha256"] = "xyz".into(),
            |j| j["objects"][1]["rows"] = 4.into(),
            |j| j["objects"].as_array_mut().unwrap().truncate(1),
            |j| j["backup_id"] = "../x".into(),
        ];
        for (n, edit) in edits.into_iter().enumerate() {
            assert_eq!(with(edit).unwrap_err().kind(), Kind::Corrupt, "edit {n}");
        }
        let whole = manifest().to_bytes().unwrap();
        for end in 0..whole.len() - 1 {
            assert_eq!(Manifest::parse(&whole[..end]).unwrap_err().kind(), Kind::Corrupt, "cut at {end}");
        }
    }

    #[test]
    fn what_could_not_be_read_is_not_written() {
        let mut m = manifest();
        m.objects[0].name = "a/b".into();
        assert_eq!(m.to_bytes().unwrap_err().kind(), Kind::Internal);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Manifest::parse(&bytes);
        }
    }
}
