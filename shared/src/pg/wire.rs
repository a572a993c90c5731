//! Between the socket and tokio-postgres: the rows of a COPY go past it.
//!
//! The server sends each row of a COPY as a message of its own (copyto.c, `CopySendEndOfRow`), and tokio-postgres hands each message from
//! task to task, which takes longer than everything else done with a short row, and holds each as a whole, though a row may be as long as a
//! gigabyte. So what CopyData messages hold is taken out here and put, as one run of bytes, on a lane that the reader of the COPY opened
//! before. The protocol does not mind: COPY text says itself where its rows end. Every other message reaches tokio-postgres as it is, with
//! those CopyData messages for which nobody opened a lane. On the way the count of CommandComplete is noted, which tokio-postgres does not
//! show after a COPY.
//!
//! ```text
//! H ─ d len row ─ d len row ─ d len row ─ c ─ C "COPY 3"     from the server
//! H ───────────────────────────────────── c ─ C "COPY 3"     to tokio-postgres
//!     row row row                                            on the lane, which ends before tokio-postgres sees c
//! ```

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};
use tokio_postgres::tls::{ChannelBinding, TlsStream};
use tokio_util::{io::poll_read_buf, sync::PollSender};

/// Bytes read at once.
const SPACE: usize = 128 << 10;

/// A run of rows is handed on when it has so many bytes, or at the end.
const RUN: usize = SPACE / 2;

/// Runs on a lane at once: the server waits when the reader does not take them.
const RUNS: usize = 4;

/// Code of an SSLRequest message (protocol.h, `NEGOTIATE_SSL_CODE`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// First byte of a TLS record that holds a handshake.
const HANDSHAKE: u8 = 0x16;

/// Where a session's COPY and the bytes from its socket meet.
#[derive(Debug, Clone, Default)]
pub(super) struct Copied(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// For the next COPY that the server begins.
    lane: Option<mpsc::Sender<Bytes>>,
    /// A COPY was begun of whose end nobody knows.
    busy: bool,
    /// Rows of the last COPY that the server said it has completed.
    rows: Option<u64>,
}

impl Copied {
    /// Opens a lane for the COPY that the session begins next; `None` where an earlier one was given up before its end, whose rows nobody could
    /// tell from those of the next.
    pub(super) fn open(&self) -> Option<mpsc::Receiver<Bytes>> {
        let mut state = self.state();
        if state.busy {
            return None;
        }
        let (lane, rows) = mpsc::channel(RUNS);
        *state = State { lane: Some(lane), busy: true, rows: None };
        Some(rows)
    }

