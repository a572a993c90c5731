//! A worker of the map: a few tasks under the holder's snapshot, in a function of its own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    board::{self, Board, Done},
    join,
    many::Told,
    places::Places,
    plan::{Plan, Task},
    readers::Reader,
    saver::Saver,
};
use crate::{
    base::{Kind, Result},
    fanout::{self, Worker as _, do_once},
    jobs::{Invocation, Platform, request::BackupRequest, workers},
    ledger::{Failure, Ledger, Record, Status},
};

/// The notes of a run as a board.
struct Notes<'a> {
    ledger: &'a Ledger,
    record: &'a Record,
}

impl fanout::Board<Done> for Notes<'_> {
    async fn find(&self, key: &str) -> Result<Option<Done>> {
        self.ledger.noted(&board::note(&self.record.id, key)).await
    }
    async fn put(&self, key: &str, outcome: Done) -> Result<()> {
        self.ledger.note(&board::note(&self.record.id, key), &outcome).await
    }
}

/// Does the tasks of one item; gives how many of them were done now. When the snapshot is gone, or the function that held it, the run is closed as failed.
///
/// # Errors
/// As [`workers::attend`].
pub(in crate::jobs) async fn work(
    platform: &Platform,
    invocation: &Invocation,
    told: Value,
    item: Value,
) -> Result<Value> {
    let (told, tasks): (Told, Vec<Task>) = workers::parse(told, item)?;
    let record = platform.ledger.get_closing_stuck(&told.id).await?;
    let outcome = workers::attend(platform, invocation, &record, read(platform, &told, &record, tasks)).await;
    let e = match outcome {
        Ok(done) => return Ok(json!({"done": done})),
        Err(e) => e,
    };
    if e.kind() == Kind::SnapshotBroken {
        // Nobody holds it: no retry helps, and the function that held it may be dead and unable to say so.
        platform.ledger.break_off(&record, &Failure::from(&e)).await?;
    }
    let there = platform.ledger.get_closing_stuck(&told.id).await?;
    if there.status == Status::Failed {
        super::clean(platform, &there, true).await?;
    }
    Err(e)
}

async fn read(platform: &Platform, told: &Told, record: &Record, tasks: Vec<Task>) -> Result<u64> {
    let ledger = &platform.ledger;
    let notes = Notes { ledger, record };
    let known = Board::noted(ledger, &told.id, tasks.iter()).await?;
    let open: Vec<Task> = tasks.into_iter().filter(|t| !known.contains_key(&t.key())).collect();
    if open.is_empty() {
        return Ok(0);
    }
    let request = BackupRequest {
        database_secret: told.database_secret.clone(),
        database_iam: told.database_iam.clone(),
        ..BackupRequest::default()
    };
    let info = super::connection(platform, &request).await?;
    let info = info.with_application_name(&format!("pgbaton worker {}", told.id));
    let session = join::import(platform, &told.id, &info).await?;
    let saver = Saver { place: Places::of(platform, record).await?.parts };
    let plan = Plan { tasks: open, has_list: false };
    let board = Arc::new(Board::new(ledger, &told.id, &plan, Default::default()));
    let mut reader = Reader::new(session, saver.clone(), Arc::clone(&board));
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
    reader.end().await?;
    Ok(count)
}
