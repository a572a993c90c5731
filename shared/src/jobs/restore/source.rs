//! The archive to restore from: found, listed and proven before the target is touched.

use std::collections::{HashMap, HashSet};

use crate::{
    archive::{Algorithm, Manifest, Toc, blobs, manifest::Object, toc::Entry},
    base::{Encryption, Error, Kind, Result, ResultExt},
    jobs::{
        decoded::{Decoded, Files},
        opened::Opened,
        seals::SUFFIX,
    },
    store::Expected,
};

/// Largest `toc.dat` read, in bytes.
const TOC_LIMIT: u64 = 1 << 30;

/// Name of the table of contents.
const TOC: &str = "toc.dat";

/// An archive in S3 whose table of contents is read and whose objects are all there.
pub(super) struct Source {
    files: Files,
    /// `s3://bucket/folder/` of the backup.
    place: String,
    /// Whether what it was made of is encrypted for recipients.
    of_recipients: bool,
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
    /// The archive that was opened.
    ///
    /// With a manifest, every object is there with its size, and `toc.dat` must have its SHA-256; the data files' are checked while they are read, before
    /// their rows are committed.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no archive; [`Kind::Corrupt`] when it is not what was written, or was never finished.
    pub(super) async fn of(opened: Opened) -> Result<Self> {
        let place = format!("s3://{}/{}", opened.files.store.bucket(), opened.files.folder);
        let doing = format!("opening the archive {place}");
        Self::read(opened, place).await.with_context(|| doing)
    }

    async fn read(opened: Opened, place: String) -> Result<Self> {
        let Opened { files, sizes, manifest } = opened;
        let listed: HashMap<String, Listed> = manifest.iter().flat_map(|m| &m.objects).map(listed).collect();
        let sealed = format!("{TOC}{SUFFIX}");
        let name = if listed.contains_key(&sealed) { sealed.as_str() } else { TOC };
        if !sizes.contains_key(name) && manifest.is_none() {
            let why = if sizes.is_empty() {
                "there is nothing in this folder"
            } else {
                "this folder holds no toc.dat"
            };
            return Err(Error::new(Kind::NotFound, why));
        }
        let expected = listed.get(name).map(|l| l.expected.clone());
        if manifest.is_some() && expected.is_none() {
            return Err(Error::new(Kind::Corrupt, "its manifest does not list toc.dat"));
        }
        let bytes = files.whole(name, expected, TOC_LIMIT).await?;
        let toc = Toc::parse(&bytes).context("reading toc.dat")?;
        let ours = toc.header.dumper_version.as_deref().is_some_and(|v| v.starts_with("pgbaton"));
        if ours && manifest.is_none() {
            return Err(Error::new(
                Kind::Corrupt,
                "it has no manifest.json: the backup was never finished, or its removal has begun",
            ));
        }
        let places = toc.entries.iter().enumerate().map(|(place, e)| (e.dump_id, place)).collect();
        let source = Self { files, place, of_recipients: false, toc, manifest, sizes, listed, places };
        for entry in source.toc.entries.iter().filter(|e| e.had_dumper) {
            source.file(entry)?;
        }
        Ok(source)
    }

    /// Whether its files are encrypted for the deployment's recipients, whose key the function of workers does not have: it makes backups as well.
    pub(super) fn is_for_recipients(&self) -> bool {
        let encryption = self.manifest.as_ref().and_then(|m| m.encryption.as_ref());
        self.of_recipients || matches!(encryption, Some(Encryption::Age { .. }))
    }

    /// Keeps these entries alone; none of the others is restored.
    pub(super) fn keep(&mut self, ids: &HashSet<i32>) {
        self.toc.entries.retain(|e| ids.contains(&e.dump_id));
        self.places = self.toc.entries.iter().enumerate().map(|(place, e)| (e.dump_id, place)).collect();
    }

    /// The same, called by where the backup is that it was made of, and whether that is encrypted for recipients.
    #[must_use]
    pub(super) fn called(self, place: String, of_recipients: bool) -> Self {
        Self { place, of_recipients, ..self }
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
        // What stands there and is not the archive's must not be taken for it.
        let suffix = if self.manifest.as_ref().is_some_and(is_sealed) { SUFFIX } else { "" };
        Algorithm::ALL
            .into_iter()
            .map(|a| (format!("{name}{}{suffix}", a.suffix()), a))
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
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for a file that the manifest does not know; those of the store.
    pub(super) async fn open_file(&self, stored: &str) -> Result<Decoded> {
        let expected = self.listed(stored).map(|l| l.expected.clone());
        if self.manifest.is_some() && expected.is_none() {
            return Err(Error::new(Kind::Corrupt, format!("the manifest does not know the file {stored}")));
        }
        self.files.open(stored, expected).await
    }

    /// The large objects that an entry's list names: oid, stored name and codec.
    pub(super) async fn large_objects(&self, entry: &Entry) -> Result<Vec<(u32, String, Algorithm)>> {
        let (stored, algorithm) = self.file(entry)?;
        if algorithm != Algorithm::None {
            return Err(Error::new(Kind::Unsupported, format!("the list {stored} is compressed")));
        }
        let expected = self.listed(&stored).map(|l| l.expected.clone());
        let bytes = self.files.whole(&stored, expected, TOC_LIMIT).await?;
        let list = blobs::parse(&bytes).with_context(|| format!("reading {stored}"))?;
        list.into_iter()
            .map(|b| {
                let (stored, algorithm) = self.stored(&b.file)?;
                Ok((b.oid, stored, algorithm))
            })
            .collect()
    }
}

/// Whether the names of its files end as those of encrypted ones.
fn is_sealed(manifest: &Manifest) -> bool {
    manifest.objects.iter().any(|o| o.name == format!("{TOC}{SUFFIX}"))
}

fn listed(object: &Object) -> (String, Listed) {
    let expected = Expected { bytes: object.bytes, sha256: object.sha256.clone() };
    (object.name.clone(), Listed { expected, raw_bytes: object.raw_bytes, rows: object.rows })
}
