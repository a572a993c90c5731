//! After the restore: the rows that are there, against those that the manifest says were saved.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinSet;

use crate::{
    archive::{Manifest, Toc},
    base::{Error, Kind, Result, ResultExt},
    pg::{Session, qualified},
};

/// Counts every table of the manifest in `sessions` at once.
///
/// # Errors
/// [`Kind::Corrupt`] naming the first tables whose count differs.
pub(super) async fn compare(manifest: &Manifest, toc: &Toc, sessions: Vec<Session>) -> Result<u64> {
    let work: VecDeque<(String, u64)> = manifest
        .objects
        .iter()
        .filter_map(|o| {
            let entry = toc.entries.iter().find(|e| Some(e.dump_id) == o.entry)?;
            Some((qualified(entry.namespace.as_deref()?, &entry.tag), o.rows?))
        })
        .collect();
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
                    .query_one(&format!("SELECT pg_catalog.count(*) FROM ONLY {table}"), &[])
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
