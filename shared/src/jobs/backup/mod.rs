//! Backup: one consistent snapshot of a database, as a pg_dump directory archive in S3.
//!
//! ```text
//! lease ─ connect ─ snapshot ─ lock every table ─ read the catalogs ─ plan ─┬─ reader 1 ─ COPY ─ compress ─ upload ─┐
//!                      │ holder, until the end                             ├─ reader n ─ …                         ├─ toc.dat ─ manifest.json ─ record
//!                      └ exported to the readers ──────────────────────────┘                                       │
//! ```
//!
//! `manifest.json` is written last and alone makes the archive valid; a run that was overtaken cannot write it, because its lease is checked
//! right before and the object must not exist.

mod entries;
pub mod plan;
mod reader;
mod snapshot;

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    Invocation, Platform,
    progress::Tally,
    request::{BackupRequest, archive_folder, stored_at},
    run::{self, Ask, Begun, Outcome},
};
use crate::{
    archive::{
        Codec, Manifest, Toc,
        manifest::{self, Database, Object},
        toc::Header,
    },
    base::{Kind, Result, ResultExt, clock},
    catalog::{self, Catalog, DatabaseProperties},
    ledger::{Completion, Lease, Record, TableLine},
    pg::{ConnInfo, ServerVersion, Snapshot},
    store::{ObjectKey, Put},
};

/// Runs the backup that an event asks for, or finds that another delivery of the event did.
///
/// # Errors
/// What made it fail; the record tells the same.
pub async fn run(platform: &Platform, invocation: &Invocation, request: &BackupRequest) -> Result<Record> {
    platform.require_enabled()?;
    let ask = Ask { id: request.id.clone(), event_id: request.event_id.clone() };
    let pending = |id, now| request.pending(id, &platform.config, platform.region(), now);
    let (record, lease, stopped) = match run::begin(platform, invocation, &ask, pending).await? {
        Begun::Claimed { record, lease, stopped } => (record, lease, stopped),
        Begun::Elsewhere(record) => return run::elsewhere(*record),
    };
    let backup = Backup {
        platform,
        request,
        record: &record,
        lease: &lease,
        stopped: stopped.as_deref(),
        readers: reader::affordable(platform.config.concurrency, invocation.budget.memory_bytes()),
    };
    let work = async { backup.work().await.map(Outcome::Completed) };
    run::conduct(platform, invocation, &record, &lease, work, |_| async {
        abort_uploads(platform, &record).await.map(|()| None)
    })
    .await
}

