//! What all levels begin with: the manifest, proven against the record, and what stands in the backup's folder.

use std::collections::{HashMap, HashSet};

use super::done::Done;
use crate::{
    archive::{
        Algorithm, Manifest, Toc, blobs,
        manifest::{self, Object},
    },
    base::{Error, Format, Kind, Result, ResultExt},
    jobs::{
        Platform,
        decoded::{Files, expected},
        opened,
        request::stored_at,
        seals::Keys,
    },
    ledger::Record,
    store::{Expected, ObjectKey, Reading, Store},
};

/// Most objects in a folder: one for each table and large object.
const FILES: usize = 2_000_000;

/// Largest `toc.dat` or list of large objects read, bytes.
const TOC_LIMIT: u64 = 1 << 30;

/// Name of the table of contents.
pub(super) const TOC: &str = "toc.dat";

/// What functions of the backup leave for each other in its folder; no part of the archive.
const OURS: &[&str] = &["plan.json", "work.json"];

/// Objects too many named in a warning.
const NAMED: usize = 5;

/// A backup whose manifest is the one that its record knows.
pub(super) struct Inventory {
    pub files: Files,
    /// Of an encrypted backup what can be seen without a key, until [`Inventory::unlock`].
    pub manifest: Manifest,
    /// The manifest's objects, the largest first: the order in which they are looked at.
    pub objects: Vec<Object>,
    /// Names of those of which a problem is told already.
    pub told: HashSet<String>,
}

impl Inventory {
    /// Reads manifest and listing. None where the manifest itself is missing or damaged: there is nothing to go by then. What is missing, or has
    /// another size, is a problem; what nobody knows is a warning.
    ///
    /// # Errors
    /// Those that say nothing about the backup: of reaching the store.
    pub(super) async fn take(platform: &Platform, backup: &Record, done: &mut Done) -> Result<Option<Self>> {
        let (store, folder) = stored_at(platform, backup)?;
        store.check_bucket().await?;
        let sizes: HashMap<String, u64> = store
            .list(&folder)
            .all(FILES)
            .await
            .context("listing the backup's objects")?
            .into_iter()
            .filter_map(|o| Some((o.key.as_str().strip_prefix(folder.as_str())?.to_owned(), o.bytes)))
            .collect();
        let Some(bytes) = sizes.get(manifest::FILE) else {
            done.problem(format!("s3://{}/{folder}{} is missing", store.bucket(), manifest::FILE));
            return Ok(None);
        };
        // A record of a version that kept no checksum cannot vouch for its manifest.
        let expected = backup.checksum.clone().map(|sha256| Expected { bytes: *bytes, sha256 });
        if expected.is_none() {
            done.warning("the record knows no checksum of its manifest".to_owned());
        }
        let read = whole(&store, &folder, manifest::FILE, expected, manifest::MAX_BYTES as u64).await;
        let parsed = read.and_then(|bytes| Manifest::parse(&bytes));
        let Some(manifest) = sound(parsed, done)? else { return Ok(None) };
        if manifest.backup_id != backup.id {
            done.problem(format!("its manifest is that of the backup {}", manifest.backup_id));
            return Ok(None);
        }
        let mut told = HashSet::new();
        for object in &manifest.objects {
            match sizes.get(&object.name) {
                None => done.problem(format!("{} is missing", object.name)),
                Some(bytes) if *bytes != object.bytes => {
                    done.problem(format!("{} has {bytes} bytes instead of {}", object.name, object.bytes));
                }
                Some(_) => continue,
            }
            told.insert(object.name.clone());
        }
        let known: HashSet<&str> = manifest.objects.iter().map(|o| o.name.as_str()).collect();
        let mut strange: Vec<&str> = sizes.keys().map(String::as_str).collect();
        strange.retain(|name| !known.contains(name) && *name != manifest::FILE && !OURS.contains(name));
        strange.sort_unstable();
        if !strange.is_empty() {
            let shown: Vec<String> =
                strange.iter().take(NAMED).map(|n| n.escape_debug().take(100).collect()).collect();
            let more = strange.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            done.warning(format!(
                "the folder holds what its manifest does not know: {}{more}",
                shown.join(", ")
            ));
        }
        let mut objects = manifest.objects.clone();
        objects.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        let files = Files { store, folder, keys: Keys::None };
        Ok(Some(Self { files, manifest, objects, told }))
    }

    /// Takes the keys of an encrypted backup, and its whole manifest. False, and a problem, where that cannot be read.
    ///
    /// # Errors
    /// [`Kind::Config`] where the deployment has no key; as [`Inventory::take`].
    pub(super) async fn unlock(&mut self, platform: &Platform, done: &mut Done) -> Result<bool> {
        if self.manifest.encryption.is_none() {
            return Ok(true);
        }
        let whole = opened::whole(platform, &self.files, self.manifest.clone()).await;
        let Some((whole, keys)) = sound(whole, done)? else { return Ok(false) };
        self.files.keys = keys;
        // In the same order as what can be seen of it: what is done is noted by places.
        for object in &mut self.objects {
            if let Some(known) = whole.object(&object.name) {
                *object = known.clone();
            }
        }
        self.manifest = whole;
        Ok(true)
    }

