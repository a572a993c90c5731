//! Removing backups: by the rules, and one that somebody wishes away.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{Platform, backup, request::stored_at},
    Circumstances, Decision, Line, Outcome, Refused, plan,
    plan::newest,
    rules::Registered,
};
use crate::{
    archive::manifest,
    base::{Error, Kind, Result, ResultExt, clock, id::RunId},
    ledger::{Ledger, ListQuery, Record, RunKind, Status},
    store::ObjectKey,
};

/// Files of one backup removed at once.
const BATCH: usize = 1000;

/// One record to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The run.
    pub id: RunId,
    /// A backup's objects too; without, they stay where they are.
    pub objects: bool,
    /// Even if it is the newest good one of its database, or an incremental one needs it.
    pub force: bool,
    /// Who wishes it.
    pub by: Option<String>,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The backup.
    pub id: String,
    /// Objects removed; in a versioned bucket their versions stay for a while.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where objects stay, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects_left_at: Option<String>,
}

/// Removes what the rules do not keep, or says what that would be. What fails for one backup does not keep the others from going.
pub(super) async fn by_rules(platform: &Platform, dry_run: bool, outcome: &mut Outcome) -> Result<()> {
    let records = all_backups(&platform.ledger).await?;
    let rules = Registered::read(platform).await?;
    let in_use = in_use(&platform.ledger).await?;
    let decisions = plan(
        &records,
        &Circumstances {
            rules: &rules,
            in_use: &in_use,
            time_zone: &platform.config.time_zone,
            now: clock::now(),
        },
    );
    let mut failure = None;
    for decision in decisions {
        let Some(record) = records.iter().find(|r| r.id == decision.id) else { continue };
        let decision = unless_locked(platform, record, decision).await;
        let decision = if dry_run { decision } else { unless_in_use(&platform.ledger, decision).await };
        outcome.plan.push(line(record, &decision));
        if decision.keep || dry_run {
            continue;
        }
        let message = format!("removed by retention: {}", decision.reason);
        let removed = remove_with_objects(platform, record, None, message).await;
        match removed.with_context(|| format!("removing backup {}", record.id)) {
            Ok(removed) => outcome.removed.push(removed),
            Err(e) => {
                tracing::error!(id = %record.id, error = %e, "removing a backup");
                failure.get_or_insert(e);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Removes one backup with its objects, or says why it stays.
pub(super) async fn one(platform: &Platform, wish: &Wish, outcome: &mut Outcome) -> Result<()> {
    let remove = async {
        let record = platform.ledger.get(&wish.id).await?;
        may_remove(&platform.ledger, &record, wish.force).await?;
        if !(wish.objects && record.kind == RunKind::Backup) {
            return forget(&platform.ledger, &record, wish.by.as_deref()).await;
        }
        if let Some(lock) = lock(platform, &record).await? {
            return Err(Error::new(Kind::Conflict, format!("the backup {} is under {lock}", record.id)));
        }
        remove_with_objects(platform, &record, wish.by.as_deref(), "removed with its objects".into()).await
    };
    match remove.await {
        Ok(removed) => outcome.removed.push(removed),
        Err(e) if matches!(e.kind(), Kind::Conflict | Kind::NotFound) => {
            outcome.refused = Some(Refused { code: e.kind().code(), message: e.message().to_owned() });
        }
        Err(e) => return Err(e.context(format!("removing backup {}", wish.id))),
    }
    Ok(())
}

/// Removes the record alone; its objects stay where they are. Of the removal a record stays.
async fn forget(ledger: &Ledger, record: &Record, by: Option<&str>) -> Result<Removed> {
    let (id, kind) = (&record.id, record.kind.name());
    let left = record.s3_url.clone().filter(|_| record.kind == RunKind::Backup && record.file_size.is_some());
    let message = match &left {
        Some(url) => format!("the record of the {kind} {id} was removed; its objects stay at {url}"),
        None => format!("the record of the {kind} {id} was removed"),
    };
    // First, so that no removal goes without one.
    ledger.put_removal(&record.removal(clock::now(), by, message)).await?;
    ledger.forget(id).await?;
    Ok(Removed { id: id.to_string(), objects: 0, bytes: 0, objects_left_at: left })
}

/// Whether a record may go because somebody wishes it: never while it or what reads it runs; by force only the newest good backup of a database and one
/// that an incremental backup needs.
async fn may_remove(ledger: &Ledger, record: &Record, force: bool) -> Result<()> {
    let refuse = |why: String| Err(Error::new(Kind::Conflict, why));
    let id = &record.id;
    match record.kind {
        RunKind::Deletion => return refuse(format!("{id} is the record of a deletion, which stays")),
        _ if !record.status.is_final() => {
            return refuse(format!(
                "the run {id} is {}; it can be removed once it has ended",
                record.status.name()
            ));
        }
        RunKind::Backup => {}
        _ => return Ok(()),
    }
    if in_use(ledger).await?.contains(id) {
        return refuse(format!(
            "the backup {id} is being read by a run; it can be removed once that has ended"
        ));
    }
    if force || record.status != Status::Completed || record.deleting_at.is_some() {
        return Ok(());
    }
    let all = all_backups(ledger).await?;
    if newest(&all, record).into_iter().flatten().any(|newest| newest.id == *id) {
        let why = format!(
            "the backup {id} is the newest good one of {}; with \"force=true\" it can be removed all the same",
            record.database
        );
        return refuse(why);
    }
    let dependent = all.into_iter().find(|r| r.backup_id.as_ref() == Some(id));
    match dependent {
        Some(r) => refuse(format!("the incremental backup {} needs {id}", r.id)),
        None => Ok(()),
    }
}

/// The backups that runs read at this moment.
async fn in_use(ledger: &Ledger) -> Result<BTreeSet<RunId>> {
    let mut ids = BTreeSet::new();
    for id in ledger.open().await.context("looking for runs that read backups")? {
        ids.extend(ledger.find(&id).await?.filter(|r| r.kind != RunKind::Backup).and_then(|r| r.backup_id));
    }
    Ok(ids)
}

async fn all_backups(ledger: &Ledger) -> Result<Vec<Record>> {
    let mut query = ListQuery { limit: 500, ..ListQuery::of(RunKind::Backup) };
    let mut all = Vec::new();
    loop {
        let page = ledger.list(&query).await.context("listing the backups")?;
        all.extend(page.records);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(all),
        }
    }
}

fn line(record: &Record, decision: &Decision) -> Line {
    Line {
        id: record.id.to_string(),
        database: record.database.to_string(),
        created_at: clock::text(record.created_at),
        decision: if decision.keep { "keep" } else { "remove" },
        reason: decision.reason.clone(),
    }
}

/// What a run has begun to read since the plan was made stays: removing what goes before it may have taken long. So does what nobody can tell of now.
async fn unless_in_use(ledger: &Ledger, decision: Decision) -> Decision {
    if decision.keep {
        return decision;
    }
    let reason = match in_use(ledger).await {
        Ok(ids) if !ids.contains(&decision.id) => return decision,
        Ok(_) => "a run reads it at this moment".to_owned(),
        Err(e) => {
            tracing::warn!(id = %decision.id, error = %e, "looking for runs that read a backup");
            "it is not known whether a run reads it at this moment".to_owned()
        }
    };
    Decision { keep: true, reason, ..decision }
}

/// What S3 would not let go stays as a whole, with its record.
async fn unless_locked(platform: &Platform, record: &Record, decision: Decision) -> Decision {
    if decision.keep {
        return decision;
    }
    match lock(platform, record).await {
        Ok(None) => decision,
        Ok(Some(lock)) => {
            let reason = format!("{}, but its objects are under {lock}", decision.reason);
            Decision { keep: true, reason, ..decision }
        }
        Err(e) => {
            tracing::warn!(id = %record.id, error = %e, "looking for a lock on a backup");
            decision
        }
    }
}

/// The lock on a backup's manifest: a bucket's rules and a person's holds fall on all objects of a folder alike.
async fn lock(platform: &Platform, record: &Record) -> Result<Option<String>> {
    let (store, folder) = stored_at(platform, record)?;
    let head = store.head(&ObjectKey::within(&folder, manifest::FILE)?).await?;
    Ok(head.and_then(|h| h.lock))
}

async fn remove_with_objects(
    platform: &Platform,
    record: &Record,
    by: Option<&str>,
    message: String,
) -> Result<Removed> {
    let ledger = &platform.ledger;
    let (store, folder) = stored_at(platform, record)?;
    let begun: Timestamp = ledger.mark_deleting(&record.id, clock::now()).await?;
    let mut removed = Removed { id: record.id.to_string(), objects: 0, bytes: 0, objects_left_at: None };
    let manifest = ObjectKey::within(&folder, manifest::FILE)?;
    if let Some(head) = store.head(&manifest).await? {
        store.delete(&[manifest]).await.context("removing its manifest")?;
        removed.objects += 1;
        removed.bytes += head.bytes;
    }
    let mut listing = store.list(&folder);
    while let Some(page) = listing.page().await? {
        for batch in page.chunks(BATCH) {
            let keys = batch.iter().map(|o| ObjectKey::parse(&o.key)).collect::<Result<Vec<_>>>()?;
            store.delete(&keys).await.context("removing its objects")?;
            removed.objects += batch.len() as u64;
            removed.bytes += batch.iter().map(|o| o.bytes).sum::<u64>();
        }
    }
    backup::abort_uploads(platform, record).await?;
    // Of the instant at which it was begun: repeated after a crash, it is the same record.
    ledger.put_removal(&record.removal(begun, by, format!("the backup {} was {message}", record.id))).await?;
    ledger.delete(&record.id).await?;
    Ok(removed)
}
