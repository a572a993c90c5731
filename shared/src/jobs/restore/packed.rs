//! A restore of a backup that is no archive: it is made one first, aside, once for all functions of the run.

use std::sync::OnceLock;

use super::{
    Found,
    source::{self, Source},
    work::Restore,
};
use crate::{
    archive::{Manifest, manifest},
    base::{Result, id::RunId},
    jobs::{
        Platform,
        convert::{self, Limits, Packed},
    },
    store::ObjectKey,
};

/// What a function knows of the archive that a backup was made into.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// Its folder, where there is one.
    folder: OnceLock<String>,
    /// Set when this function made it.
    made: OnceLock<()>,
}

impl Unpacked {
    /// Whether this function made it, so that the next one need not.
    pub(super) fn made_here(&self) -> bool {
        self.made.get().is_some()
    }

    /// Removes it. What cannot be removed goes with the bucket's lifecycle.
    pub(super) async fn remove(&self, platform: &Platform) {
        if let Some(folder) = self.folder.get()
            && let Err(e) = platform.store.delete_folder(folder).await
        {
            tracing::warn!(folder, error = %e, "removing what was set aside");
        }
    }
}

impl Restore<'_> {
    /// Opens the archive, or the one that the backup is made into.
    ///
    /// # Errors
    /// As [`Source::open`]; those of reading the backup.
    pub(super) async fn open(&self, found: &Found) -> Result<Source> {
        let Some((manifest, folder)) = packed(self.platform, found, &self.record.id).await? else {
            return Source::open(found.store.clone(), &found.folder, found.checksum.as_deref()).await;
        };
        let _ = self.unpacked.folder.set(folder.clone());
        let store = &self.platform.store;
        let there = store.head(&ObjectKey::within(&folder, manifest::FILE)?).await?.is_some();
        if !there {
            self.enter(&format!("unpacking the {}", manifest.format.name())).await?;
            let packed = Packed { store: &found.store, folder: &found.folder, manifest: &manifest };
            convert::unpack(&packed, store, &folder, Limits::OWN).await?;
            let _ = self.unpacked.made.set(());
        }
        of_folder(self.platform, found, &folder).await
    }
}

/// Opens the archive in a worker.
///
/// # Errors
/// As [`Source::open`].
pub(super) async fn source(platform: &Platform, found: &Found, run: &RunId) -> Result<Source> {
    match packed(platform, found, run).await? {
        Some((_, folder)) => of_folder(platform, found, &folder).await,
        None => Source::open(found.store.clone(), &found.folder, found.checksum.as_deref()).await,
    }
}

async fn of_folder(platform: &Platform, found: &Found, folder: &str) -> Result<Source> {
    let source = Source::open(platform.store.clone(), folder, None).await?;
    // A retry of the run makes it in another folder.
    Ok(source.called(format!("s3://{}/{}", found.store.bucket(), found.folder)))
}

/// The manifest of a backup that is no archive, and where `run` makes it one.
async fn packed(platform: &Platform, found: &Found, run: &RunId) -> Result<Option<(Manifest, String)>> {
    let manifest = source::packed(&found.store, &found.folder, found.checksum.as_deref()).await?;
    let folder = || convert::aside(&platform.config.prefix, &found.database, run);
    Ok(manifest.map(|m| (m, folder())))
}
