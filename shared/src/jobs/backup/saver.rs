//! From a session under the snapshot, through hash and codec, into an object in S3.

use bytes::Bytes;

use super::{
    super::progress::Tally,
    entries,
    plan::{Part, Task},
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
    pg::{Session, copy_out, large_object},
    store::{ObjectKey, Put, Store, Upload},
};

/// Parts of one upload on their way at once, beside the one being filled.
const IN_FLIGHT: usize = 2;

/// Memory of one task under way, bytes: the parts of its upload (8 MiB each up to 7 GiB of table), the encoder's window, rows on their way.
pub(super) const EACH: u64 = (IN_FLIGHT as u64 + 1) * (8 << 20) + (12 << 20);

/// Where and how to write.
#[derive(Debug, Clone)]
pub(super) struct Saver {
    /// The bucket.
    pub store: Store,
    /// The archive's folder, ending with a slash.
    pub folder: String,
    /// How to compress.
    pub codec: Codec,
}

impl Saver {
    /// Reads what a task names, and writes it. Done again, it writes the same bytes to the same names, which is no error: the snapshot is the same, the
    /// rows come in the order of the table's pages, and the encoders are deterministic.
    ///
    /// # Errors
    /// Those of the statements, naming the table, and of the store; nothing is left half uploaded.
    pub(super) async fn save(&self, session: &Session, task: &Task, tally: &Tally) -> Result<Vec<Object>> {
        match task {
            Task::Part(part) => {
                let saved = self.part(session, part, tally).await;
                Ok(vec![saved.with_context(|| format!("reading table {}", part.name()))?])
            }
            Task::LargeObjects { oids, .. } => {
                let mut objects = Vec::with_capacity(oids.len());
                for oid in oids {
                    objects.push(self.large_object(session, *oid, tally).await?);
                }
                Ok(objects)
            }
        }
    }

    fn key(&self, file: &str) -> Result<ObjectKey> {
        ObjectKey::parse(&format!("{}{file}", self.folder))
    }

    async fn part(&self, session: &Session, part: &Part, tally: &Tally) -> Result<Object> {
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

    async fn large_object(&self, session: &Session, oid: u32, tally: &Tally) -> Result<Object> {
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

    /// Writes the list of all large objects.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn list(&self, oids: &[u32]) -> Result<Object> {
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
    async fn open(saver: &Saver, file: &str, expected: Option<u64>) -> Result<Self> {
        let encoder = Encoder::new(saver.codec)?;
        let upload = Upload::start(&saver.store, &saver.key(file)?, expected, IN_FLIGHT);
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
