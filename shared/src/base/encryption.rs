//! With what a backup is encrypted on this side of S3.

use serde::{Deserialize, Serialize};

/// What a manifest says of it; nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Encryption {
    /// Every file is an age file to these recipients (`age1…`): `age -d -i key.txt` opens it.
    Age {
        /// Public keys.
        recipients: Vec<String>,
    },
    /// Every file is an age file to a key of its own, which is derived from a data key that KMS has wrapped.
    Kms {
        /// ARN of the KMS key.
        kms_key: String,
        /// The wrapped data key, base64.
        wrapped: String,
    },
}

/// What the deployment's settings say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncryptionSettings {
    /// `BACKUP_ENCRYPTION` (false): whether backups are encrypted that do not say.
    pub default: bool,
    /// `BACKUP_AGE_RECIPIENTS`: public keys of age, separated by commas.
    pub recipients: Option<String>,
    /// `BACKUP_ENCRYPTION_KMS_KEY`: the ARN of a KMS key, in place of recipients.
    pub kms_key: Option<String>,
    /// `BACKUP_AGE_IDENTITIES_SECRET_ARN`: the secret or parameter with the key file of age that opens backups; for restores and verifications.
    pub identities: Option<String>,
}

impl EncryptionSettings {
    /// Whether there is anything to encrypt with.
    pub fn possible(&self) -> bool {
        self.recipients.is_some() || self.kms_key.is_some()
    }
}
