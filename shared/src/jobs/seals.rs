//! How the files of a backup are encrypted on this side of S3, and opened again.
//!
//! ```text
//! files of the backup   for the deployment's recipients, whose keys the backup function does not have; or for keys from a data key of KMS
//! files on the way      for the run's own key, which is a note of its functions' (`<run>/seals`) and outlives them by days at most
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Platform, secrets};
use crate::{
    base::{Encryption, Error, Kind, Result, ResultExt, Secret, config::Config, id::RunId},
    ledger::{Ledger, Record},
    seal::{DataKey, Identity, Kms, ObjectKeys, Opener, Recipient, Sealer, WrappedKey},
};

/// What the names of encrypted files end with.
pub(super) const SUFFIX: &str = ".age";

/// How files are encrypted.
#[derive(Clone)]
pub(super) enum Seals {
    /// Not at all.
    None,
    /// For all of these.
    Recipients(Arc<[Recipient]>),
    /// Each for a key of its own.
    Keys(Arc<ObjectKeys>),
}

impl Seals {
    /// The name under which the file is stored.
    pub(super) fn stored(&self, file: &str) -> String {
        match self {
            Self::None => file.to_owned(),
            _ => format!("{file}{SUFFIX}"),
        }
    }

    /// What encrypts the file.
    ///
    /// # Errors
    /// Those of [`Sealer::new`].
    pub(super) fn sealer(&self, file: &str) -> Result<Option<Sealer>> {
        match self {
            Self::None => Ok(None),
            Self::Recipients(all) => Sealer::new(all).map(Some),
            Self::Keys(keys) => Sealer::new(&[keys.recipient(file)?]).map(Some),
        }
    }
}

/// What opens files.
#[derive(Clone)]
pub(super) enum Keys {
    /// They are not encrypted.
    None,
    /// Any of these opens each of them.
    Identities(Arc<[Identity]>),
    /// Each has a key of its own.
    Objects(Arc<ObjectKeys>),
}

impl Keys {
    /// What opens a file; `stored` is the name under which it is stored.
    ///
    /// # Errors
    /// Those of [`Opener::new`].
    pub(super) fn opener(&self, stored: &str) -> Result<Option<Opener>> {
        let Some(file) = stored.strip_suffix(SUFFIX) else { return Ok(None) };
        match self {
            Self::None => Err(Error::new(
                Kind::Corrupt,
                format!("{stored} is encrypted, and the manifest does not say with what"),
            )),
            Self::Identities(all) => Opener::new(all).map(Some),
            Self::Objects(keys) => keys.opener(file).map(Some),
        }
    }
}

/// Looks at the recipients of the configuration.
///
/// # Errors
/// [`Kind::Config`] naming the variable.
pub(super) fn check(config: &Config) -> Result<()> {
    let Some(recipients) = &config.encryption.recipients else { return Ok(()) };
    let checked = Recipient::all_of(recipients).map(drop);
    checked.map_err(|e| {
        Error::new(
            Kind::Config,
            format!("environment variable BACKUP_AGE_RECIPIENTS is wrong: {}", e.message()),
        )
    })
}

/// What the functions of an encrypted run have in common.
#[derive(Clone)]
pub(super) struct Sealed {
    /// For the manifest.
    pub encryption: Encryption,
    /// For the files of the backup.
    pub seals: Seals,
    /// For files on the way.
    pub own: Identity,
}

/// The note of it.
#[derive(Clone, Serialize, Deserialize)]
struct Noted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption: Option<Encryption>,
    /// `AGE-SECRET-KEY-1…`.
    own: String,
}

fn note(run: &RunId) -> String {
    format!("{run}/seals")
}

/// What the run's record asks for; none where its backup is not to be encrypted. The same for all functions of the run, whatever becomes of the settings
/// meanwhile.
///
/// # Errors
/// [`Kind::Config`] for settings that are wrong or gone; those of KMS and of the ledger.
pub(super) async fn of_backup(platform: &Platform, record: &Record) -> Result<Option<Sealed>> {
    if record.encrypted != Some(true) {
        return Ok(None);
    }
    let doing = || "finding out how to encrypt the backup";
    let noted = match noted(&platform.ledger, &record.id).await? {
        Some(noted) => noted,
        None => {
            let encryption = Some(choose(platform, &record.id).await.with_context(|| doing().to_owned())?);
            first(&platform.ledger, &record.id, encryption).await?
        }
    };
    let encryption = noted.encryption.ok_or_else(|| {
        Error::new(
            Kind::Internal,
            format!("the run {} has a key and does not say what to encrypt with", record.id),
        )
    })?;
    let seals = match &encryption {
        Encryption::Age { recipients } => {
            let all: Result<Vec<Recipient>> = recipients.iter().map(|r| r.parse()).collect();
            Seals::Recipients(all.with_context(|| doing().to_owned())?.into())
        }
        Encryption::Kms { .. } => Seals::Keys(object_keys(platform, &encryption, &record.id).await?),
    };
    let own = noted.own.parse()?;
    Ok(Some(Sealed { encryption, seals, own }))
}

