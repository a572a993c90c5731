//! An object in S3 through a decoder, piece by piece.

use bytes::Bytes;

use crate::{
    archive::{Algorithm, Decoder, codec::OUTPUT_STEP},
    base::Result,
    store::Reading,
};

/// A file's bytes, decompressed piece by piece; memory is bounded whatever the file claims.
pub(super) struct Decoded {
    file: Reading,
    decoder: Option<Decoder>,
    input: Bytes,
}

impl Decoded {
    /// Of a file that is compressed so.
    ///
    /// # Errors
    /// Those of [`Decoder::new`].
    pub(super) fn new(file: Reading, algorithm: Algorithm) -> Result<Self> {
        Ok(Self { file, decoder: Some(Decoder::new(algorithm)?), input: Bytes::new() })
    }

    /// The next piece; none at the end, once the file has proven to be the one that was written.
    ///
    /// # Errors
    /// Those of reading and decoding.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let Some(decoder) = self.decoder.as_mut() else { return Ok(None) };
            let mut out = Vec::with_capacity(2 * OUTPUT_STEP);
            if self.input.is_empty() {
                match self.file.next().await? {
                    Some(chunk) => self.input = chunk,
                    None => {
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
