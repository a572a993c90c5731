//! What one function does of a restore: from where it stands to its end, or as far as the function's time goes.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    Found, count,
    database::Properties,
    graph::{Graph, Step},
    lingering,
    marks::{Marks, Notes},
    plan,
    preflight::{self, Wanted},
    roles,
    runner::{InWork, Loaded, Parts, Runner},
    shift::Shift,
    source::Source,
    statement::Settings,
    target::{self, Speech, Target},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result, id::RunId},
    jobs::{
        Platform,
        progress::Tally,
        request::{RestoreRequest, RestoreTarget},
        run::Outcome,
    },
    ledger::{Completion, Lease, Record, Status},
    pg::{ConnInfo, Session},
};

/// The first major version with `pg_restore_relation_stats`.
const STATISTICS_SINCE: u32 = 18;

/// The record's phase from which on nothing is left to do in the target once its marks are gone.
pub(super) const FINISHING: &str = "finishing";

/// Entries to a transaction and round trip, where each takes the server little time: pre-data and grants.
const TOGETHER: usize = 64;

/// Bytes of their definitions.
const TOGETHER_BYTES: usize = 64 << 10;

/// One function's part in a restore.
pub(super) struct Restore<'a> {
    pub platform: &'a Platform,
    pub request: &'a RestoreRequest,
    pub record: &'a Record,
    pub lease: &'a Lease,
    /// Of the function's time, when it began.
    pub left: Duration,
    /// Set when the target's database was created by this run.
    pub created: &'a AtomicBool,
    /// Set when the first statement that changes the target is about to go out.
    pub touched: &'a AtomicBool,
}

/// A target with all of the archive but what comes last, in the session that will do that.
pub(super) struct Filled<'a> {
    pub target: Target<'a>,
    pub session: Session,
    pub runner: Arc<Runner>,
    pub properties: Properties,
    /// Places of the event triggers and what hangs on them.
    pub event_triggers: Vec<usize>,
    pub completion: Completion,
}

