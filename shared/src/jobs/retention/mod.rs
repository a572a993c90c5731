//! Retention: closing runs that nobody works on, aborting uploads that nobody finishes, removing backups that are too old.
//!
//! Order of a removal: the record is marked, the manifest goes (from then on it is no backup), then the data, then the record. A crash in between is
//! made good by the next run, which finds the mark.

mod plan;

use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use serde_json::Value;

pub use plan::{Decision, Rules, plan};

use super::{
    Platform, backup,
    request::stored_at,
    tell::{self, Watched},
};
use crate::{
    archive::manifest,
    base::{Error, Kind, Result, ResultExt, clock, id::RunId},
    ledger::{ListQuery, Record, RunKind},
    store::ObjectKey,
};

/// Files of one backup removed at once.
const BATCH: usize = 1000;

/// What an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Close stuck runs and abort orphaned uploads.
    Reap,
    /// The same, and remove what the rules do not keep.
    Remove {
        /// Only say what would be removed.
        dry_run: bool,
    },
    /// Look for databases without a good backup in the expected time, and tell of them.
    Watch,
}

impl Action {
    /// From `{"action": "reap"}`, `{"action": "watch"}` or `{"action": "retention", "dryRun": false}`; `dryRun` is false when absent.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] naming the field.
    pub fn from_event(event: &Value) -> Result<Self> {
        let wrong = |what: &str| Error::new(Kind::InvalidInput, what.to_owned());
        let fields = event.as_object().ok_or_else(|| wrong("the event must be a JSON object"))?;
        if let Some(name) = fields.keys().find(|k| !matches!(k.as_str(), "action" | "dryRun" | "dry_run")) {
            return Err(wrong(&format!("the field \"{}\" is not known", name.escape_debug())));
        }
        let dry_run = match fields.get("dryRun").or(fields.get("dry_run")) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(b)) => *b,
            Some(_) => return Err(wrong("the field \"dryRun\" must be true or false")),
        };
        match fields.get("action").and_then(Value::as_str) {
            Some("reap") => Ok(Self::Reap),
            Some("watch") => Ok(Self::Watch),
            Some("retention") => Ok(Self::Remove { dry_run }),
            _ => Err(wrong("the field \"action\" must be reap, retention or watch")),
        }
    }
}

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Ids of runs that were closed as failed.
    pub closed: Vec<String>,
    /// Uploads that were aborted.
    pub aborted_uploads: usize,
    /// Decisions, with their reasons.
    pub plan: Vec<Line>,
    /// Ids of records that were removed with their objects.
    pub removed: Vec<String>,
    /// Databases that were looked at.
    pub watched: Vec<Watched>,
}

/// One decision, as the function answers it.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The run.
    pub id: String,
    /// `keep` or `remove`.
    pub decision: &'static str,
    /// Why.
    pub reason: String,
}

/// Does what the event asks for. What fails for one run is logged and does not keep the others from being cleaned up; the first failure is the
/// outcome's error.
///
/// # Errors
/// Those of the ledger and the store.
pub async fn run(platform: &Platform, action: Action) -> Result<Outcome> {
    platform.require_enabled()?;
    let mut outcome = Outcome::default();
    // None keeps the others from being done.
    let reaped = match action {
        Action::Watch => Ok(()),
        _ => reap(platform, &mut outcome).await,
    };
    let done = match action {
        Action::Reap => Ok(()),
        Action::Remove { dry_run } => remove(platform, dry_run, &mut outcome).await,
        Action::Watch => tell::watch(platform).await.map(|seen| outcome.watched = seen),
    };
    // Also what other functions could not tell.
    let told = tell::all(platform).await;
    tracing::info!(
        closed = outcome.closed.len(),
        aborted_uploads = outcome.aborted_uploads,
        removed = outcome.removed.len(),
        "cleaned up"
    );
    reaped.and(done).and(told)?;
    Ok(outcome)
}

async fn reap(platform: &Platform, outcome: &mut Outcome) -> Result<()> {
    let ledger = &platform.ledger;
    let now = clock::now();
    let mut failure = None;
    for record in ledger.stuck(now).await.context("looking for stuck runs")? {
        let id = record.id.clone();
        match close(platform, record, now).await.with_context(|| format!("closing the stuck run {id}")) {
            Ok(true) => outcome.closed.push(id.to_string()),
            Ok(false) => {}
            Err(e) => {
                tracing::error!(id = %id, error = %e, "closing a stuck run");
                failure.get_or_insert(e);
            }
        }
    }
    outcome.aborted_uploads += abort_orphans(platform, now).await.context("aborting orphaned uploads")?;
    failure.map_or(Ok(()), Err)
}

