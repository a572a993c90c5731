//! Room: objects in S3: keys, whole objects, streaming uploads in parts, downloads that resume, orphans of broken uploads.
//!
//! Integrity, end to end: every PutObject and every part carries its SHA-256, which S3 verifies before it says yes, and keeps. The object's
//! checksum at S3 is then that SHA-256, or for an upload in parts the SHA-256 of the parts' SHA-256s (`…-N`, "composite"); we compute the
//! same value, so a HEAD proves what S3 holds without reading it. A CRC64NVME of the full object would be simpler but proves less (64 bits, no
//! defence against a crafted change), and not every stand-in for S3 can serve it. Besides, the SHA-256 of the whole object, whatever its parts, is
//! computed here and goes into the manifest; [`Reading`] checks it while reading, so that no trust in S3's answer is needed.
//!
//! The payload itself is not signed, which would be one more SHA-256 of every byte: the signature covers the header with the checksum, and S3 holds the
//! bytes against that (Amazon S3 API Reference, "Authenticating Requests", `UNSIGNED-PAYLOAD`).
//!
//! Objects are written once: uploads and, where asked, puts carry `If-None-Match: *`.

mod client;
mod digest;
mod failure;
mod key;
mod object;
mod orphans;
mod parts;
mod presign;
mod reading;
mod upload;

use aws_sdk_s3::Client;

pub use client::client;
pub use key::ObjectKey;
pub use object::{Found, Head, Listing, Put, Stored};
pub use orphans::{Aborted, Underway};
pub use parts::{MAX_OBJECT, PartSizes};
pub use reading::{Expected, Reading};
pub use upload::Upload;

/// How S3 encrypts what it stores; a bucket policy may demand one or the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServerSideEncryption {
    /// With keys that S3 manages (`AES256`).
    #[default]
    Aes256,
    /// With a key of AWS KMS (`aws:kms`): the one named, or the account's default key for S3.
    Kms {
        /// ARN or id of the key.
        key: Option<String>,
    },
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    bucket: String,
    encryption: ServerSideEncryption,
}

impl Store {
    /// The bucket through this client (see [`client()`]), writing with [`ServerSideEncryption::Aes256`].
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into(), encryption: ServerSideEncryption::default() }
    }

    /// The same, writing with another encryption.
    #[must_use]
    pub fn with_encryption(mut self, encryption: ServerSideEncryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// The same client and encryption, another bucket.
    #[must_use]
    pub fn in_bucket(&self, bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), ..self.clone() }
    }

    /// Name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// `s3://bucket/key`, for records and messages.
    pub fn url(&self, key: &ObjectKey) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    fn sse(&self) -> (aws_sdk_s3::types::ServerSideEncryption, Option<String>) {
        match &self.encryption {
            ServerSideEncryption::Aes256 => (aws_sdk_s3::types::ServerSideEncryption::Aes256, None),
            ServerSideEncryption::Kms { key } => {
                (aws_sdk_s3::types::ServerSideEncryption::AwsKms, key.clone())
            }
        }
    }
}
