//! Bytes through an encoder, and where that is wanted encryption, into an object in S3.

use bytes::Bytes;

use super::seals::Seals;
use crate::{
    archive::{Codec, Encoder, manifest::Object},
    base::{Error, Kind, Result, ResultExt},
    seal::Sealer,
    store::{ObjectKey, Put, Reading, Store, Upload},
};

/// Parts of one upload on their way at once, beside the one being filled.
pub(super) const IN_FLIGHT: usize = 2;

/// Bytes encoded before what came of them goes on to the upload.
const PIECE: usize = 1 << 20;

/// A folder to write files into, and how.
#[derive(Clone)]
pub(super) struct Place {
    pub store: Store,
    /// Ends with a slash.
    pub folder: String,
    pub codec: Codec,
    pub seals: Seals,
}

impl Place {
    /// A file that is compressed; `file` is its name with the codec's suffix. `expected` is the length as far as it is known.
    ///
    /// # Errors
    /// Those of setting up encoder and encryption.
    pub(super) fn pipe(&self, file: &str, expected: Option<u64>) -> Result<Pipe> {
        Pipe::open(self, file, self.codec, expected)
    }

    /// Stores a small file as it is, or encrypted. Again is no error.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn put(&self, file: &str, bytes: Vec<u8>) -> Result<Object> {
        if matches!(self.seals, Seals::None) {
            let raw = bytes.len() as u64;
            let key = ObjectKey::within(&self.folder, file)?;
            let stored = self.store.put(&key, Bytes::from(bytes), Put::IfAbsent).await?;
            return Ok(Object::new(file, stored.bytes, raw, stored.sha256));
        }
        let mut pipe = Pipe::open(self, file, Codec::None, Some(bytes.len() as u64))?;
        pipe.push(&bytes).await?;
        pipe.finish().await
    }
}

/// Encoder, encryption and upload of one object. Dropped before its end it leaves no object, and the upload is aborted in the background.
pub(super) struct Pipe {
    encoder: Encoder,
    sealer: Option<Sealer>,
    upload: Upload,
    store: Store,
    key: ObjectKey,
    /// Its name in a manifest.
    name: String,
    buffer: Vec<u8>,
    sealed: Vec<u8>,
    raw: u64,
}

impl Pipe {
    fn open(place: &Place, file: &str, codec: Codec, expected: Option<u64>) -> Result<Self> {
        let name = place.seals.stored(file);
        let key = ObjectKey::within(&place.folder, &name)?;
        Ok(Self {
            encoder: Encoder::new(codec)?,
            sealer: place.seals.sealer(file)?,
            upload: Upload::start(&place.store, &key, expected, IN_FLIGHT),
            store: place.store.clone(),
            key,
            name,
            buffer: Vec::new(),
            sealed: Vec::new(),
            raw: 0,
        })
    }

    /// More of the object.
    ///
    /// # Errors
    /// Those of encoder, encryption and upload.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.raw += bytes.len() as u64;
        // One row may be hundreds of megabytes: its encoded form must not stand beside it as a whole.
        for piece in bytes.chunks(PIECE) {
            self.encoder.push(piece, &mut self.buffer)?;
            self.drain().await?;
        }
        Ok(())
    }

    async fn drain(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        match &mut self.sealer {
            None => self.upload.write(&self.buffer).await?,
            Some(sealer) => {
                sealer.push(&self.buffer, &mut self.sealed)?;
                self.upload.write(&self.sealed).await?;
                self.sealed.clear();
            }
        }
        self.buffer.clear();
        Ok(())
    }

    /// Stores the object.
    ///
    /// # Errors
    /// Those of encoder, encryption and upload; nothing is left half uploaded.
    pub(super) async fn finish(mut self) -> Result<Object> {
        let encoder = std::mem::replace(&mut self.encoder, Encoder::new(Codec::None)?);
        encoder.finish(&mut self.buffer)?;
        self.drain().await?;
        let sealed = self.sealer.is_some();
        if let Some(sealer) = self.sealer.take() {
            sealer.finish(&mut self.sealed)?;
            self.upload.write(&self.sealed).await?;
        }
        match self.upload.finish().await {
            Ok(stored) => {
                let mut object = Object::new(self.name, stored.bytes, self.raw, stored.sha256);
                object.s3_checksum = Some(stored.checksum);
                Ok(object)
            }
            // Encrypted again, the same content is other bytes. What stands there an earlier try at the same file wrote, whose end it has.
            Err(e) if sealed && e.kind() == Kind::Conflict => {
                let found = there(&self.store, &self.key).await;
                let (bytes, sha256, checksum) = found.context("looking at what an earlier try wrote")?;
                let mut object = Object::new(self.name, bytes, self.raw, sha256);
                object.s3_checksum = checksum;
                Ok(object)
            }
            Err(e) => Err(e),
        }
    }

    /// Aborts the upload; gives back the error that made it necessary.
    pub(super) async fn abort(self, error: Error) -> Error {
        match self.upload.abort().await {
            Ok(()) => error,
            Err(e) => {
                tracing::warn!(error = %e, "aborting an upload");
                error
            }
        }
    }
}

/// Length and SHA-256 of an object, and the checksum that S3 keeps.
async fn there(store: &Store, key: &ObjectKey) -> Result<(u64, String, Option<String>)> {
    let mut reading = Reading::open(store, key, None).await?;
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    while let Some(piece) = reading.next().await? {
        hash.update(&piece);
    }
    let checksum = store.head(key).await?.and_then(|head| head.checksum);
    Ok((reading.bytes(), hex::encode(hash.finish()), checksum))
}
