//! Where a run writes its files, and how: those of the backup, the parts of an archive that another format is made of, and what its functions leave for
//! each other.

use std::time::Duration;

use crate::{
    archive::Codec,
    base::{Encryption, Format, Result},
    jobs::{
        Platform, convert,
        decoded::Files,
        pipe::Place,
        seals::{self, Keys, Seals},
    },
    ledger::{Ledger, Record},
    seal::Identity,
};

/// How long the end of a backup waits for its own tidying, at most.
const CLEARING: Duration = Duration::from_secs(30);

/// The places of one run.
#[derive(Clone)]
pub(super) struct Places {
    /// What the backup is to be.
    pub format: Format,
    /// For the manifest.
    pub encryption: Option<Encryption>,
    /// The backup.
    pub backup: Place,
    /// The archive's files: the backup itself, unless that is to be something else.
    pub parts: Place,
    /// For the functions of the run.
    pub work: Place,
    /// The run's own key.
    own: Option<Identity>,
}

impl Places {
    /// Those of the run that the record is of: the same in all of its functions.
    ///
    /// # Errors
    /// Those of finding out how to encrypt.
    pub(super) async fn of(platform: &Platform, record: &Record) -> Result<Self> {
        let format = super::format(record)?;
        let sealed = seals::of_backup(platform, record).await?;
        let store = platform.store.clone();
        let own = sealed.as_ref().map(|s| s.own.clone());
        let backup = Place {
            store: store.clone(),
            folder: super::folder(platform, record),
            codec: Codec::from(super::hop::compression(record)?),
            seals: sealed.as_ref().map_or(Seals::None, |s| s.seals.clone()),
        };
        let aside = Place {
            store,
            folder: convert::aside(&platform.config.prefix, &record.database, &record.id),
            codec: Codec::ZSTD,
            seals: own.as_ref().map_or(Seals::None, |own| Seals::Recipients([own.recipient()].into())),
        };
        let parts = if format.is_archive() { backup.clone() } else { aside.clone() };
        // Names of tables stand in it.
        let work = if own.is_some() { aside } else { parts.clone() };
        Ok(Self { format, encryption: sealed.map(|s| s.encryption), backup, parts, work, own })
    }

    /// The files on the way, to be read.
    pub(super) fn work_files(&self) -> Files {
        let keys = self.own.as_ref().map_or(Keys::None, |own| Keys::Identities([own.clone()].into()));
        Files { store: self.work.store.clone(), folder: self.work.folder.clone(), keys }
    }

    /// Removes what was set aside, if anything was, and its key, in so much time and not more than half a minute: the record waits. What is left then, or
    /// after a failure, goes with the bucket's lifecycle.
    pub(super) async fn clear(&self, ledger: &Ledger, record: &Record, time: Duration) {
        if self.work.folder == self.backup.folder {
            return;
        }
        let removal = async {
            self.work.store.delete_folder(&self.work.folder).await?;
            match self.own {
                Some(_) => seals::forget(ledger, &record.id).await,
                None => Ok(()),
            }
        };
        match tokio::time::timeout(time.min(CLEARING), removal).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => {
                tracing::warn!(folder = self.work.folder, error = %e, "removing what was set aside")
            }
            Err(_) => {
                tracing::warn!(folder = self.work.folder, "what was set aside could not be removed in time")
            }
        }
    }
}
