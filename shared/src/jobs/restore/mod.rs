//! Restore: any pg_dump directory archive in S3, ours or pg_dump's, into an empty or new database, over the protocol.
//!
//! ```text
//! lease ─ open and prove the archive ─ open the target, refuse what stands there ─ preflight ─ drop what may go, make the marks
//!       ─ pre-data ─ rows, then indexes and constraints as tables are filled ─ grants ─ last ─ statistics ─ count
//!       ─ schemas renamed, event triggers, the database's properties, marks gone: one transaction ─ record
//! ```
//!
//! No statement reaches the target before the archive has been found whole and the target able to take it. A database that the restore created is
//! dropped again when it fails.
//!
//! A function that is killed, or whose time is up, leaves marks in the target of all that it has done ([`marks`]). The next one, called by Lambda's retry
//! or by the function itself, reads them and does the rest; what the server still builds meanwhile it waits for.

mod choices;
mod constraints;
pub(super) mod count;
mod data_only;
mod database;
mod drops;
mod existing;
mod finish;
pub(super) mod graph;
mod in_work;
mod lingering;
mod load;
mod many;
mod marks;
mod older;
mod packed;
mod pick;
pub(super) mod plan;
mod preflight;
mod roles;
mod runner;
mod schemas;
mod selected;
pub(super) mod shift;
mod source;
pub(super) mod sql;
mod stages;
pub(super) mod statement;
pub(super) mod target;
pub(super) mod work;

use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

pub use choices::Choices;
pub(super) use many::work;
pub(super) use marks::SCHEMA;
use work::Restore;

use super::{
    Invocation, Platform, databases,
    request::{RestoreRequest, RestoreSource, RestoreTarget, stored_at},
    run::{self, Ask, Begun, Cut},
};
use crate::{
    base::{
        Error, Kind, Result,
        id::{DatabaseName, RunId},
    },
    ledger::{BackupType, Record, RunKind, Status},
    store::Store,
};

/// How many retries of one event are looked through for what they left.
const RETRIES: usize = 10;

/// Where the archive is, and what its record says of it.
struct Found {
    store: Store,
    folder: String,
    /// The file in it that holds everything, where one was named.
    file: Option<String>,
    checksum: Option<String>,
    database: DatabaseName,
}

/// Runs the restore that an event asks for, or finds that another delivery of the event did.
///
/// # Errors
/// What made it fail; the record tells the same.
pub async fn run(platform: &Platform, invocation: &Invocation, request: &RestoreRequest) -> Result<Record> {
    platform.require_enabled()?;
    // A record tells of a source that cannot be found, too.
    let found = find(platform, request).await;
    let (pinned, unknown) = match databases::pinned_target(&platform.ledger, &platform.config, request).await
    {
        Ok(pinned) => (Some(pinned), None),
        Err(e) => (None, Some(e)),
    };
    let ask = Ask { id: request.id.clone(), event_id: request.event_id.clone() };
    let pending = |id, now| Ok(new_record(platform, request, &found, id, now));
    let cut = Cut::TakenOver { handed: request.resume.as_ref().map(|r| (r.id.clone(), r.fence)) };
    let (record, lease) = match run::begin_or_go_on(platform, invocation, &ask, &cut, pending).await? {
        Begun::Claimed { record, lease, .. } => (record, lease),
        Begun::Elsewhere(record) => return run::elsewhere(*record),
    };
    let unpacked = packed::Unpacked::default();
    let restore = Restore {
        platform,
        request: pinned.as_ref().unwrap_or(request),
        record: &record,
        lease: &lease,
        left: invocation.budget.time_left(),
        created: &AtomicBool::new(false),
        touched: &AtomicBool::new(false),
        unpacked: &unpacked,
    };
    let runs = repeated(platform, &record).await;
    let work = async {
        let found = found?;
        unknown.map_or(Ok(()), Err)?;
        restore.work(&found, &runs).await
    };
    let ended = run::conduct(platform, invocation, &record, &lease, work, |may_change| {
        restore.clean(&runs, may_change)
    })
    .await?;
    if ended.status == Status::Completed {
        unpacked.remove(platform, &record.id, invocation.budget.time_left() / 2).await;
    }
    Ok(ended)
}

