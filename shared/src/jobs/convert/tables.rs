//! Writing a CSV file for each table, and beside them what CSV has no form for as it stands in an archive.

use std::collections::HashSet;

use super::{Output, Parts, Written, document::pass, items};
use crate::{
    archive::{manifest::Object, toc::Entry},
    base::{Result, ResultExt},
    format::csv::Writer,
    jobs::{
        restore::plan::{is_large_objects, named},
        seals::Seals,
    },
};

/// Longest part of a file's name that comes from a table's.
const NAME: usize = 120;

/// Writes the parts as CSV.
///
/// # Errors
/// Those of reading and writing.
pub(super) async fn write(parts: &Parts, out: &Output<'_>) -> Result<Written> {
    let mut written = Written::default();
    let mut names = HashSet::new();
    for entry in parts.toc.entries.iter().filter(|e| e.had_dumper) {
        let done = match is_large_objects(entry) {
            true => large_objects(parts, entry, out, &mut written).await,
            false => {
                // A name would tell of what is encrypted.
                let name = match &out.place.seals {
                    Seals::None => file(entry, &mut names),
                    _ => entry.dump_id.to_string(),
                };
                table(parts, entry, &format!("{name}.csv{}", out.place.codec.suffix()), out, &mut written)
                    .await
            }
        };
        done.with_context(|| format!("writing {}", named(entry)))?;
    }
    parts.store_toc(out, &mut written).await?;
    Ok(written)
}

async fn table(
    parts: &Parts,
    entry: &Entry,
    file: &str,
    out: &Output<'_>,
    written: &mut Written,
) -> Result<()> {
    let columns = parts.columns(entry)?;
    let mut rows = parts.rows(entry).await?;
    let mut pipe = out.place.pipe(file, Some(parts.raw_bytes(entry.file.as_deref())))?;
    let mut writer = Writer::new(&columns.iter().map(items::column).collect::<Vec<_>>());
    let mut text = Vec::new();
    let fill = async {
        while let Some(pieces) = rows.next().await? {
            for piece in pieces {
                writer.text(&piece, &mut text)?;
                pass(&mut pipe, &mut text).await?;
            }
        }
        writer.finish(&mut text)?;
        pass(&mut pipe, &mut text).await
    };
    if let Err(e) = fill.await {
        return Err(pipe.abort(e).await);
    }
    let contained = rows.contained;
    let object = pipe.finish().await?;
    written.objects.push(Object {
        entry: Some(contained.entry),
        table: Some(contained.table),
        rows: Some(contained.rows),
        content_hash: Some(contained.content_hash),
        columns: columns.to_vec(),
        ..object
    });
    Ok(())
}

async fn large_objects(parts: &Parts, entry: &Entry, out: &Output<'_>, written: &mut Written) -> Result<()> {
    let list = parts.large_objects(entry).await?;
    for blob in &list {
        let file = format!("{}{}", blob.file, out.place.codec.suffix());
        let mut bytes = parts.large_object(blob).await?;
        let mut pipe = out.place.pipe(&file, None)?;
        let fill = async {
            while let Some(piece) = bytes.next().await? {
                pipe.push(&piece).await?;
            }
            Ok(())
        };
        if let Err(e) = fill.await {
            return Err(pipe.abort(e).await);
        }
        written.objects.push(pipe.finish().await?);
    }
    let name = entry.file.clone().unwrap_or_default();
    let bytes = crate::archive::blobs::to_bytes(&list);
    written.objects.push(out.place.put(&name, bytes).await?);
    Ok(())
}

/// `shop.orders`: what of schema and table every file system takes, with the entry's number where something was left out or two would be called alike.
fn file(entry: &Entry, names: &mut HashSet<String>) -> String {
    let full = match entry.namespace.as_deref().filter(|s| !s.is_empty()) {
        Some(schema) => format!("{schema}.{}", entry.tag),
        None => entry.tag.clone(),
    };
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut name: String = full.chars().filter(plain).take(NAME).collect();
    while name.contains("..") {
        name = name.replace("..", ".");
    }
    // Some file systems do not tell capitals.
    if name != full || name.starts_with('.') || !names.insert(name.to_ascii_lowercase()) {
        name = format!("table-{}-{}", entry.dump_id, name.trim_start_matches('.'));
        names.insert(name.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_as_their_tables_where_that_can_be() {
        let mut names = HashSet::new();
        let mut of = |dump_id, schema: &str, tag: &str| {
            let entry =
                Entry { dump_id, tag: tag.into(), namespace: Some(schema.into()), ..Entry::default() };
            file(&entry, &mut names)
        };
        assert_eq!(of(1, "shop", "orders"), "shop.orders");
        assert_eq!(of(2, "shop", "Orders"), "table-2-shop.Orders");
        assert_eq!(of(3, "shop", "größe/../x"), "table-3-shop.gre.x");
        assert_eq!(of(4, "..", "é"), "table-4-");
        assert!(of(5, "s", &"x".repeat(300)).len() < 150);
    }
}
