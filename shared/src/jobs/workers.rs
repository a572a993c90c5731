//! A run's work on many functions: items laid out in S3, an execution of the state machine that invokes a worker for each, and how a worker and the run's
//! own function hear of each other.
//!
//! Note: `workers/<run>/failure`: the last failure of a worker.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Invocation, Platform};
use crate::{
    base::{Error, Kind, Result, ResultExt, id::RunId},
    fanout::{Map, Shelf, pack},
    ledger::{Record, RunKind, Status},
    store::{ObjectKey, Put, Store},
};

/// Most pieces of one item. Each is a chance to fail of something that passes, and the state machine tries an item again only so often.
const PIECES: usize = 50;

/// Bytes of one item as JSON: an event may have 256 KiB on its way through Step Functions (Step Functions developer guide, "Quotas").
const ITEM_BYTES: usize = 160 << 10;

/// How often a worker looks whether its run goes on.
const EVERY: Duration = Duration::from_secs(5);

/// What a worker failed of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Failure {
    /// `Kind::code`.
    code: String,
    /// The error's text.
    message: String,
}

fn failure_note(run: &RunId) -> String {
    format!("workers/{run}/failure")
}

/// What a piece of work says of itself.
pub(super) trait Piece: Serialize + Clone + Send + Sync {
    /// Bytes of rows to expect.
    fn weight(&self) -> u64;
    /// What it is, for an error.
    fn name(&self) -> String;
}

/// Items as a JSON array in S3.
#[derive(Debug, Clone)]
pub(super) struct Items {
    /// The bucket.
    pub store: Store,
    /// Where the array stands.
    pub key: ObjectKey,
    /// Workers at once.
    pub workers: usize,
    /// Bytes of rows to an item, where pieces are smaller.
    pub size: u64,
    /// What `worker` calls the work.
    pub kind: &'static str,
    /// What every worker is told of the run.
    pub told: Value,
}

impl<P: Piece> Shelf<P> for Items {
    async fn lay_out(&self, pieces: Vec<P>) -> Result<Value> {
        let mut items: Vec<Vec<P>> = Vec::new();
        for item in pack(pieces, self.size, PIECES, Piece::weight) {
            items.extend(halved(item)?);
        }
        let bytes = serde_json::to_vec(&items)
            .map_err(|e| Error::with_source(Kind::Internal, "items cannot be written as JSON", e))?;
        self.store.put(&self.key, bytes, Put::IfAbsent).await.context("laying out the workers' items")?;
        Ok(json!({
            "bucket": self.store.bucket(), "key": self.key.as_str(), "workers": self.workers, "kind": self.kind, "run": self.told,
        }))
    }
}

/// Halves an item until each half can be sent to a worker.
fn halved<P: Piece>(item: Vec<P>) -> Result<Vec<Vec<P>>> {
    let bytes = serde_json::to_vec(&item)
        .map_err(|e| Error::with_source(Kind::Internal, "an item cannot be written as JSON", e))?;
    if bytes.len() <= ITEM_BYTES {
        return Ok(vec![item]);
    }
    if item.len() == 1 {
        let why = format!("what there is to say of {} is too long to be sent to a worker", item[0].name());
        return Err(Error::new(Kind::Unsupported, why));
    }
    let mut left = item;
    let right = left.split_off(left.len() / 2);
    let mut all = halved(left)?;
    all.extend(halved(right)?);
    Ok(all)
}

/// The run's execution, which has the run's name.
///
/// # Errors
/// [`Kind::Config`] without a state machine.
pub(super) fn map<S>(platform: &Platform, run: &RunId, shelf: S) -> Result<Map<S>> {
    let machine = platform.config.worker_machine.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "WORKER_STATE_MACHINE_ARN is not set, so there are no workers")
    })?;
    Ok(Map::new(aws_sdk_sfn::Client::new(&platform.sdk), machine, run.as_str(), shelf))
}

/// Ends the workers of a run that failed; where there are none it is no error.
///
/// # Errors
/// Those of Step Functions.
pub(super) async fn stop(platform: &Platform, record: &Record) -> Result<()> {
    match platform.config.worker_machine {
        Some(_) => {
            map(platform, &record.id, ())?.stop(&format!("the {} has failed", record.kind.name())).await
        }
        None => Ok(()),
    }
}

