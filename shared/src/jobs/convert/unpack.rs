//! From a file of another format back to the parts of an archive.

use std::collections::{HashMap, HashSet};

use super::items;
use crate::{
    archive::{
        Algorithm, Codec, Manifest, Toc,
        blobs::{self, Blob},
        data,
        manifest::{self, Object},
        rowhash::RowHasher,
        toc::{Entry, Header},
    },
    base::{Error, Format, Kind, Result, ResultExt},
    format::{Found, Item, Rows, csv, json, sql},
    jobs::{
        decoded::{Decoded, Files, expected},
        pipe::{Pipe, Place},
        restore::plan::is_large_objects,
    },
};

/// How the parts are compressed.
pub(in crate::jobs) const CODEC: Codec = Codec::ZSTD;

/// Largest table of contents beside CSV files, bytes.
const TOC: u64 = 1 << 30;

/// What a file may come to, so that a small one cannot fill bucket or memory.
#[derive(Debug, Clone, Copy)]
pub(in crate::jobs) struct Limits {
    /// Bytes before compression.
    pub bytes: u64,
    /// Objects of the database.
    pub entries: usize,
    /// Large objects.
    pub large_objects: usize,
    /// Bytes that are kept in memory until the end: definitions, names, dependencies.
    pub held: u64,
}

impl Limits {
    /// For a file of so many bytes that somebody has uploaded: text compresses well, and a thousandfold is no text any more.
    pub(in crate::jobs) fn of_upload(stored: u64) -> Self {
        let bytes = stored.saturating_mul(1000).max(10 << 30);
        Self { bytes, entries: 1_000_000, large_objects: 10_000_000, held: 256 << 20 }
    }

    /// For backups that we have made ourselves.
    pub(in crate::jobs) const OWN: Self =
        Self { bytes: u64::MAX, entries: 4_000_000, large_objects: 100_000_000, held: u64::MAX };

    /// Takes so many bytes off.
    fn bytes(&mut self, n: usize) -> Result<()> {
        self.bytes = self.bytes.checked_sub(n as u64).ok_or_else(|| too_much("bytes"))?;
        Ok(())
    }

    /// Takes so many bytes that are kept off.
    fn held(&mut self, n: usize) -> Result<()> {
        self.held = self.held.checked_sub(n as u64).ok_or_else(|| too_much("definitions"))?;
        self.bytes(n)
    }

    /// Takes an object of the database off.
    fn entry(&mut self) -> Result<()> {
        self.entries = self.entries.checked_sub(1).ok_or_else(|| too_much("objects of a database"))?;
        Ok(())
    }

    /// Takes a large object off.
    fn large_object(&mut self) -> Result<()> {
        self.large_objects = self.large_objects.checked_sub(1).ok_or_else(|| too_much("large objects"))?;
        Ok(())
    }
}

/// A backup in another format than the archive.
pub(in crate::jobs) struct Packed<'a> {
    pub files: Files,
    pub manifest: &'a Manifest,
}

/// Writes its parts into a folder, the manifest last. Done again it writes the same.
///
/// # Errors
/// [`Kind::Corrupt`] for a file that is damaged or not what its manifest says, [`Kind::Unsupported`] beyond `limits`; those of the store.
pub(in crate::jobs) async fn unpack(packed: &Packed<'_>, into: &Place, limits: Limits) -> Result<()> {
    let said = &packed.manifest;
    let mut parts = Unpacked::new(into, limits);
    let doing = || format!("unpacking s3://{}/{}", packed.files.store.bucket(), packed.files.folder);
    let (head, toc) = match said.format {
        Format::Sql | Format::Json => {
            let one = said.objects.iter().find(|o| !is_toc(o));
            let object = one.ok_or_else(|| Error::new(Kind::Corrupt, "its manifest names no file"))?;
            let file = packed.files.object(object).await.with_context(doing)?;
            document(file, said.format, &mut parts).await.with_context(doing)?;
            parts.document_end()?
        }
        Format::Csv => {
            let toc = tables(packed, &mut parts).await.with_context(doing)?;
            ((*said).clone(), toc)
        }
        Format::Archive => return Err(Error::new(Kind::Internal, "an archive needs no unpacking")),
    };
    parts.compare(said)?;
    parts.finish(head, toc).await
}