/// The pending record of a restore that is about to be asked for.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::InvalidInput`] or [`Kind::Conflict`] for a backup that cannot be restored; those of the ledger.
pub async fn pending(
    platform: &Platform,
    request: &RestoreRequest,
    id: RunId,
    now: Timestamp,
) -> Result<Record> {
    let found = find(platform, request).await.map_err(|e| e.at_field("backupId"))?;
    Ok(new_record(platform, request, &Ok(found), id, now))
}

fn new_record(
    platform: &Platform,
    request: &RestoreRequest,
    found: &Result<Found>,
    id: RunId,
    now: Timestamp,
) -> Record {
    let database = found.as_ref().map_or(&platform.config.database, |f| &f.database);
    let mut r = Record::pending(id, RunKind::Restore, database.clone(), BackupType::Manual, now);
    r.mode = Some("full".into());
    r.format = Some("archive".into());
    r.created_by = request.created_by.clone();
    r.event_id = request.event_id.clone();
    r.backup_id = match &request.source {
        RestoreSource::Backup(id) => Some(id.clone()),
        RestoreSource::Folder { .. } | RestoreSource::File { .. } => None,
    };
    if let Ok(found) = found {
        r.s3_bucket = Some(found.store.bucket().to_owned());
        let file = found.file.as_deref().unwrap_or_default();
        r.s3_url = Some(format!("s3://{}/{}{file}", found.store.bucket(), found.folder));
    }
    r.s3_region = platform.region().map(str::to_owned);
    r.target = Some(described(request));
    r
}

/// The run itself, and the failed ones that it repeats, newest first.
async fn repeated(platform: &Platform, record: &Record) -> Vec<RunId> {
    let mut all = vec![record.id.clone()];
    let mut before = record.retry_of.clone();
    while let Some(id) = before.filter(|_| all.len() < RETRIES) {
        // A record that retention has removed, or that cannot be read now, ends the line: its run's work is not gone on with.
        before = platform.ledger.find(&id).await.ok().flatten().and_then(|r| r.retry_of);
        all.push(id);
    }
    all
}

/// How a record names the target, before it was reached.
fn described(request: &RestoreRequest) -> String {
    let of = request.database.as_ref().map(|d| format!(" of {d}")).unwrap_or_default();
    let base = match &request.target {
        RestoreTarget::Main => format!("MAIN{of}"),
        RestoreTarget::Backup => format!("BACKUP{of}"),
        RestoreTarget::Named(name) => name.to_string(),
        RestoreTarget::Secret(secret) => format!("secret {secret}"),
        RestoreTarget::Iam(login) => login.describe(),
    };
    match &request.new_database {
        Some(database) => format!("{base}, database {database}"),
        None => base,
    }
}

async fn find(platform: &Platform, request: &RestoreRequest) -> Result<Found> {
    match &request.source {
        RestoreSource::Backup(id) => {
            let record = platform.ledger.get(id).await?;
            if record.kind != RunKind::Backup {
                return Err(Error::new(
                    Kind::InvalidInput,
                    format!("{id} is the id of a {}, not of a backup", record.kind.name()),
                ));
            }
            if record.status != Status::Completed {
                return Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "the backup {id} is {}; only a completed one can be restored",
                        record.status.name()
                    ),
                ));
            }
            if record.deleting_at.is_some() {
                return Err(Error::new(Kind::Conflict, format!("the backup {id} is being removed")));
            }
            let (store, folder) = stored_at(platform, &record)?;
            Ok(Found { folder, file: None, store, checksum: record.checksum, database: record.database })
        }
        RestoreSource::File { bucket, folder, name } => Ok(Found {
            store: match bucket {
                Some(bucket) => platform.store.in_bucket(bucket.clone()),
                None => platform.store.clone(),
            },
            folder: folder.clone(),
            file: Some(name.clone()),
            checksum: None,
            database: platform.config.database.clone(),
        }),
        RestoreSource::Folder { bucket, key } => Ok(Found {
            store: match bucket {
                Some(bucket) => platform.store.in_bucket(bucket.clone()),
                None => platform.store.clone(),
            },
            folder: key.clone(),
            file: None,
            checksum: None,
            database: platform.config.database.clone(),
        }),
    }
}
