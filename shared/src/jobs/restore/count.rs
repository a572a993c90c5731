//! After the restore: the rows that are there, against those that the manifest says were saved.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinSet;

use crate::{
    archive::{Manifest, Toc, toc::Entry},
    base::{Error, Kind, Result, ResultExt},
    pg::{Session, qualified},
};

/// Counts every table of the manifest in `sessions` at once.
///
/// # Errors
/// [`Kind::Corrupt`] naming the first tables whose count differs.
pub(super) async fn compare(manifest: &Manifest, toc: &Toc, sessions: Vec<Session>) -> Result<u64> {
    let by_id: HashMap<i32, &Entry> = toc.entries.iter().map(|e| (e.dump_id, e)).collect();
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for saved in manifest.saved() {
        if let Some(place) = by_id.get(&saved.entry).and_then(|entry| place(entry)) {
            *expected.entry(place.sql()).or_default() += saved.rows;
        }
    }
    let work: VecDeque<(String, u64)> = expected.into_iter().collect();
    let count = work.len() as u64;
    let queue = Arc::new(Mutex::new(work));
    let mut tasks = JoinSet::new();
    for session in sessions {
        let queue = Arc::clone(&queue);
        tasks.spawn(async move {
            let mut wrong = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some((table, rows)) = next else { return Ok::<_, Error>(wrong) };
                let row = session
                    .query_one(&format!("SELECT pg_catalog.count(*) FROM {table}"), &[])
                    .await
                    .map_err(|e| session.error(e))
                    .with_context(|| format!("counting the rows of {table}"))?;
                let there: i64 = row.get(0);
                if u64::try_from(there) != Ok(rows) {
                    wrong.push(format!("{table} has {there} rows instead of {rows}"));
                }
            }
        });
    }
    let mut wrong = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        wrong.extend(
            ended.map_err(|e| Error::with_source(Kind::Internal, "a counting session broke off", e))??,
        );
    }
    if wrong.is_empty() {
        return Ok(count);
    }
    wrong.sort();
    wrong.truncate(5);
    Err(Error::new(Kind::Corrupt, format!("after the restore {}", wrong.join(", "))))
}

/// Where an entry's rows stand after a restore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::jobs) struct Place {
    /// The qualified name, quoted.
    pub table: String,
    /// Without what inherits from it.
    pub only: bool,
    /// The columns that the archive has, quoted, as in the COPY statement; empty for none.
    pub columns: String,
}

impl Place {
    /// As it stands after FROM.
    pub(in crate::jobs) fn sql(&self) -> String {
        if self.only { format!("ONLY {}", self.table) } else { self.table.clone() }
    }
}

/// Where an entry's rows are to be counted: in its table alone, or, when they were loaded through the root of its partitions (they may then stand in
/// other partitions than before), in the root with all that is below it. The slices of one table come to the same place.
pub(in crate::jobs) fn place(entry: &Entry) -> Option<Place> {
    let itself = qualified(entry.namespace.as_deref()?, &entry.tag);
    // The statement names the root as it was quoted when the archive was made.
    let rest = entry.copy_stmt.as_deref()?.strip_prefix("COPY ")?;
    let (into, after) = rest.split_at(end_of_name(rest));
    let columns = after.rsplit_once(") FROM stdin").and_then(|(c, _)| c.trim_start().strip_prefix('('));
    let columns = columns.unwrap_or_default().to_owned();
    let via_root = entry.defn.as_deref().is_some_and(|d| d.trim().starts_with("-- load via partition root "));
    // A slice of a table has the table itself for a root: what inherits from it is counted on its own.
    Some(match via_root && into != itself {
        true => Place { table: into.to_owned(), only: false, columns },
        false => Place { table: itself, only: true, columns },
    })
}

/// Length of the qualified name at the beginning of `sql`: up to the first blank outside of quotes.
fn end_of_name(sql: &str) -> usize {
    let mut quoted = false;
    for (at, c) in sql.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => return at,
            _ => {}
        }
    }
    sql.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_loaded_through_a_root_are_counted_there() {
        let counted_in = |e: &Entry| place(e).map(|p| p.sql());
        let mut e = Entry { namespace: Some("public".into()), tag: "leaf".into(), ..Entry::default() };
        e.copy_stmt = Some("COPY public.leaf (a) FROM stdin;\n".into());
        assert_eq!(counted_in(&e).unwrap(), "ONLY public.leaf");
        e.defn = Some("-- load via partition root public.\"the root\"".into());
        e.copy_stmt = Some("COPY public.\"the \"\"root\" (a) FROM stdin;\n".into());
        assert_eq!(counted_in(&e).unwrap(), "public.\"the \"\"root\"");
        e.defn = Some("-- load via partition root public.leaf".into());
        e.copy_stmt = Some("COPY public.leaf (a) FROM stdin;\n".into());
        assert_eq!(counted_in(&e).unwrap(), "ONLY public.leaf");
    }

    #[test]
    fn columns_are_those_of_the_copy() {
        let of = |copy: &str| {
            let (namespace, tag) = (Some("s".to_owned()), "t".to_owned());
            place(&Entry { namespace, tag, copy_stmt: Some(copy.into()), ..Entry::default() }).unwrap()
        };
        assert_eq!(of("COPY s.t (a, \"b) FROM stdin\") FROM stdin;\n").columns, "a, \"b) FROM stdin\"");
        assert_eq!(of("COPY s.t  FROM stdin;\n").columns, "");
        assert_eq!(of("COPY s.t () FROM stdin;\n").columns, "");
    }
}