fn is_toc(object: &Object) -> bool {
    Algorithm::of_file(&object.name).0 == "toc.dat"
}

/// As [`unpack`], of a file that holds everything and of which nothing is known but its form.
///
/// # Errors
/// As [`unpack`].
pub(in crate::jobs) async fn unpack_file(
    files: &Files,
    name: &str,
    format: Format,
    into: &Place,
    limits: Limits,
) -> Result<()> {
    let mut parts = Unpacked::new(into, limits);
    let doing = || format!("unpacking s3://{}/{}{name}", files.store.bucket(), files.folder);
    let read = async {
        document(files.open(name, None).await?, format, &mut parts).await?;
        parts.document_end()
    };
    let (head, toc) = read.await.with_context(doing)?;
    parts.finish(head, toc).await.with_context(doing)
}

async fn document(mut file: Decoded, format: Format, parts: &mut Unpacked<'_>) -> Result<()> {
    if format == Format::Json {
        let mut reader = json::Reader::default();
        while let Some(piece) = file.next().await? {
            parts.take(reader.push(&piece)?).await?;
        }
        return reader.finish();
    }
    let mut reader = sql::Reader::default();
    while let Some(piece) = file.next().await? {
        parts.take(reader.push(&piece)?).await?;
    }
    reader.finish()
}

async fn tables(packed: &Packed<'_>, parts: &mut Unpacked<'_>) -> Result<Toc> {
    let manifest = packed.manifest;
    let missing = || Error::new(Kind::Corrupt, "its manifest does not list toc.dat");
    let toc = manifest.objects.iter().find(|o| is_toc(o)).ok_or_else(missing)?;
    let bytes = packed.files.whole(&toc.name, Some(expected(toc)), TOC).await?;
    let toc = Toc::parse(&bytes).context("reading toc.dat")?;
    for object in &manifest.objects {
        let doing = || format!("reading {}", object.name);
        match object.entry {
            Some(entry) => table(packed, object, entry, parts).await.with_context(doing)?,
            None if object.name.starts_with("blob_") => {
                let file = Algorithm::of_file(&object.name).0;
                let oid = file.strip_prefix("blob_").and_then(|f| f.strip_suffix(".dat"));
                let oid = oid.and_then(|o| o.parse().ok());
                let oid = oid.ok_or_else(|| Error::new(Kind::Corrupt, "its name holds no oid"))?;
                parts.take(vec![Found::LargeObject(oid)]).await?;
                let mut bytes = packed.files.object(object).await?;
                while let Some(piece) = bytes.next().await? {
                    parts.take(vec![Found::Bytes(piece)]).await.with_context(doing)?;
                }
                parts.take(vec![Found::LargeObjectEnd]).await.with_context(doing)?;
            }
            None => {}
        }
    }
    Ok(toc)
}

async fn table(packed: &Packed<'_>, object: &Object, entry: i32, parts: &mut Unpacked<'_>) -> Result<()> {
    let columns: Vec<_> = object.columns.iter().map(items::column).collect();
    let mut reader = csv::Reader::new(&columns);
    let table = object.table.clone().unwrap_or_default();
    parts.take(vec![Found::Rows(Rows { entry, table, columns, ..Rows::default() })]).await?;
    let mut file = packed.files.object(object).await?;
    let mut text = Vec::new();
    while let Some(piece) = file.next().await? {
        reader.push(&piece, &mut text)?;
        parts.take(vec![Found::Text(std::mem::take(&mut text))]).await?;
    }
    let rows = reader.finish(&mut text)?;
    let hash = object.content_hash.clone().unwrap_or_default();
    parts.take(vec![Found::Text(text), Found::RowsEnd { rows, hash }]).await
}

