//! COPY in both directions, as streams of large chunks.
//!
//! Rows that come out take a lane past tokio-postgres, see the [wire](super::wire).

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio_postgres::{Client, CopyInSink, CopyOutStream};

use crate::base::{Error, Kind, Result};

use super::{
    connect::Session,
    failure::{error, read_error},
};

/// The rows of a `COPY … TO STDOUT` (text or CSV). Given up before its end, it ends when the server has sent all; the session then serves no
/// further COPY.
pub struct CopyOut<'a> {
    session: &'a Session,
    rows: mpsc::Receiver<Bytes>,
    stream: Pin<Box<CopyOutStream>>,
    done: bool,
    bytes: u64,
}

/// Starts a `COPY … TO STDOUT`. A session runs one at a time.
///
/// # Errors
/// Those of the statement; [`Kind::SnapshotBroken`] for a table that is gone; [`Kind::Internal`] in a session in which a COPY was given
/// up.
pub async fn copy_out<'a>(session: &'a Session, sql: &str) -> Result<CopyOut<'a>> {
    let rows = session
        .copied()
        .open()
        .ok_or_else(|| Error::new(Kind::Internal, "an earlier COPY of this session was given up"))?;
    match session.copy_out(sql).await {
        Ok(stream) => Ok(CopyOut { session, rows, stream: Box::pin(stream), done: false, bytes: 0 }),
        Err(e) => {
            session.copied().close();
            Err(read_error(e))
        }
    }
}

impl CopyOut<'_> {
    /// The next bytes, at most 128 KiB, cut anywhere in a row; `None` when the server says that it has sent all, which [`CopyOut::finish`] must
    /// still prove.
    ///
    /// # Errors
    /// [`Kind::ServerLost`] when the server or the connection died; those of the statement.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.done {
            return Ok(None);
        }
        if let Some(rows) = self.rows.recv().await {
            self.bytes += rows.len() as u64;
            return Ok(Some(rows));
        }
        // The lane has ended: why, the message says that ended it.
        match self.stream.next().await {
            None => {
                self.done = true;
                Ok(None)
            }
            Some(Err(e)) => Err(read_error(e)),
            Some(Ok(_)) => Err(Error::new(Kind::Internal, "rows of a COPY missed their lane")),
        }
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
        if !self.done {
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
        let rows = self.session.copied().rows();
        self.session.copied().close();
        match rows {
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