/// Aborts what a run left half uploaded. Objects that it completed stay for retention, which alone may delete; without a manifest they are no
/// backup.
pub(super) async fn abort_uploads(platform: &Platform, record: &Record) -> Result<()> {
    let (store, folder) = stored_at(platform, record)?;
    let mut count = 0;
    // A request to begin an upload may have been on its way when the run was broken off, and show only now.
    for pause in [0, 200, 400] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        match store.abort_uploads(&folder, None).await {
            Ok(aborted) => count += aborted.len(),
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
    let database = request.database.as_ref().unwrap_or(&config.database);
    let info = connection(platform, request).await?.with_application_name("pgbaton plan");
    let (holder, _) = snapshot::open_locked(&info, config.lock_timeout).await?;
    let catalog = measured(&holder, config.slice_bytes).await?;
    let version = holder.version();
    holder.finish().await?;
    let codec = Codec::from(request.compression(config.compression));
    let readers = reader::affordable(config.concurrency, invocation.budget.memory_bytes());
    let warnings = catalog.warnings.clone();
    let plan = plan::Plan::of(&catalog, codec);
    Ok(plan::Shown::of(plan, database.as_str(), version, readers, warnings))
}

async fn connection(platform: &Platform, request: &BackupRequest) -> Result<ConnInfo> {
    match &request.database_secret {
        Some(secret) => platform.secret_connection(secret).await,
        None => platform.configured(false).await,
    }
}

/// The catalog under the holder's snapshot, large tables cut into slices of `slice_bytes`.
async fn measured(holder: &Snapshot, slice_bytes: u64) -> Result<Catalog> {
    let mut catalog = catalog::read(holder.client(), holder.version()).await?;
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
    /// Tables to read at once.
    readers: usize,
}

impl Backup<'_> {
    async fn work(&self) -> Result<Completion> {
        let Platform { config, store, ledger, .. } = self.platform;
        if let Some(stopped) = self.stopped
            && let Err(e) = abort_uploads(self.platform, stopped).await
        {
            tracing::warn!(id = %stopped.id, error = %e, "cleaning up after a killed run; the reaper will do it");
        }
        store.check_bucket().await?;
        let info = connection(self.platform, self.request).await?;
        let codec = Codec::from(self.request.compression(config.compression));
        let mut warnings = info.warnings();
        if self.readers < config.concurrency {
            warnings.push(format!(
                "only {} of {} tables are read at once: the function has too little memory for more",
                self.readers, config.concurrency
            ));
        }

        let named = info.with_application_name(&format!("pgbaton backup {}", self.record.id));
        let (holder, snapshot_at) = snapshot::open_locked(&named, config.lock_timeout).await?;
        let version = holder.version();
        ledger.describe(self.lease, &version.to_string()).await?;
        let catalog = measured(&holder, config.slice_bytes).await?;
        warnings.extend(catalog.warnings.iter().cloned());

        let folder = archive_folder(&config.prefix, &self.record.database, &self.record.id);
        let plan = plan::Plan::of(&catalog, codec);
        let tally = Arc::new(Tally::new(plan.tables(), plan.expected_bytes()));
        let reporter = tally.report_to(ledger.clone(), self.lease.clone());
        let readers = reader::Readers {
            info: holder.same_server().with_application_name(&format!("pgbaton reader {}", self.record.id)),
            snapshot: holder.id().to_owned(),
            store: store.clone(),
            folder: folder.clone(),
            codec,
            concurrency: self.readers,
        };
        let (mut objects, fewer) = readers.run(plan, Arc::clone(&tally)).await?;
        warnings.extend(fewer);
        drop(reporter);
        holder.finish().await?;
        ledger.progress(self.lease, &tally.whole()).await?;

        let created = self.record.created_at;
        let header = Header::new(codec, created, &catalog.database.name, &version.to_string());
        let toc = Toc::new(header, entries::of(&catalog));
        let bytes = toc.to_bytes()?;
        let stored = store.put(&ObjectKey::parse(&format!("{folder}toc.dat"))?, bytes, Put::IfAbsent).await?;
        objects.push(Object::new("toc.dat", stored.bytes, stored.bytes, stored.sha256));
        let manifest = Manifest {
            backup_id: self.record.id.clone(),
            database: database(self.record, &catalog.database),
            server_version: version.to_string(),
            pgbaton_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: created,
            finished_at: clock::now(),
            snapshot_at,
            codec: codec.algorithm(),
            objects,
            census: entries::census(&catalog),
            warnings: warnings.clone(),
        };
        let completion = self.completion(&catalog, &manifest, warnings, version);
        let sha256 = self.seal(&folder, &manifest).await?;
        Ok(Completion { checksum: Some(sha256), ..completion })
    }

    /// Writes the manifest, if this run is still the one that may.
    async fn seal(&self, folder: &str, manifest: &Manifest) -> Result<String> {
        let Platform { store, ledger, .. } = self.platform;
        ledger.renew(self.lease, self.platform.config.lease).await?;
        let key = ObjectKey::parse(&format!("{folder}{}", manifest::FILE))?;
        let stored =
            store.put(&key, manifest.to_bytes()?, Put::IfAbsent).await.context("sealing the backup")?;
        Ok(stored.sha256)
    }

    fn completion(
        &self,
        catalog: &Catalog,
        manifest: &Manifest,
        warnings: Vec<String>,
        version: ServerVersion,
    ) -> Completion {
        let tables = lines(manifest);
        let count = tables.len() as u64;
        let (objects, archived) =
            catalog.census.iter().fold((0, 0), |(all, saved), c| (all + c.objects, saved + c.archived));
        let census = if archived == objects {
            format!("all {objects} objects of its catalogs are in the archive")
        } else {
            format!(
                "{archived} of {objects} objects of its catalogs are in the archive, the warnings name the others"
            )
        };
        let message = format!(
            "{count} tables with {} rows and {} other objects saved from PostgreSQL {version}; {census}",
            manifest.rows(),
            catalog.entries.iter().filter(|e| e.data.is_none() && e.catalog_id.oid != 0).count(),
        );
        Completion {
            file_size: Some(manifest.bytes()),
            raw_size: Some(manifest.raw_bytes()),
            record_count: Some(manifest.rows()),
            table_count: Some(count),
            database_version: Some(version.to_string()),
            message: Some(message),
            hops: Some(0),
            warnings,
            tables,
            ..Completion::default()
        }
    }
}

/// Tables with their rows and bytes of COPY text, slices added up.
fn lines(manifest: &Manifest) -> Vec<TableLine> {
    let mut lines: Vec<TableLine> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for object in &manifest.objects {
        let Some(name) = &object.table else { continue };
        let place = *places.entry(name).or_insert_with(|| {
            lines.push(TableLine { name: name.clone(), rows: 0, bytes: 0 });
            lines.len() - 1
        });
        lines[place].rows += object.rows.unwrap_or(0);
        lines[place].bytes += object.raw_bytes;
    }
    lines
}

fn database(record: &Record, d: &DatabaseProperties) -> Database {
    Database {
        name: record.database.clone(),
        server_name: d.name.clone(),
        encoding: d.encoding.clone(),
        locale: entries::locale(d),
    }
}