/// Parts as they are written.
struct Unpacked<'a> {
    place: &'a Place,
    limits: Limits,
    head: Option<Manifest>,
    entries: Vec<Entry>,
    ids: HashSet<i32>,
    open: Option<Open>,
    objects: Vec<Object>,
    /// Entries whose rows are there.
    filled: HashSet<i32>,
    oids: Vec<u32>,
}

struct Open {
    pipe: Pipe,
    /// None for a large object.
    rows: Option<(Rows, RowHasher)>,
}

impl<'a> Unpacked<'a> {
    fn new(place: &'a Place, limits: Limits) -> Self {
        Self {
            place,
            limits,
            head: None,
            entries: Vec::new(),
            ids: HashSet::new(),
            open: None,
            objects: Vec::new(),
            filled: HashSet::new(),
            oids: Vec::new(),
        }
    }

    async fn take(&mut self, found: Vec<Found>) -> Result<()> {
        for one in found {
            self.take_one(one).await?;
        }
        Ok(())
    }

    async fn take_one(&mut self, found: Found) -> Result<()> {
        match found {
            Found::Head(head) => self.head = Some(Manifest::of_head(head)?),
            Found::Item(item) => {
                self.limits.entry()?;
                self.limits.held(held(&item))?;
                let file = item.data.then(|| match item.kind.as_str() {
                    "BLOBS" => "blobs.toc".to_owned(),
                    _ => format!("{}.dat", item.id),
                });
                if !self.ids.insert(item.id) {
                    return Err(corrupt(format!("the entry {} is there twice", item.id)));
                }
                self.entries.push(items::entry(*item, file)?);
            }
            Found::Rows(rows) => {
                if rows.entry < 1 || !self.filled.insert(rows.entry) {
                    return Err(corrupt(format!("the rows of entry {} are there twice", rows.entry)));
                }
                let file = format!("{}.dat{}", rows.entry, CODEC.suffix());
                self.begin(&file, Some((rows, RowHasher::new())))?;
            }
            Found::Text(text) => {
                self.limits.bytes(text.len())?;
                let open = self.open.as_mut().ok_or_else(out_of_order)?;
                if let Some((_, hasher)) = &mut open.rows {
                    hasher.push(&text);
                }
                open.pipe.push(&text).await?;
            }
            Found::RowsEnd { rows, hash } => {
                let mut open = self.open.take().ok_or_else(out_of_order)?;
                open.pipe.push(data::TERMINATOR).await?;
                let Some((of, hasher)) = open.rows else { return Err(out_of_order()) };
                let digest = hasher.finish()?;
                if digest.rows != rows || digest.hex() != hash {
                    let what = format!("{}.{}", of.schema, of.table);
                    let what = what.trim_start_matches('.').escape_debug();
                    let why = format!(
                        "the rows of {what} are not those that were saved: their number or hash differs"
                    );
                    return Err(open.pipe.abort(corrupt(why)).await);
                }
                let table =
                    if of.schema.is_empty() { of.table } else { format!("{}.{}", of.schema, of.table) };
                let object = open.pipe.finish().await?;
                self.objects.push(object.with_rows(of.entry, table, digest));
            }
            Found::LargeObject(oid) => {
                self.limits.large_object()?;
                self.oids.push(oid);
                self.begin(&format!("{}{}", Blob::new(oid).file, CODEC.suffix()), None)?;
            }
            Found::Bytes(bytes) => {
                self.limits.bytes(bytes.len())?;
                self.open.as_mut().ok_or_else(out_of_order)?.pipe.push(&bytes).await?;
            }
            Found::LargeObjectEnd => {
                let open = self.open.take().ok_or_else(out_of_order)?;
                self.objects.push(open.pipe.finish().await?);
            }
        }
        Ok(())
    }

    fn begin(&mut self, file: &str, rows: Option<(Rows, RowHasher)>) -> Result<()> {
        let pipe = self.place.pipe(file, None)?;
        self.open = Some(Open { pipe, rows });
        Ok(())
    }

