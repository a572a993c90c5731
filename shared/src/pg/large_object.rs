//! Large objects, by the server's functions `lo_get` and `lo_put` (PostgreSQL manual, "Server-Side Functions"): they need no open
//! descriptor, see the transaction's snapshot, and reach any offset of an object of up to 4 TB.

use bytes::Bytes;
use tokio_postgres::{Client, Statement};

use crate::base::{Result, ResultExt as _};

use super::failure::{error, read_error};

/// Bytes asked for at once: 512 pages of a large object.
const CHUNK: i32 = 1 << 20;

/// Reads one large object from its beginning.
pub struct Reader<'a> {
    client: &'a Client,
    statement: Statement,
    oid: u32,
    offset: i64,
    done: bool,
}

/// Starts to read large object `oid`. Holes come as zeros.
///
/// # Errors
/// Those of the statement.
pub async fn read(client: &Client, oid: u32) -> Result<Reader<'_>> {
    let statement = client.prepare("SELECT pg_catalog.lo_get($1, $2, $3)").await.map_err(error)?;
    Ok(Reader { client, statement, oid, offset: 0, done: false })
}

impl Reader<'_> {
    /// The next 1 MiB or less; `None` at the end.
    ///
    /// # Errors
    /// [`crate::base::Kind::SnapshotBroken`] when the object is gone; those of the statement.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.done {
            return Ok(None);
        }
        let row = self
            .client
            .query_one(&self.statement, &[&self.oid, &self.offset, &CHUNK])
            .await
            .map_err(read_error)
            .with_context(|| format!("reading large object {}", self.oid))?;
        let data: Vec<u8> = row.get(0);
        self.offset += data.len() as i64;
        self.done = data.len() < CHUNK as usize;
        Ok(if data.is_empty() { None } else { Some(data.into()) })
    }
}

/// Writes one large object from its beginning.
pub struct Writer<'a> {
    client: &'a Client,
    statement: Statement,
    oid: u32,
    offset: i64,
}

/// Starts to write large object `oid`, which must exist and be empty.
///
/// # Errors
/// Those of the statement.
pub async fn write(client: &Client, oid: u32) -> Result<Writer<'_>> {
    let statement = client.prepare("SELECT pg_catalog.lo_put($1, $2, $3)").await.map_err(error)?;
    Ok(Writer { client, statement, oid, offset: 0 })
}

impl Writer<'_> {
    /// Appends bytes, some megabytes at most.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn send(&mut self, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        self.client
            .execute(&self.statement, &[&self.oid, &self.offset, &data])
            .await
            .map_err(error)
            .with_context(|| format!("writing large object {}", self.oid))?;
        self.offset += data.len() as i64;
        Ok(())
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.offset.unsigned_abs()
    }
}
