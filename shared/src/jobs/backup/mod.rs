//! Backup: one consistent snapshot of a database, as a pg_dump directory archive in S3.
//!
//! ```text
//! lease ─ connect ─ snapshot ─ lock every table ─ read the catalogs ─ toc.dat ─ plan ─┬─ reader 1 ─ COPY ─ compress ─ upload ─┬─ manifest.json ─ record
//!                      │ holder, until the end                                       ├─ reader n, or workers elsewhere ─ … ──┘
//!                      └ exported to the readers ────────────────────────────────────┘
//! ```
//!
//! The holder's function may end before the rows do: it hands snapshot, locks and lease to its successor then (see [`relay`]).
//!
//! `manifest.json` is written last and alone makes the archive valid; a run that was overtaken cannot write it, because its lease is checked
//! right before and the object must not exist.

mod board;
mod entries;
mod hop;
mod join;
mod many;
mod places;
pub mod plan;
mod readers;
mod relay;
mod saver;
mod seal;
mod snapshot;
mod watch;
mod work;
mod worker;

use std::{collections::HashMap, time::Duration};

use places::Places;
use work::{Locked, Work};
pub(super) use worker::work;

use super::{
    Invocation, Platform, convert, databases,
    request::{BackupRequest, archive_folder, stored_at},
    run::{self, Ask, Begun},
    validate, workers,
};
use crate::{
    archive::{Codec, Toc, manifest::Database, toc::Header},
    base::{Error, Format, Kind, Result},
    catalog::{self, Catalog, Choice, DatabaseProperties, LockTarget},
    ledger::{DatabaseSource, Failure, Lease, Record, Status},
    pg::{ConnInfo, Snapshot},
};

/// Runs the backup that an event asks for, or finds that another delivery of the event did.
///
/// # Errors
/// What made it fail; the record tells the same.
pub async fn run(platform: &Platform, invocation: &Invocation, request: &BackupRequest) -> Result<Record> {
    platform.require_enabled()?;
    if let Some(hop) = &request.hop {
        return join::take_over(platform, invocation, request, hop).await;
    }
    let Platform { ledger, config, .. } = platform;
    let found = async {
        let of = databases::of_backup(ledger, config, request).await?;
        let request = of.pinned(of.options(request.clone())?);
        Ok((of, request))
    };
    let (of, request) = match found.await {
        Ok((of, request)) => (of, &request.clone()),
        Err(e) => return unknown(platform, request, e).await,
    };
    let ask = Ask { id: request.id.clone(), event_id: request.event_id.clone() };
    let pending = |id, now| request.pending(id, &of, config, platform.region(), now);
    let (record, lease, stopped) = match run::begin(platform, invocation, &ask, pending).await? {
        Begun::Claimed { record, lease, stopped } => (record, lease, stopped),
        Begun::Elsewhere(record) => return run::elsewhere(*record),
    };
    let left = invocation.budget.time_left();
    let backup =
        Backup { platform, request, record: &record, lease: &lease, stopped: stopped.as_deref(), left };
    let share = async {
        let (holder, work, places) = backup.begin().await?;
        let hop = hop::Hop {
            platform,
            invocation,
            request,
            record: &record,
            lease: &lease,
            holder,
            work,
            places,
            saved: HashMap::new(),
            number: 0,
        };
        hop.run().await
    };
    run::conduct(platform, invocation, &record, &lease, share, |may_change| {
        clean(platform, &record, may_change)
    })
    .await
}

/// Ends a request whose database is not known (any more): where the API has made a record, that tells why.
async fn unknown(platform: &Platform, request: &BackupRequest, e: Error) -> Result<Record> {
    let Some(id) = request.id.as_ref().filter(|_| !e.kind().retryable()) else { return Err(e) };
    match platform.ledger.find(id).await? {
        Some(record) if record.status == Status::Pending => {
            platform.ledger.fail_pending(id, &Failure::from(&e)).await?;
            Err(e)
        }
        // Another delivery came while the database was known.
        Some(record) => run::elsewhere(record),
        None => Err(e),
    }
}

/// Undoes what a failed run left: its workers and its uploads. Not once another function took over, whose workers and uploads they are.
async fn clean(platform: &Platform, record: &Record, may_change: bool) -> Result<Option<String>> {
    if !may_change {
        return Ok(None);
    }
    // At once: where Step Functions cannot be reached, uploads are aborted all the same.
    let (stopped, aborted) = tokio::join!(workers::stop(platform, record), abort_uploads(platform, record));
    aborted?;
    stopped.map(|()| None)
}

/// The folder of a run's backup.
fn folder(platform: &Platform, record: &Record) -> String {
    archive_folder(&platform.config.prefix, &record.database, &record.id)
}

/// The format that the record was made with.
///
/// # Errors
/// [`Kind::Corrupt`] for one that does not exist.
fn format(record: &Record) -> Result<Format> {
    let format = record.format.as_deref().map_or(Ok(Format::Archive), Format::parse);
    format.map_err(|e| {
        Error::new(Kind::Corrupt, format!("the format in the record {}: {}", record.id, e.message()))
    })
}

/// Aborts what a run left half uploaded. Objects that it completed stay for retention, which alone may delete; without a manifest they are no
/// backup.
pub(super) async fn abort_uploads(platform: &Platform, record: &Record) -> Result<()> {
    let (store, folder) = stored_at(platform, record)?;
    let mut count = 0;
    let aside = convert::aside(&platform.config.prefix, &record.database, &record.id);
    // A request to begin an upload may have been on its way when the run was broken off, and show only now.
    for pause in [0, 200, 400] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let both = async {
            let aborted = store.abort_uploads(&folder, None).await?.len();
            Ok::<_, Error>(aborted + platform.store.abort_uploads(&aside, None).await?.len())
        };
        match both.await {
            Ok(aborted) => count += aborted,
            // Without a bucket there is no upload.
            Err(e) if e.kind() == Kind::NotFound => break,
            Err(e) => return Err(e),
        }
    }
    if count > 0 {
        tracing::info!(id = %record.id, uploads = count, "aborted the uploads of a failed run");
    }
    Ok(())
}

