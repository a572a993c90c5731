//! The readers: sessions that share the snapshot and stream tables, one after another each, through hash and codec into S3.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{
    super::progress::Tally,
    entries,
    plan::{Part, Plan},
    snapshot,
};
use crate::{
    archive::{
        Codec, Encoder,
        blobs::{self, Blob},
        data,
        manifest::Object,
        rowhash::RowHasher,
    },
    base::{Error, Kind, Result, ResultExt},
    pg::{ConnInfo, Session, Snapshot, copy_out, large_object},
    store::{ObjectKey, Put, Store, Upload},
};

/// Parts of one upload on their way at once, beside the one being filled.
const IN_FLIGHT: usize = 2;

/// Memory of one reader, bytes: the parts of its upload (8 MiB each up to 7 GiB of table), the encoder's window, rows on their way.
const EACH: u64 = (IN_FLIGHT as u64 + 1) * (8 << 20) + (12 << 20);

/// Memory of everything else, bytes.
const BASE: u64 = 64 << 20;

/// How many of `wanted` readers fit into the function's memory, with a fifth of it to spare; one at least.
pub(super) fn affordable(wanted: usize, memory: u64) -> usize {
    let fit = (memory / 5 * 4).saturating_sub(BASE) / EACH;
    wanted.min(usize::try_from(fit).unwrap_or(wanted)).max(1)
}

/// One file to write.
#[derive(Debug, Clone)]
enum Item {
    /// A table's rows, or some of them.
    Part(Part),
    /// One large object.
    LargeObject(u32),
}

/// How to read.
pub(super) struct Readers {
    /// The holder's server.
    pub info: ConnInfo,
    /// The holder's snapshot.
    pub snapshot: String,
    /// Where to write.
    pub store: Store,
    /// The archive's folder, ending with a slash.
    pub folder: String,
    /// How to compress.
    pub codec: Codec,
    /// Sessions at once.
    pub concurrency: usize,
}

