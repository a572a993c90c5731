//! Writing one JSON document.

use aws_lc_rs::digest::{Context, SHA256};

use super::{Output, Parts, Written, file_name, items};
use crate::{
    archive::Manifest,
    base::{Error, Format, Kind, Result, ResultExt},
    format::json::Writer,
    jobs::{
        pipe::Pipe,
        restore::plan::{is_large_objects, named},
    },
};

/// Writes the parts as a document.
///
/// # Errors
/// [`Kind::Unsupported`] for a database in SQL_ASCII; those of reading and writing.
pub(super) async fn write(parts: &Parts, head: &Manifest, out: &Output<'_>) -> Result<Written> {
    let file = file_name(Format::Json, head.created_at, out.place.codec);
    let mut pipe = out.place.pipe(&file, Some(parts.all_raw_bytes()))?;
    let mut written = Written::default();
    match fill(&mut pipe, parts, head, out, &mut written).await {
        Ok(()) => {}
        Err(e) => return Err(pipe.abort(e).await.context(format!("writing {file}"))),
    }
    written.objects.push(pipe.finish().await?);
    parts.store_toc(out, &mut written).await?;
    Ok(written)
}

async fn fill(
    pipe: &mut Pipe,
    parts: &Parts,
    head: &Manifest,
    out: &Output<'_>,
    written: &mut Written,
) -> Result<()> {
    if head.database.encoding == "SQL_ASCII" {
        let why = "a database in SQL_ASCII holds bytes of no known encoding, which JSON has no form for: use the format archive, sql or csv";
        return Err(Error::new(Kind::Unsupported, why));
    }
    let (mut writer, mut text) = (Writer::default(), Vec::new());
    let entries = &parts.toc.entries;
    let mut digest = Context::new(&SHA256);
    for entry in entries {
        digest.update(&Writer::digested(&items::item(entry))?);
    }
    writer.begin(&head.head()?, &hex::encode(digest.finish()), &mut text)?;
    for entry in entries {
        writer.item(&items::item(entry), &mut text)?;
        pass(pipe, &mut text).await?;
    }
    writer.items_end(out.history, &mut text)?;
    for entry in entries.iter().filter(|e| e.had_dumper && !is_large_objects(e)) {
        let table = async {
            let mut rows = parts.rows(entry).await?;
            writer.rows(&items::rows(entry, parts.columns(entry)?), &mut text)?;
            while let Some(pieces) = rows.next().await? {
                for piece in pieces {
                    writer.text(&piece, &mut text)?;
                    pass(pipe, &mut text).await?;
                }
            }
            writer.rows_end(&rows.contained.content_hash, &mut text)?;
            written.contents.push(rows.contained);
            Ok(())
        };
        table.await.with_context(|| format!("writing {}", named(entry)))?;
    }
    for entry in entries.iter().filter(|e| e.had_dumper && is_large_objects(e)) {
        for blob in parts.large_objects(entry).await? {
            let mut bytes = parts.large_object(&blob).await?;
            writer.large_object(blob.oid, &mut text);
            while let Some(piece) = bytes.next().await? {
                writer.bytes(&piece, &mut text);
                pass(pipe, &mut text).await?;
            }
            writer.large_object_end(&mut text);
        }
    }
    writer.finish(&mut text);
    pass(pipe, &mut text).await
}

/// Hands text on.
pub(super) async fn pass(pipe: &mut Pipe, text: &mut Vec<u8>) -> Result<()> {
    pipe.push(text).await?;
    text.clear();
    Ok(())
}
