//! A worker of the map: a few tasks under the holder's snapshot, in a function of its own.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    board::{self, Board, Done},
    hop, join,
    many::{self, Failure, Told},
    plan::{Plan, Task},
    readers::Reader,
    saver::Saver,
};
use crate::{
    archive::Codec,
    base::{Error, Kind, Result},
    fanout::do_once,
    jobs::{Invocation, Platform, request::BackupRequest},
    ledger::{self, Ledger, Record, Status},
};

/// How often a worker looks whether its run goes on.
const EVERY: Duration = Duration::from_secs(5);

/// The notes of a run as a board.
struct Notes<'a> {
    ledger: &'a Ledger,
    record: &'a Record,
}

impl crate::fanout::Board<Done> for Notes<'_> {
    async fn find(&self, key: &str) -> Result<Option<Done>> {
        self.ledger.noted(&board::note(&self.record.id, key)).await
    }
    async fn put(&self, key: &str, outcome: Done) -> Result<()> {
        self.ledger.note(&board::note(&self.record.id, key), &outcome).await
    }
}

/// Does the tasks of one item; gives how many of them were done now.
///
/// # Errors
/// What made a task fail, which also stands in a note for the holder; [`Kind::Fenced`] when the run has ended; [`Kind::Budget`] when the function's time is up.
/// When the snapshot is gone the run is closed as failed.
pub(in crate::jobs) async fn work(
    platform: &Platform,
    invocation: &Invocation,
    told: Value,
    item: Value,
) -> Result<Value> {
    let malformed = |what: &str, e: serde_json::Error| {
        Error::new(Kind::InvalidInput, format!("the event's {what} cannot be read: {e}"))
    };
    let told: Told = serde_json::from_value(told).map_err(|e| malformed("run", e))?;
    let tasks: Vec<Task> = serde_json::from_value(item).map_err(|e| malformed("item", e))?;
    let record = platform.ledger.get(&told.id).await?;
    let limit = invocation.budget.work_left();
    let ended = tokio::select! {
        done = read(platform, &told, &record, tasks) => done,
        e = over(platform, &record) => return Err(e),
        () = tokio::time::sleep(limit) => Err(Error::new(
            Kind::Budget,
            "the time of the worker is up: take smaller slices (BACKUP_SLICE_MB)",
        )),
    };
    let e = match ended {
        Ok(done) => return Ok(json!({"done": done})),
        Err(e) => e.context(format!("working for backup {}", record.id)),
    };
    let failure = Failure { code: e.kind().code().to_owned(), message: e.to_string() };
    platform.ledger.note(&many::failure_note(&told.id), &failure).await?;
    if e.kind() == Kind::SnapshotBroken {
        // Nobody holds it: no retry helps, and the function that held it may be dead and unable to say so.
        let failure = ledger::Failure::from(&e);
        platform.ledger.break_off(&record, &failure).await?;
        super::clean(platform, &record, true).await?;
    }
    Err(e)
}

async fn read(platform: &Platform, told: &Told, record: &Record, tasks: Vec<Task>) -> Result<u64> {
    if record.status != Status::InProgress {
        return Err(ended(record));
    }
    let ledger = &platform.ledger;
    let notes = Notes { ledger, record };
    let known = Board::noted(ledger, &told.id, tasks.iter()).await?;
    let open: Vec<Task> = tasks.into_iter().filter(|t| !known.contains_key(&t.key())).collect();
    if open.is_empty() {
        return Ok(0);
    }
    let request = BackupRequest { database_secret: told.database_secret.clone(), ..BackupRequest::default() };
    let info = super::connection(platform, &request).await?;
    let info = info.with_application_name(&format!("pgbaton worker {}", told.id));
    let session = join::import(platform, &told.id, &info).await?;
    let saver = Saver {
        store: platform.store.clone(),
        folder: super::folder(platform, record),
        codec: Codec::from(hop::compression(record)?),
    };
    let plan = Plan { tasks: open, has_list: false };
    let board = std::sync::Arc::new(Board::new(ledger, &told.id, &plan, Default::default()));
    let mut reader = Reader::new(session, saver.clone(), std::sync::Arc::clone(&board));
    let mut count = 0;
    for task in &plan.tasks {
        let work = async {
            if !reader.lock(task).await? {
                return Ok(Done::Contested);
            }
            Ok(Done::Saved(saver.save(reader.session(), task, &board.tally).await?))
        };
        count += u64::from(do_once(&notes, &task.key(), work).await?);
    }
    crate::fanout::Worker::end(reader).await?;
    Ok(count)
}

/// Waits until the run has ended: then nothing more may be done for it.
async fn over(platform: &Platform, record: &Record) -> Error {
    loop {
        tokio::time::sleep(EVERY).await;
        match platform.ledger.get_closing_stuck(&record.id).await {
            Ok(there) if there.status == Status::InProgress => {}
            Ok(there) => {
                if there.was_abandoned()
                    && let Err(e) = super::clean(platform, &there, true).await
                {
                    tracing::warn!(id = %there.id, error = %e, "cleaning up after a holder that died");
                }
                return ended(&there);
            }
            Err(e) => tracing::warn!(error = %e, "looking whether the run goes on"),
        }
    }
}

fn ended(record: &Record) -> Error {
    let why = record.message.as_deref().unwrap_or_default();
    Error::new(Kind::Fenced, format!("the backup {} is {}: {why}", record.id, record.status.name()))
}
