//! One function's share of a backup: it holds the snapshot while its readers, or workers elsewhere, do the tasks; then it finishes the archive, or hands
//! over to its successor.

use std::{collections::HashMap, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{
    board::{Board, Done},
    many,
    places::Places,
    plan::Task,
    readers::{Reader, affordable},
    relay,
    saver::Saver,
    seal::Seal,
    watch,
    work::Work,
};
use crate::{
    archive::{Toc, manifest::Object},
    base::{Error, Format, Kind, Result, ResultExt, config::Compression},
    fanout::{Executor, Here},
    jobs::{
        Invocation, Platform,
        convert::{self, Form, Output, Parts, Written},
        decoded::expected,
        request::BackupRequest,
        run::Outcome,
    },
    ledger::{Lease, Record},
    pg::Snapshot,
};

/// Connections of a backup beside its readers: the holder, the one that watches, and the holder that takes over.
const BESIDES: usize = 3;

/// How many tasks are read at once, and whether by workers in functions of their own.
pub(super) fn way(platform: &Platform, invocation: &Invocation, expected_bytes: u64) -> (bool, usize) {
    let config = &platform.config;
    let ceiling = config.limits.connections.saturating_sub(BESIDES).max(1);
    match config.worker_machine {
        Some(_) if expected_bytes > config.fan_out_bytes => (true, config.workers.min(ceiling)),
        _ => (false, affordable(config.concurrency, invocation.budget.memory_bytes()).min(ceiling)),
    }
}

/// What a function needs for its share.
pub(super) struct Hop<'a> {
    pub platform: &'a Platform,
    pub invocation: &'a Invocation,
    pub request: &'a BackupRequest,
    pub record: &'a Record,
    pub lease: &'a Lease,
    /// The session that holds the snapshot, with every lock that what is left needs.
    pub holder: Snapshot,
    /// What the backup is.
    pub work: Work,
    /// Where its files go.
    pub places: Places,
    /// What earlier functions have done.
    pub saved: HashMap<String, Vec<Object>>,
    /// Hand-overs so far.
    pub number: u64,
}