impl Restore<'_> {
    /// Goes on with the restore. `runs` are this one and those it repeats.
    ///
    /// # Errors
    /// What makes the restore fail.
    pub(super) async fn work(&self, found: &Found, runs: &[RunId]) -> Result<Outcome> {
        let may_go_on = self.record.hops.unwrap_or_default() < self.platform.config.max_hops;
        let shift = Shift::new(self.left, may_go_on);
        let runner = OnceLock::new();
        let (found_some, begin) = oneshot::channel();
        let done = tokio::select! {
            done = self.phases(found, runs, shift, &runner, found_some) => done?,
            () = shift.end() => None,
            never = lingering::release(begin, runs) => match never {},
        };
        match done {
            Some(completion) => Ok(Outcome::Completed(completion)),
            None => self.hand_over(runner.get().map(AsRef::as_ref)).await,
        }
    }

    /// How the target is reached.
    pub(super) async fn connection(&self) -> Result<ConnInfo> {
        let info = match &self.request.target {
            RestoreTarget::Main => self.platform.configured(false).await?,
            RestoreTarget::Backup => self.platform.configured(true).await?,
            RestoreTarget::Named(name) if *name == self.platform.config.database => {
                self.platform.configured(false).await?
            }
            RestoreTarget::Named(name) => {
                return Err(Error::new(
                    Kind::NotFound,
                    format!("no database is registered under the name {name}"),
                ));
            }
            RestoreTarget::Secret(secret) => self.platform.secret_connection(secret).await?,
        };
        let info = info.with_application_name(&lingering::name(&self.record.id, self.lease.fence()));
        Ok(match &self.request.new_database {
            Some(database) => info.with_database(database),
            None => info,
        })
    }

    /// All phases from where the target stands; none when the function's time is up before the last one.
    async fn phases(
        &self,
        found: &Found,
        runs: &[RunId],
        shift: Shift,
        slot: &OnceLock<Arc<Runner>>,
        found_some: oneshot::Sender<ConnInfo>,
    ) -> Result<Option<Completion>> {
        let Platform { config, ledger, .. } = self.platform;
        let mut source = Source::open(found.store.clone(), &found.folder, found.checksum.as_deref()).await?;
        let choices = self.request.choices;
        roles::rename(&mut source.toc.entries, &self.request.role_map)?;
        let plan = plan::plan(&source.toc, choices, |e| source.size(e))?;

        let info = self.connection().await?;
        let create = self.request.create_database || self.request.new_database.is_some();
        let encoding = plan::encoding(&source.toc)?;
        let of_database = plan.database.iter().map(|&place| &source.toc.entries[place]);
        let properties = Properties::of(of_database, info.database(), choices)?;
        let archive = source.identity();
        let taken_over = self.record.status == Status::InProgress;
        let target = Target {
            info: &info,
            runs,
            archive: &archive,
            finishing: taken_over && self.record.phase.as_deref() == Some(FINISHING),
            created: self.created,
        };
        let (session, standing) = target.open(create.then_some(source.manifest.as_ref()), ledger).await?;
        ledger.describe(self.lease, &session.version().to_string()).await?;
        let mut speech = Speech { encoding, index_memory_mb: config.maintenance_work_mem_mb, hasty: false };
        let (marks, notes) = match standing {
            // What is certain of it stands in the record.
            target::Found::Finished => return Ok(Some(Completion::default())),
            target::Found::Begun(marks, notes) => {
                let _ = found_some.send(session.same_server());
                (marks, notes)
            }
            target::Found::Empty => self.prepare(&session, &source, &properties, &speech, &archive).await?,
        };
        self.touched.store(true, Relaxed);
        let mut warnings = info.warnings();
        warnings.extend(notes.warnings);
        for entry in &mut source.toc.entries {
            if entry.tablespace.as_ref().is_some_and(|t| notes.absent_tablespaces.contains(t)) {
                entry.tablespace = Some(String::new());
            }
        }
        speech.hasty = marks.kept();
        target::speak(&session, &speech).await?;

        let filled = |e: &&Entry| e.had_dumper && e.copy_stmt.is_some() && !choices.schema_only;
        let tables = Parts::of(source.toc.entries.iter().filter(filled)).tables();
        let parts = Parts::of(source.toc.entries.iter().filter(filled).filter(|e| !marks.has(e.dump_id)));
        let bytes = source.toc.entries.iter().filter(filled).map(|e| source.size(e)).sum();
        let tally = Arc::new(Tally::new(tables, bytes));
        self.count_done(&tally, &source, &marks, tables - parts.tables());
        let reporter = tally.report_to(ledger.clone(), self.lease.clone());
        let shift = if marks.kept() { shift } else { shift.alone() };
        let runner = Arc::new(Runner { source, choices, tally, parts, marks, shift, at: InWork::default() });
        let _ = slot.set(Arc::clone(&runner));
        let mut told = Settings::default();
        let jobs = self.request.jobs.map_or(config.concurrency, usize::from).max(1);

        self.enter("definitions").await?;
        if !self.serial(&runner, &session, &plan.pre_data, TOGETHER, &mut told, &mut warnings).await? {
            return Ok(None);
        }
        self.enter("rows, indexes and constraints").await?;
        let steps = left(plan.parallel, &runner.marks);
        let Some(loaded) = self.parallel(&runner, &session, steps, &speech).await? else { return Ok(None) };
        self.enter("grants and what must come after all else").await?;
        let of_event_triggers =
            |place: &usize| -> bool { is_of_event_trigger(&runner.source.toc.entries[*place]) };
        let (event_triggers, last): (Vec<_>, Vec<_>) = plan.last.iter().partition(|p| of_event_triggers(p));
        if !(self.serial(&runner, &session, &plan.privileges, TOGETHER, &mut told, &mut warnings).await?
            && self.serial(&runner, &session, &last, 1, &mut told, &mut warnings).await?)
        {
            return Ok(None);
        }
        self.enter("statistics").await?;
        match self.statistics(&runner, &session, plan.statistics, &speech).await? {
            Some(refused) => warnings.extend(refused),
            None => return Ok(None),
        }
        let against = match &runner.source.manifest {
            Some(manifest) if !choices.schema_only => {
                self.enter("counting rows").await?;
                let sessions = self.sessions(&session, &speech, jobs).await?;
                let counted = tokio::select! {
                    counted = count::compare(manifest, &runner.source.toc, sessions) => Some(counted?),
                    () = runner.shift.over() => None,
                };
                match counted {
                    Some(n) => format!("; {n} tables counted, all as the manifest says"),
                    None if runner.at.done() > 0 => return Ok(None),
                    None => {
                        // The server has said of each COPY how many rows it stored; a second count is not worth an endless restore.
                        warnings.push("the rows were not counted again after the restore, which takes longer than one function has time".to_owned());
                        String::new()
                    }
                }
            }
            _ => String::new(),
        };
        drop(reporter);
        ledger.progress(self.lease, &runner.tally.whole()).await?;
        let rows = runner.marks.rows() + loaded.rows;
        let message =
            format!("{tables} tables with {rows} rows restored into {}{against}", session.info().describe());
        let completion = Completion {
            record_count: Some(rows),
            table_count: Some(tables),
            message: Some(message),
            warnings,
            ..Completion::default()
        };
        let filled = Filled { target, session, runner, properties, event_triggers, completion };
        self.finish(filled, &mut told).await.map(Some)
    }

    /// Looks whether the target can take the archive, and makes the marks.
    async fn prepare(
        &self,
        session: &Session,
        source: &Source,
        properties: &Properties,
        speech: &Speech,
        archive: &str,
    ) -> Result<(Marks, Notes)> {
        let source_encoding = match &source.manifest {
            Some(manifest) => Some(manifest.database.encoding.clone()),
            None => plan::database_encoding(&source.toc),
        };
        let choices = self.request.choices;
        let wanted = Wanted {
            entries: source.toc.entries.iter().filter(|e| choices.want(e)).collect(),
            properties,
            version: source.toc.header.server_version.as_deref(),
            encoding: source_encoding.as_deref().unwrap_or(&speech.encoding),
            choices,
            allow_older: self.request.allow_older,
        };
        let found = preflight::check(session, &wanted).await?;
        let mut notes = Notes {
            warnings: found.warnings,
            absent_tablespaces: found.absent_tablespaces.into_iter().collect(),
        };
        self.touched.store(true, Relaxed);
        let (marks, none) =
            Marks::make(session, &self.record.id, archive, &notes, &source.toc.entries).await?;
        notes.warnings.extend(none);
        Ok((marks, notes))
    }

    /// Takes up the progress of the functions before.
    fn count_done(&self, tally: &Tally, source: &Source, marks: &Marks, tables: u64) {
        for _ in 0..tables {
            tally.part(0, true);
        }
        let done = source.toc.entries.iter().filter(|e| e.had_dumper && marks.has(e.dump_id));
        tally.part(done.map(|e| source.size(e)).sum(), false);
        if marks.rows() > 0 {
            tally.bytes(self.record.progress.map_or(0, |p| p.bytes_done));
        }
    }

    /// Tells the record what the run is at.
    async fn enter(&self, phase: &str) -> Result<()> {
        self.platform.ledger.stage(self.lease, phase, Completion::default()).await
    }

    /// Runs entries in their order, up to `together` at once; false when the function's time is up before the last one.
    async fn serial(
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

    async fn parallel(
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
    async fn statistics(
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
    async fn sessions(&self, session: &Session, speech: &Speech, wanted: usize) -> Result<Vec<Session>> {
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

/// Event triggers and their comments and labels.
fn is_of_event_trigger(entry: &Entry) -> bool {
    entry.desc == "EVENT TRIGGER" || entry.tag.starts_with("EVENT TRIGGER ")
}

/// The steps that are not done; what others wait for and is not among them counts as done.
fn left(steps: Vec<Step>, marks: &Marks) -> Vec<Step> {
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
