//! Between the socket and tokio-postgres: rows that come one by one are handed on many at a time.
//!
//! The server sends each row of a COPY as a message of its own (copyto.c, `CopySendEndOfRow`), and tokio-postgres hands each message from
//! task to task, which takes longer than everything else done with a short row. So runs of CopyData messages are made one message here. The
//! protocol does not mind: "the message boundaries are not required to have anything to do with row boundaries" (manual, "COPY
//! Operations", for the other direction), and COPY text says itself where its rows end. On the way the count of CommandComplete is noted,
//! which tokio-postgres does not show after a COPY.
//!
//! ```text
//! d len row ─ d len row ─ d len row ─ c ─ C "COPY 3"     from the server
//! d len row row row ───────────────── c ─ C "COPY 3"     to tokio-postgres
//! ```

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

/// Bytes read at once, and the longest message that is looked at as a whole.
const SPACE: usize = 128 << 10;

/// Code of an SSLRequest message (protocol.h, `NEGOTIATE_SSL_CODE`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// First byte of a TLS record that holds a handshake.
const HANDSHAKE: u8 = 0x16;

/// Rows of the last COPY that the server said it has completed.
#[derive(Debug, Clone, Default)]
pub(super) struct Copied(Arc<AtomicU64>);

impl Copied {
    const NONE: u64 = u64::MAX;

    /// Forgets what was counted.
    pub(super) fn forget(&self) {
        self.0.store(Self::NONE, Ordering::SeqCst);
    }

    /// The count since [`Copied::forget`].
    pub(super) fn rows(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|n| *n != Self::NONE)
    }

    fn note(&self, tag: &[u8]) {
        let rows = tag.strip_prefix(b"COPY ").and_then(|rest| rest.strip_suffix(b"\0"));
        if let Some(rows) = rows.and_then(|n| std::str::from_utf8(n).ok()).and_then(|n| n.parse().ok()) {
            self.0.store(rows, Ordering::SeqCst);
        }
    }
}

/// What the bytes from the server are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Nothing was asked yet.
    Unknown,
    /// The answer to an SSLRequest, one byte.
    Negotiation,
    /// Records of TLS, whose layer lies above this one.
    Records,
    /// Messages of the protocol.
    Messages,
}

/// A stream on which CopyData messages are merged.
pub(super) struct Wire<S> {
    inner: S,
    content: Content,
    merger: Merger,
}

impl<S> Wire<S> {
    /// A socket, on which TLS may still be negotiated.
    pub(super) fn socket(inner: S, copied: Copied) -> Self {
        Self { inner, content: Content::Unknown, merger: Merger::new(copied) }
    }

    /// What TLS has decrypted.
    pub(super) fn decrypted(inner: S, copied: Copied) -> Self {
        Self { inner, content: Content::Messages, merger: Merger::new(copied) }
    }

