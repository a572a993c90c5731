//! Writing one SQL script.

use std::collections::{HashMap, HashSet};

use super::{Output, Parts, Written, document::pass, file_name, items};
use crate::{
    archive::{Manifest, toc::Entry},
    base::{Error, Format, Kind, Result, ResultExt},
    format::sql::{Script, Writer},
    jobs::{
        pipe::Pipe,
        restore::{
            Choices,
            plan::{self, is_large_objects, named},
            sql::tokens,
            statement::{Settings, is_shared_grant, settings, statements},
        },
    },
};

/// Writes the parts as a script.
///
/// # Errors
/// [`Kind::Unsupported`] for SQL in which psql would see a command of its own; those of reading and writing.
pub(super) async fn write(parts: &Parts, head: &Manifest, out: &Output<'_>) -> Result<Written> {
    let file = file_name(Format::Sql, head.created_at, out.place.codec);
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
    let (mut writer, mut text) = (Writer::default(), Vec::new());
    writer.begin(&head.head()?, &plan::encoding(&parts.toc)?, &mut text)?;
    let mut told = Settings::default();
    for (entry, stated) in order(parts, out.form.data_only)? {
        let item = items::item(entry);
        let doing = || format!("writing {}", named(entry));
        if entry.had_dumper {
            writer.item(&item, Script::default(), &mut text)?;
            if is_large_objects(entry) {
                large_objects(pipe, parts, entry, &mut writer, &mut text).await.with_context(doing)?;
            } else {
                rows(pipe, parts, entry, (&mut writer, &mut text), out, written).await.with_context(doing)?;
            }
            continue;
        }
        if stated {
            let (before, defined, after) = texts(entry, parts, &mut told).with_context(doing)?;
            writer.item(&item, Script { before: &before, defined, after: &after }, &mut text)?;
        } else {
            writer.item(&item, Script::default(), &mut text)?;
        }
        pass(pipe, &mut text).await?;
    }
    writer.finish(&mut text)?;
    pass(pipe, &mut text).await
}

/// The entries in the order in which psql is to see them, and whether their statements are the script's; others are mentioned alone.
fn order(parts: &Parts, data_only: bool) -> Result<Vec<(&Entry, bool)>> {
    let toc = &parts.toc;
    let plan = plan::plan(toc, Choices::default(), |_| 0)?;
    let by_id: HashMap<i32, &Entry> = toc.entries.iter().map(|e| (e.dump_id, e)).collect();
    let at = |place: &usize| &toc.entries[*place];
    let stepped = |steps: &[crate::jobs::restore::graph::Step]| -> Vec<&Entry> {
        steps.iter().filter_map(|s| by_id.get(&s.id).copied()).collect()
    };
    let mut parallel = stepped(&plan.parallel);
    if data_only {
        parallel = by_foreign_keys(parallel, &toc.entries);
    }
    let stated: Vec<&Entry> = plan
        .pre_data
        .iter()
        .map(at)
        .chain(parallel)
        .chain(plan.privileges.iter().map(at))
        .chain(plan.last.iter().map(at))
        .chain(stepped(&plan.statistics))
        .collect();
    let known: HashSet<i32> = stated.iter().map(|e| e.dump_id).collect();
    let mentioned = toc.entries.iter().filter(|e| !known.contains(&e.dump_id)).map(|e| (e, false));
    let is_data = |e: &Entry| {
        matches!(e.desc.as_str(), "SEQUENCE SET" | "MATERIALIZED VIEW DATA" | "BLOB" | "BLOB METADATA")
    };
    Ok(mentioned.chain(stated.into_iter().map(|e| (e, !data_only || is_data(e)))).collect())
}

/// Rows of tables before those of tables that refer to them, as far as there is no circle: where nothing but rows is loaded, foreign keys stand already.
fn by_foreign_keys<'a>(entries: Vec<&'a Entry>, all: &[Entry]) -> Vec<&'a Entry> {
    let is_table = |e: &Entry| e.desc == "TABLE";
    let tables: HashMap<i32, &Entry> = all.iter().filter(|e| is_table(e)).map(|e| (e.dump_id, e)).collect();
    let of_constraint: HashMap<i32, i32> = all
        .iter()
        .filter(|e| matches!(e.desc.as_str(), "CONSTRAINT" | "INDEX"))
        .filter_map(|e| Some((e.dump_id, *e.dependencies.iter().find(|id| tables.contains_key(id))?)))
        .collect();
    let mut refers: HashMap<i32, Vec<i32>> = HashMap::new();
    for key in all.iter().filter(|e| e.desc == "FK CONSTRAINT") {
        let own = |id: &&i32| {
            tables
                .get(id)
                .is_some_and(|t| t.namespace == key.namespace && key.tag.starts_with(&format!("{} ", t.tag)))
        };
        let Some(own) = key.dependencies.iter().find(own) else { continue };
        let others = key.dependencies.iter().map(|id| of_constraint.get(id).unwrap_or(id));
        refers.entry(*own).or_default().extend(others.filter(|id| *id != own));
    }
    let rows: HashMap<i32, &Entry> = entries
        .iter()
        .filter(|e| e.desc == "TABLE DATA")
        .filter_map(|e| Some((*e.dependencies.iter().find(|id| tables.contains_key(id))?, *e)))
        .collect();
    let mut sorted = Vec::with_capacity(entries.len());
    let mut seen = HashSet::new();
    let table_of: HashMap<i32, i32> = rows.iter().map(|(table, e)| (e.dump_id, *table)).collect();
    for entry in entries {
        let Some(first) = table_of.get(&entry.dump_id) else {
            sorted.push(entry);
            continue;
        };
        // Depth first, without recursion: a table is put down once all that it refers to is.
        let mut todo = vec![(*first, false)];
        while let Some((table, referred)) = todo.pop() {
            if referred {
                sorted.extend(rows.get(&table));
            } else if seen.insert(table) {
                todo.push((table, true));
                todo.extend(refers.get(&table).into_iter().flatten().map(|other| (*other, false)));
            }
        }
    }
    sorted
}