/// What a backup would read, without reading or writing it: the snapshot is taken and every table locked for as long as it takes to look at the
/// catalogs. There is no record of it.
///
/// # Errors
/// Those of connecting, locking and reading the catalogs.
pub async fn plan(
    platform: &Platform,
    invocation: &Invocation,
    request: &BackupRequest,
) -> Result<plan::Shown> {
    platform.require_enabled()?;
    let Platform { config, .. } = platform;
    let of = databases::of_backup(&platform.ledger, config, request).await?;
    let request = &of.pinned(of.options(request.clone())?);
    let info = connection(platform, request).await?.with_application_name("pgbaton plan");
    let held = snapshot::open_locked(&info, config.lock_timeout, request.selection()).await?;
    let snapshot::Held { holder, choice, .. } = held;
    let catalog = measured(&holder, config.slice_bytes, choice.as_ref()).await?;
    let version = holder.version();
    holder.finish().await?;
    let codec = Codec::from(request.compression(config.compression));
    let warnings = catalog.warnings.clone();
    let plan = plan::Plan::of(&catalog, codec);
    let way = hop::way(platform, invocation, plan.expected_bytes());
    Ok(plan::Shown::of(&plan, of.name.as_str(), version, way, warnings))
}

pub(super) async fn connection(platform: &Platform, request: &BackupRequest) -> Result<ConnInfo> {
    match (&request.database_secret, &request.database_iam) {
        (Some(secret), _) => platform.secret_connection(secret).await,
        (None, Some(login)) => platform.registered(&DatabaseSource::Iam(login.clone())).await,
        (None, None) => platform.configured(false).await,
    }
}

/// The catalog under the holder's snapshot, or what of it was chosen, large tables cut into slices of `slice_bytes`.
async fn measured(holder: &Snapshot, slice_bytes: u64, choice: Option<&Choice>) -> Result<Catalog> {
    let mut catalog = catalog::read(holder.client(), holder.version(), choice).await?;
    let sizes = catalog::measure(holder.client(), holder.version(), &catalog, slice_bytes / 2).await?;
    catalog.slice(&sizes, slice_bytes);
    Ok(catalog)
}

struct Backup<'a> {
    platform: &'a Platform,
    request: &'a BackupRequest,
    record: &'a Record,
    lease: &'a Lease,
    /// An earlier attempt at the same event, whose function was killed.
    stopped: Option<&'a Record>,
    /// Of the function's time, when it began.
    left: Duration,
}

impl Backup<'_> {
    /// Takes the snapshot, reads the catalogs and writes the table of contents.
    async fn begin(&self) -> Result<(Snapshot, Work, Places)> {
        let Platform { config, store, ledger, .. } = self.platform;
        if let Some(stopped) = self.stopped
            && let Err(e) = clean(self.platform, stopped, true).await
        {
            tracing::warn!(id = %stopped.id, error = %e, "cleaning up after a killed run; the reaper will do it");
        }
        store.check_bucket().await?;
        let info = connection(self.platform, self.request).await?;
        let places = Places::of(self.platform, self.record).await?;
        let (codec, format) = (places.parts.codec, places.format);
        let mut warnings = info.warnings();
        if self.request.validate == Some(true) {
            warnings.extend(validate::warnings(&info, self.left).await);
        }
        let named = info.with_application_name(&format!("pgbaton backup {}", self.record.id));
        let selection = self.request.selection();
        let held = snapshot::open_locked(&named, config.lock_timeout, selection).await?;
        let snapshot::Held { holder, at: snapshot_at, targets, choice } = held;
        let version = holder.version();
        ledger.describe(self.lease, &version.to_string()).await?;
        // The rows of a table are one stream in the end.
        let slice_bytes = if format.is_archive() { config.slice_bytes } else { u64::MAX };
        let catalog = measured(&holder, slice_bytes, choice.as_ref()).await?;
        if format == Format::Json && catalog.database.encoding == "SQL_ASCII" {
            let why = "a database in SQL_ASCII holds bytes of no known encoding, which JSON has no form for: choose the format archive, sql or csv";
            return Err(Error::new(Kind::Unsupported, why).at_field("format"));
        }
        warnings.extend(catalog.warnings.iter().cloned());

        let header = Header::new(codec, self.record.created_at, &catalog.database.name, &version.to_string());
        let bytes = Toc::new(header, entries::of(&catalog)).to_bytes()?;
        let toc = places.parts.put("toc.dat", bytes).await?;
        let work = Work::new(
            snapshot_at,
            version.to_string(),
            database(self.record, &catalog.database),
            entries::census(&catalog),
            selection.map(entries::selection),
            catalog.entries.iter().filter(|e| e.data.is_none() && e.catalog_id.oid != 0).count() as u64,
            warnings,
            plan::Plan::of(&catalog, codec),
            targets.into_iter().map(locked).collect(),
            toc,
            if format.is_archive() { convert::Columns::new() } else { entries::columns(&catalog) },
        );
        Ok((holder, work, places))
    }
}

fn locked(target: LockTarget) -> Locked {
    let LockTarget { oid, schema, name, relfilenode, .. } = target;
    Locked { oid, relfilenode, schema, name }
}

fn database(record: &Record, d: &DatabaseProperties) -> Database {
    Database {
        name: record.database.clone(),
        server_name: d.name.clone(),
        encoding: d.encoding.clone(),
        locale: entries::locale(d),
    }
}