/// What a worker of the run said that it failed of.
pub(super) async fn failure(platform: &Platform, run: &RunId) -> Option<Error> {
    let told: Failure = platform.ledger.noted(&failure_note(run)).await.ok().flatten()?;
    let kind = Kind::parse(&told.code).unwrap_or(Kind::Internal);
    Some(Error::new(kind, told.message).context("in a worker"))
}

/// What a worker's event says of the run, and its item.
///
/// # Errors
/// [`Kind::InvalidInput`] for what no run's job has laid out.
pub(super) fn parse<T: DeserializeOwned, I: DeserializeOwned>(told: Value, item: Value) -> Result<(T, I)> {
    let malformed = |what: &str, e: serde_json::Error| {
        Error::new(Kind::InvalidInput, format!("the event's {what} cannot be read: {e}"))
    };
    let told = serde_json::from_value(told).map_err(|e| malformed("run", e))?;
    let item = serde_json::from_value(item).map_err(|e| malformed("item", e))?;
    Ok((told, item))
}

/// Does a worker's `work` for as long as its run is in progress and the function has time; what it fails of is noted for the run's own function.
///
/// # Errors
/// What made it fail; [`Kind::Fenced`] when the run has ended, [`Kind::Budget`] when the function's time is up.
pub(super) async fn attend<T>(
    platform: &Platform,
    invocation: &Invocation,
    record: &Record,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    if record.status != Status::InProgress {
        return Err(ended(record));
    }
    let outcome = tokio::select! {
        outcome = work => outcome,
        e = over(platform, record) => return Err(e),
        () = tokio::time::sleep(invocation.budget.work_left()) => Err(Error::new(
            Kind::Budget,
            "the time of the worker is up: take smaller slices (BACKUP_SLICE_MB)",
        )),
    };
    match outcome {
        Ok(done) => Ok(done),
        Err(e) => {
            let e = e.context(format!("working for {} {}", record.kind.name(), record.id));
            let failure = Failure { code: e.kind().code().to_owned(), message: e.to_string() };
            platform.ledger.note(&failure_note(&record.id), &failure).await?;
            Err(e)
        }
    }
}

/// Waits until the run has ended: then nothing more may be done for it.
async fn over(platform: &Platform, record: &Record) -> Error {
    loop {
        tokio::time::sleep(EVERY).await;
        // A backup whose function died is over; a restore another function goes on with.
        let looked = match record.kind {
            RunKind::Backup => platform.ledger.get_closing_stuck(&record.id).await,
            _ => platform.ledger.get(&record.id).await,
        };
        match looked {
            Ok(there) if there.status == Status::InProgress => {}
            Ok(there) => return ended(&there),
            Err(e) => tracing::warn!(error = %e, "looking whether the run goes on"),
        }
    }
}

/// The error for work of a run that is not in progress.
pub(super) fn ended(record: &Record) -> Error {
    let why = record.message.as_deref().unwrap_or_default();
    let (kind, status) = (record.kind.name(), record.status.name());
    Error::new(Kind::Fenced, format!("the {kind} {} is {status}: {why}", record.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize)]
    struct Long(u32, String);

    impl Piece for Long {
        fn weight(&self) -> u64 {
            1
        }
        fn name(&self) -> String {
            format!("piece {}", self.0)
        }
    }

    #[test]
    fn items_fit_into_an_event() {
        let all: Vec<Long> = (0..200).map(|n| Long(n, "c".repeat(5_000))).collect();
        let items = halved(all.clone()).unwrap();
        assert!(items.len() > 1);
        assert!(items.iter().all(|i| serde_json::to_vec(i).unwrap().len() <= ITEM_BYTES));
        assert_eq!(items.concat(), all);
        let e = halved(vec![Long(7, "c".repeat(200_000))]).unwrap_err();
        assert!(e.kind() == Kind::Unsupported && e.to_string().contains("piece 7"), "{e}");
    }
}