    /// Reads the table of contents and the lists of large objects, and holds the files that they name against the manifest's. None, and a problem,
    /// where it cannot be read.
    ///
    /// # Errors
    /// As [`Inventory::take`].
    pub(super) async fn contents(&self, done: &mut Done) -> Result<Option<Toc>> {
        let Some(bytes) = sound(self.file(TOC, TOC_LIMIT).await, done)? else { return Ok(None) };
        let Some(toc) = sound(Toc::parse(&bytes).context("reading toc.dat"), done)? else { return Ok(None) };
        if !self.manifest.format.is_archive() {
            self.rows_of(&toc, done);
        }
        if self.manifest.format.is_one_file() {
            return Ok(Some(toc));
        }
        let by_name: HashMap<&str, &Object> =
            self.manifest.objects.iter().map(|o| (Algorithm::of_file(&o.name).0, o)).collect();
        let mut named: HashSet<String> = HashSet::from([TOC.to_owned()]);
        let csv = self.manifest.format == Format::Csv;
        for entry in toc.entries.iter().filter(|e| e.had_dumper && (!csv || e.desc == "BLOBS")) {
            let file = entry.file.as_deref().unwrap_or_default();
            match by_name.get(file) {
                None => done.problem(format!(
                    "toc.dat names a file for entry {} that the manifest does not know: {}",
                    entry.dump_id,
                    file.escape_debug().take(100).collect::<String>()
                )),
                Some(object) if object.rows.is_some() && object.entry != Some(entry.dump_id) => {
                    done.problem(format!(
                        "{} belongs to entry {} by toc.dat, and to another by the manifest",
                        object.name, entry.dump_id
                    ));
                }
                Some(_) => {}
            }
            named.insert(file.to_owned());
            if entry.desc == "BLOBS" && by_name.contains_key(file) {
                let list = self.file(file, TOC_LIMIT).await.and_then(|bytes| blobs::parse(&bytes));
                for blob in sound(list, done)?.unwrap_or_default() {
                    if !by_name.contains_key(blob.file.as_str()) {
                        done.problem(format!("{file} names {}, which the manifest does not know", blob.file));
                    }
                    named.insert(blob.file);
                }
            }
        }
        for object in &self.manifest.objects {
            let rows = csv && object.entry.is_some();
            if !rows && !named.contains(Algorithm::of_file(&object.name).0) {
                done.problem(format!("toc.dat does not name {}, so no restore would read it", object.name));
            }
        }
        Ok(Some(toc))
    }

    /// Holds the entries that have rows against those that the manifest has rows of.
    fn rows_of(&self, toc: &Toc, done: &mut Done) {
        let mut left: HashMap<i32, &str> = self.manifest.saved().map(|s| (s.entry, s.table)).collect();
        for entry in toc.entries.iter().filter(|e| e.had_dumper && e.desc != "BLOBS") {
            if left.remove(&entry.dump_id).is_none() {
                let tag: String = entry.tag.escape_debug().take(100).collect();
                done.problem(format!("the manifest knows no rows of entry {} ({tag})", entry.dump_id));
            }
        }
        for (entry, table) in left {
            let table: String = table.escape_debug().take(100).collect();
            done.problem(format!(
                "toc.dat has no entry {entry} ({table}), so no restore would read its rows"
            ));
        }
    }

    /// A whole small file of the manifest, proven.
    async fn file(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let is_it = |o: &&Object| Algorithm::of_file(&o.name).0 == name;
        let object = self
            .manifest
            .objects
            .iter()
            .find(is_it)
            .ok_or_else(|| Error::new(Kind::Corrupt, format!("the manifest does not list {name}")))?;
        self.files.whole(&object.name, Some(expected(object)), limit).await
    }

    /// The key of an object.
    ///
    /// # Errors
    /// Never for a name of a parsed manifest.
    pub(super) fn key(&self, object: &Object) -> Result<ObjectKey> {
        ObjectKey::within(&self.files.folder, &object.name)
    }
}

/// An error that speaks of the backup becomes a problem; any other is one of the verification.
///
/// # Errors
/// Every other one.
pub(super) fn sound<T>(outcome: Result<T>, done: &mut Done) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(e) if of_the_backup(e.kind()) => {
            done.problem(e.to_string());
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Whether an error of this kind, met while reading a backup's objects, speaks of the backup.
pub(super) fn of_the_backup(kind: Kind) -> bool {
    matches!(kind, Kind::Corrupt | Kind::NotFound)
}

async fn whole(
    store: &Store,
    folder: &str,
    name: &str,
    expected: Option<Expected>,
    limit: u64,
) -> Result<Vec<u8>> {
    let key = ObjectKey::within(folder, name)?;
    let mut reading = Reading::open(store, &key, expected).await?;
    if reading.bytes() > limit {
        return Err(Error::new(Kind::Corrupt, format!("{} is larger than {limit} bytes", store.url(&key))));
    }
    let mut bytes = Vec::new();
    while let Some(piece) = reading.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
