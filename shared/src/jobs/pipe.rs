//! Bytes through an encoder into an object in S3.

use crate::{
    archive::{Codec, Encoder, manifest::Object},
    base::{Error, Result},
    store::{ObjectKey, Store, Upload},
};

/// Parts of one upload on their way at once, beside the one being filled.
pub(super) const IN_FLIGHT: usize = 2;

/// Bytes encoded before what came of them goes on to the upload.
const PIECE: usize = 1 << 20;

/// Encoder and upload of one object. Dropped before its end it leaves no object, and the upload is aborted in the background.
pub(super) struct Pipe {
    encoder: Encoder,
    upload: Upload,
    buffer: Vec<u8>,
    raw: u64,
}

impl Pipe {
    /// Begins; asks nothing of S3 yet. `expected` is the length as far as it is known.
    ///
    /// # Errors
    /// Those of [`Encoder::new`].
    pub(super) fn open(store: &Store, key: &ObjectKey, codec: Codec, expected: Option<u64>) -> Result<Self> {
        let encoder = Encoder::new(codec)?;
        let upload = Upload::start(store, key, expected, IN_FLIGHT);
        Ok(Self { encoder, upload, buffer: Vec::new(), raw: 0 })
    }

    /// More of the object.
    ///
    /// # Errors
    /// Those of encoder and upload.
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
        if !self.buffer.is_empty() {
            self.upload.write(&self.buffer).await?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Stores the object, whose name in a manifest is `file`.
    ///
    /// # Errors
    /// Those of encoder and upload; nothing is left half uploaded.
    pub(super) async fn finish(mut self, file: &str) -> Result<Object> {
        let encoder = self.encoder;
        encoder.finish(&mut self.buffer)?;
        self.upload.write(&self.buffer).await?;
        let stored = self.upload.finish().await?;
        let mut object = Object::new(file, stored.bytes, self.raw, stored.sha256);
        object.s3_checksum = Some(stored.checksum);
        Ok(object)
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