/// What stands before the definition, whether it is a statement, and what stands after it.
fn texts(entry: &Entry, parts: &Parts, told: &mut Settings) -> Result<(String, bool, String)> {
    let choices = Choices::default();
    let metadata = is_shared_grant(entry)
        .then(|| {
            let is_it = |e: &&Entry| e.desc == "BLOB METADATA" && entry.dependencies.contains(&e.dump_id);
            parts.toc.entries.iter().find(is_it)
        })
        .flatten();
    let mut all: Vec<String> = statements(entry, metadata, choices);
    let mut before: String =
        settings(entry, told, choices).map(|s| s.replace(';', ";\n")).into_iter().collect();
    let definition = entry.defn.as_deref().unwrap_or_default();
    let defined = all.first().is_some_and(|first| first == definition);
    if defined {
        all.remove(0);
    } else {
        before.extend(all.drain(..).map(|s| ended(&s)));
    }
    let mut after = String::new();
    if defined && !definition.ends_with('\n') {
        after.push('\n');
    }
    if defined && !definition.trim_end().ends_with(';') {
        after.push_str(";\n");
    }
    after.extend(all.iter().map(|s| ended(s)));
    for text in [before.as_str(), definition, after.as_str()] {
        let psql = |all: Vec<_>| all.iter().any(|t: &crate::jobs::restore::sql::Token| t.is_symbol('\\'));
        if defined && tokens(text).is_none_or(psql) {
            return Err(Error::new(
                Kind::Unsupported,
                "psql would see a command of its own in this definition (a backslash outside of quotes)",
            ));
        }
    }
    Ok((before, defined, after))
}

fn ended(statement: &str) -> String {
    let statement = statement.trim_end();
    if statement.ends_with(';') { format!("{statement}\n") } else { format!("{statement};\n") }
}

async fn rows(
    pipe: &mut Pipe,
    parts: &Parts,
    entry: &Entry,
    (writer, text): (&mut Writer, &mut Vec<u8>),
    out: &Output<'_>,
    written: &mut Written,
) -> Result<()> {
    let mut rows = parts.rows(entry).await?;
    let head = items::rows(entry, parts.columns(entry)?);
    let copy = entry.copy_stmt.as_deref().unwrap_or_default().trim();
    if out.form.inserts {
        let target = copy.strip_prefix("COPY ").and_then(|c| c.strip_suffix(" FROM stdin;"));
        let target = target
            .ok_or_else(|| Error::new(Kind::Corrupt, "its COPY statement is not as pg_dump writes it"))?;
        writer.insert(&head, target.trim(), text)?;
    } else {
        writer.copy(&head, copy, text)?;
    }
    while let Some(pieces) = rows.next().await? {
        for piece in pieces {
            writer.text(&piece, text)?;
            pass(pipe, text).await?;
        }
    }
    writer.rows_end(&rows.contained.content_hash, text)?;
    written.contents.push(rows.contained);
    pass(pipe, text).await
}

async fn large_objects(
    pipe: &mut Pipe,
    parts: &Parts,
    entry: &Entry,
    writer: &mut Writer,
    text: &mut Vec<u8>,
) -> Result<()> {
    for blob in parts.large_objects(entry).await? {
        let mut bytes = parts.large_object(&blob).await?;
        writer.large_object(blob.oid, text)?;
        while let Some(piece) = bytes.next().await? {
            writer.bytes(&piece, text);
            pass(pipe, text).await?;
        }
        writer.large_object_end(text)?;
    }
    pass(pipe, text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dump_id: i32, desc: &str, tag: &str, dependencies: &[i32]) -> Entry {
        Entry {
            dump_id,
            desc: desc.into(),
            tag: tag.into(),
            namespace: Some("s".into()),
            section: crate::archive::toc::Section::Data,
            dependencies: dependencies.to_vec(),
            ..Entry::default()
        }
    }

    #[test]
    fn rows_come_before_those_that_refer_to_them() {
        let all = vec![
            entry(1, "TABLE", "a", &[]),
            entry(2, "TABLE", "b", &[]),
            entry(3, "TABLE", "c", &[]),
            entry(11, "TABLE DATA", "a", &[1]),
            entry(12, "TABLE DATA", "b", &[2]),
            entry(13, "TABLE DATA", "c", &[3]),
            entry(14, "SEQUENCE SET", "q", &[]),
            entry(21, "CONSTRAINT", "b b_pkey", &[2]),
            entry(22, "CONSTRAINT", "c c_pkey", &[3]),
            entry(31, "FK CONSTRAINT", "a a_b_fkey", &[1, 21]),
            entry(32, "FK CONSTRAINT", "b b_c_fkey", &[2, 22]),
            entry(33, "FK CONSTRAINT", "c c_c_fkey", &[3, 22]),
        ];
        let sorted = |all: &[Entry]| -> Vec<i32> {
            let data = all.iter().filter(|e| (11..20).contains(&e.dump_id)).collect();
            by_foreign_keys(data, all).iter().map(|e| e.dump_id).collect()
        };
        assert_eq!(sorted(&all), [13, 12, 11, 14]);
        let mut circle = all;
        circle.push(entry(34, "FK CONSTRAINT", "c c_a_fkey", &[3, 1]));
        assert_eq!(sorted(&circle).len(), 4);
    }
}
