//! The archive to restore from: found, listed and proven before the target is touched.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::{
    archive::{
        Algorithm, Manifest, Toc, blobs,
        manifest::{self, Object},
        toc::Entry,
    },
    base::{Error, Kind, Result, ResultExt},
    store::{Expected, ObjectKey, Reading, Store},
};

/// Largest `toc.dat` read, in bytes.
const TOC_LIMIT: u64 = 1 << 30;

/// Most files in an archive: one for each table and large object.
const FILES: usize = 2_000_000;

/// Name of the table of contents.
const TOC: &str = "toc.dat";

/// An archive in S3 whose table of contents is read and whose objects are all there.
pub(super) struct Source {
    store: Store,
    folder: String,
    /// `s3://bucket/folder/` of the backup.
    place: String,
    /// The table of contents.
    pub toc: Toc,
    /// None for archives that pg_dump made.
    pub manifest: Option<Manifest>,
    /// Objects in the folder, and their sizes in bytes.
    sizes: HashMap<String, u64>,
    /// What the manifest says of each object.
    listed: HashMap<String, Listed>,
    /// Entries' places by dump id.
    places: HashMap<i32, usize>,
}

/// One object as its manifest has it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// Length and SHA-256 as stored.
    expected: Expected,
    /// Bytes before compression.
    pub raw_bytes: u64,
    /// Rows, for a table's data.
    pub rows: Option<u64>,
}

impl Source {
    /// Opens the archive in `folder` (a key ending with a slash). `checksum` is the SHA-256 of its manifest where a record knows it.
    ///
    /// With a manifest, every object must be there with its size, and `toc.dat` must have its SHA-256; the data files' are checked while they
    /// are read, before their rows are committed.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no archive; [`Kind::Corrupt`] when it is not what was written, or was never finished.
    pub(super) async fn open(store: Store, folder: &str, checksum: Option<&str>) -> Result<Self> {
        let doing = || format!("opening the archive s3://{}/{folder}", store.bucket());
        Self::read(store.clone(), folder, checksum).await.with_context(doing)
    }

    async fn read(store: Store, folder: &str, checksum: Option<&str>) -> Result<Self> {
        store.check_bucket().await?;
        let sizes: HashMap<String, u64> = store
            .list(folder)
            .all(FILES)
            .await?
            .into_iter()
            .filter_map(|o| Some((o.key.as_str().strip_prefix(folder)?.to_owned(), o.bytes)))
            .collect();
        let has = |name: &str| sizes.contains_key(name);
        if !has(TOC) && !has(manifest::FILE) {
            let why = if sizes.is_empty() {
                "there is nothing in this folder"
            } else {
                "this folder holds no toc.dat"
            };
            return Err(Error::new(Kind::NotFound, why));
        }
        let manifest = if has(manifest::FILE) || checksum.is_some() {
            Some(read_manifest(&store, folder, &sizes, checksum).await?)
        } else {
            None
        };
        let listed: HashMap<String, Listed> = manifest.iter().flat_map(|m| &m.objects).map(listed).collect();
        let expected = listed.get(TOC).map(|l| l.expected.clone());
        if manifest.is_some() && expected.is_none() {
            return Err(Error::new(Kind::Corrupt, "its manifest does not list toc.dat"));
        }
        let bytes = all(&store, folder, TOC, expected, TOC_LIMIT).await?;
        let toc = Toc::parse(&bytes).context("reading toc.dat")?;
        let ours = toc.header.dumper_version.as_deref().is_some_and(|v| v.starts_with("pgbaton"));
        if ours && manifest.is_none() {
            return Err(Error::new(
                Kind::Corrupt,
                "it has no manifest.json: the backup was never finished, or its removal has begun",
            ));
        }
        let places = toc.entries.iter().enumerate().map(|(place, e)| (e.dump_id, place)).collect();
        let place = format!("s3://{}/{folder}", store.bucket());
        let source = Self { place, store, folder: folder.to_owned(), toc, manifest, sizes, listed, places };
        for entry in source.toc.entries.iter().filter(|e| e.had_dumper) {
            source.file(entry)?;
        }
        Ok(source)
    }

    /// Keeps these entries alone; none of the others is restored.
    pub(super) fn keep(&mut self, ids: &HashSet<i32>) {
        self.toc.entries.retain(|e| ids.contains(&e.dump_id));
        self.places = self.toc.entries.iter().enumerate().map(|(place, e)| (e.dump_id, place)).collect();
    }

    /// The same, called by where the backup is that it was made of.
    #[must_use]
    pub(super) fn called(self, place: String) -> Self {
        Self { place, ..self }
    }

    /// Tells this archive from one that takes its place in the same folder.
    pub(super) fn identity(&self) -> String {
        let c = &self.toc.header.created;
        format!(
            "{} of {:04}-{:02}-{:02} {:02}:{:02}:{:02}, {} entries",
            self.place,
            c.year + 1900,
            c.month + 1,
            c.day,
            c.hour,
            c.minute,
            c.second,
            self.toc.entries.len()
        )
    }

    /// The stored name of an entry's file and its codec.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is missing.
    pub(super) fn file(&self, entry: &Entry) -> Result<(String, Algorithm)> {
        let name = entry.file.as_deref().filter(|f| !f.is_empty()).ok_or_else(|| {
            Error::new(
                Kind::Corrupt,
                format!("entry {} ({}) has data but names no file", entry.dump_id, entry.tag),
            )
        })?;
        self.stored(name)
    }

