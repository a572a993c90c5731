//! Loading rows and large objects: from S3 through decoder and row counter into COPY, one transaction each with its mark, committed only when the file
//! has proven whole.

use futures_util::StreamExt as _;

use super::{
    super::{decoded::Decoded, progress::Tally},
    marks::{self, Marks},
    source::Source,
};
use crate::{
    archive::{
        Algorithm,
        data::{Marker, RowReader},
        toc::Entry,
    },
    base::{Error, Kind, Result, ResultExt},
    pg::{Session, copy_in, large_object},
};

/// Loads one TABLE DATA entry; gives its rows, none when another session has loaded it.
///
/// # Errors
/// [`Kind::Corrupt`] when the file is not what was written: its rows are rolled back; those of the statements.
pub(super) async fn table(
    session: &Session,
    source: &Source,
    entry: &Entry,
    marks: &Marks,
    tally: &Tally,
) -> Result<Option<u64>> {
    let copy = entry.copy_stmt.as_deref().unwrap_or_default().trim_end().trim_end_matches(';');
    let (stored, _) = source.file(entry)?;
    let expected = source.listed(&stored).and_then(|l| l.rows);
    let mark = marks.of(&[entry.dump_id]);
    let copy = async {
        match begin(session, &mark).await? {
            true => copy_in(session.client(), copy).await.map(Some),
            false => Ok(None),
        }
    };
    // S3's time to answer is the server's time to begin.
    let (rows, file) = tokio::join!(copy, source.open_file(&stored));
    if let Ok(None) = rows {
        return Ok(None);
    }
    let load = async {
        let Some(mut rows) = rows? else { return Ok(0) };
        let mut file = file?;
        let mut reader = RowReader::new(Marker::Required);
        while let Some(chunk) = file.next().await? {
            for piece in reader.push(chunk.into())? {
                tally.bytes(piece.len() as u64);
                rows.send(piece).await?;
            }
        }
        let counted = reader.finish()?;
        // Dropping `rows` before this point aborts the COPY: a truncated or tampered file leaves no row.
        let loaded = rows.finish().await?;
        if loaded != counted || expected.is_some_and(|e| e != loaded) {
            let why = format!(
                "the file holds {counted} rows, the server stored {loaded}, the manifest says {}",
                expected.map_or("nothing".to_owned(), |e| e.to_string())
            );
            return Err(Error::new(Kind::Corrupt, why));
        }
        Ok(loaded)
    };
    let doing = || format!("loading {stored}");
    match load.await {
        Ok(rows) => {
            let end = format!("{}COMMIT", marks.with_rows(entry.dump_id, rows));
            session.batch_execute(&end).await.map_err(|e| session.error(e)).with_context(doing)?;
            Ok(Some(rows))
        }
        Err(e) => {
            let e = session.explain(e);
            if e.kind() != Kind::ServerLost {
                session.batch_execute("ROLLBACK").await.map_err(|e| session.error(e))?;
            }
            Err(e.context(doing()))
        }
    }
}

/// Begins a transaction with a mark; false, and no transaction, when the mark is there.
async fn begin(session: &Session, mark: &str) -> Result<bool> {
    match session.batch_execute(&format!("BEGIN; {mark}")).await {
        Ok(()) => Ok(true),
        Err(e) if marks::is_done(&e) => {
            session.batch_execute("ROLLBACK").await.map_err(|e| session.error(e))?;
            Ok(false)
        }
        Err(e) => Err(session.error(e)),
    }
}

/// Large objects to a transaction.
const BATCH: usize = 500;

/// Small large objects fetched ahead at once: their time is S3's time to answer.
const AHEAD: usize = 8;

/// What counts as small, in bytes before compression.
const SMALL: u64 = 1 << 20;

/// Loads the large objects of one BLOBS entry, batch by batch, each with a mark of its own. The objects themselves were made in pre-data.
///
/// # Errors
/// As [`table`].
pub(super) async fn large_objects(
    session: &Session,
    source: &Source,
    entry: &Entry,
    marks: &Marks,
    tally: &Tally,
) -> Result<()> {
    let list = source.large_objects(entry).await?;
    for (part, batch) in (1..).zip(list.chunks(BATCH)) {
        if marks.has_part(entry.dump_id, part) || !begin(session, &marks.of_part(entry.dump_id, part)).await?
        {
            continue;
        }
        let written = write_batch(session, source, batch, tally).await;
        let end = if written.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = session.batch_execute(end).await.map_err(|e| session.error(e));
        written.and(ended)?;
    }
    match session.batch_execute(&marks.of(&[entry.dump_id])).await {
        Err(e) if !marks::is_done(&e) => Err(session.error(e)),
        _ => Ok(()),
    }
}

async fn write_batch(
    session: &Session,
    source: &Source,
    batch: &[(u32, String, Algorithm)],
    tally: &Tally,
) -> Result<()> {
    let fetched = batch.iter().cloned().map(|(oid, stored, _)| async move {
        let content = content(source, &stored).await;
        (oid, content)
    });
    let mut contents = futures_util::stream::iter(fetched).buffered(AHEAD);
    while let Some((oid, content)) = contents.next().await {
        let write = async {
            let mut file = content?;
            let mut writer = large_object::write(session.client(), oid).await?;
            while let Some(chunk) = file.next().await? {
                tally.bytes(chunk.len() as u64);
                writer.send(&chunk).await?;
            }
            Ok(())
        };
        write.await.map_err(|e| session.explain(e)).with_context(|| format!("loading large object {oid}"))?;
    }
    Ok(())
}

/// The file of a large object: read whole when it is small, else to be streamed.
async fn content(source: &Source, stored: &str) -> Result<Content> {
    let mut file = source.open_file(stored).await?;
    if source.listed(stored).is_none_or(|l| l.raw_bytes > SMALL) {
        return Ok(Content::Stream(Box::new(file)));
    }
    let mut whole = Vec::new();
    while let Some(chunk) = file.next().await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(Content::Whole((!whole.is_empty()).then_some(whole)))
}

enum Content {
    Whole(Option<Vec<u8>>),
    Stream(Box<Decoded>),
}

impl Content {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Whole(bytes) => Ok(bytes.take()),
            Self::Stream(file) => file.next().await,
        }
    }
}
