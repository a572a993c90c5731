//! Reading an object from end to end, whatever becomes of the connection.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{ObjectKey, Store, digest::Sha256, object::length};
use crate::base::{Error, Kind, Result};

/// Broken connections in a row, without a byte in between, after which reading is given up.
const MOST_BREAKS: u32 = 5;

/// What the object must be, as the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
}

/// A download in progress. A broken connection is resumed where it broke, of the same version of the object (`Range`, `If-Match`).
pub struct Reading {
    store: Store,
    key: ObjectKey,
    expected: Option<Expected>,
    bytes: u64,
    etag: Option<String>,
    body: Option<ByteStream>,
    at: u64,
    breaks: u32,
    hash: Sha256,
    verified: bool,
}

impl Reading {
    /// Begins to read. With `expected` the length is checked at once and the SHA-256 at the end.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such object, [`Kind::Corrupt`] when its length is not the expected one; otherwise as
    /// [`Store::check_bucket`], with `s3:GetObject`.
    pub async fn open(store: &Store, key: &ObjectKey, expected: Option<Expected>) -> Result<Self> {
        let sent = store.client.get_object().bucket(&store.bucket).key(key.as_str()).send().await;
        let answer = sent.map_err(|e| store.failed("s3:GetObject", Some(key), e))?;
        let bytes = length(answer.content_length());
        if let Some(wanted) = expected.as_ref().filter(|e| e.bytes != bytes) {
            return Err(Error::new(
                Kind::Corrupt,
                format!("{} has {bytes} bytes where {} were stored", store.url(key), wanted.bytes),
            ));
        }
        Ok(Self {
            store: store.clone(),
            key: key.clone(),
            expected,
            bytes,
            etag: answer.e_tag().map(str::to_owned),
            body: Some(answer.body),
            at: 0,
            breaks: 0,
            hash: Sha256::default(),
            verified: false,
        })
    }

    /// Length of the object.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next piece; none at the end, when everything has been checked. Pieces read before an error were not checked.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] naming the object when the SHA-256 differs or the object was replaced meanwhile; [`Kind::Unreachable`] when the connection broke too often;
    /// otherwise as [`Reading::open`].
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.at < self.bytes {
            let body = match &mut self.body {
                Some(body) => body,
                none => none.insert(resume(&self.store, &self.key, self.at, self.etag.clone()).await?),
            };
            match body.next().await {
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(Ok(piece)) => {
                    self.at += piece.len() as u64;
                    self.breaks = 0;
                    self.hash.update(&piece);
                    if self.at > self.bytes {
                        return Err(self.corrupt("gave more bytes than its length"));
                    }
                    return Ok(Some(piece));
                }
                broken => {
                    self.body = None;
                    self.breaks += 1;
                    let cause = broken.and_then(std::result::Result::err);
                    tracing::debug!(key = %self.key, at = self.at, breaks = self.breaks, ?cause, "a download broke off");
                    if self.breaks > MOST_BREAKS {
                        return Err(Error::new(
                            Kind::Unreachable,
                            format!(
                                "reading {} broke off at byte {} too often",
                                self.store.url(&self.key),
                                self.at
                            ),
                        ));
                    }
                    tokio::time::sleep(Duration::from_millis(100 << self.breaks)).await;
                }
            }
        }
        if !self.verified {
            let sha256 = hex::encode(std::mem::take(&mut self.hash).finish());
            if self.expected.as_ref().is_some_and(|e| e.sha256 != sha256) {
                return Err(self.corrupt("is not what was stored: its SHA-256 differs"));
            }
            self.verified = true;
            self.body = None;
        }
        Ok(None)
    }

    fn corrupt(&self, why: &str) -> Error {
        Error::new(Kind::Corrupt, format!("{} {why}", self.store.url(&self.key)))
    }
}

async fn resume(store: &Store, key: &ObjectKey, at: u64, etag: Option<String>) -> Result<ByteStream> {
    let sent = store
        .client
        .get_object()
        .bucket(&store.bucket)
        .key(key.as_str())
        .range(format!("bytes={at}-"))
        .set_if_match(etag)
        .send()
        .await;
    match sent {
        Ok(answer) => Ok(answer.body),
        Err(e) if e.raw_response().is_some_and(|r| r.status().as_u16() == 412) => {
            Err(Error::new(Kind::Corrupt, format!("{} was replaced while it was being read", store.url(key))))
        }
        Err(e) => Err(store.failed("s3:GetObject", Some(key), e)),
    }
}
