//! Data keys, made and unwrapped by AWS KMS.

use std::{fmt, time::Duration};

use age::secrecy::{ExposeSecret, SecretBox, SecretSlice};
use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::DataKeySpec,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::base::{Error, Kind, Result, id::RunId};

/// The SDK's own retries are within it.
const LIMIT: Duration = Duration::from_secs(15);

/// The name in the encryption context under which the backup's id stands. KMS binds the wrapped key to it and writes it into CloudTrail; key policies
/// can demand it (`kms:EncryptionContext:pgbaton:backup`).
const CONTEXT: &str = "pgbaton:backup";

/// The 32 bytes from which the keys of a backup's objects come. Never printed, and wiped from memory when dropped.
pub struct DataKey(SecretBox<[u8; 32]>);

impl DataKey {
    #[cfg(test)]
    pub(super) fn of(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// # Errors
    /// [`Kind::Aws`] for another length.
    fn of_kms(blob: Option<Blob>) -> Result<Self> {
        let plain = SecretSlice::from(blob.map(Blob::into_inner).unwrap_or_default());
        let plain: &[u8] = plain.expose_secret();
        if plain.len() != 32 {
            return Err(Error::new(
                Kind::Aws,
                format!("KMS gave a data key of {} bytes, not 32", plain.len()),
            ));
        }
        Ok(Self(SecretBox::init_with_mut(|bytes: &mut [u8; 32]| bytes.copy_from_slice(plain))))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A data key as it may be stored beside what it protects: only KMS unwraps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// ARN of the KMS key that wrapped it. For people: KMS itself reads it from the blob.
    pub kms_key: String,
    /// Ciphertext of KMS, in base64.
    pub blob: String,
}

/// AWS KMS, as far as it is needed here: symmetric keys (`SYMMETRIC_DEFAULT`), of this account or another.
pub struct Kms {
    client: Client,
}

impl Kms {
    /// KMS through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// A new data key for a backup, plain and wrapped by the key `kms_key` (id, ARN, `alias/…` or ARN of an alias).
    ///
    /// # Errors
    /// All name the key: [`Kind::Permission`] with `kms:GenerateDataKey`, [`Kind::NotFound`], [`Kind::Config`] when it cannot be used as it is,
    /// [`Kind::Unreachable`], [`Kind::Aws`].
    pub async fn generate(&self, kms_key: &str, backup: &RunId) -> Result<(DataKey, WrappedKey)> {
        let request = self
            .client
            .generate_data_key()
            .key_id(kms_key)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(CONTEXT, backup.as_str())
            .send();
        let asked = Asked { action: "kms:GenerateDataKey", key: kms_key, backup };
        let answer = asked.within(request).await?;
        let blob = answer.ciphertext_blob.filter(|blob| !blob.as_ref().is_empty());
        let blob =
            blob.ok_or_else(|| Error::new(Kind::Aws, format!("KMS wrapped no data key with {kms_key}")))?;
        let wrapped = WrappedKey {
            kms_key: answer.key_id.unwrap_or_else(|| kms_key.to_owned()),
            blob: STANDARD.encode(blob.as_ref()),
        };
        Ok((DataKey::of_kms(answer.plaintext)?, wrapped))
    }

    /// The data key of a backup. KMS finds its key by the blob, so that a replica of a multi-Region key serves as well.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it was not wrapped for this backup, or was changed; otherwise as [`Kms::generate`], with `kms:Decrypt`.
    pub async fn unwrap_key(&self, wrapped: &WrappedKey, backup: &RunId) -> Result<DataKey> {
        let asked = Asked { action: "kms:Decrypt", key: &wrapped.kms_key, backup };
        let blob = STANDARD
            .decode(&wrapped.blob)
            .map_err(|e| Error::with_source(Kind::Corrupt, asked.other_key(), e))?;
        let request = self
            .client
            .decrypt()
            .ciphertext_blob(Blob::new(blob))
            .encryption_context(CONTEXT, backup.as_str())
            .send();
        DataKey::of_kms(asked.within(request).await?.plaintext)
    }
}

/// What was asked of KMS, for errors to say.
struct Asked<'a> {
    /// As IAM names it.
    action: &'static str,
    key: &'a str,
    backup: &'a RunId,
}

impl Asked<'_> {
    async fn within<T, E, R>(&self, request: impl Future<Output = Result<T, SdkError<E, R>>>) -> Result<T>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        match tokio::time::timeout(LIMIT, request).await {
            Ok(answer) => answer.map_err(|e| self.fault(e)),
            Err(_) => Err(Error::new(Kind::Unreachable, self.no_answer())),
        }
    }

    fn fault<E, R>(&self, error: SdkError<E, R>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let (kind, message) = match &error {
            SdkError::ServiceError(service) => self
                .describe(service.err().code().unwrap_or("no code"), service.err().message().unwrap_or("")),
            SdkError::TimeoutError(_) => (Kind::Unreachable, self.no_answer()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
                (Kind::Unreachable, self.no_answer())
            }
            _ => (Kind::Aws, format!("{} with {} could not be done", self.action, self.key)),
        };
        Error::with_source(kind, message, error)
    }

    /// AWS KMS API Reference, "Decrypt" and "GenerateDataKey", Errors; and "Common Errors".
    fn describe(&self, code: &str, text: &str) -> (Kind, String) {
        let Self { action, key, .. } = self;
        match code {
            "AccessDeniedException" => (
                Kind::Permission,
                format!(
                    "the function's role is not allowed {action} with the KMS key {key}, by its own policy or the key's"
                ),
            ),
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "InvalidClientTokenId" => (
                Kind::Permission,
                format!("AWS refused the credentials of {action} with the KMS key {key} ({code})"),
            ),
            "NotFoundException" => {
                (Kind::NotFound, format!("the KMS key {key} does not exist in this region"))
            }
            "DisabledException"
            | "KMSInvalidStateException"
            | "InvalidKeyUsageException"
            | "InvalidArnException" => {
                (Kind::Config, format!("the KMS key {key} cannot be used as it is ({code}): {text}"))
            }
            "InvalidCiphertextException" | "IncorrectKeyException" => (Kind::Corrupt, self.other_key()),
            _ => (Kind::Aws, format!("{action} with the KMS key {key} failed: {code} {text}")),
        }
    }

    fn other_key(&self) -> String {
        let (backup, key) = (self.backup, self.key);
        format!(
            "the wrapped data key is not the one that the KMS key {key} made for backup {backup}, or was changed since"
        )
    }

    fn no_answer(&self) -> String {
        format!(
            "KMS did not answer {} with {}; check the VPC's endpoints and the region",
            self.action, self.key
        )
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::{error::ErrorMetadata, operation::decrypt::DecryptError};

    use super::*;

    fn fault(code: &str) -> Error {
        let backup = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let asked = Asked { action: "kms:Decrypt", key: "alias/backups", backup: &backup };
        let metadata = ErrorMetadata::builder().code(code).message("because").build();
        asked.fault(SdkError::service_error(DecryptError::generic(metadata), ()))
    }

    #[test]
    fn faults_say_what_to_allow_and_whether_to_try_again() {
        for (code, kind, says) in [
            ("AccessDeniedException", Kind::Permission, "kms:Decrypt"),
            ("ExpiredTokenException", Kind::Permission, "credentials"),
            ("NotFoundException", Kind::NotFound, "does not exist"),
            ("DisabledException", Kind::Config, "because"),
            ("KMSInvalidStateException", Kind::Config, "because"),
            ("InvalidCiphertextException", Kind::Corrupt, "20261121T020000Z-9f86d081"),
            ("IncorrectKeyException", Kind::Corrupt, "20261121T020000Z-9f86d081"),
            ("ThrottlingException", Kind::Aws, "because"),
            ("KeyUnavailableException", Kind::Aws, "because"),
            ("KMSInternalException", Kind::Aws, "because"),
        ] {
            let e = fault(code);
            assert_eq!(e.kind(), kind, "{code}: {e}");
            assert!(e.message().contains(says) && e.message().contains("alias/backups"), "{e}");
        }
        assert!(Kind::Aws.retryable() && !Kind::Corrupt.retryable());
    }

    #[test]
    fn a_data_key_has_32_bytes_and_is_never_printed() {
        let key = DataKey::of_kms(Some(Blob::new([7; 32]))).unwrap();
        assert_eq!(key.bytes(), [7; 32]);
        assert_eq!(format!("{key:?}"), "[secret]");
        for wrong in [None, Some(Blob::new([7; 31]))] {
            assert_eq!(DataKey::of_kms(wrong).unwrap_err().kind(), Kind::Aws);
        }
    }

    #[test]
    fn a_wrapped_key_is_stored_as_text() {
        let wrapped = WrappedKey {
            kms_key: "arn:aws:kms:eu-central-1:1:key/k".into(),
            blob: STANDARD.encode([1, 2, 255]),
        };
        let json = serde_json::to_string(&wrapped).unwrap();
        assert_eq!(json, r#"{"kms_key":"arn:aws:kms:eu-central-1:1:key/k","blob":"AQL/"}"#);
        assert_eq!(serde_json::from_str::<WrappedKey>(&json).unwrap(), wrapped);
    }
}
