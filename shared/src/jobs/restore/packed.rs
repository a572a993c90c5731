//! A restore of a backup that is no archive: it is made one first, aside, once for all functions of the run.

use std::{sync::OnceLock, time::Duration};

use super::{
    Found,
    source::Source,
    work::{FINISHING, Restore},
};
use crate::{
    archive::{Manifest, manifest},
    base::{Encryption, Error, Format, Kind, Result, id::RunId},
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

    /// Removes it, once no function of the run needs it any more, in so much time. What is not removed then goes with the bucket's lifecycle.
    pub(super) async fn remove(&self, platform: &Platform, run: &RunId, time: Duration) {
        let Some(folder) = self.folder.get() else { return };
        let removal = async {
            platform.store.delete_folder(folder).await?;
            seals::forget(&platform.ledger, run).await
        };
        match tokio::time::timeout(time, removal).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::warn!(folder, error = %e, "removing what was set aside"),
            Err(_) => tracing::warn!(folder, "what was set aside could not be removed in time"),
        }
    }
}

impl Restore<'_> {
    /// Opens the archive, or the one that the backup is made into.
    ///
    /// # Errors
    /// As [`Source::of`]; those of reading the backup.
    pub(super) async fn open(&self, found: &Found) -> Result<Source> {
        let packed = match form(self.platform, found).await? {
            Form::Archive(opened) => return Source::of(*opened).await,
            Form::Packed(packed) => packed,
        };
        let aside = aside(self.platform, found, &self.record.id, packed.sealed()).await?;
        let _ = self.unpacked.folder.set(aside.folder.clone());
        let name = aside.seals.stored(manifest::FILE);
        let there = aside.store.head(&ObjectKey::within(&aside.folder, &name)?).await?.is_some();
        if !there {
            // That the run was about to end must not be forgotten.
            if self.record.phase.as_deref() != Some(FINISHING) {
                self.enter(&format!("unpacking the {}", packed.format().name())).await?;
            }
            packed.unpack(self.platform, found, &aside).await?;
            let _ = self.unpacked.made.set(());
        }
        of_folder(self.platform, found, &self.record.id, aside, packed.is_for_recipients()).await
    }
}

/// Opens the archive in a worker.
///
/// # Errors
/// As [`Source::of`].
pub(super) async fn source(platform: &Platform, found: &Found, run: &RunId) -> Result<Source> {
    match form(platform, found).await? {
        Form::Archive(opened) => Source::of(*opened).await,
        Form::Packed(packed) => {
            let aside = aside(platform, found, run, packed.sealed()).await?;
            of_folder(platform, found, run, aside, packed.is_for_recipients()).await
        }
    }
}

/// What was found.
enum Form {
    Archive(Box<Opened>),
    Packed(NoArchive),
}

/// A backup that is no archive.
enum NoArchive {
    /// One of ours.
    Backup(Box<(Files, Manifest)>),
    /// A file that somebody has put there.
    File(String, Format),
}

impl NoArchive {
    fn format(&self) -> Format {
        match self {
            Self::Backup(of) => of.1.format,
            Self::File(_, format) => *format,
        }
    }

    fn sealed(&self) -> bool {
        match self {
            Self::Backup(of) => of.1.encryption.is_some(),
            Self::File(name, _) => name.ends_with(seals::SUFFIX),
        }
    }

    fn is_for_recipients(&self) -> bool {
        match self {
            Self::Backup(of) => matches!(of.1.encryption, Some(Encryption::Age { .. })),
            Self::File(..) => self.sealed(),
        }
    }

    async fn unpack(&self, platform: &Platform, found: &Found, aside: &Place) -> Result<()> {
        match self {
            Self::Backup(of) => {
                let (files, manifest) = of.as_ref();
                let packed = Packed { files: files.clone(), manifest };
                convert::unpack(&packed, aside, Limits::OWN).await
            }
            Self::File(name, format) => {
                let keys = match self.sealed() {
                    true => seals::identities(platform).await?,
                    false => Keys::None,
                };
                let files = Files { store: found.store.clone(), folder: found.folder.clone(), keys };
                let head = files.store.head(&files.key(name)?).await?.ok_or_else(|| {
                    let place = format!("s3://{}/{}{name}", found.store.bucket(), found.folder);
                    Error::new(Kind::NotFound, format!("there is no file {place}"))
                })?;
                let limits = Limits::of_upload(head.bytes);
                convert::unpack_file(&files, name, *format, aside, limits).await
            }
        }
    }
}

/// What stands where the restore is to read from. A file that is part of a backup of ours is read with all that its manifest says.
async fn form(platform: &Platform, found: &Found) -> Result<Form> {
    if let Some(name) = &found.file {
        let beside = found.store.head(&ObjectKey::within(&found.folder, manifest::FILE)?).await?;
        let mut ours = false;
        if beside.is_some() {
            let bytes = found
                .store
                .get_all(&ObjectKey::within(&found.folder, manifest::FILE)?, manifest::MAX_BYTES as u64)
                .await?;
            ours = Manifest::parse(&bytes).is_ok_and(|m| m.object(name).is_some());
        }
        if !ours {
            let format = Format::of_file(name)
                .ok_or_else(|| Error::new(Kind::Internal, format!("{name} is no file of a known form")))?;
            return Ok(Form::Packed(NoArchive::File(name.clone(), format)));
        }
    }
    let mut opened = opened(platform, found).await?;
    Ok(match opened.manifest.take_if(|m| !m.format.is_archive()) {
        Some(manifest) => Form::Packed(NoArchive::Backup(Box::new((opened.files, manifest)))),
        None => Form::Archive(Box::new(opened)),
    })
}

async fn opened(platform: &Platform, found: &Found) -> Result<Opened> {
    opened::open(platform, &found.store, &found.folder, found.checksum.as_deref()).await
}

/// Where a run makes such a backup an archive; what was encrypted stays so on the way.
async fn aside(platform: &Platform, found: &Found, run: &RunId, sealed: bool) -> Result<Place> {
    let seals = match sealed {
        false => Seals::None,
        true => Seals::Recipients([seals::own_key(&platform.ledger, run).await?.recipient()].into()),
    };
    Ok(Place {
        store: platform.store.clone(),
        folder: convert::aside(&platform.config.prefix, &found.database, run),
        codec: convert::CODEC,
        seals,
    })
}

async fn of_folder(
    platform: &Platform,
    found: &Found,
    run: &RunId,
    aside: Place,
    of_recipients: bool,
) -> Result<Source> {
    let keys = match aside.seals {
        Seals::None => Keys::None,
        _ => Keys::Identities([seals::own_key(&platform.ledger, run).await?].into()),
    };
    let opened = opened::own(Files { store: aside.store, folder: aside.folder, keys }).await?;
    let source = Source::of(opened).await?;
    // A retry of the run makes it in another folder.
    let file = found.file.as_deref().unwrap_or_default();
    Ok(source.called(format!("s3://{}/{}{file}", found.store.bucket(), found.folder), of_recipients))
}
