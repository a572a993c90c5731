//! From a session under the snapshot, through hash and codec, into an object in S3.

use super::{
    super::{
        pipe::{IN_FLIGHT, Place},
        progress::Tally,
    },
    entries,
    plan::{Part, Task},
};
use crate::{
    archive::{
        blobs::{self, Blob},
        data,
        manifest::Object,
        rowhash::RowHasher,
    },
    base::{Error, Kind, Result, ResultExt},
    pg::{Session, copy_out, large_object},
};

/// Memory of one task under way, bytes: the parts of its upload (8 MiB each up to 7 GiB of table), the encoder's window, rows on their way.
pub(super) const EACH: u64 = (IN_FLIGHT as u64 + 1) * (8 << 20) + (12 << 20);

/// Where and how to write.
#[derive(Clone)]
pub(super) struct Saver {
    /// The archive's folder.
    pub place: Place,
}

impl Saver {
    /// Reads what a task names, and writes it. Done again, it writes the same bytes to the same names, which is no error: the snapshot is the same, the
    /// rows come in the order of the table's pages, and the encoders are deterministic; of an encrypted file the first one stays.
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

    async fn part(&self, session: &Session, part: &Part, tally: &Tally) -> Result<Object> {
        let mut out = self.place.pipe(&part.file, Some(part.expected_bytes))?;
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
        let object = out.finish().await?;
        Ok(object.with_rows(part.entry, part.name(), digest))
    }

    async fn large_object(&self, session: &Session, oid: u32, tally: &Tally) -> Result<Object> {
        let file = format!("{}{}", Blob::new(oid).file, self.place.codec.suffix());
        let mut out = self.place.pipe(&file, None)?;
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
        out.finish().await
    }

    /// Writes the list of all large objects.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn list(&self, oids: &[u32]) -> Result<Object> {
        let list: Vec<Blob> = oids.iter().copied().map(Blob::new).collect();
        self.place.put(entries::BLOBS, blobs::to_bytes(&list)).await
    }
}
