//! Streaming an object of unknown length into S3, part by part.
//!
//! ```text
//! write ─> buffer of one part ─ full ─> UploadPart, up to `in_flight` at once ─> finish: CompleteMultipartUpload
//!                             └ never full ──────────────────────────────────> finish: PutObject
//! ```
//!
//! Nothing exists under the key before `finish` has answered; an upload that is dropped before is aborted in the background, as far as the process
//! lives on; the rest is [`Store::abort_uploads`]'s.

use std::time::Duration;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;

use super::{
    ObjectKey, PartSizes, Put, Store, Stored,
    client::patience,
    digest::Sha256,
    failure::{Verdict, verdict},
    object::digest,
    parts::MOST_PARTS,
};
use crate::base::{Error, Kind, Result, ResultExt};

/// A part that S3 has.
struct Part {
    number: u32,
    etag: Option<String>,
    digest: [u8; 32],
    /// Its buffer, for the next part.
    buffer: Bytes,
}

/// An upload in progress. Holds (in flight + 1) parts in memory: see [`PartSizes`].
pub struct Upload {
    store: Store,
    key: ObjectKey,
    sizes: PartSizes,
    in_flight: usize,
    /// The multipart upload's id, once the first part was full.
    id: Option<String>,
    buffer: BytesMut,
    buffer_hash: Sha256,
    spare: Vec<BytesMut>,
    sending: JoinSet<Result<Part>>,
    sent: Vec<Part>,
    next: u32,
    /// Of the parts sent so far.
    hash: Sha256,
    bytes: u64,
    failed: bool,
}

impl Upload {
    /// Begins an upload; asks nothing of S3 yet. `expected` is the length as far as known, which only chooses the parts' sizes; `in_flight`
    /// the number of parts on their way at once, at least 1.
    pub fn start(store: &Store, key: &ObjectKey, expected: Option<u64>, in_flight: usize) -> Self {
        Self {
            store: store.clone(),
            key: key.clone(),
            sizes: PartSizes::new(expected),
            in_flight: in_flight.max(1),
            id: None,
            buffer: BytesMut::new(),
            buffer_hash: Sha256::default(),
            spare: Vec::new(),
            sending: JoinSet::new(),
            sent: Vec::new(),
            next: 1,
            hash: Sha256::default(),
            bytes: 0,
            failed: false,
        }
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes; waits while as many parts are on their way as are allowed.
    ///
    /// # Errors
    /// As [`Store::check_bucket`], with `s3:PutObject`, of any part sent so far; [`Kind::Unsupported`] beyond what 10,000 parts hold. After an error
    /// the upload can only be aborted.
    pub async fn write(&mut self, mut data: &[u8]) -> Result<()> {
        self.usable()?;
        while !data.is_empty() {
            let size = self.sizes.size(self.next);
            if self.buffer.capacity() < size {
                self.buffer = self.fresh(size);
            }
            let (now, later) = data.split_at(data.len().min(size - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            self.buffer_hash.update(now);
            self.bytes += now.len() as u64;
            data = later;
            if self.buffer.len() == size {
                self.send().await.inspect_err(|_| self.failed = true)?;
            }
        }
        Ok(())
    }

    /// Stores the object: whole, or not at all. When it fails the upload is aborted.
    ///
    /// # Errors
    /// As [`Upload::write`]; [`Kind::Conflict`] when there is another object under the key.
    pub async fn finish(mut self) -> Result<Stored> {
        self.usable()?;
        let finished = if self.id.is_none() {
            let bytes = std::mem::take(&mut self.buffer).freeze();
            let digest = std::mem::take(&mut self.buffer_hash).finish();
            self.store.put_digested(&self.key, bytes, digest, Put::IfAbsent).await
        } else {
            self.complete().await
        };
        match finished {
            Ok(stored) => {
                self.id = None;
                Ok(stored)
            }
            Err(e) => {
                if let Err(left) = self.abort().await {
                    tracing::warn!(error = %left, "an upload could not be aborted");
                }
                Err(e)
            }
        }
    }

    /// Gives the upload up and removes its parts.
    ///
    /// # Errors
    /// As [`Store::check_bucket`], with `s3:AbortMultipartUpload`: then [`Store::abort_uploads`] must do it later.
    pub async fn abort(mut self) -> Result<()> {
        self.sending.shutdown().await;
        match self.id.take() {
            Some(id) => self.store.abort(self.key.as_str(), &id).await,
            None => Ok(()),
        }
    }

    fn usable(&self) -> Result<()> {
        if self.failed {
            return Err(Error::new(
                Kind::Internal,
                format!("the upload of {} failed before", self.store.url(&self.key)),
            ));
        }
        Ok(())
    }

    /// An empty buffer of `size`: one that has served before, where there is one.
    fn fresh(&mut self, size: usize) -> BytesMut {
        self.spare.retain(|b| b.capacity() >= size);
        self.spare.pop().unwrap_or_else(|| BytesMut::with_capacity(size))
    }

    /// Sends the buffer as the next part.
    async fn send(&mut self) -> Result<()> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let id = begin(&self.store, &self.key).await?;
                self.id.insert(id).clone()
            }
        };
        if self.next > MOST_PARTS {
            return Err(Error::new(
                Kind::Unsupported,
                format!("{} is longer than {MOST_PARTS} parts can hold", self.store.url(&self.key)),
            ));
        }
        while self.sending.len() >= self.in_flight {
            self.collect().await?;
        }
        let bytes = std::mem::take(&mut self.buffer).freeze();
        let digest = std::mem::take(&mut self.buffer_hash).finish();
        self.hash.update(&bytes);
        self.sending.spawn(send_part(self.store.clone(), self.key.clone(), id, self.next, bytes, digest));
        self.next += 1;
        Ok(())
    }