    /// The COPY has ended, or the server has refused it.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.lane = None;
        state.busy = false;
    }

    /// Rows of the last COPY, once the server has completed it.
    pub(super) fn rows(&self) -> Option<u64> {
        self.state().rows
    }

    fn take(&self) -> Option<mpsc::Sender<Bytes>> {
        self.state().lane.take()
    }

    fn note(&self, tag: &[u8]) {
        let rows = tag.strip_prefix(b"COPY ").and_then(|rest| rest.strip_suffix(b"\0"));
        if let Some(rows) = rows.and_then(|n| std::str::from_utf8(n).ok()).and_then(|n| n.parse().ok()) {
            self.state().rows = Some(rows);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A stream from which the rows of COPY are taken out.
pub(super) struct Wire<S> {
    inner: S,
    content: Content,
    sorter: Sorter,
}

impl<S> Wire<S> {
    /// A socket, on which TLS may still be negotiated.
    pub(super) fn socket(inner: S, copied: Copied) -> Self {
        Self { inner, content: Content::Unknown, sorter: Sorter::new(copied) }
    }

    /// What TLS has decrypted.
    pub(super) fn decrypted(inner: S, copied: Copied) -> Self {
        Self { inner, content: Content::Messages, sorter: Sorter::new(copied) }
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
            ready!(this.sorter.poll_hand_on(cx));
            if this.sorter.give(buf) {
                return Poll::Ready(Ok(()));
            }
            let count = ready!(poll_read_buf(Pin::new(&mut this.inner), cx, this.sorter.space()))?;
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
            this.sorter.sort();
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

/// A message whose bytes are coming.
#[derive(Debug, Clone, Copy)]
struct Message {
    kind: u8,
    /// Bytes of it still to come.
    left: usize,
}

/// Tells rows from other messages, however the bytes are cut.
struct Sorter {
    /// Rows to hand on, then from `sorted` on what was just read.
    run: BytesMut,
    sorted: usize,
    /// The message under way.
    message: Option<Message>,
    /// The beginning of a head that is not whole yet.
    head: Vec<u8>,
    /// The text of a CommandComplete.
    tag: Vec<u8>,
    /// Bytes for tokio-postgres, from `given` on.
    out: Vec<u8>,
    given: usize,
    /// Where the rows of the COPY under way go.
    lane: Option<PollSender<Bytes>>,
    /// All its rows have come.
    last: bool,
    copied: Copied,
}

impl Sorter {
    fn new(copied: Copied) -> Self {
        Self {
            run: BytesMut::new(),
            sorted: 0,
            message: None,
            head: Vec::with_capacity(HEAD),
            tag: Vec::new(),
            out: Vec::new(),
            given: 0,
            lane: None,
            last: false,
            copied,
        }
    }

    /// Hands the rows on when they are enough, or the last; waits until their reader has room.
    fn poll_hand_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lane) = &mut self.lane else { return Poll::Ready(()) };
        if self.sorted >= RUN || (self.last && self.sorted > 0) {
            // Without a reader they are thrown away until the COPY ends.
            if ready!(lane.poll_reserve(cx)).is_ok() {
                let _ = lane.send_item(std::mem::take(&mut self.run).freeze());
            }
            self.run.clear();
            self.sorted = 0;
        }
        if self.last {
            self.lane = None;
        }
        Poll::Ready(())
    }

    /// Where to read to; never without room.
    fn space(&mut self) -> &mut BytesMut {
        if self.run.is_empty() {
            self.run.reserve(SPACE);
        }
        &mut self.run
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

    /// Goes through what was read: rows move together at the front of the buffer, everything else goes to `out`.
    fn sort(&mut self) {
        let mut at = self.sorted;
        while at < self.run.len() {
            let Some(message) = &mut self.message else {
                at += self.begin(at);
                self.ended();
                continue;
            };
            let count = message.left.min(self.run.len() - at);
            message.left -= count;
            if message.kind == b'd' && self.lane.is_some() {
                self.run.copy_within(at..at + count, self.sorted);
                self.sorted += count;
            } else {
                let bytes = &self.run[at..at + count];
                self.out.extend_from_slice(bytes);
                if message.kind == b'C' {
                    self.tag.extend_from_slice(bytes);
                }
            }
            at += count;
            self.ended();
        }
        self.run.truncate(self.sorted);
    }

    /// Takes bytes of a head; gives their number.
    fn begin(&mut self, at: usize) -> usize {
        let rest = &self.run[at..];
        let count = rest.len().min(HEAD - self.head.len());
        self.head.extend_from_slice(&rest[..count]);
        let [kind, a, b, c, d] = *self.head else { return count };
        // Below four it is no length: tokio-postgres, which sees the head, refuses it.
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        match kind {
            b'H' => {
                self.lane = self.copied.take().map(PollSender::new);
                self.last = false;
            }
            b'c' | b'E' => self.last = true,
            _ => {}
        }
        if kind != b'd' || self.lane.is_none() || length < 4 {
            self.out.extend_from_slice(&self.head);
        }
        self.head.clear();
        self.message = Some(Message { kind, left: length.saturating_sub(4) });
        count
    }

    /// Forgets the message when it is whole.
    fn ended(&mut self) {
        if let Some(Message { kind, left: 0 }) = self.message {
            if kind == b'C' {
                self.copied.note(&self.tag);
                self.tag.clear();
            }
            self.message = None;
        }
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

    /// What reaches tokio-postgres, and what the lane, when the bytes come in pieces of this size.
    async fn through(bytes: &[u8], piece: usize, copied: &Copied) -> (Vec<u8>, Vec<Bytes>) {
        let (mut server, client) = tokio::io::duplex(piece);
        let mut lane = copied.open();
        let mut wire = Wire::decrypted(client, copied.clone());
        let bytes = bytes.to_vec();
        let sending = tokio::spawn(async move { server.write_all(&bytes).await });
        let taking = tokio::spawn(async move {
            let mut runs = Vec::new();
            while let Some(run) = lane.as_mut().unwrap().recv().await {
                runs.push(run);
            }
            runs
        });
        let mut out = Vec::new();
        wire.read_to_end(&mut out).await.unwrap();
        drop(wire);
        // As at the end of a COPY: what nobody took ends too.
        copied.close();
        sending.await.unwrap().unwrap();
        (out, taking.await.unwrap())
    }

    #[tokio::test]
    async fn rows_take_the_lane_however_the_bytes_are_cut() {
        let notice = message(b'N', b"a notice between");
        let (begin, end) =
            (message(b'H', &[0, 0, 1]), [message(b'c', b""), message(b'C', b"COPY 5002\0")].concat());
        let mut bytes = [message(b'd', b"of a COPY before"), begin.clone()].concat();
        let mut rows = Vec::new();
        for i in 0..5_000 {
            let row = format!("{i}\t{}\n", "x".repeat(i % 300));
            bytes.extend(message(b'd', row.as_bytes()));
            rows.extend_from_slice(row.as_bytes());
        }
        bytes.extend(&notice);
        let large = vec![b'y'; 3 * SPACE];
        bytes.extend(message(b'd', &large));
        bytes.extend(message(b'd', b""));
        bytes.extend(message(b'd', b"last\n"));
        bytes.extend(&end);
        bytes.extend(message(b'Z', b"T"));
        for piece in [1, 7, 4096, 1 << 20] {
            let copied = Copied::default();
            let (out, runs) = through(&bytes, piece, &copied).await;
            assert_eq!(copied.rows(), Some(5002));
            let rest = [
                message(b'd', b"of a COPY before"),
                begin.clone(),
                notice.clone(),
                end.clone(),
                message(b'Z', b"T"),
            ];
            assert_eq!(out, rest.concat());
            assert!(runs.concat() == [rows.as_slice(), &large, b"last\n"].concat());
            assert!(runs.iter().all(|r| r.len() <= SPACE), "none is longer than what is read at once");
            assert!(runs[..runs.len() - 1].iter().all(|r| r.len() >= RUN));
        }
    }

    #[tokio::test]
    async fn a_small_copy_comes_in_one_read() {
        let bytes = [
            message(b'H', &[0, 0, 1]),
            message(b'd', b"1\n"),
            message(b'c', b""),
            message(b'C', b"COPY 1\0"),
        ];
        let copied = Copied::default();
        let (out, runs) = through(&bytes.concat(), 1 << 20, &copied).await;
        assert_eq!((runs.concat(), copied.rows()), (b"1\n".to_vec(), Some(1)));
        assert_eq!(out, [bytes[0].clone(), bytes[2].clone(), bytes[3].clone()].concat());
        let (_, none) = through(&[&bytes[0], &bytes[2]].map(Clone::clone).concat(), 1 << 20, &copied).await;
        assert!(none.is_empty());
    }

    #[tokio::test]
    async fn an_error_ends_the_lane_and_so_does_the_loss_of_the_server() {
        for end in [message(b'E', b"no more"), Vec::new()] {
            let rows = message(b'd', b"1\n");
            let bytes = [message(b'H', &[0, 0, 1]), rows.clone(), rows[..6].to_vec()].concat();
            let bytes =
                if end.is_empty() { bytes } else { [message(b'H', &[0, 0, 1]), rows, end.clone()].concat() };
            let copied = Copied::default();
            let (out, _) = through(&bytes, 64, &copied).await;
            assert!(out.ends_with(&end));
            assert_eq!(copied.rows(), None);
        }
    }

    #[tokio::test]
    async fn a_copy_without_a_reader_is_read_to_its_end() {
        let copied = Copied::default();
        drop(copied.open());
        assert!(copied.open().is_none(), "the first has not ended");
        let (mut server, client) = tokio::io::duplex(1 << 16);
        let mut wire = Wire::decrypted(client, copied.clone());
        let sending = tokio::spawn(async move {
            server.write_all(&message(b'H', &[0, 0, 1])).await.unwrap();
            for _ in 0..100 {
                server.write_all(&message(b'd', &[b'x'; 20_000])).await.unwrap();
            }
            server.write_all(&message(b'c', b"")).await.unwrap();
        });
        let mut out = Vec::new();
        wire.read_to_end(&mut out).await.unwrap();
        sending.await.unwrap();
        assert_eq!(out, [message(b'H', &[0, 0, 1]), message(b'c', b"")].concat());
    }

    #[tokio::test]
    async fn the_server_waits_for_the_reader() {
        let copied = Copied::default();
        let mut lane = copied.open().unwrap();
        let (mut server, client) = tokio::io::duplex(1 << 12);
        let mut wire = Wire::decrypted(client, copied.clone());
        let reading = tokio::spawn(async move {
            let mut out = Vec::new();
            wire.read_to_end(&mut out).await.unwrap();
        });
        server.write_all(&message(b'H', &[0, 0, 1])).await.unwrap();
        let all = 40 * SPACE;
        let sending = tokio::spawn(async move { server.write_all(&message(b'd', &vec![b'x'; all])).await });
        while lane.len() < RUNS {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!sending.is_finished() && lane.len() == RUNS);
        let mut taken = 0;
        while taken < all {
            taken += lane.recv().await.map_or(0, |run| run.len());
            if sending.is_finished() && lane.is_empty() {
                break;
            }
        }
        assert!(taken + RUN > all, "{taken} of {all}");
        sending.await.unwrap().unwrap();
        reading.await.unwrap();
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
        let copied = Copied::default();
        let mut lane = copied.open().unwrap();
        let mut wire = Wire::socket(client, copied);
        wire.write_all(&SSL_REQUEST).await.unwrap();
        server.write_all(b"N").await.unwrap();
        assert_eq!(wire.read_u8().await.unwrap(), b'N');
        wire.write_all(&[0, 0, 0, 8, 0, 3, 0, 0]).await.unwrap();
        let (begin, end) = (message(b'H', &[0, 0, 1]), message(b'c', b""));
        let bytes = [begin.clone(), message(b'd', b"a"), message(b'd', b"b"), end.clone()].concat();
        server.write_all(&bytes).await.unwrap();
        let mut got = vec![0; begin.len() + end.len()];
        wire.read_exact(&mut got).await.unwrap();
        assert_eq!(got, [begin, end].concat());
        assert_eq!(lane.recv().await.unwrap(), "ab");
    }
}
