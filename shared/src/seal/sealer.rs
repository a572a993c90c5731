//! Sealing a stream.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use age::{Encryptor, stream::StreamWriter};

use super::{MAX_RECIPIENTS, Recipient};
use crate::base::{Error, Kind, Result};

/// Seals a stream that is pushed through it, piece by piece, for all recipients at once. Up to 64 KiB of what was pushed are held back until more
/// comes or [`Sealer::finish`]; a stream that is not finished does not open.
pub struct Sealer {
    writer: StreamWriter<Sink>,
    sink: Sink,
    /// Written when the stream was made, not yet handed out.
    header: Vec<u8>,
}

impl Sealer {
    /// A new stream, with a file key of its own.
    ///
    /// # Errors
    /// [`Kind::Config`] without recipients or with more than [`MAX_RECIPIENTS`]; [`Kind::Internal`] when the header cannot be made.
    pub fn new(recipients: &[Recipient]) -> Result<Self> {
        if recipients.is_empty() {
            return Err(Error::new(Kind::Config, "there is no recipient to seal for"));
        }
        if recipients.len() > MAX_RECIPIENTS {
            let message =
                format!("a file is sealed for at most {MAX_RECIPIENTS} recipients, not {}", recipients.len());
            return Err(Error::new(Kind::Config, message));
        }
        let encryptor =
            Encryptor::with_recipients(recipients.iter().map(Recipient::as_age)).map_err(|e| {
                Error::with_source(Kind::Internal, "no file key could be made for the recipients", e)
            })?;
        let sink = Sink::default();
        let writer = encryptor.wrap_output(sink.clone()).map_err(|e| {
            Error::with_source(Kind::Internal, "the header of a sealed stream cannot be written", e)
        })?;
        let header = mem::take(&mut *sink.bytes());
        Ok(Self { writer, sink, header })
    }

    /// Seals `input` and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`Kind::Internal`] when a chunk cannot be encrypted.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.append(&mut self.header);
        // The writer appends to the caller's buffer itself, lent to it for the time of the call.
        mem::swap(&mut *self.sink.bytes(), out);
        let written = self.writer.write_all(input);
        mem::swap(&mut *self.sink.bytes(), out);
        written.map_err(failed)
    }

    /// Ends the stream and appends the rest of it to `out`.
    ///
    /// # Errors
    /// As [`Sealer::push`].
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        out.append(&mut self.header);
        let sink = self.writer.finish().map_err(failed)?;
        out.append(&mut sink.bytes());
        Ok(())
    }
}

fn failed(e: io::Error) -> Error {
    Error::with_source(Kind::Internal, "a chunk of a stream cannot be sealed", e)
}

/// Where the writer of an age file writes to.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