    /// The head and the table of contents that a document held.
    fn document_end(&mut self) -> Result<(Manifest, Toc)> {
        let head = self.head.take().ok_or_else(|| corrupt("it does not say what backup it is".to_owned()))?;
        let header = Header::new(CODEC, head.created_at, &head.database.server_name, &head.server_version);
        Ok((head, Toc::new(header, std::mem::take(&mut self.entries))))
    }

    /// Holds the rows against what the manifest beside the file says of them.
    fn compare(&self, said: &Manifest) -> Result<()> {
        let found: HashMap<i32, &Object> = self.objects.iter().filter_map(|o| Some((o.entry?, o))).collect();
        for saved in said.saved() {
            let there = found.get(&saved.entry);
            let same =
                |o: &&&Object| o.rows == Some(saved.rows) && o.content_hash.as_deref() == saved.content_hash;
            if there.filter(same).is_none() {
                return Err(corrupt(format!(
                    "the rows of {} are not those that its manifest names",
                    saved.table
                )));
            }
        }
        Ok(())
    }

    async fn finish(mut self, head: Manifest, toc: Toc) -> Result<()> {
        let mut toc = toc;
        // As the parts are stored, whatever the file was.
        let header = Header::new(CODEC, head.created_at, &head.database.server_name, &head.server_version);
        toc = Toc::new(header, toc.entries);
        for entry in toc.entries.iter().filter(|e| e.had_dumper && !is_large_objects(e)) {
            if !self.filled.contains(&entry.dump_id) {
                return Err(corrupt(format!("the rows of {} are missing", entry.tag.escape_debug())));
            }
        }
        self.oids.sort_unstable();
        if self.oids.windows(2).any(|w| w[0] == w[1]) {
            return Err(corrupt("a large object is there twice".to_owned()));
        }
        if toc.entries.iter().any(is_large_objects) {
            let list: Vec<Blob> = self.oids.iter().copied().map(Blob::new).collect();
            self.put("blobs.toc", blobs::to_bytes(&list)).await?;
        } else if !self.oids.is_empty() {
            return Err(corrupt("it holds large objects that none of its entries names".to_owned()));
        }
        self.put("toc.dat", toc.to_bytes()?).await?;
        let manifest = Manifest {
            objects: self.objects,
            contents: Vec::new(),
            format: Format::Archive,
            encryption: None,
            codec: CODEC.algorithm(),
            ..head
        };
        self.place.put(manifest::FILE, manifest.to_bytes()?).await.map(drop)
    }

    async fn put(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        self.objects.push(self.place.put(name, bytes).await?);
        Ok(())
    }
}

/// What an item takes in memory.
fn held(item: &Item) -> usize {
    let texts = [
        &item.schema,
        &item.owner,
        &item.definition,
        &item.drop,
        &item.copy,
        &item.tablespace,
        &item.access_method,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    std::mem::size_of::<Item>() + item.kind.len() + item.name.len() + texts + 4 * item.after.len()
}

fn corrupt(why: String) -> Error {
    Error::new(Kind::Corrupt, why)
}

fn too_much(what: &str) -> Error {
    let why = format!(
        "the file holds more {what} than a file of its length may come to; it is not unpacked any further"
    );
    Error::new(Kind::Unsupported, why)
}

fn out_of_order() -> Error {
    Error::new(Kind::Corrupt, "the file's parts are not in their order")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_cannot_become_a_huge_one() {
        let mut limits = Limits { bytes: 10, entries: 1, large_objects: 1, held: 5 };
        assert!(limits.held(6).is_err());
        limits.held(5).unwrap();
        limits.bytes(5).unwrap();
        assert_eq!(limits.bytes(1).unwrap_err().kind(), Kind::Unsupported);
        limits.entry().unwrap();
        assert!(limits.entry().is_err());
        limits.large_object().unwrap();
        assert!(limits.large_object().is_err());
        assert_eq!(Limits::of_upload(5).bytes, 10 << 30);
        assert_eq!(Limits::of_upload(1 << 30).bytes, 1000 << 30);
        assert_eq!(Limits::of_upload(u64::MAX).bytes, u64::MAX);
    }
}
