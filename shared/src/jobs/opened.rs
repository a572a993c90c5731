//! A backup's folder, opened to be read: what stands in it, its manifest, and the keys of its files.

use std::collections::HashMap;

use super::{
    Platform,
    decoded::Files,
    seals::{self, Keys, SUFFIX},
};
use crate::{
    archive::{Manifest, manifest},
    base::{Error, Kind, Result, ResultExt},
    store::{Expected, ObjectKey, Store},
};

/// Most files of a backup: one for each table and large object.
const FILES: usize = 2_000_000;

/// A backup's folder.
pub(super) struct Opened {
    pub files: Files,
    /// Objects in the folder, and their sizes in bytes.
    pub sizes: HashMap<String, u64>,
    /// The whole manifest; none for archives that pg_dump made.
    pub manifest: Option<Manifest>,
}

/// Opens the backup in `folder` (a key ending with a slash). `checksum` is the SHA-256 of its manifest where a record knows it.
///
/// # Errors
/// [`Kind::Corrupt`] when it is not what was written, or was never finished; [`Kind::Config`] for an encrypted one whose key the deployment does not have.
pub(super) async fn open(
    platform: &Platform,
    store: &Store,
    folder: &str,
    checksum: Option<&str>,
) -> Result<Opened> {
    let doing = || format!("opening the backup s3://{}/{folder}", store.bucket());
    let read = async {
        store.check_bucket().await?;
        let files = Files { store: store.clone(), folder: folder.to_owned(), keys: Keys::None };
        let sizes = sizes(store, folder).await?;
        if !sizes.contains_key(manifest::FILE) && checksum.is_none() {
            return Ok(Opened { files, sizes, manifest: None });
        }
        let visible = visible(&files, &sizes, checksum).await?;
        let (manifest, keys) = whole(platform, &files, visible).await?;
        Ok(Opened { files: Files { keys, ..files }, sizes, manifest: Some(manifest) })
    };
    read.await.with_context(doing)
}

/// Opens what a run has set aside itself.
///
/// # Errors
/// As [`open`].
pub(super) async fn own(files: Files) -> Result<Opened> {
    let doing = format!("opening what was set aside in s3://{}/{}", files.store.bucket(), files.folder);
    let read = async {
        let sizes = sizes(&files.store, &files.folder).await?;
        let sealed = format!("{}{SUFFIX}", manifest::FILE);
        let name = if sizes.contains_key(&sealed) { sealed.as_str() } else { manifest::FILE };
        let bytes = files.whole(name, None, manifest::MAX_BYTES as u64).await?;
        let manifest = Manifest::parse(&bytes)?;
        compare(&manifest, &sizes)?;
        Ok(Opened { files, sizes, manifest: Some(manifest) })
    };
    read.await.with_context(|| doing)
}

async fn sizes(store: &Store, folder: &str) -> Result<HashMap<String, u64>> {
    let found = store.list(folder).all(FILES).await?;
    Ok(found
        .into_iter()
        .filter_map(|o| Some((o.key.as_str().strip_prefix(folder)?.to_owned(), o.bytes)))
        .collect())
}

/// The manifest that everybody can read.
async fn visible(files: &Files, sizes: &HashMap<String, u64>, checksum: Option<&str>) -> Result<Manifest> {
    let Some(&bytes) = sizes.get(manifest::FILE) else {
        return Err(Error::new(
            Kind::Corrupt,
            "its manifest.json is missing: it was removed, or its removal has begun",
        ));
    };
    let expected = checksum.map(|sha256| Expected { bytes, sha256: sha256.to_owned() });
    let bytes = files.whole(manifest::FILE, expected, manifest::MAX_BYTES as u64).await?;
    let manifest = Manifest::parse(&bytes)?;
    compare(&manifest, sizes)?;
    Ok(manifest)
}

fn compare(manifest: &Manifest, sizes: &HashMap<String, u64>) -> Result<()> {
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
    Ok(())
}

/// The whole manifest of which `visible` is what can be seen, and the keys of the files: nothing else was sealed with them where the two fit.
///
/// # Errors
/// [`Kind::Config`] where the deployment has no key; [`Kind::Corrupt`] where they do not fit.
pub(super) async fn whole(platform: &Platform, files: &Files, visible: Manifest) -> Result<(Manifest, Keys)> {
    if visible.encryption.is_none() {
        return Ok((visible, Keys::None));
    }
    let keys = seals::opening(platform, visible.encryption.as_ref(), &visible.backup_id).await?;
    let name = format!("{}{SUFFIX}", manifest::FULL);
    let object = visible
        .object(&name)
        .ok_or_else(|| Error::new(Kind::Corrupt, format!("its manifest does not list {name}")))?;
    let key = ObjectKey::within(&files.folder, &name)?;
    let opened = Files { keys: keys.clone(), ..files.clone() };
    let expected = Expected { bytes: object.bytes, sha256: object.sha256.clone() };
    let bytes = opened.whole(&name, Some(expected), manifest::MAX_BYTES as u64).await?;
    let whole = Manifest::parse(&bytes).with_context(|| format!("reading {key}"))?;
    match visible.is_public_of(&whole, &name) {
        true => Ok((whole, keys)),
        false => Err(Error::new(
            Kind::Corrupt,
            format!(
                "its manifest.json is not the one that {name} belongs to: files were put in place of others"
            ),
        )),
    }
}