/// The run's own key, for files on the way.
///
/// # Errors
/// Those of the ledger.
pub(super) async fn own_key(ledger: &Ledger, run: &RunId) -> Result<Identity> {
    match noted(ledger, run).await? {
        Some(noted) => noted.own.parse(),
        None => first(ledger, run, None).await?.own.parse(),
    }
}

/// What opens a backup.
///
/// # Errors
/// [`Kind::Config`] where the deployment has no key for it; those of reading the key.
pub(super) async fn opening(
    platform: &Platform,
    encryption: Option<&Encryption>,
    backup: &RunId,
) -> Result<Keys> {
    match encryption {
        None => Ok(Keys::None),
        Some(Encryption::Age { recipients }) => {
            let Some(secret) = &platform.config.encryption.identities else {
                let why = format!(
                    "the backup is encrypted for {}: set BACKUP_AGE_IDENTITIES_SECRET_ARN to the secret with a key that opens it",
                    recipients.join(", ")
                );
                return Err(Error::new(Kind::Config, why));
            };
            let text: Secret = secrets::read(secret, &platform.sdk).await?;
            let all =
                Identity::all_of(&text).with_context(|| format!("reading the keys in secret {secret}"))?;
            let fits = |i: &Identity| recipients.contains(&i.recipient().to_string());
            if !all.iter().any(fits) {
                let why = format!(
                    "none of the {} keys in secret {secret} opens the backup, which is encrypted for {}",
                    all.len(),
                    recipients.join(", ")
                );
                return Err(Error::new(Kind::Config, why));
            }
            Ok(Keys::Identities(all.into()))
        }
        Some(encryption @ Encryption::Kms { .. }) => {
            Ok(Keys::Objects(object_keys(platform, encryption, backup).await?))
        }
    }
}

/// The deployment's keys, for a file that does not say for whom it is encrypted.
///
/// # Errors
/// As [`opening`].
pub(super) async fn identities(platform: &Platform) -> Result<Keys> {
    let Some(secret) = &platform.config.encryption.identities else {
        let why = "the file is encrypted: set BACKUP_AGE_IDENTITIES_SECRET_ARN to the secret with a key that opens it";
        return Err(Error::new(Kind::Config, why));
    };
    let text: Secret = secrets::read(secret, &platform.sdk).await?;
    let all = Identity::all_of(&text).with_context(|| format!("reading the keys in secret {secret}"))?;
    Ok(Keys::Identities(all.into()))
}

async fn object_keys(
    platform: &Platform,
    encryption: &Encryption,
    backup: &RunId,
) -> Result<Arc<ObjectKeys>> {
    let Encryption::Kms { kms_key, wrapped } = encryption else {
        return Err(Error::new(Kind::Internal, "keys of objects come from KMS alone"));
    };
    let wrapped = WrappedKey { kms_key: kms_key.clone(), blob: wrapped.clone() };
    let key: DataKey = kms(platform).unwrap_key(&wrapped, backup).await?;
    Ok(Arc::new(ObjectKeys::new(key, backup.clone())))
}

fn kms(platform: &Platform) -> Kms {
    Kms::new(aws_sdk_kms::Client::new(&platform.sdk))
}

/// What to encrypt a new backup with.
async fn choose(platform: &Platform, backup: &RunId) -> Result<Encryption> {
    let settings = &platform.config.encryption;
    if let Some(recipients) = &settings.recipients {
        let recipients = Recipient::all_of(recipients)?.iter().map(Recipient::to_string).collect();
        return Ok(Encryption::Age { recipients });
    }
    let Some(key) = &settings.kms_key else {
        let why = "there is nothing to encrypt with: set BACKUP_AGE_RECIPIENTS or BACKUP_ENCRYPTION_KMS_KEY";
        return Err(Error::new(Kind::Config, why));
    };
    let (_, wrapped) = kms(platform).generate(key, backup).await?;
    Ok(Encryption::Kms { kms_key: wrapped.kms_key, wrapped: wrapped.blob })
}

/// Takes the run's own key away, once nothing is left that it opens.
///
/// # Errors
/// Those of the ledger.
pub(super) async fn forget(ledger: &Ledger, run: &RunId) -> Result<()> {
    match noted(ledger, run).await? {
        Some(there) => ledger.note(&note(run), &Noted { own: String::new(), ..there }).await,
        None => Ok(()),
    }
}

async fn noted(ledger: &Ledger, run: &RunId) -> Result<Option<Noted>> {
    ledger.noted(&note(run)).await
}

/// Notes a new key, unless another function was first: then its.
async fn first(ledger: &Ledger, run: &RunId, encryption: Option<Encryption>) -> Result<Noted> {
    let own = Identity::generate().text().expose().to_owned();
    let new = Noted { encryption, own };
    if ledger.note_first(&note(run), &new).await? {
        return Ok(new);
    }
    noted(ledger, run)
        .await?
        .ok_or_else(|| Error::new(Kind::Internal, format!("the note {} is gone", note(run))))
}
