//! Rows on many functions: a worker loads a few files of the archive, each in one transaction with its mark, so that whoever comes after finds it done.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    graph::Step,
    in_work::{InWork, Parts},
    lingering,
    marks::Marks,
    packed, plan,
    runner::Runner,
    schemas,
    shift::Shift,
    source::Source,
    statement::Settings,
    target::{self, Speech},
    work::{Restore, connection},
};
use crate::{
    base::{Error, Kind, Result, ResultExt, id::RunId},
    fanout::Executor,
    jobs::{
        Invocation, Platform,
        progress::Tally,
        request::RestoreRequest,
        workers::{self, Items, Piece},
    },
    pg::{Session, literal},
    store::ObjectKey,
};

/// Below the prefix, where no database's backups can be: names of databases begin with a letter or a digit. The bucket's lifecycle ends what is there.
const FOLDER: &str = "_restores";

/// How much more text there is than what is stored, where no manifest says it.
const EXPANSION: u64 = 4;

/// How often marks are read while workers set them, for the record's progress.
const LOOK: Duration = Duration::from_secs(10);

/// One file to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    /// Dump id of its entry.
    entry: i32,
    /// Bytes of COPY text to expect.
    bytes: u64,
}

impl Piece for File {
    fn weight(&self) -> u64 {
        self.bytes
    }
    fn name(&self) -> String {
        format!("entry {}", self.entry)
    }
}

/// What every worker is told of a restore.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    id: RunId,
    /// The restore's event.
    request: Value,
}

impl Restore<'_> {
    /// Loads the rows of these steps with workers, where there are enough of them for that to be worthwhile and marks to tell what is done. False when the
    /// function's time is up before they are loaded.
    ///
    /// # Errors
    /// The failure of the worker that ended it all.
    pub(super) async fn load_by_workers(
        &self,
        runner: &Runner,
        session: &Session,
        steps: &[Step],
    ) -> Result<bool> {
        let Platform { config, store, .. } = self.platform;
        let files = files(&runner.source, steps);
        let bytes: u64 = files.iter().map(|f| f.bytes).sum();
        let done = files.iter().all(|f| runner.marks.has(f.entry));
        if config.worker_machine.is_none()
            || bytes <= config.fan_out_bytes
            || !runner.marks.kept()
            || done
            || runner.source.is_for_recipients()
        {
            return Ok(true);
        }
        let told = Told { id: self.record.id.clone(), request: self.request.to_event() };
        let told = serde_json::to_value(told)
            .map_err(|e| Error::with_source(Kind::Internal, "a run cannot be told to workers", e))?;
        let items = Items {
            store: store.clone(),
            key: ObjectKey::parse(&format!("{}{FOLDER}/{}/work.json", config.prefix, self.record.id))?,
            workers: config.workers,
            size: config.slice_bytes,
            kind: "restore",
            told,
        };
        let map = workers::map(self.platform, &self.record.id, items)?;
        // Shared with nobody: the select below is what stops waiting.
        let drain = CancellationToken::new();
        runner.at.set_elsewhere(true);
        let looking = async {
            loop {
                tokio::time::sleep(LOOK).await;
                if let Err(e) = self.take_up(runner, session, &files).await {
                    tracing::debug!(error = %e, "looking at what workers have done");
                }
            }
        };
        let ended = tokio::select! {
            ended = map.run(files.clone(), &drain) => ended,
            () = looking => Ok(()),
            () = runner.shift.over() => return Ok(false),
        };
        runner.at.set_elsewhere(false);
        if let Err(e) = ended {
            return Err(workers::failure(self.platform, &self.record.id).await.unwrap_or(e));
        }
        self.take_up(runner, session, &files).await?;
        Ok(true)
    }

    /// Reads which files workers have loaded, and counts them as progress.
    async fn take_up(&self, runner: &Runner, session: &Session, files: &[File]) -> Result<()> {
        let before: HashSet<i32> = files.iter().map(|f| f.entry).filter(|id| runner.marks.has(*id)).collect();
        runner.marks.refresh(session).await?;
        for file in files.iter().filter(|f| !before.contains(&f.entry) && runner.marks.has(f.entry)) {
            let Some(entry) = runner.source.entry(file.entry) else { continue };
            runner.tally.bytes(file.bytes);
            runner.tally.part(runner.source.size(entry), runner.parts.done(entry));
        }
        Ok(())
    }
}