    fn stored(&self, name: &str) -> Result<(String, Algorithm)> {
        Algorithm::ALL
            .into_iter()
            .map(|a| (format!("{name}{}", a.suffix()), a))
            .find(|(stored, _)| self.sizes.contains_key(stored))
            .ok_or_else(|| Error::new(Kind::Corrupt, format!("the file {name} is missing")))
    }

    /// Bytes stored of an entry's file, 0 when it has none.
    pub(super) fn size(&self, entry: &Entry) -> u64 {
        if !entry.had_dumper {
            return 0;
        }
        self.file(entry).ok().and_then(|(name, _)| self.sizes.get(&name).copied()).unwrap_or(0)
    }

    /// The entry with this dump id.
    pub(super) fn entry(&self, dump_id: i32) -> Option<&Entry> {
        self.places.get(&dump_id).map(|&place| &self.toc.entries[place])
    }

    /// What the manifest says of a stored file.
    pub(super) fn listed(&self, stored: &str) -> Option<&Listed> {
        self.listed.get(stored)
    }

    /// Starts to read a stored file; its SHA-256 is proven at the end where a manifest knows it.
    pub(super) async fn open_file(&self, stored: &str) -> Result<Reading> {
        let expected = self.listed(stored).map(|l| l.expected.clone());
        if self.manifest.is_some() && expected.is_none() {
            return Err(Error::new(Kind::Corrupt, format!("the manifest does not know the file {stored}")));
        }
        let key = ObjectKey::parse(&format!("{}{stored}", self.folder))?;
        Reading::open(&self.store, &key, expected).await
    }

    /// The large objects that an entry's list names: oid, stored name and codec.
    pub(super) async fn large_objects(&self, entry: &Entry) -> Result<Vec<(u32, String, Algorithm)>> {
        let (stored, algorithm) = self.file(entry)?;
        if algorithm != Algorithm::None {
            return Err(Error::new(Kind::Unsupported, format!("the list {stored} is compressed")));
        }
        let expected = self.listed(&stored).map(|l| l.expected.clone());
        let bytes = all(&self.store, &self.folder, &stored, expected, TOC_LIMIT).await?;
        let list = blobs::parse(&bytes).with_context(|| format!("reading {stored}"))?;
        list.into_iter()
            .map(|b| {
                let (stored, algorithm) = self.stored(&b.file)?;
                Ok((b.oid, stored, algorithm))
            })
            .collect()
    }
}

/// The manifest of a backup that is no archive; none for an archive, or where there is nothing at all.
///
/// # Errors
/// As [`Source::open`].
pub(super) async fn packed(store: &Store, folder: &str, checksum: Option<&str>) -> Result<Option<Manifest>> {
    let doing = || format!("opening the backup s3://{}/{folder}", store.bucket());
    let key = ObjectKey::within(folder, manifest::FILE)?;
    let Some(head) = store.head(&key).await? else { return Ok(None) };
    let expected = checksum.map(|sha256| Expected { bytes: head.bytes, sha256: sha256.to_owned() });
    let bytes = all(store, folder, manifest::FILE, expected, manifest::MAX_BYTES as u64).await;
    let manifest = bytes.and_then(|bytes| Manifest::parse(&bytes)).with_context(doing)?;
    Ok((!manifest.format.is_archive()).then_some(manifest))
}

fn listed(object: &Object) -> (String, Listed) {
    let expected = Expected { bytes: object.bytes, sha256: object.sha256.clone() };
    (object.name.clone(), Listed { expected, raw_bytes: object.raw_bytes, rows: object.rows })
}

async fn read_manifest(
    store: &Store,
    folder: &str,
    sizes: &HashMap<String, u64>,
    checksum: Option<&str>,
) -> Result<Manifest> {
    if !sizes.contains_key(manifest::FILE) {
        return Err(Error::new(
            Kind::Corrupt,
            "its manifest.json is missing: it was removed, or its removal has begun",
        ));
    }
    let expected =
        checksum.map(|sha256| Expected { bytes: sizes[manifest::FILE], sha256: sha256.to_owned() });
    let bytes = all(store, folder, manifest::FILE, expected, manifest::MAX_BYTES as u64).await?;
    let manifest = Manifest::parse(&bytes)?;
    for object in &manifest.objects {
        match sizes.get(&object.name) {
            Some(bytes) if *bytes == object.bytes => {}
            Some(bytes) => {
                return Err(Error::new(
                    Kind::Corrupt,
                    format!("the file {} has {bytes} bytes, its manifest says {}", object.name, object.bytes),
                ));
            }
            None => return Err(Error::new(Kind::Corrupt, format!("the file {} is missing", object.name))),
        }
    }
    Ok(manifest)
}

/// A whole small object, proven.
async fn all(
    store: &Store,
    folder: &str,
    name: &str,
    expected: Option<Expected>,
    limit: u64,
) -> Result<Bytes> {
    let key = ObjectKey::parse(&format!("{folder}{name}"))?;
    let mut reading = Reading::open(store, &key, expected).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reading.next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            return Err(Error::new(Kind::Corrupt, format!("the file {name} is larger than {limit} bytes")));
        }
    }
    Ok(bytes.into())
}
