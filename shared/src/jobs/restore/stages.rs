//! The stages of a restore: entries one after the other, or a graph of them in many sessions; each leaves out what is done, and ends early when the
//! function's time is up.

use std::sync::Arc;

use super::{
    graph::{Graph, Step},
    marks::Marks,
    runner::{Loaded, Runner},
    statement::Settings,
    target::{self, Speech},
    work::Restore,
};
use crate::{
    archive::toc::Entry,
    base::{Kind, Result},
    pg::Session,
};

/// The first major version with `pg_restore_relation_stats`.
const STATISTICS_SINCE: u32 = 18;

/// Entries to a transaction and round trip, where each takes the server little time: pre-data and grants.
pub(super) const TOGETHER: usize = 64;

/// Bytes of their definitions.
const TOGETHER_BYTES: usize = 64 << 10;

impl Restore<'_> {
    /// Runs entries in their order, up to `together` at once; false when the function's time is up before the last one.
    pub(super) async fn serial(
        &self,
        runner: &Runner,
        session: &Session,
        places: &[usize],
        together: usize,
        told: &mut Settings,
        warnings: &mut Vec<String>,
    ) -> Result<bool> {
        let entries = places.iter().map(|&place| &runner.source.toc.entries[place]);
        let todo: Vec<&Entry> = entries.filter(|e| !runner.marks.has(e.dump_id)).collect();
        for group in groups(&todo, together) {
            if runner.shift.is_over() {
                return Ok(false);
            }
            if group.len() > 1 && runner.together(session, group, told).await {
                continue;
            }
            for entry in group {
                match runner.entry(session, entry, told).await {
                    Ok(_) => {}
                    // Only the extension's owner may; managed services own what they install. The extension works all the same.
                    Err(e)
                        if e.kind() == Kind::Permission
                            && entry.desc == "COMMENT"
                            && entry.tag.starts_with("EXTENSION ") =>
                    {
                        warnings.push(e.to_string());
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(true)
    }

    /// Runs these steps at once, as far as they depend on each other; none when the function's time is up before all are done.
    pub(super) async fn parallel(
        &self,
        runner: &Arc<Runner>,
        session: &Session,
        steps: Vec<Step>,
        speech: &Speech,
    ) -> Result<Option<Loaded>> {
        if steps.is_empty() {
            return Ok(Some(Loaded::default()));
        }
        let jobs = self.request.jobs.map_or(self.platform.config.concurrency, usize::from).max(1);
        let sessions = self.sessions(session, speech, jobs.min(steps.len())).await?;
        runner.parallel(Graph::new(steps), sessions).await
    }

    /// Gives the planner its statistics; what could not be done, for the record. None when the function's time is up.
    pub(super) async fn statistics(
        &self,
        runner: &Arc<Runner>,
        session: &Session,
        steps: Vec<Step>,
        speech: &Speech,
    ) -> Result<Option<Option<String>>> {
        let all = steps.len();
        let major = session.version().major();
        if all > 0 && major < STATISTICS_SINCE {
            return Ok(Some(Some(format!(
                "the planner's statistics of {all} relations were left out, since PostgreSQL {major} cannot restore them: run ANALYZE"
            ))));
        }
        let steps = left(steps, &runner.marks);
        let Some(Loaded { refused, .. }) = self.parallel(runner, session, steps, speech).await? else {
            return Ok(None);
        };
        Ok(Some(refused.first().map(|first| {
            let count = refused.len();
            format!(
                "the planner's statistics of {count} relations could not be restored, run ANALYZE: {first}"
            )
        })))
    }

    /// Sessions to the same server as `session`; as many as it admits, one at least.
    pub(super) async fn sessions(
        &self,
        session: &Session,
        speech: &Speech,
        wanted: usize,
    ) -> Result<Vec<Session>> {
        let info = session.same_server();
        let mut all = Vec::new();
        for n in 0..wanted.max(1) {
            match target::join(&info, speech).await {
                Ok(session) => all.push(session),
                Err(e) if n > 0 && e.kind() == Kind::Unreachable => {
                    tracing::warn!(error = %e, opened = n, wanted, "the target admits fewer sessions than wanted");
                    break;
                }
                Err(e) => return Err(e.context("opening a session to restore with")),
            }
        }
        Ok(all)
    }
}

/// The steps that are not done; what others wait for and is not among them counts as done.
pub(super) fn left(steps: Vec<Step>, marks: &Marks) -> Vec<Step> {
    steps.into_iter().filter(|step| !marks.has(step.id)).collect()
}

/// Neighbours of a list, at most `most` of them and [`TOGETHER_BYTES`] of definitions in each group.
fn groups<'a, 'e>(entries: &'a [&'e Entry], most: usize) -> Vec<&'a [&'e Entry]> {
    let mut all = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (n, entry) in entries.iter().enumerate() {
        let size = entry.defn.as_ref().map_or(0, String::len);
        if n > start && (n - start >= most || bytes + size > TOGETHER_BYTES) {
            all.push(&entries[start..n]);
            (start, bytes) = (n, 0);
        }
        bytes += size;
    }
    if start < entries.len() {
        all.push(&entries[start..]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_entries_go_together() {
        let of = |bytes: usize| Entry { defn: Some("x".repeat(bytes)), ..Entry::default() };
        let (small, large) = (of(10), of(60 << 10));
        let sizes = |entries: &[&Entry], most| -> Vec<usize> {
            groups(entries, most).iter().map(|g| g.len()).collect()
        };
        assert_eq!(sizes(&[&small; 7], 3), [3, 3, 1]);
        assert_eq!(sizes(&[&small, &large, &large, &small, &small], 64), [2, 3]);
        assert_eq!(sizes(&[&large; 3], 64), [1, 1, 1]);
        assert_eq!(sizes(&[&small; 2], 1), [1, 1]);
        assert!(groups(&[], 64).is_empty());
    }
}