impl Hop<'_> {
    /// Does the share.
    ///
    /// # Errors
    /// The first failure of a task, of the snapshot, of a limit on the source, or of the hand-over.
    pub(super) async fn run(mut self) -> Result<Outcome> {
        let Platform { config, ledger, .. } = self.platform;
        let (run, format) = (&self.record.id, self.places.format);
        let saver = Saver { place: self.places.parts.clone() };
        let saved = std::mem::take(&mut self.saved);
        let board = Arc::new(Board::new(ledger, run, &self.work.plan, saved));
        let reporter = board.tally.report_to(ledger.clone(), self.lease.clone());
        let all_read = board.open(&self.work.plan).is_empty();
        let mut warnings = self.work.warnings.clone();
        let (many, at_once) = way(self.platform, self.invocation, self.work.plan.expected_bytes());
        let wanted = if many { config.workers } else { config.concurrency };
        if at_once < wanted {
            let fewer = format!(
                "only {at_once} of {wanted} tables are read at once: the function has too little memory for more, or BACKUP_MAX_CONNECTIONS ({}) allows no more",
                config.limits.connections
            );
            // An earlier function may have said so.
            if !warnings.contains(&fewer) {
                warnings.push(fewer);
            }
        }
        let drain = CancellationToken::new();
        let mut converted = format.is_archive().then(Written::default);
        let relay = relay::Invitation {
            platform: self.platform,
            budget: &self.invocation.budget,
            request: self.request,
            record: self.record,
            lease: self.lease,
            holder: &self.holder,
            work: &self.work,
            place: &self.places.work,
            board: &board,
            number: self.number,
        };
        {
            let tasks = async {
                if many {
                    if self.number == 0 {
                        self.work.store(&self.places.work).await?;
                    }
                    many::note_holder(ledger, run, &self.holder, self.number).await?;
                    let plan = (&*board, &self.work.plan);
                    let done = many::run(
                        self.platform,
                        self.record,
                        self.request,
                        plan,
                        &self.places.work.folder,
                        at_once,
                        &drain,
                    )
                    .await;
                    board.settle();
                    return done.map(|()| None);
                }
                let open: Vec<Task> = board.open(&self.work.plan).into_iter().cloned().collect();
                let info = self.holder.same_server().with_application_name(&format!("pgbaton reader {run}"));
                let wanted = at_once.min(open.len());
                let (readers, fewer) = Reader::open(&info, self.holder.id(), wanted, &saver, &board).await?;
                let done = Here::new(readers).run(open, &drain).await;
                board.settle();
                done.map(|()| fewer)
            };
            let own = self.read_contested(&saver, &board, &drain);
            let watch = watch::watch(self.platform, &self.holder, run);
            let successor = relay.until_ready();
            tokio::pin!(tasks, own, watch, successor);
            let (mut tasks_done, mut own_done, mut ready) = (false, false, false);
            while !(tasks_done && own_done) {
                tokio::select! {
                    biased;
                    ended = &mut tasks, if !tasks_done => {
                        warnings.extend(ended?);
                        tasks_done = true;
                    }
                    ended = &mut own, if !own_done => {
                        ended?;
                        own_done = true;
                    }
                    broken = &mut watch => return Err(broken),
                    ended = &mut successor, if !ready => {
                        ended?;
                        ready = true;
                        drain.cancel();
                        tracing::info!(id = %run, "the next function holds the snapshot; ending what is under way");
                    }
                    // What is under way takes too long: the next function does it anew.
                    () = tokio::time::sleep(relay.patience()), if ready => break,
                }
            }
            if converted.is_none() && !ready && board.open(&self.work.plan).is_empty() {
                ledger
                    .stage(self.lease, &format!("writing the {}", format.name()), Default::default())
                    .await?;
                let convert = self.convert(format, &saver, &board, &warnings);
                tokio::pin!(convert);
                tokio::select! {
                    biased;
                    written = &mut convert => converted = Some(written?),
                    broken = &mut watch => return Err(broken),
                    // Begun anew there, with the whole time of a function.
                    ended = &mut successor => ended?,
                }
            }
        }
        drop(reporter);
        let open = board.open(&self.work.plan).len();
        let Some(converted) = converted.filter(|_| open == 0) else {
            if open > 0 && !drain.is_cancelled() {
                let why = format!("{open} tasks are not done although nothing failed");
                return Err(Error::new(Kind::Internal, why));
            }
            if all_read && self.number > 0 {
                return Err(Error::new(
                    Kind::Budget,
                    format!(
                        "the whole time of a function did not suffice to write the {} as one stream: choose the format archive, which many functions write",
                        format.name()
                    ),
                ));
            }
            if open > 0 && self.number > 0 && !many && board.done_here() == 0 {
                return Err(no_progress(&board.open(&self.work.plan)));
            }
            relay.hand_over(&warnings).await?;
            let taken = relay.until_taken();
            let holder = self.holder;
            return Ok(Outcome::HandedOver(Box::pin(async move {
                taken.await;
                if let Err(e) = holder.finish().await {
                    tracing::warn!(error = %e, "letting go of the snapshot, which the next function holds");
                }
            })));
        };
        // Every row is read: what becomes of the snapshot now does not matter, but that it held until here does.
        self.holder.finish().await.context("after the last row was read")?;
        let seal = seal(self.platform, (self.record, self.lease), &self.places, self.number);
        ledger.progress(self.lease, &board.tally.whole()).await?;
        let (objects, contents) = match format {
            Format::Archive => {
                let mut objects = board.objects(&self.work.plan);
                objects.extend(self.work.list(&saver).await?);
                objects.push(self.work.toc.clone());
                (objects, Vec::new())
            }
            _ => (converted.objects, converted.contents),
        };
        let completion = seal.run(&self.work, objects, contents, warnings).await?;
        self.places.clear(ledger, self.record, self.invocation.budget.work_left() / 4).await;
        Ok(Outcome::Completed(Box::new(completion)))
    }

    /// Writes the backup in its format, of the archive's parts that were set aside.
    async fn convert(
        &self,
        format: Format,
        saver: &Saver,
        board: &Board,
        warnings: &[String],
    ) -> Result<Written> {
        let files = self.places.work_files();
        let mut objects = board.objects(&self.work.plan);
        objects.extend(self.work.list(saver).await?);
        let toc = &self.work.toc;
        let toc = files.whole(&toc.name, Some(expected(toc)), toc.raw_bytes).await?;
        let toc = Toc::parse(&toc).context("reading toc.dat")?;
        let parts = Parts::new(files, toc, &objects, self.work.columns.clone());
        let history = match self.request.include_history {
            true => Some(convert::history(&self.platform.ledger, &self.record.database).await?),
            false => None,
        };
        let out = Output {
            place: &self.places.backup,
            form: Form { inserts: self.request.inserts, data_only: self.request.data_only },
            history: history.as_deref(),
        };
        let seal = seal(self.platform, (self.record, self.lease), &self.places, self.number);
        let mut head = seal.manifest(&self.work, Vec::new(), Vec::new(), warnings.to_vec());
        // Begun anew in another function, it must come to the same bytes.
        head.finished_at = self.work.snapshot_at;
        convert::convert(&parts, format, &head, &out).await
    }

    /// Reads, in the holder's own session, what no other session can.
    async fn read_contested(&self, saver: &Saver, board: &Board, drain: &CancellationToken) -> Result<()> {
        loop {
            let task = tokio::select! {
                task = board.next_contested() => task,
                () = drain.cancelled() => None,
            };
            let Some(task) = task else { return Ok(()) };
            let objects = saver.save(&self.holder, &task, &board.tally).await?;
            board.saved(&task, objects);
        }
    }
}

fn seal<'a>(
    platform: &'a Platform,
    (record, lease): (&'a Record, &'a Lease),
    places: &'a Places,
    hops: u64,
) -> Seal<'a> {
    Seal { platform, lease, record, places, hops }
}

/// The next function would do no better.
fn no_progress(open: &[&Task]) -> Error {
    let names: Vec<String> = open
        .iter()
        .filter_map(|t| t.table())
        .take(3)
        .map(|(schema, name)| format!("{schema}.{name}"))
        .collect();
    let what =
        if names.is_empty() { "large objects".to_owned() } else { format!("table {}", names.join(", ")) };
    Error::new(
        Kind::Budget,
        format!(
            "the whole time of a function did not suffice to read one part of {what}: take smaller slices (BACKUP_SLICE_MB), or read fewer at once (BACKUP_CONCURRENCY)"
        ),
    )
}

/// The compression that the record was made with: a setting changed between two functions must not matter.
///
/// # Errors
/// [`Kind::Corrupt`] for a record without one.
pub(super) fn compression(record: &Record) -> Result<Compression> {
    Compression::parse(record.compression.as_deref().unwrap_or_default())
        .map_err(|e| Error::new(Kind::Corrupt, format!("the record {}: {}", record.id, e.message())))
}

/// What of these notes is done; the tasks that wait for the holder left out.
pub(super) fn saved(noted: HashMap<String, Done>) -> HashMap<String, Vec<Object>> {
    let saved = noted.into_iter().filter_map(|(key, done)| match done {
        Done::Saved(objects) => Some((key, objects)),
        Done::Contested => None,
    });
    saved.collect()
}
