//! Whole objects: put, look, list, delete.

use std::time::Duration;

use aws_sdk_s3::{
    operation::head_object::HeadObjectOutput,
    primitives::{ByteStream, DateTime},
    types::{ChecksumAlgorithm, ChecksumMode, Delete, ObjectIdentifier, ObjectLockLegalHoldStatus},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use jiff::Timestamp;

use super::{
    ObjectKey, Reading, Store,
    client::patience,
    digest::Sha256,
    failure::{Verdict, verdict},
};
use crate::base::{Error, Kind, Result, clock};

/// What a put does when the key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Refuses, unless the object there has the same bytes: so our own, from an attempt whose answer was lost, counts as done.
    IfAbsent,
    /// Replaces it (a new version in a versioned bucket).
    Replace,
}

/// An object as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: ObjectKey,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
    /// The checksum that S3 verified and keeps: base64 of the SHA-256, or for an upload in parts of the SHA-256 of the parts' SHA-256s,
    /// followed by `-` and their number. What HEAD answers as `x-amz-checksum-sha256`.
    pub checksum: String,
}

/// What S3 says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its length.
    pub bytes: u64,
    /// As [`Stored::checksum`], when S3 keeps a SHA-256 for it.
    pub checksum: Option<String>,
    /// When it was stored.
    pub modified: Option<Timestamp>,
    /// Its entity tag.
    pub etag: Option<String>,
    /// Why it must not be removed yet: `Object Lock until …`, `a legal hold`. None where there is no lock, or no permission to see one.
    pub lock: Option<String>,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its whole key, as S3 has it: not necessarily one that [`ObjectKey::parse`] accepts.
    pub key: String,
    /// Its length.
    pub bytes: u64,
    /// When it was stored.
    pub modified: Option<Timestamp>,
}

/// A listing, page by page.
#[derive(Debug)]
pub struct Listing {
    store: Store,
    prefix: String,
    /// Outer none: at the end.
    next: Option<Option<String>>,
}

impl Store {
    /// Checks that the bucket exists and can be reached.
    ///
    /// # Errors
    /// [`Kind::NotFound`] naming the bucket, [`Kind::Permission`] naming the action (`s3:ListBucket`), [`Kind::Unreachable`], [`Kind::Config`] when it is
    /// in another region, [`Kind::Aws`].
    pub async fn check_bucket(&self) -> Result<()> {
        match self.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(_) => Ok(()),
            Err(e) => Err(self.failed("s3:ListBucket", None, e)),
        }
    }

    /// Stores a small object in one request. For more than a few MiB use [`Upload`](super::Upload).
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the key is taken and `put` is [`Put::IfAbsent`]; otherwise as [`Store::check_bucket`], with `s3:PutObject`.
    pub async fn put(&self, key: &ObjectKey, bytes: impl Into<Bytes>, put: Put) -> Result<Stored> {
        let bytes: Bytes = bytes.into();
        let digest = Sha256::of(&bytes);
        self.put_digested(key, bytes, digest, put).await
    }

    /// As [`Store::put`], of bytes whose SHA-256 is known.
    pub(super) async fn put_digested(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        digest: [u8; 32],
        put: Put,
    ) -> Result<Stored> {
        let stored = Stored {
            key: key.clone(),
            bytes: bytes.len() as u64,
            sha256: hex::encode(digest),
            checksum: BASE64_STANDARD.encode(digest),
        };
        let (sse, kms) = self.sse();
        for attempt in 1u64.. {
            let sent = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(key.as_str())
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .checksum_sha256(&stored.checksum)
                .server_side_encryption(sse.clone())
                .set_ssekms_key_id(kms.clone())
                .set_if_none_match((put == Put::IfAbsent).then(|| "*".to_owned()))
                .body(ByteStream::from(bytes.clone()))
                .customize()
                .disable_payload_signing()
                .config_override(patience(stored.bytes))
                .send()
                .await;
            let Err(e) = sent else { break };
            match verdict(&e) {
                Verdict::Exists if self.holds(&stored).await => break,
                // Two conditional writes met; S3 asks for another try.
                Verdict::Unsure
                    if attempt < 4 && e.raw_response().is_some_and(|r| r.status().as_u16() == 409) =>
                {
                    tokio::time::sleep(Duration::from_millis(200 * attempt)).await;
                }
                _ => return Err(self.failed("s3:PutObject", Some(key), e)),
            }
        }
        Ok(stored)
    }

    /// What S3 says of the object; none when there is no such object.
    ///
    /// # Errors
    /// As [`Store::check_bucket`], with `s3:GetObject`. A missing bucket looks like a missing object here.
    pub async fn head(&self, key: &ObjectKey) -> Result<Option<Head>> {
        let sent = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match sent {
            Ok(h) => Ok(Some(Head {
                bytes: length(h.content_length()),
                checksum: h.checksum_sha256().map(str::to_owned),
                modified: h.last_modified().and_then(time),
                etag: h.e_tag().map(str::to_owned),
                lock: lock(&h),
            })),
            Err(e) => match self.failed("s3:GetObject", Some(key), e) {
                e if e.kind() == Kind::NotFound => Ok(None),
                e => Err(e),
            },
        }
    }

    /// Whether S3 holds exactly these bytes: length and checksum.
    pub(super) async fn holds(&self, stored: &Stored) -> bool {
        match self.head(&stored.key).await {
            Ok(Some(h)) => {
                h.bytes == stored.bytes && h.checksum.is_some_and(|c| digest(&c) == digest(&stored.checksum))
            }
            _ => false,
        }
    }

    /// The whole object, in memory.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, [`Kind::Corrupt`] when it is longer than `limit` bytes; otherwise as [`Reading::next`].
    pub async fn get_all(&self, key: &ObjectKey, limit: u64) -> Result<Vec<u8>> {
        let mut reading = Reading::open(self, key, None).await?;
        if reading.bytes() > limit {
            return Err(Error::new(
                Kind::Corrupt,
                format!(
                    "{} has {} bytes, more than the {limit} that it can have",
                    self.url(key),
                    reading.bytes()
                ),
            ));
        }
        let mut all = Vec::with_capacity(reading.bytes() as usize);
        while let Some(piece) = reading.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// Deletes every object of a folder, whose name ends with a slash.
    ///
    /// # Errors
    /// [`Kind::Internal`] for a name that does not; as [`Store::list`] and [`Store::delete`].
    pub async fn delete_folder(&self, folder: &str) -> Result<()> {
        if folder.len() < 2 || !folder.ends_with('/') {
            return Err(Error::new(Kind::Internal, format!("\"{folder}\" is not the name of a folder")));
        }
        let mut listing = self.list(folder);
        while let Some(page) = listing.page().await? {
            let keys: Result<Vec<ObjectKey>> =
                page.iter().map(|found| ObjectKey::parse(&found.key)).collect();
            self.delete(&keys?).await?;
        }
        Ok(())
    }

    /// Lists the objects whose keys begin with `prefix`, in the order of their keys.
    pub fn list(&self, prefix: &str) -> Listing {
        Listing { store: self.clone(), prefix: prefix.to_owned(), next: Some(None) }
    }

    /// Deletes objects, a thousand at a time. In a versioned bucket they stay behind delete markers until the lifecycle removes them. Objects that
    /// are not there count as deleted.
    ///
    /// # Errors
    /// As [`Store::check_bucket`], with `s3:DeleteObject`; the first object that could not be deleted is named, the others of its
    /// thousand are deleted all the same.
    pub async fn delete(&self, keys: &[ObjectKey]) -> Result<()> {
        for chunk in keys.chunks(1000) {
            let mut delete = Delete::builder().quiet(true);
            for key in chunk {
                let object = ObjectIdentifier::builder().key(key.as_str()).build();
                delete = delete
                    .objects(object.map_err(|e| Error::with_source(Kind::Internal, "a key is missing", e))?);
            }
            let delete =
                delete.build().map_err(|e| Error::with_source(Kind::Internal, "keys are missing", e))?;
            let sent = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
            let answer = sent.map_err(|e| self.failed("s3:DeleteObject", None, e))?;
            if let Some(e) = answer.errors().first() {
                let code = e.code().unwrap_or("an unknown error");
                let kind = if code == "AccessDenied" { Kind::Permission } else { Kind::Aws };
                let key = e.key().unwrap_or_default();
                return Err(Error::new(
                    kind,
                    format!("s3://{}/{key} could not be deleted: {code}", self.bucket),
                ));
            }
        }
        Ok(())
    }
}

