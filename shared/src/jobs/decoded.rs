//! An object in S3 through decryption, where it is encrypted, and a decoder, piece by piece.

use bytes::Bytes;

use super::seals::Keys;
use crate::{
    archive::{Algorithm, Decoder, codec::OUTPUT_STEP, manifest::Object},
    base::{Error, Kind, Result, ResultExt},
    seal::Opener,
    store::{Expected, ObjectKey, Reading, Store},
};

/// A folder to read files from.
#[derive(Clone)]
pub(super) struct Files {
    pub store: Store,
    /// Ends with a slash.
    pub folder: String,
    pub keys: Keys,
}

impl Files {
    /// Begins to read a file; its SHA-256 is proven at the end where it is known.
    ///
    /// # Errors
    /// Those of the store, and of the keys.
    pub(super) async fn open(&self, stored: &str, expected: Option<Expected>) -> Result<Decoded> {
        let key = self.key(stored)?;
        let opener = self.keys.opener(stored)?;
        let file = Reading::open(&self.store, &key, expected).await?;
        let algorithm = Algorithm::of_file(stored).1;
        Ok(Decoded { file, opener, decoder: Some(Decoder::new(algorithm)?), input: Bytes::new(), stored: 0 })
    }

    /// The key of a file.
    ///
    /// # Errors
    /// As [`ObjectKey::within`].
    pub(super) fn key(&self, stored: &str) -> Result<ObjectKey> {
        ObjectKey::within(&self.folder, stored)
    }

    /// As [`Files::open`], of an object that a manifest lists.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub(super) async fn object(&self, object: &Object) -> Result<Decoded> {
        self.open(&object.name, Some(expected(object))).await
    }

    /// A whole small file, proven; `limit` is the largest length of its content, bytes.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for a file that is larger or damaged; those of the store.
    pub(super) async fn whole(
        &self,
        stored: &str,
        expected: Option<Expected>,
        limit: u64,
    ) -> Result<Vec<u8>> {
        let mut file = self.open(stored, expected).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = file.next().await.with_context(|| format!("reading {stored}"))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                let why = format!("the file {stored} is larger than {limit} bytes");
                return Err(Error::new(Kind::Corrupt, why));
            }
        }
        Ok(bytes)
    }
}

/// What an object must be.
pub(super) fn expected(object: &Object) -> Expected {
    Expected { bytes: object.bytes, sha256: object.sha256.clone() }
}

/// A file's bytes, decompressed piece by piece; memory is bounded whatever the file claims.
pub(super) struct Decoded {
    file: Reading,
    opener: Option<Opener>,
    decoder: Option<Decoder>,
    input: Bytes,
    stored: u64,
}

impl Decoded {
    /// Bytes of the stored file that were read so far.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    /// The next piece; none at the end, once the file has proven to be the one that was written.
    ///
    /// # Errors
    /// Those of reading, decrypting and decoding.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let Some(decoder) = self.decoder.as_mut() else { return Ok(None) };
            let mut out = Vec::with_capacity(2 * OUTPUT_STEP);
            if self.input.is_empty() {
                match self.file.next().await? {
                    Some(chunk) => {
                        self.stored += chunk.len() as u64;
                        self.input = opened(&mut self.opener, chunk)?;
                        // Of an encrypted file nothing may have come out yet.
                        if self.input.is_empty() {
                            continue;
                        }
                    }
                    None => {
                        // The last chunk of an encrypted file authenticates when it is known to be the last.
                        if let Some(opener) = self.opener.take() {
                            let mut rest = Vec::new();
                            opener.finish(&mut rest)?;
                            self.input = rest.into();
                            if !self.input.is_empty() {
                                continue;
                            }
                        }
                        if let Some(decoder) = self.decoder.take() {
                            decoder.finish(&mut out)?;
                        }
                        return Ok((!out.is_empty()).then_some(out));
                    }
                }
            }
            let rest = decoder.push(&self.input, &mut out)?.len();
            self.input = self.input.split_off(self.input.len() - rest);
            if !out.is_empty() {
                return Ok(Some(out));
            }
        }
    }
}

fn opened(opener: &mut Option<Opener>, chunk: Bytes) -> Result<Bytes> {
    let Some(opener) = opener else { return Ok(chunk) };
    let mut plain = Vec::with_capacity(chunk.len());
    opener.push(&chunk, &mut plain)?;
    Ok(plain.into())
}
