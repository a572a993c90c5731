//! A restore of a backup that is no archive: it is made one first, aside, once for all functions of the run.

use std::sync::OnceLock;

use super::{Found, source::Source, work::Restore};
use crate::{
    archive::{Manifest, manifest},
    base::{Result, id::RunId},
    jobs::{
        Platform,
        convert::{self, Limits, Packed},
        decoded::Files,
        opened::{self, Opened},
        pipe::Place,
        seals::{self, Keys, Seals},
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
    /// As [`Source::of`]; those of reading the backup.
    pub(super) async fn open(&self, found: &Found) -> Result<Source> {
        let opened = opened(self.platform, found).await?;
        let Some(manifest) = packed(&opened) else { return Source::of(opened).await };
        let aside = aside(self.platform, found, &self.record.id, manifest).await?;
        let _ = self.unpacked.folder.set(aside.folder.clone());
        let name = aside.seals.stored(manifest::FILE);
        let there = aside.store.head(&ObjectKey::within(&aside.folder, &name)?).await?.is_some();
        if !there {
            self.enter(&format!("unpacking the {}", manifest.format.name())).await?;
            let packed = Packed { files: opened.files.clone(), manifest };
            convert::unpack(&packed, &aside, Limits::OWN).await?;
            let _ = self.unpacked.made.set(());
        }
        of_folder(self.platform, found, &self.record.id, aside).await
    }
}

/// Opens the archive in a worker.
///
/// # Errors
/// As [`Source::of`].
pub(super) async fn source(platform: &Platform, found: &Found, run: &RunId) -> Result<Source> {
    let opened = opened(platform, found).await?;
    match packed(&opened) {
        Some(manifest) => {
            let aside = aside(platform, found, run, manifest).await?;
            of_folder(platform, found, run, aside).await
        }
        None => Source::of(opened).await,
    }
}

async fn opened(platform: &Platform, found: &Found) -> Result<Opened> {
    opened::open(platform, &found.store, &found.folder, found.checksum.as_deref()).await
}

/// The manifest of a backup that is no archive.
fn packed(opened: &Opened) -> Option<&Manifest> {
    opened.manifest.as_ref().filter(|m| !m.format.is_archive())
}

/// Where a run makes such a backup an archive; what was encrypted stays so on the way.
async fn aside(platform: &Platform, found: &Found, run: &RunId, manifest: &Manifest) -> Result<Place> {
    let seals = match manifest.encryption {
        None => Seals::None,
        Some(_) => Seals::Recipients([seals::own_key(&platform.ledger, run).await?.recipient()].into()),
    };
    Ok(Place {
        store: platform.store.clone(),
        folder: convert::aside(&platform.config.prefix, &found.database, run),
        codec: convert::CODEC,
        seals,
    })
}

async fn of_folder(platform: &Platform, found: &Found, run: &RunId, aside: Place) -> Result<Source> {
    let keys = match aside.seals {
        Seals::None => Keys::None,
        _ => Keys::Identities([seals::own_key(&platform.ledger, run).await?].into()),
    };
    let opened = opened::own(Files { store: aside.store, folder: aside.folder, keys }).await?;
    let source = Source::of(opened).await?;
    // A retry of the run makes it in another folder.
    Ok(source.called(format!("s3://{}/{}", found.store.bucket(), found.folder)))
}