impl Listing {
    /// The next page, up to a thousand objects; none at the end.
    ///
    /// # Errors
    /// As [`Store::check_bucket`].
    pub async fn page(&mut self) -> Result<Option<Vec<Found>>> {
        let Some(token) = self.next.take() else { return Ok(None) };
        let store = &self.store;
        let sent = store
            .client
            .list_objects_v2()
            .bucket(&store.bucket)
            .prefix(&self.prefix)
            .set_continuation_token(token)
            .send()
            .await;
        let page = sent.map_err(|e| store.failed("s3:ListBucket", None, e))?;
        if page.is_truncated() == Some(true) {
            self.next = page.next_continuation_token().map(|t| Some(t.to_owned()));
        }
        let found = page.contents().iter().filter_map(|o| {
            Some(Found {
                key: o.key()?.to_owned(),
                bytes: length(o.size()),
                modified: o.last_modified().and_then(time),
            })
        });
        Ok(Some(found.collect()))
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`Listing::page`]; [`Kind::Unsupported`] when there are more than `limit`.
    pub async fn all(mut self, limit: usize) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        while let Some(page) = self.page().await? {
            all.extend(page);
            if all.len() > limit {
                return Err(Error::new(
                    Kind::Unsupported,
                    format!(
                        "there are more than {limit} objects under s3://{}/{}",
                        self.store.bucket, self.prefix
                    ),
                ));
            }
        }
        Ok(all)
    }
}

/// Amazon S3 User Guide, "Locking objects with Object Lock": a hold has no end, a retention period has one.
fn lock(head: &HeadObjectOutput) -> Option<String> {
    if head.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On) {
        return Some("a legal hold".into());
    }
    let until = head.object_lock_retain_until_date().and_then(time).filter(|until| *until > clock::now())?;
    Some(format!("Object Lock until {}", clock::text(until)))
}

/// A checksum without its number of parts, which not every stand-in for S3 answers.
pub(super) fn digest(checksum: &str) -> &str {
    checksum.split_once('-').map_or(checksum, |(digest, _)| digest)
}

pub(super) fn length(answered: Option<i64>) -> u64 {
    answered.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

pub(super) fn time(t: &DateTime) -> Option<Timestamp> {
    Timestamp::new(t.secs(), i32::try_from(t.subsec_nanos()).ok()?).ok()
}
