//! The tasks on many functions: items laid out in S3, an execution of the state machine that invokes a worker for each, and the notes that workers leave.
//!
//! Notes: `backup/<run>/holder`: whose snapshot workers import. `backup/<run>/failure`: the last failure of a worker.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    board::Board,
    plan::{Plan, Task},
};
use crate::{
    base::{Error, Kind, Result, ResultExt, id::RunId},
    fanout::{Executor, Map, Shelf, pack},
    jobs::{Platform, request::BackupRequest},
    ledger::{Ledger, Record},
    pg::{ServerPlace, Snapshot},
    store::{ObjectKey, Put, Store},
};

/// Most tasks of one item, and bytes of one item as JSON: an event may have 256 KiB on its way through Step Functions.
const TASKS: usize = 200;
/// See [`TASKS`].
const ITEM_BYTES: usize = 160 << 10;

/// Whose snapshot to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// Its exported id.
    pub snapshot: String,
    /// Hand-overs before it.
    pub hop: u64,
    /// The server it exists on.
    pub server: ServerPlace,
}

/// What a worker failed of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// `Kind::code`.
    pub code: String,
    /// The error's text.
    pub message: String,
}

/// What every worker of a run is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// The backup.
    pub id: RunId,
    /// The secret with the connection string, where it is not the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_secret: Option<String>,
}

/// Key of the note that tells the holder.
pub(super) fn holder_note(run: &RunId) -> String {
    format!("backup/{run}/holder")
}

/// Key of the note that tells a worker's failure.
pub(super) fn failure_note(run: &RunId) -> String {
    format!("backup/{run}/failure")
}

/// Tells workers whose snapshot to import.
///
/// # Errors
/// Those of the ledger.
pub(super) async fn note_holder(ledger: &Ledger, run: &RunId, holder: &Snapshot, hop: u64) -> Result<()> {
    let held = Holder { snapshot: holder.id().to_owned(), hop, server: holder.place() };
    ledger.note(&holder_note(run), &held).await.context("telling workers of the snapshot")
}

/// Items as a JSON array in the backup's folder.
#[derive(Debug, Clone)]
pub(super) struct Items {
    store: Store,
    key: ObjectKey,
    workers: usize,
    /// Bytes of COPY text of one item, where tasks are smaller.
    size: u64,
    told: Told,
}

impl Shelf<Task> for Items {
    async fn lay_out(&self, tasks: Vec<Task>) -> Result<Value> {
        let mut items: Vec<Vec<Task>> = Vec::new();
        for item in pack(tasks, self.size, TASKS, Task::expected_bytes) {
            items.extend(halved(item)?);
        }
        let bytes = serde_json::to_vec(&items)
            .map_err(|e| Error::with_source(Kind::Internal, "items cannot be written as JSON", e))?;
        self.store.put(&self.key, bytes, Put::IfAbsent).await.context("laying out the workers' items")?;
        Ok(json!({
            "bucket": self.store.bucket(), "key": self.key.as_str(), "workers": self.workers, "kind": "backup", "run": self.told,
        }))
    }
}

/// Halves an item until each half can be sent to a worker.
fn halved(item: Vec<Task>) -> Result<Vec<Vec<Task>>> {
    let bytes = serde_json::to_vec(&item)
        .map_err(|e| Error::with_source(Kind::Internal, "an item cannot be written as JSON", e))?;
    if bytes.len() <= ITEM_BYTES {
        return Ok(vec![item]);
    }
    if item.len() == 1 {
        let table = item[0].table().map(|(schema, name)| format!("{schema}.{name}")).unwrap_or_default();
        let why = format!("the statement that reads table {table} is too long to be sent to a worker");
        return Err(Error::new(Kind::Unsupported, why));
    }
    let mut left = item;
    let right = left.split_off(left.len() / 2);
    let mut all = halved(left)?;
    all.extend(halved(right)?);
    Ok(all)
}

/// The run's execution.
///
/// # Errors
/// [`Kind::Config`] without a state machine.
pub(super) fn map(
    platform: &Platform,
    record: &Record,
    request: &BackupRequest,
    folder: &str,
    workers: usize,
    size: u64,
) -> Result<Map<Items>> {
    let machine = platform.config.worker_machine.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "WORKER_STATE_MACHINE_ARN is not set, so there are no workers")
    })?;
    let told = Told { id: record.id.clone(), database_secret: request.database_secret.clone() };
    let key = ObjectKey::parse(&format!("{folder}work.json"))?;
    let items = Items { store: platform.store.clone(), key, workers, size, told };
    Ok(Map::new(aws_sdk_sfn::Client::new(&platform.sdk), machine, record.id.as_str(), items))
}

/// Runs all tasks, and takes their outcomes over; what only the holder can read is contested. An earlier function's execution is found again.
///
/// # Errors
/// The failure of the worker that ended it all.
pub(super) async fn run(
    map: Map<Items>,
    tasks: Vec<Task>,
    board: &Board,
    plan: &Plan,
    drain: &CancellationToken,
) -> Result<()> {
    let looking = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(30)).await;
            if let Err(e) = board.fetch(plan).await {
                tracing::debug!(error = %e, "looking at what workers have done");
            }
        }
    };
    let ended = tokio::select! {
        ended = map.run(tasks, drain) => ended,
        () = looking => Ok(()),
    };
    if let Err(e) = ended {
        return Err(board.failure().await.unwrap_or(e));
    }
    if !drain.is_cancelled() {
        for task in board.fetch(plan).await? {
            board.contest(task.clone());
        }
    }
    Ok(())
}

/// Ends the workers of a run that failed.
///
/// # Errors
/// Those of Step Functions.
pub(super) async fn stop(platform: &Platform, record: &Record) -> Result<()> {
    let Some(machine) = &platform.config.worker_machine else { return Ok(()) };
    let client = aws_sdk_sfn::Client::new(&platform.sdk);
    Map::new(client, machine, record.id.as_str(), ()).stop("the backup has failed").await
}

impl Board {
    /// What a worker said that it failed of.
    async fn failure(&self) -> Option<Error> {
        let told = self.told_failure().await.ok().flatten()?;
        let kind = Kind::parse(&told.code).unwrap_or(Kind::Internal);
        Some(Error::new(kind, told.message).context("in a worker"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::backup::{board::Done, plan::Part};

    fn task(entry: i32, length: usize) -> Task {
        Task::Part(Part {
            entry,
            file: format!("{entry}.dat"),
            schema: "public".into(),
            table: format!("t{entry}"),
            pages: None,
            expected_bytes: 1,
            copy: "c".repeat(length),
        })
    }

    #[test]
    fn items_fit_into_an_event() {
        let items = halved((0..200).map(|n| task(n, 5_000)).collect()).unwrap();
        assert!(items.len() > 1);
        assert!(items.iter().all(|i| serde_json::to_vec(i).unwrap().len() <= ITEM_BYTES));
        let keys: Vec<String> = items.concat().iter().map(Task::key).collect();
        assert_eq!(keys, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(halved(vec![task(7, 200_000)]).unwrap_err().kind(), Kind::Unsupported);
    }

    #[test]
    fn outcomes_come_back_from_notes() {
        let done = Done::Saved(Vec::new());
        let text = serde_json::to_string(&done).unwrap();
        assert_eq!(serde_json::from_str::<Done>(&text).unwrap(), done);
    }
}
