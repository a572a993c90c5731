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
    in_work::{InWork, Parts},
    lingering,
    marks::{Marks, Notes},
    packed::Unpacked,
    plan,
    preflight::{self, Wanted},
    runner::Runner,
    schemas,
    selected::Selected,
    shift::Shift,
    source::Source,
    stages::{TOGETHER, left},
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
        validate,
    },
    ledger::{Completion, DatabaseSource, Lease, Record, Status},
    pg::{ConnInfo, Session},
};

/// The record's phase from which on nothing is left to do in the target once its marks are gone.
pub(super) const FINISHING: &str = "finishing";

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
    /// What was made of a backup that is no archive.
    pub unpacked: &'a Unpacked,
}

/// A target with all of the archive but what comes last, in the session that will do that.
pub(super) struct Filled<'a> {
    pub target: Target<'a>,
    pub session: Session,
    pub runner: Arc<Runner>,
    pub properties: Properties,
    /// Places of the event triggers and what hangs on them.
    pub event_triggers: Vec<usize>,
    /// Statements that give schemas their new names.
    pub renames: Vec<String>,
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
            Some(completion) => Ok(Outcome::Completed(Box::new(completion))),
            None => self.hand_over(runner.get().map(AsRef::as_ref)).await,
        }
    }

    /// How the target is reached.
    pub(super) async fn connection(&self) -> Result<ConnInfo> {
        let info = connection(self.platform, self.request).await?;
        Ok(info.with_application_name(&lingering::name(&self.record.id, self.lease.fence())))
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
        let mut source = self.open(found).await?;
        // Before entries are left out: workers read them all.
        let archive = source.identity();
        let selected = Selected::of(&mut source, self.request)?;
        let choices = self.request.choices;
        let mut plan = plan::plan(&source.toc, choices, |e| source.size(e))?;

        let info = self.connection().await?;
        let create = !(self.request.must_exist || choices.data_only)
            && (self.request.create_database || self.request.new_database.is_some());
        let encoding = plan::encoding(&source.toc)?;
        let of_database = plan.database.iter().map(|&place| &source.toc.entries[place]);
        let properties = Properties::of(of_database, info.database(), choices)?;
        let taken_over = self.record.status == Status::InProgress;
        let target = Target {
            info: &info,
            runs,
            archive: &archive,
            finishing: taken_over && self.record.phase.as_deref() == Some(FINISHING),
            occupied: self.request.drop_existing || choices.data_only,
            created: self.created,
        };
        let (session, standing) = target.open(create.then_some(source.manifest.as_ref()), ledger).await?;
        ledger.describe(self.lease, &session.version().to_string()).await?;
        let index_memory_mb = config.maintenance_work_mem_mb;
        let mut speech = Speech { encoding, index_memory_mb, hasty: false, quiet: choices.data_only };
        let loading = match (&selected.destinations, &standing) {
            (Some(to), target::Found::New) => Some(to.look(&session, true).await?),
            (Some(to), target::Found::Begun(..)) => Some(to.look(&session, false).await?),
            _ => None,
        };
        let (marks, notes) = match standing {
            // What is certain of it stands in the record.
            target::Found::Finished => return Ok(Some(Completion::default())),
            target::Found::Begun(marks, notes) => {
                let _ = found_some.send(session.same_server());
                (marks, notes)
            }
            target::Found::New => {
                self.refuse_a_second_drop().await?;
                self.prepare(&session, &source, &selected, &properties, &speech, &archive).await?
            }
        };
        self.touched.store(true, Relaxed);
        let mut warnings = info.warnings();
        warnings.extend(notes.warnings);
        warnings.extend(selected.warnings);
        plan.leave_out(&notes.kept, &source.toc);
        if let Some(loading) = &loading {
            loading.put_in_order(&mut plan.parallel);
            warnings.extend(loading.warnings.iter().cloned());
        }
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
        if !self.load_by_workers(&runner, &session, &plan.parallel).await? {
            return Ok(None);
        }
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
        let unchecked = loading.as_ref().and_then(|l| l.unchecked.as_deref());
        let restored = session.same_server();
        if self.request.validate {
            self.enter("validating").await?;
            warnings.extend(tokio::select! {
                found = validate::warnings(&restored, self.left) => found,
                () = runner.shift.over() => vec!["the restored database was not validated: the function's time was up".to_owned()],
            });
        } else if let Some(of) = unchecked {
            self.enter("checking foreign keys").await?;
            warnings.extend(tokio::select! {
                found = validate::orphans(&restored, self.left, of) => found,
                () = runner.shift.over() => vec!["the foreign keys of the rows were not checked: the function's time was up".to_owned()],
            });
        }
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
        let renames = selected.renames;
        let filled = Filled { target, session, runner, properties, event_triggers, renames, completion };
        self.finish(filled, &mut told).await.map(Some)
    }

    /// Where the run that this one repeats was about to commit the last of it, nobody knows whether it did: its marks would be gone as well. What it
    /// restored, and what was written there since, must not be dropped then.
    async fn refuse_a_second_drop(&self) -> Result<()> {
        let before = match &self.record.retry_of {
            Some(id) if self.request.drop_existing => self.platform.ledger.find(id).await?,
            _ => None,
        };
        match before.filter(|r| r.phase.as_deref() == Some(FINISHING)) {
            None => Ok(()),
            Some(r) => Err(Error::new(
                Kind::Conflict,
                format!(
                    "the restore {} may have come to its end when its function was stopped: look at the target, and ask anew if it is not done",
                    r.id
                ),
            )),
        }
    }

    /// Looks whether the target can take the archive, drops what may go, and makes the marks.
    async fn prepare(
        &self,
        session: &Session,
        source: &Source,
        selected: &Selected,
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
            kept: Vec::new(),
        };
        if !selected.renames.is_empty() {
            schemas::may_rename(session, &self.request.rename_schemas).await?;
            if self.request.drop_existing && !self.created.load(Relaxed) {
                schemas::refuse_dropping(session, &self.request.rename_schemas).await?;
            }
        }
        let existing = selected.existing.as_ref().filter(|_| !self.created.load(Relaxed));
        let Some(existing) = existing else {
            self.touched.store(true, Relaxed);
            let (marks, none) =
                Marks::make(session, &self.record.id, archive, &notes, &source.toc.entries).await?;
            notes.warnings.extend(none);
            return Ok((marks, notes));
        };
        self.enter("dropping what stands there").await?;
        let told = |e| session.error(e);
        session.batch_execute("BEGIN").await.map_err(told)?;
        let made = async {
            let (kept, warnings) = existing.clear(session).await?;
            schemas::refuse_kept(&source.toc, &kept, &self.request.rename_schemas)?;
            notes.kept = kept;
            notes.warnings.extend(warnings);
            let (marks, none) =
                Marks::make(session, &self.record.id, archive, &notes, &source.toc.entries).await?;
            notes.warnings.extend(none);
            Ok(marks)
        };
        match made.await {
            Ok(marks) => {
                self.touched.store(true, Relaxed);
                session.batch_execute("COMMIT").await.map_err(told)?;
                Ok((marks, notes))
            }
            Err(e) => {
                if Error::kind(&e) != Kind::ServerLost {
                    session.batch_execute("ROLLBACK").await.map_err(told)?;
                }
                Err(e)
            }
        }
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
    pub(super) async fn enter(&self, phase: &str) -> Result<()> {
        self.platform.ledger.stage(self.lease, phase, Completion::default()).await
    }
}

/// How the target of a restore is reached, once it is known which one it is ([`crate::jobs::databases::pinned_target`]).
///
/// # Errors
/// Those of reading the connection string.
pub(in crate::jobs) async fn connection(platform: &Platform, request: &RestoreRequest) -> Result<ConnInfo> {
    let info = match &request.target {
        RestoreTarget::Main => platform.configured(false).await?,
        RestoreTarget::Backup => platform.configured(true).await?,
        RestoreTarget::Named(name) => {
            let why = format!("nobody has looked up how {name} is reached");
            return Err(Error::new(Kind::Internal, why));
        }
        RestoreTarget::Secret(secret) => platform.secret_connection(secret).await?,
        RestoreTarget::Iam(login) => platform.registered(&DatabaseSource::Iam(login.clone())).await?,
    };
    Ok(match &request.new_database {
        Some(database) => info.with_database(database),
        None => info,
    })
}

/// Event triggers and their comments and labels.
fn is_of_event_trigger(entry: &Entry) -> bool {
    entry.desc == "EVENT TRIGGER" || entry.tag.starts_with("EVENT TRIGGER ")
}
