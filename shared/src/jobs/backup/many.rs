//! The tasks on many functions, each under the holder's snapshot.
//!
//! Note: `backup/<run>/holder`: whose snapshot workers, and the function that goes on, import.

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    board::Board,
    plan::{Plan, Task},
};
use crate::{
    base::{Error, IamLogin, Kind, Result, ResultExt, id::RunId},
    fanout::Executor,
    jobs::{
        Platform,
        request::BackupRequest,
        workers::{self, Items, Piece},
    },
    ledger::{Ledger, Record},
    pg::{ServerPlace, Snapshot},
    store::ObjectKey,
};

/// How often the board is brought up to what workers have noted, for the record's progress.
const LOOK: std::time::Duration = std::time::Duration::from_secs(30);

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

/// What every worker of a run is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// The backup.
    pub id: RunId,
    /// The secret with the connection string, where it is not the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_secret: Option<String>,
    /// An IAM login in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_iam: Option<IamLogin>,
}

/// Key of the note that tells the holder.
pub(super) fn holder_note(run: &RunId) -> String {
    format!("backup/{run}/holder")
}

/// Tells workers whose snapshot to import.
///
/// # Errors
/// Those of the ledger.
pub(super) async fn note_holder(ledger: &Ledger, run: &RunId, holder: &Snapshot, hop: u64) -> Result<()> {
    let held = Holder { snapshot: holder.id().to_owned(), hop, server: holder.place() };
    ledger.note(&holder_note(run), &held).await.context("telling workers of the snapshot")
}

impl Piece for Task {
    fn weight(&self) -> u64 {
        self.expected_bytes()
    }
    fn name(&self) -> String {
        match self {
            Self::Part(part) => format!("table {}", part.name()),
            Self::LargeObjects { .. } => "large objects".to_owned(),
        }
    }
}

/// Runs all tasks with so many workers at once, and takes their outcomes over; what only the holder can read is contested. An earlier function's execution is
/// found again. What Step Functions reads the tasks from stands in `folder` as it is: names of tables, no rows.
///
/// # Errors
/// The failure of the worker that ended it all.
#[allow(clippy::too_many_arguments, reason = "what a run is")]
pub(super) async fn run(
    platform: &Platform,
    record: &Record,
    request: &BackupRequest,
    (board, plan): (&Board, &Plan),
    folder: &str,
    at_once: usize,
    drain: &CancellationToken,
) -> Result<()> {
    let told = Told {
        id: record.id.clone(),
        database_secret: request.database_secret.clone(),
        database_iam: request.database_iam.clone(),
    };
    let told = serde_json::to_value(told)
        .map_err(|e| Error::with_source(Kind::Internal, "a run cannot be told to workers", e))?;
    let key = ObjectKey::within(folder, "work.json")?;
    let (store, size) = (platform.store.clone(), platform.config.slice_bytes);
    let items = Items { store, key, workers: at_once, size, kind: "backup", told };
    let map = workers::map(platform, &record.id, items)?;
    let looking = async {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(e) = board.fetch(plan).await {
                tracing::debug!(error = %e, "looking at what workers have done");
            }
        }
    };
    let ended = tokio::select! {
        ended = map.run(plan.tasks.clone(), drain) => ended,
        () = looking => Ok(()),
    };
    if let Err(e) = ended {
        return Err(workers::failure(platform, &record.id).await.unwrap_or(e));
    }
    if !drain.is_cancelled() {
        for task in board.fetch(plan).await? {
            board.contest(task.clone());
        }
    }
    Ok(())
}