impl Readers {
    /// Reads everything; gives the objects written, in the order in which they were finished, and a warning when the server did not admit as many
    /// sessions as wanted.
    ///
    /// # Errors
    /// The first one that a reader meets; the others are stopped.
    pub(super) async fn run(self, plan: Plan, tally: Arc<Tally>) -> Result<(Vec<Object>, Option<String>)> {
        let list = plan.has_list.then(|| plan.large_objects.clone());
        let parts = plan.parts.into_iter().map(Item::Part);
        let items: VecDeque<Item> =
            parts.chain(plan.large_objects.into_iter().map(Item::LargeObject)).collect();
        let wanted = self.concurrency.min(items.len());
        let queue = Arc::new(Mutex::new(items));
        let readers = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut warning = None;
        for n in 0..wanted {
            match snapshot::join(&readers.info, &readers.snapshot).await {
                Ok(session) => {
                    tasks.spawn(Arc::clone(&readers).read(session, Arc::clone(&queue), Arc::clone(&tally)));
                }
                // Every slot of the server is taken: go on with fewer, if there is one.
                Err(e) if n > 0 && e.kind() == Kind::Unreachable => {
                    warning = Some(format!("{n} of {wanted} reading sessions could be opened: {e}"));
                    break;
                }
                Err(e) => return Err(e.context("opening a session to read with")),
            }
        }
        let mut objects = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            objects.extend(ended.map_err(|e| Error::with_source(Kind::Internal, "a reader broke off", e))??);
        }
        if let Some(oids) = list {
            objects.push(readers.save_list(&oids).await?);
        }
        Ok((objects, warning))
    }

    async fn read(
        self: Arc<Self>,
        session: Snapshot,
        queue: Arc<Mutex<VecDeque<Item>>>,
        tally: Arc<Tally>,
    ) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        loop {
            let Some(item) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                session.finish().await?;
                return Ok(objects);
            };
            objects.push(match item {
                Item::Part(part) => {
                    let saved = self.save_part(&session, &part, &tally).await;
                    let object = saved.with_context(|| format!("reading table {}", part.name()))?;
                    let last = part.left.fetch_sub(1, Ordering::Relaxed) == 1;
                    tally.part(part.expected_bytes, last);
                    object
                }
                Item::LargeObject(oid) => self.save_large_object(&session, oid, &tally).await?,
            });
        }
    }

    fn key(&self, file: &str) -> Result<ObjectKey> {
        ObjectKey::parse(&format!("{}{file}", self.folder))
    }

    async fn save_part(&self, session: &Session, part: &Part, tally: &Tally) -> Result<Object> {
        let mut out = Pipe::open(self, &part.file, Some(part.expected_bytes)).await?;
        let mut hasher = RowHasher::new();
        let read = async {
            let mut rows = copy_out(session, &part.copy).await?;
            while let Some(chunk) = rows.next().await? {
                tally.bytes(chunk.len() as u64);
                hasher.push(&chunk);
                out.push(&chunk).await?;
            }
            let counted = rows.finish().await?;
            out.push(data::TERMINATOR).await?;
            Ok(counted)
        };
        let counted = match read.await {
            Ok(counted) => counted,
            Err(e) => return Err(out.abort(session.explain(e)).await),
        };
        let digest = match hasher.finish() {
            Ok(digest) if digest.rows == counted.0 => digest,
            Ok(digest) => {
                let why = format!("the server sent {} rows, {} were counted", counted.0, digest.rows);
                return Err(out.abort(Error::new(Kind::Corrupt, why)).await);
            }
            Err(e) => return Err(out.abort(e).await),
        };
        let object = out.finish(&part.file).await?;
        Ok(object.with_rows(part.entry, part.name(), digest))
    }

    async fn save_large_object(&self, session: &Session, oid: u32, tally: &Tally) -> Result<Object> {
        let file = format!("{}{}", Blob::new(oid).file, self.codec.suffix());
        let mut out = Pipe::open(self, &file, None).await?;
        let read = async {
            let mut chunks = large_object::read(session.client(), oid).await?;
            while let Some(chunk) = chunks.next().await? {
                tally.bytes(chunk.len() as u64);
                out.push(&chunk).await?;
            }
            Ok(())
        };
        if let Err(e) = read.await {
            return Err(out.abort(session.explain(e)).await);
        }
        out.finish(&file).await
    }

    async fn save_list(&self, oids: &[u32]) -> Result<Object> {
        let list: Vec<Blob> = oids.iter().copied().map(Blob::new).collect();
        let bytes = Bytes::from(blobs::to_bytes(&list));
        let raw = bytes.len() as u64;
        let stored = self.store.put(&self.key(entries::BLOBS)?, bytes, Put::IfAbsent).await?;
        Ok(Object::new(entries::BLOBS, stored.bytes, raw, stored.sha256))
    }
}

/// Bytes encoded before what came of them goes on to the upload.
const PIECE: usize = 1 << 20;

/// Encoder and upload of one object.
struct Pipe {
    encoder: Encoder,
    upload: Upload,
    buffer: Vec<u8>,
    raw: u64,
}

impl Pipe {
    async fn open(readers: &Readers, file: &str, expected: Option<u64>) -> Result<Self> {
        let encoder = Encoder::new(readers.codec)?;
        let upload = Upload::start(&readers.store, &readers.key(file)?, expected, IN_FLIGHT);
        Ok(Self { encoder, upload, buffer: Vec::new(), raw: 0 })
    }

    async fn push(&mut self, bytes: &[u8]) -> Result<()> {
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

    async fn finish(mut self, file: &str) -> Result<Object> {
        let encoder = self.encoder;
        encoder.finish(&mut self.buffer)?;
        self.upload.write(&self.buffer).await?;
        let stored = self.upload.finish().await?;
        let mut object = Object::new(file, stored.bytes, self.raw, stored.sha256);
        object.s3_checksum = Some(stored.checksum);
        Ok(object)
    }

    /// Aborts the upload; gives back the error that made it necessary.
    async fn abort(self, error: Error) -> Error {
        match self.upload.abort().await {
            Ok(()) => error,
            Err(e) => {
                tracing::warn!(error = %e, "aborting an upload");
                error
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_fit_into_the_memory() {
        assert_eq!(affordable(4, 1769 << 20), 4);
        assert_eq!(affordable(32, 1769 << 20), 32);
        assert_eq!(affordable(32, 512 << 20), 9);
        assert_eq!(affordable(4, 128 << 20), 1);
    }
}
