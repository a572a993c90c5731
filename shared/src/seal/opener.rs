//! Opening a stream.

use std::{
    io::{self, BufRead, Cursor, Read},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use age::stream::StreamReader;
use futures_util::io::AsyncRead;

use super::{
    Identity,
    header::{Head, as_age, decryptor, some},
};
use crate::base::{Error, Kind, Result};

/// Plain bytes that are taken from the reader at once: one chunk.
const STEP: usize = 64 << 10;

/// Opens a stream that is pushed through it. Nothing of a chunk comes out before it authenticated; that nothing is missing at the end only
/// [`Opener::finish`] tells. After an error every call fails.
pub struct Opener {
    state: State,
    /// The object whose own key is the only one that may open it.
    object: Option<String>,
}

enum State {
    Header { head: Head, identities: Vec<Identity> },
    Payload(Box<Payload>),
    Failed,
}

impl Opener {
    /// A new stream, opened by whichever of `identities` it was sealed for.
    ///
    /// # Errors
    /// [`Kind::Config`] without identities.
    pub fn new(identities: &[Identity]) -> Result<Self> {
        some(identities)?;
        Ok(Self {
            state: State::Header { head: Head::default(), identities: identities.to_vec() },
            object: None,
        })
    }

    /// As [`Opener::new`], for an object with a key of its own: that it does not open means that it is another one.
    pub(super) fn of_object(identity: Identity, object: &str) -> Self {
        let state = State::Header { head: Head::default(), identities: vec![identity] };
        Self { state, object: Some(object.to_owned()) }
    }

    /// Opens `input` and appends what authenticated to `out`.
    ///
    /// # Errors
    /// [`Kind::Config`] when none of the keys opens the file, as soon as its header has come, with the number of its recipients
    /// ([`super::ObjectKeys::opener`]: [`Kind::Corrupt`]); [`Kind::Corrupt`] when it is not a sealed file, or was changed.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match mem::replace(&mut self.state, State::Failed) {
            State::Header { mut head, identities } => match head.push(input)? {
                None => self.state = State::Header { head, identities },
                Some(rest) => {
                    let mut payload = self.begin(head, &identities)?;
                    payload.push(rest, out)?;
                    self.state = State::Payload(payload);
                }
            },
            State::Payload(mut payload) => {
                payload.push(input, out)?;
                self.state = State::Payload(payload);
            }
            State::Failed => return Err(failed()),
        }
        Ok(())
    }

    /// Ends the stream and appends the rest of it to `out`.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it breaks off before its end, or its last chunk was changed.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        match self.state {
            State::Header { head, .. } => Err(head.breaks_off()),
            State::Payload(payload) => payload.finish(out),
            State::Failed => Err(failed()),
        }
    }

    fn begin(&self, mut head: Head, identities: &[Identity]) -> Result<Box<Payload>> {
        let feed = Feed::default();
        let source = Source { head: Cursor::new(head.take()), feed: feed.clone() };
        let opened = decryptor(source)?.decrypt_async(as_age(identities));
        let reader = opened.map_err(|e| match (head.refused(e, identities), &self.object) {
            (e, Some(object)) if e.kind() == Kind::Config => Error::new(
                Kind::Corrupt,
                format!("what is stored as {object} was not sealed as that object of this backup: its own key does not open it"),
            ),
            (e, _) => e,
        })?;
        Ok(Box::new(Payload { reader, feed, step: vec![0; STEP], opened: 0 }))
    }
}

fn failed() -> Error {
    Error::new(Kind::Corrupt, "the sealed file could not be opened before this point")
}

/// What follows the header.
struct Payload {
    reader: StreamReader<Source>,
    feed: Feed,
    step: Vec<u8>,
    /// Plain bytes given out.
    opened: u64,
}

impl Payload {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.feed.fed().bytes.extend_from_slice(input);
        match self.read(out)? {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => {
                Err(Error::new(Kind::Internal, "a sealed file was read to its end before all of it came"))
            }
        }
    }

    fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.feed.fed().ended = true;
        match self.read(out)? {
            Poll::Ready(()) => Ok(()),
            Poll::Pending => Err(Error::new(Kind::Internal, "a sealed file was not read to its end")),
        }
    }

    /// Reads all that is there; ready at the end of the file. The reader is polled by hand: it waits for nothing but the feed, which is filled
    /// between calls, so nobody has to be woken.
    fn read(&mut self, out: &mut Vec<u8>) -> Result<Poll<()>> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match Pin::new(&mut self.reader).poll_read(&mut context, &mut self.step) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Ok(0)) => return Ok(Poll::Ready(())),
                Poll::Ready(Ok(n)) => {
                    out.extend_from_slice(&self.step[..n]);
                    self.opened += n as u64;
                }
                Poll::Ready(Err(e)) => return Err(self.damaged(e)),
            }
        }
    }

    fn damaged(&self, e: io::Error) -> Error {
        let at = self.opened;
        let message = match e.kind() {
            io::ErrorKind::UnexpectedEof => {
                format!("the sealed file breaks off before its end, after {at} bytes of content")
            }
            _ => format!(
                "the sealed file is damaged or cut: what follows {at} bytes of content does not authenticate"
            ),
        };
        Error::with_source(Kind::Corrupt, message, e)
    }
}

/// A file as its reader sees it: the header, which is whole, and then what is fed.
struct Source {
    head: Cursor<Vec<u8>>,
    feed: Feed,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.head.read(buffer)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.head.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.head.consume(bytes);
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.head.read(buffer) {
            Ok(0) => self.feed.fed().take(buffer),
            read => Poll::Ready(read),
        }
    }
}

/// What was pushed and not yet read, shared by the opener and the reader's source.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Fed>>);

impl Feed {
    fn fed(&self) -> MutexGuard<'_, Fed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Fed {
    bytes: Vec<u8>,
    /// How many of them were read.
    read: usize,
    ended: bool,
}

impl Fed {
    fn take(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let left = &self.bytes[self.read..];
        if left.is_empty() {
            return if self.ended { Poll::Ready(Ok(0)) } else { Poll::Pending };
        }
        let n = left.len().min(buffer.len());
        buffer[..n].copy_from_slice(&left[..n]);
        self.read += n;
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
        Poll::Ready(Ok(n))
    }
}