    /// Waits for one part.
    async fn collect(&mut self) -> Result<()> {
        let Some(part) = self.sending.join_next().await else { return Ok(()) };
        let mut part =
            part.map_err(|e| Error::with_source(Kind::Internal, "sending a part panicked", e))??;
        if let Ok(mut buffer) = std::mem::take(&mut part.buffer).try_into_mut() {
            buffer.clear();
            self.spare.push(buffer);
        }
        self.sent.push(part);
        Ok(())
    }

    async fn complete(&mut self) -> Result<Stored> {
        if !self.buffer.is_empty() {
            self.send().await?;
        }
        while !self.sending.is_empty() {
            self.collect().await?;
        }
        self.sent.sort_by_key(|p| p.number);
        let digests: Vec<u8> = self.sent.iter().flat_map(|p| p.digest).collect();
        let stored = Stored {
            key: self.key.clone(),
            bytes: self.bytes,
            sha256: hex::encode(std::mem::take(&mut self.hash).finish()),
            checksum: format!("{}-{}", BASE64_STANDARD.encode(Sha256::of(&digests)), self.sent.len()),
        };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (verdict, error) = match self.ask_to_complete(&stored).await {
                Ok(()) => return Ok(stored),
                Err(failed) => failed,
            };
            // The answer may be lost and the work done: only what S3 holds decides.
            if verdict != Verdict::Refused && self.store.holds(&stored).await {
                return Ok(stored);
            }
            if verdict != Verdict::Unsure || attempt == 2 {
                return Err(error.context(format!(
                    "completing the upload of {} in {} parts",
                    self.key,
                    self.sent.len()
                )));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn ask_to_complete(&self, stored: &Stored) -> std::result::Result<(), (Verdict, Error)> {
        let parts = self.sent.iter().map(|p| {
            CompletedPart::builder()
                .part_number(p.number as i32)
                .set_e_tag(p.etag.clone())
                .checksum_sha256(BASE64_STANDARD.encode(p.digest))
                .build()
        });
        let sent = self
            .store
            .client
            .complete_multipart_upload()
            .bucket(&self.store.bucket)
            .key(self.key.as_str())
            .set_upload_id(self.id.clone())
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build())
            .mpu_object_size(stored.bytes as i64)
            .if_none_match("*")
            .customize()
            .config_override(patience(stored.bytes))
            .send()
            .await;
        match sent {
            Ok(answer) => match answer.checksum_sha256() {
                Some(checksum) if digest(checksum) != digest(&stored.checksum) => Err((
                    Verdict::Refused,
                    Error::new(
                        Kind::Corrupt,
                        format!("S3 put {} together as something else", self.store.url(&self.key)),
                    ),
                )),
                _ => Ok(()),
            },
            Err(e) => Err((verdict(&e), self.store.failed("s3:PutObject", Some(&self.key), e))),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else { return };
        let (store, key, mut sending) =
            (self.store.clone(), self.key.clone(), std::mem::take(&mut self.sending));
        runtime.spawn(async move {
            sending.shutdown().await;
            if let Err(e) = store.abort(key.as_str(), &id).await {
                tracing::warn!(error = %e, "a dropped upload could not be aborted");
            }
        });
    }
}

async fn begin(store: &Store, key: &ObjectKey) -> Result<String> {
    let (sse, kms) = store.sse();
    let sent = store
        .client
        .create_multipart_upload()
        .bucket(&store.bucket)
        .key(key.as_str())
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .server_side_encryption(sse)
        .set_ssekms_key_id(kms)
        .send()
        .await;
    let answer = sent.map_err(|e| store.failed("s3:PutObject", Some(key), e))?;
    let id = answer.upload_id().ok_or_else(|| {
        Error::new(Kind::Aws, format!("S3 gave no id for the upload of {}", store.url(key)))
    })?;
    Ok(id.to_owned())
}

async fn send_part(
    store: Store,
    key: ObjectKey,
    id: String,
    number: u32,
    buffer: Bytes,
    digest: [u8; 32],
) -> Result<Part> {
    let sent = store
        .client
        .upload_part()
        .bucket(&store.bucket)
        .key(key.as_str())
        .upload_id(id)
        .part_number(number as i32)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .checksum_sha256(BASE64_STANDARD.encode(digest))
        .body(ByteStream::from(buffer.clone()))
        .customize()
        .disable_payload_signing()
        .config_override(patience(buffer.len() as u64))
        .send()
        .await;
    let answer = sent
        .map_err(|e| store.failed("s3:PutObject", Some(&key), e))
        .with_context(|| format!("sending part {number} of {key}"))?;
    Ok(Part { number, etag: answer.e_tag().map(str::to_owned), digest, buffer })
}