/// Aborts uploads that were begun an hour ago, longer than any function lives, unless they belong to a run that still goes on.
async fn abort_orphans(platform: &Platform, now: Timestamp) -> Result<usize> {
    let Platform { ledger, store, config, .. } = platform;
    let old = now.checked_sub(1.hours()).unwrap_or(Timestamp::MIN);
    let mut count = 0;
    for upload in store.uploads(&config.prefix).await? {
        if upload.begun.is_none_or(|begun| begun >= old) {
            continue;
        }
        // The folder that holds the file is named after the run.
        let run = upload.key.rsplit('/').nth(1).and_then(|id| RunId::parse(id).ok());
        let goes_on = match run {
            Some(id) => ledger.find(&id).await?.is_some_and(|record| !record.status.is_final()),
            None => false,
        };
        if !goes_on {
            store.abort_upload(&upload).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Closes a run that nobody works on and aborts its uploads; tells whether it is closed.
async fn close(platform: &Platform, record: Record, now: Timestamp) -> Result<bool> {
    let closed = platform.ledger.close_if_stuck(record, now).await?;
    if closed.status.is_final() && closed.kind == RunKind::Backup {
        backup::abort_uploads(platform, &closed).await.context("aborting its uploads")?;
    }
    Ok(closed.status.is_final())
}

async fn remove(platform: &Platform, dry_run: bool, outcome: &mut Outcome) -> Result<()> {
    let records = all_backups(platform).await?;
    let rules = Rules { days: platform.config.retention_days };
    let decisions = plan(&records, rules, clock::now());
    let mut failure = None;
    for decision in &decisions {
        let decided = if decision.keep { "keep" } else { "remove" };
        outcome.plan.push(Line {
            id: decision.id.to_string(),
            decision: decided,
            reason: decision.reason.clone(),
        });
        let Some(record) = records.iter().find(|r| r.id == decision.id && !decision.keep && !dry_run) else {
            continue;
        };
        match remove_one(platform, record).await.with_context(|| format!("removing backup {}", record.id)) {
            Ok(()) => outcome.removed.push(record.id.to_string()),
            Err(e) => {
                tracing::error!(id = %record.id, error = %e, "removing a backup");
                failure.get_or_insert(e);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn all_backups(platform: &Platform) -> Result<Vec<Record>> {
    let mut query = ListQuery { limit: 500, ..ListQuery::of(RunKind::Backup) };
    let mut all = Vec::new();
    loop {
        let page = platform.ledger.list(&query).await.context("listing the backups")?;
        all.extend(page.records);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(all),
        }
    }
}

async fn remove_one(platform: &Platform, record: &Record) -> Result<()> {
    let ledger = &platform.ledger;
    let (store, folder) = stored_at(platform, record)?;
    ledger.mark_deleting(&record.id, clock::now()).await?;
    store.delete(&[ObjectKey::within(&folder, manifest::FILE)?]).await.context("removing its manifest")?;
    let mut listing = store.list(&folder);
    while let Some(page) = listing.page().await? {
        for batch in page.chunks(BATCH) {
            let keys = batch.iter().map(|o| ObjectKey::parse(&o.key)).collect::<Result<Vec<_>>>()?;
            store.delete(&keys).await.context("removing its objects")?;
        }
    }
    backup::abort_uploads(platform, record).await?;
    ledger.delete(&record.id).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events() {
        assert_eq!(Action::from_event(&json!({"action": "reap"})).unwrap(), Action::Reap);
        assert_eq!(Action::from_event(&json!({"action": "watch"})).unwrap(), Action::Watch);
        assert_eq!(
            Action::from_event(&json!({"action": "retention", "dryRun": true})).unwrap(),
            Action::Remove { dry_run: true }
        );
        for bad in [
            json!({}),
            json!([]),
            json!({"action": "burn"}),
            json!({"action": "reap", "x": 1}),
            json!({"action": "retention", "dryRun": 1}),
        ] {
            assert_eq!(Action::from_event(&bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }
}
