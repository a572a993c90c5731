//! COPY in both directions, as streams of large chunks.
//!
//! In text and CSV form the server sends one CopyData message for each row (copyto.c, `CopySendEndOfRow`), each ending in a newline; the
//! [wire](super::wire) hands many of them on as one.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::{Client, CopyInSink, CopyOutStream};

use crate::base::{Error, Kind, Result};

use super::{
    connect::Session,
    failure::{error, read_error},
};

/// A chunk is full from here on; it grows beyond only for a row that is itself larger.
const CHUNK: usize = 128 * 1024;

/// The rows of a `COPY … TO STDOUT` (text or CSV).
pub struct CopyOut<'a> {
    session: &'a Session,
    stream: Pin<Box<CopyOutStream>>,
    held: Option<Bytes>,
    done: bool,
    bytes: u64,
}

/// Starts a `COPY … TO STDOUT`. A session runs one at a time.
///
/// # Errors
/// Those of the statement; [`Kind::SnapshotBroken`] for a table that is gone.
pub async fn copy_out<'a>(session: &'a Session, sql: &str) -> Result<CopyOut<'a>> {
    session.copied().forget();
    let stream = session.copy_out(sql).await.map_err(read_error)?;
    Ok(CopyOut { session, stream: Box::pin(stream), held: None, done: false, bytes: 0 })
}

impl CopyOut<'_> {
    /// The next chunk of whole rows, about 128 KiB (more for a larger row); `None` when the server says that it has sent all, which
    /// [`CopyOut::finish`] must still prove.
    ///
    /// # Errors
    /// [`Kind::ServerLost`] when the server or the connection died; those of the statement.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let mut chunk = BytesMut::new();
        while !self.done {
            let Some(row) = self.stream.next().await else {
                self.done = true;
                break;
            };
            let row = row.map_err(read_error)?;
            if row.last() != Some(&b'\n') {
                return Err(Error::new(Kind::Corrupt, "the server sent a row without its end"));
            }
            self.bytes += row.len() as u64;
            if row.len() >= CHUNK / 2 {
                // Not copied; what was gathered before it goes first.
                if chunk.is_empty() {
                    return Ok(Some(row));
                }
                self.held = Some(row);
                break;
            }
            if chunk.capacity() == 0 {
                chunk.reserve(CHUNK + CHUNK / 4);
            }
            chunk.extend_from_slice(&row);
            if chunk.len() >= CHUNK {
                break;
            }
        }
        Ok(if chunk.is_empty() { None } else { Some(chunk.freeze()) })
    }

    /// Bytes received so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Proves the end and gives (rows, bytes): the server must have said CopyDone, then that the command is complete with so many rows, and
    /// must answer a further statement of the same transaction. The rows are the server's count; the caller holds its own against it.
    ///
    /// # Errors
    /// [`Kind::ServerLost`] when the server died before it had completed the command; those of the statement; [`Kind::Internal`] when
    /// rows have not been taken yet.
    pub async fn finish(mut self) -> Result<(u64, u64)> {
        if !self.done || self.held.is_some() {
            return Err(Error::new(Kind::Internal, "a COPY was finished before its rows were taken"));
        }
        // tokio-postgres knows no message after CopyDone but an error: it calls CommandComplete an unexpected message.
        match self.stream.next().await {
            Some(Err(e)) if completed(&e) => {}
            Some(Err(e)) => return Err(read_error(e)),
            Some(Ok(_)) | None => {
                return Err(Error::new(Kind::ServerLost, "the server sent more after the end of a COPY"));
            }
        }
        self.session.simple_query("SELECT 1").await.map_err(error)?;
        match self.session.copied().rows() {
            Some(rows) => Ok((rows, self.bytes)),
            None => Err(Error::new(Kind::ServerLost, "the server did not say how many rows a COPY had")),
        }
    }
}

fn completed(e: &tokio_postgres::Error) -> bool {
    std::error::Error::source(e).is_none() && !e.is_closed() && format!("{e:?}").contains("UnexpectedMessage")
}

/// A `COPY … FROM STDIN`. Dropped without [`CopyIn::finish`], it is aborted: the server keeps no row of it.
pub struct CopyIn {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    bytes: u64,
}

/// Starts a `COPY … FROM STDIN`.
///
/// # Errors
/// Those of the statement.
pub async fn copy_in(client: &Client, sql: &str) -> Result<CopyIn> {
    let sink = client.copy_in(sql).await.map_err(error)?;
    Ok(CopyIn { sink: Box::pin(sink), bytes: 0 })
}

impl CopyIn {
    /// Sends bytes; they need not end at a row's end. Waits when the server is slower. The server's objection to a row shows in
    /// [`CopyIn::finish`].
    ///
    /// # Errors
    /// [`Kind::ServerLost`].
    pub async fn send(&mut self, data: Bytes) -> Result<()> {
        self.bytes += data.len() as u64;
        self.sink.feed(data).await.map_err(error)
    }

    /// Bytes sent so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the data and gives the rows that the server says it has stored.
    ///
    /// # Errors
    /// Those of the statement, with line and column but not the value; [`Kind::ServerLost`].
    pub async fn finish(mut self) -> Result<u64> {
        self.sink.as_mut().finish().await.map_err(error)
    }
}