/// The files of tables that wait for no other file, largest first: the same list in every function of a run, whatever is done by then.
fn files(source: &Source, steps: &[Step]) -> Vec<File> {
    let among: HashSet<i32> = steps.iter().map(|s| s.id).collect();
    let mut files: Vec<File> = steps
        .iter()
        .filter(|s| !s.after.iter().any(|id| among.contains(id)))
        .filter_map(|s| source.entry(s.id))
        .filter(|e| e.had_dumper && !plan::is_large_objects(e))
        .map(|e| {
            let listed = source.file(e).ok().and_then(|(name, _)| source.listed(&name));
            let bytes = listed.map_or(source.size(e) * EXPANSION, |l| l.raw_bytes);
            File { entry: e.dump_id, bytes }
        })
        .collect();
    files.sort_by_key(|f| (std::cmp::Reverse(f.bytes), f.entry));
    files
}

/// Loads the files of one item; gives how many were loaded now.
///
/// # Errors
/// As [`workers::attend`].
pub(in crate::jobs) async fn work(
    platform: &Platform,
    invocation: &Invocation,
    told: Value,
    item: Value,
) -> Result<Value> {
    let (told, files): (Told, Vec<File>) = workers::parse(told, item)?;
    let request = RestoreRequest::from_event(told.request)?;
    let record = platform.ledger.get(&told.id).await?;
    let done =
        workers::attend(platform, invocation, &record, load(platform, &request, &told.id, &files)).await?;
    Ok(json!({"done": done}))
}

async fn load(platform: &Platform, request: &RestoreRequest, run: &RunId, files: &[File]) -> Result<u64> {
    let Some(first) = files.first() else { return Ok(0) };
    let found = super::find(platform, request).await?;
    let mut source = packed::source(platform, &found, run).await?;
    let archive = source.identity();
    if request.choices.data_only {
        schemas::redirect(&mut source.toc.entries, &request.rename_schemas)?;
    }
    let name = lingering::loader(run, first.entry);
    let info = connection(platform, request).await?.with_application_name(&name);
    let quiet = request.choices.data_only;
    let speech = Speech { encoding: plan::encoding(&source.toc)?, index_memory_mb: 0, hasty: true, quiet };
    let session = target::join(&info, &speech).await?;
    end_others(&session, &name).await?;
    let standing = Marks::find(&session).await?.filter(|s| s.archive == archive);
    if standing.is_none() {
        let why = format!("the target of the restore {run} holds no marks of it");
        return Err(Error::new(Kind::Conflict, why));
    }
    let marks = Marks::read(&session).await?;
    let open: Vec<i32> = files.iter().map(|f| f.entry).filter(|id| !marks.has(*id)).collect();
    let runner = Runner {
        parts: Parts::default(),
        choices: request.choices,
        tally: Arc::new(Tally::new(0, 0)),
        marks,
        shift: Shift::endless(),
        at: InWork::default(),
        source,
    };
    let mut told = Settings::default();
    for id in &open {
        let entry = runner.source.entry(*id).filter(|e| e.had_dumper).ok_or_else(|| {
            Error::new(Kind::InvalidInput, format!("the archive has no rows under entry {id}"))
        })?;
        runner.entry(&session, entry, &mut told).await?;
    }
    session.close().await;
    Ok(open.len() as u64)
}

/// Ends the sessions of earlier tries at the same item: one whose function is gone may hold a mark until TCP gives it up.
async fn end_others(session: &Session, name: &str) -> Result<()> {
    let sql = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE application_name = {} AND usename = CURRENT_USER AND wait_event_type = 'Client' AND pid <> pg_catalog.pg_backend_pid()",
        literal(name)
    );
    let ended = session.batch_execute(&sql).await;
    ended.map_err(|e| session.error(e)).context("ending the sessions of an earlier worker")
}