    /// The client's first bytes say what the server will answer with.
    fn sent(&mut self, bytes: &[u8]) {
        if self.content == Content::Unknown && !bytes.is_empty() {
            self.content = match bytes {
                bytes if bytes.starts_with(&SSL_REQUEST) => Content::Negotiation,
                [HANDSHAKE, ..] => Content::Records,
                _ => Content::Messages,
            };
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.content != Content::Messages {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
            if this.content == Content::Negotiation && buf.filled().len() > before {
                let yes = buf.filled()[before] == b'S';
                this.content = if yes { Content::Records } else { Content::Unknown };
            }
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.merger.give(buf) {
                return Poll::Ready(Ok(()));
            }
            let mut space = ReadBuf::new(this.merger.space());
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut space))?;
            let count = space.filled().len();
            if count == 0 {
                // The end, perhaps in the middle of a message: tokio-postgres tells.
                this.merger.release();
                this.merger.give(buf);
                return Poll::Ready(Ok(()));
            }
            this.merger.took(count);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.sent(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Wire<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

/// Length of a message's head: its kind, and four bytes of length that count themselves.
const HEAD: usize = 5;

/// Takes bytes as they come, gives them back with runs of CopyData merged.
struct Merger {
    /// Bytes taken and not looked at: the beginning of a message that is not whole yet, then what was just read.
    taken: Box<[u8]>,
    filled: usize,
    /// Bytes to give, from `given` on.
    out: Vec<u8>,
    given: usize,
    /// Bytes of a message that is handed on as it comes.
    passing: usize,
    copied: Copied,
}

impl Merger {
    fn new(copied: Copied) -> Self {
        let taken = vec![0; SPACE].into_boxed_slice();
        Self { taken, filled: 0, out: Vec::new(), given: 0, passing: 0, copied }
    }

    /// Where to read to; never empty, since less than a whole message of at most half of it is kept.
    fn space(&mut self) -> &mut [u8] {
        &mut self.taken[self.filled..]
    }

    fn took(&mut self, count: usize) {
        self.filled += count;
        self.merge();
    }

    /// Fills `buf`; false when there is nothing to give.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let rest = &self.out[self.given..];
        if rest.is_empty() {
            return false;
        }
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.given += count;
        if self.given == self.out.len() {
            self.out.clear();
            self.given = 0;
        }
        true
    }

    /// Everything that was taken, as it is.
    fn release(&mut self) {
        self.out.extend_from_slice(&self.taken[..self.filled]);
        self.filled = 0;
    }

    fn merge(&mut self) {
        let mut at = 0;
        // Where the head of the run that is being merged stands in `out`.
        let mut run: Option<usize> = None;
        loop {
            let rest = &self.taken[at..self.filled];
            if self.passing > 0 {
                let count = self.passing.min(rest.len());
                self.out.extend_from_slice(&rest[..count]);
                self.passing -= count;
                at += count;
                if self.passing > 0 {
                    break;
                }
                continue;
            }
            let &[kind, a, b, c, d, ..] = rest else { break };
            // Below four it is no length: what follows is handed on until tokio-postgres refuses it.
            let length = (u32::from_be_bytes([a, b, c, d]) as usize).max(4);
            let whole = 1 + length;
            let small = whole <= SPACE / 2;
            if small && rest.len() < whole && matches!(kind, b'd' | b'C') {
                break;
            }
            if small && kind == b'd' {
                let head = *run.get_or_insert_with(|| {
                    self.out.extend_from_slice(&[b'd', 0, 0, 0, 0]);
                    self.out.len() - HEAD
                });
                self.out.extend_from_slice(&rest[HEAD..whole]);
                let length = (self.out.len() - head - 1) as u32;
                self.out[head + 1..head + HEAD].copy_from_slice(&length.to_be_bytes());
                at += whole;
                continue;
            }
            run = None;
            if small && kind == b'C' {
                self.copied.note(&rest[HEAD..whole]);
            }
            self.passing = whole;
        }
        self.taken.copy_within(at..self.filled, 0);
        self.filled -= at;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut m = vec![kind];
        m.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        m.extend_from_slice(body);
        m
    }

    /// What comes out when the bytes come in pieces of this size.
    async fn through(bytes: &[u8], piece: usize) -> (Vec<u8>, Option<u64>) {
        let (mut server, client) = tokio::io::duplex(piece);
        let copied = Copied::default();
        copied.forget();
        let mut wire = Wire::decrypted(client, copied.clone());
        let bytes = bytes.to_vec();
        let sending = tokio::spawn(async move { server.write_all(&bytes).await });
        let mut out = Vec::new();
        wire.read_to_end(&mut out).await.unwrap();
        sending.await.unwrap().unwrap();
        (out, copied.rows())
    }

    fn messages(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut all = Vec::new();
        while let [kind, a, b, c, d, ..] = *bytes {
            let end = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
            all.push((kind, bytes[HEAD..end].to_vec()));
            bytes = &bytes[end..];
        }
        assert!(bytes.is_empty());
        all
    }

    #[tokio::test]
    async fn runs_of_rows_become_one_message_however_the_bytes_are_cut() {
        let mut bytes = message(b'H', &[0, 0, 1]);
        let mut rows = Vec::new();
        for i in 0..5_000 {
            let row = format!("{i}\t{}\n", "x".repeat(i % 300));
            bytes.extend(message(b'd', row.as_bytes()));
            rows.extend_from_slice(row.as_bytes());
        }
        bytes.extend(message(b'N', b"a notice between"));
        let large = vec![b'y'; 3 * SPACE];
        bytes.extend(message(b'd', &large));
        bytes.extend(message(b'd', b"last\n"));
        bytes.extend(message(b'c', b""));
        bytes.extend(message(b'C', b"COPY 5002\0"));
        bytes.extend(message(b'Z', b"T"));
        for piece in [1, 7, 4096, 1 << 20] {
            let (out, copied) = through(&bytes, piece).await;
            assert_eq!(copied, Some(5002));
            let found = messages(&out);
            let kinds: Vec<u8> = found.iter().map(|m| m.0).filter(|k| *k != b'd').collect();
            assert_eq!(kinds, *b"HNcCZ");
            let text: Vec<u8> = found.iter().filter(|m| m.0 == b'd').flat_map(|m| m.1.clone()).collect();
            assert_eq!(text, [rows.as_slice(), &large, b"last\n"].concat());
            let notice = found.iter().position(|m| m.0 == b'N').unwrap();
            let before: usize = found[..notice].iter().filter(|m| m.0 == b'd').map(|m| m.1.len()).sum();
            assert_eq!(before, rows.len(), "nothing passes a message of another kind");
            if piece > 4096 {
                assert!(found.len() < 100, "{} messages", found.len());
            }
        }
    }

    #[tokio::test]
    async fn what_ends_in_the_middle_is_handed_on() {
        let bytes = [message(b'd', b"one\n"), message(b'd', b"two\n")[..6].to_vec()].concat();
        let (out, copied) = through(&bytes, 64).await;
        assert_eq!(out, bytes);
        assert_eq!(copied, None);
    }

    #[tokio::test]
    async fn nothing_is_changed_below_tls() {
        for (first, answer) in [(SSL_REQUEST.to_vec(), b"S".to_vec()), (vec![HANDSHAKE, 3, 1], Vec::new())] {
            let (mut server, client) = tokio::io::duplex(1 << 16);
            let mut wire = Wire::socket(client, Copied::default());
            wire.write_all(&first).await.unwrap();
            let records = [message(b'd', b"a"), message(b'd', b"b")].concat();
            server.write_all(&answer).await.unwrap();
            let mut got = vec![0; answer.len()];
            wire.read_exact(&mut got).await.unwrap();
            assert_eq!(got, answer);
            server.write_all(&records).await.unwrap();
            let mut got = vec![0; records.len()];
            wire.read_exact(&mut got).await.unwrap();
            assert_eq!(got, records);
        }
    }

    #[tokio::test]
    async fn a_server_without_tls_is_spoken_to_in_messages() {
        let (mut server, client) = tokio::io::duplex(1 << 16);
        let mut wire = Wire::socket(client, Copied::default());
        wire.write_all(&SSL_REQUEST).await.unwrap();
        server.write_all(b"N").await.unwrap();
        assert_eq!(wire.read_u8().await.unwrap(), b'N');
        wire.write_all(&[0, 0, 0, 8, 0, 3, 0, 0]).await.unwrap();
        server.write_all(&[message(b'd', b"a"), message(b'd', b"b")].concat()).await.unwrap();
        let mut got = [0; 7];
        wire.read_exact(&mut got).await.unwrap();
        assert_eq!(got.as_slice(), message(b'd', b"ab"));
    }
}
