//! Restore: any pg_dump directory archive in S3, ours or pg_dump's, into an empty or new database, over the protocol.
//!
//! ```text
//! lease ─ open and prove the archive ─ open the target, refuse what stands there ─ preflight
//!       ─ pre-data ─ rows, then indexes and constraints as tables are filled ─ grants ─ last ─ statistics ─ count ─ record
//! ```
//!
//! No statement reaches the target before the archive has been found whole and the target able to take it. A database that the restore created is
//! dropped again when it fails.

mod choices;
mod count;
mod database;
mod graph;
mod load;
mod older;
mod plan;
mod preflight;
mod roles;
mod runner;
mod source;
mod sql;
mod statement;
mod target;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

pub use choices::Choices;
use database::Properties;
use graph::Graph;
use preflight::Wanted;
use runner::{Parts, Runner};
use source::Source;
use statement::Settings;
use target::Target;

use super::{
    Invocation, Platform,
    progress::Tally,
    request::{RestoreRequest, RestoreSource, RestoreTarget, stored_at},
    run::{self, Ask, Begun, Outcome},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result, ResultExt, id::DatabaseName},
    ledger::{BackupType, Completion, Lease, Record, RunKind, Status},
    pg::{ConnInfo, Session},
    store::Store,
};

/// The first major version with `pg_restore_relation_stats`.
const STATISTICS_SINCE: u32 = 18;

/// Where the archive is, and what its record says of it.
struct Found {
    store: Store,
    folder: String,
    checksum: Option<String>,
    database: DatabaseName,
}

/// Runs the restore that an event asks for, or finds that another delivery of the event did.
///
/// # Errors
/// What made it fail; the record tells the same.
pub async fn run(platform: &Platform, invocation: &Invocation, request: &RestoreRequest) -> Result<Record> {
    platform.require_enabled()?;
    if request.data_only {
        return Err(Error::new(Kind::NotAvailableYet, "\"dataOnly\" is planned and not available yet"));
    }
    // A record tells of a source that cannot be found, too.
    let found = find(platform, request).await;
    let ask = Ask { id: request.id.clone(), event_id: request.event_id.clone() };
    let pending = |id, now| {
        let database = found.as_ref().map_or(&platform.config.database, |f| &f.database);
        let mut r = Record::pending(id, RunKind::Restore, database.clone(), BackupType::Manual, now);
        r.mode = Some("full".into());
        r.format = Some("archive".into());
        r.created_by = request.created_by.clone();
        r.event_id = request.event_id.clone();
        r.backup_id = match &request.source {
            RestoreSource::Backup(id) => Some(id.clone()),
            RestoreSource::Folder { .. } => None,
        };
        if let Ok(found) = &found {
            r.s3_bucket = Some(found.store.bucket().to_owned());
            r.s3_url = Some(format!("s3://{}/{}", found.store.bucket(), found.folder));
        }
        r.s3_region = platform.region().map(str::to_owned);
        r.target = Some(described(request));
        Ok(r)
    };
    let (record, lease) = match run::begin(platform, invocation, &ask, pending).await? {
        Begun::Claimed { record, lease, .. } => (record, lease),
        Begun::Elsewhere(record) => return run::elsewhere(*record),
    };
    let restore = Restore {
        platform,
        request,
        record: &record,
        lease: &lease,
        created: &AtomicBool::new(false),
        touched: &AtomicBool::new(false),
    };
    let work = async { restore.work(&found?).await.map(Outcome::Completed) };
    run::conduct(platform, invocation, &record, &lease, work, |may_change| restore.clean(may_change)).await
}

/// How a record names the target, before it was reached.
fn described(request: &RestoreRequest) -> String {
    let base = match &request.target {
        RestoreTarget::Main => "MAIN".to_owned(),
        RestoreTarget::Backup => "BACKUP".to_owned(),
        RestoreTarget::Named(name) => name.to_string(),
        RestoreTarget::Secret(secret) => format!("secret {secret}"),
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
                return Err(Error::new(Kind::InvalidInput, format!("{id} is a restore, not a backup")));
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
            let (store, folder) = stored_at(platform, &record)?;
            Ok(Found { folder, store, checksum: record.checksum, database: record.database })
        }
        RestoreSource::Folder { bucket, key } => Ok(Found {
            store: match bucket {
                Some(bucket) => platform.store.in_bucket(bucket.clone()),
                None => platform.store.clone(),
            },
            folder: key.clone(),
            checksum: None,
            database: platform.config.database.clone(),
        }),
    }
}

struct Restore<'a> {
    platform: &'a Platform,
    request: &'a RestoreRequest,
    record: &'a Record,
    lease: &'a Lease,
    /// Set when the target's database was created by this run.
    created: &'a AtomicBool,
    /// Set when the first statement that changes the target is about to go out.
    touched: &'a AtomicBool,
}

impl Restore<'_> {
    async fn connection(&self) -> Result<ConnInfo> {
        let info = match &self.request.target {
            RestoreTarget::Main => self.platform.configured(false).await?,
            RestoreTarget::Backup => self.platform.configured(true).await?,
            RestoreTarget::Named(name) if *name == self.platform.config.database => {
                self.platform.configured(false).await?
            }
            RestoreTarget::Named(name) => {
                return Err(Error::new(
                    Kind::NotFound,
                    format!("no database is registered under the name {name}"),
                ));
            }
            RestoreTarget::Secret(secret) => self.platform.secret_connection(secret).await?,
        };
        let info = info.with_application_name(&format!("pgbaton restore {}", self.record.id));
        Ok(match &self.request.new_database {
            Some(database) => info.with_database(database),
            None => info,
        })
    }

    async fn work(&self, found: &Found) -> Result<Completion> {
        let Platform { config, ledger, .. } = self.platform;
        let mut source = Source::open(found.store.clone(), &found.folder, found.checksum.as_deref()).await?;
        let choices = self.request.choices;
        roles::rename(&mut source.toc.entries, &self.request.role_map)?;
        let plan = plan::plan(&source.toc, choices, |e| source.size(e))?;

        let info = self.connection().await?;
        let create = self.request.create_database || self.request.new_database.is_some();
        let mut warnings = info.warnings();
        let encoding = plan::encoding(&source.toc)?;
        let of_database = plan.database.iter().map(|&place| &source.toc.entries[place]);
        let properties = Properties::of(of_database, info.database(), choices)?;
        let target = Target { info: &info, run: &self.record.id, created: self.created };
        let session = target.open(create.then_some(source.manifest.as_ref()), ledger).await?;
        ledger.describe(self.lease, &session.version().to_string()).await?;
        let source_encoding = match &source.manifest {
            Some(manifest) => Some(manifest.database.encoding.clone()),
            None => plan::database_encoding(&source.toc),
        };
        let wanted = Wanted {
            entries: source.toc.entries.iter().filter(|e| choices.want(e)).collect(),
            properties: &properties,
            version: source.toc.header.server_version.as_deref(),
            encoding: source_encoding.as_deref().unwrap_or(&encoding),
            choices,
            allow_older: self.request.allow_older,
        };
        let found = preflight::check(&session, &wanted).await?;
        warnings.extend(found.warnings);
        for entry in &mut source.toc.entries {
            if entry.tablespace.as_ref().is_some_and(|t| found.absent_tablespaces.contains(t)) {
                entry.tablespace = Some(String::new());
            }
        }

        target::speak(&session, &encoding).await?;

        let filled = |e: &&Entry| e.had_dumper && e.copy_stmt.is_some() && !choices.schema_only;
        let parts = Parts::of(source.toc.entries.iter().filter(filled));
        let bytes = source.toc.entries.iter().filter(filled).map(|e| source.size(e)).sum();
        let tally = Arc::new(Tally::new(parts.tables(), bytes));
        let reporter = tally.report_to(ledger.clone(), self.lease.clone());
        let runner = Arc::new(Runner { source, choices, tally, parts });
        let mut told = Settings::default();

        self.touched.store(true, Relaxed);
        self.serial(&runner, &session, &plan.pre_data, &mut told, &mut warnings).await?;
        let jobs = self.request.jobs.map_or(config.concurrency, usize::from).max(1);
        let sessions = self.sessions(&session, &encoding, jobs.min(plan.parallel.len())).await?;
        let loaded = runner.parallel(Graph::new(plan.parallel), sessions).await?;
        self.serial(&runner, &session, &plan.privileges, &mut told, &mut warnings).await?;
        self.serial(&runner, &session, &plan.last, &mut told, &mut warnings).await?;
        warnings.extend(self.statistics(&runner, &session, plan.statistics, &encoding).await?);
        let toc = &runner.source.toc;
        let counted = match &runner.source.manifest {
            Some(manifest) if !choices.schema_only => {
                let sessions = self.sessions(&session, &encoding, jobs).await?;
                Some(count::compare(manifest, toc, sessions).await?)
            }
            _ => None,
        };
        drop(reporter);
        ledger.progress(self.lease, &runner.tally.whole()).await?;
        let against = match counted {
            Some(n) => format!("; {n} tables counted, all as the manifest says"),
            None => String::new(),
        };
        let message = format!(
            "{} tables with {} rows restored into {}{against}",
            loaded.tables,
            loaded.rows,
            session.info().describe()
        );
        for sql in &properties.all {
            let doing = "setting the database's properties";
            session.batch_execute(sql).await.map_err(|e| session.error(e)).context(doing)?;
        }
        target.finished(&session, properties.comment.as_deref()).await?;
        session.close().await;
        Ok(Completion {
            record_count: Some(loaded.rows),
            table_count: Some(loaded.tables),
            message: Some(message),
            warnings,
            ..Completion::default()
        })
    }

    async fn serial(
        &self,
        runner: &Runner,
        session: &Session,
        places: &[usize],
        told: &mut Settings,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        for &place in places {
            let entry = &runner.source.toc.entries[place];
            match runner.entry(session, entry, told).await {
                Ok(_) => {}
                // Only the extension's owner may; managed services own what they install. The extension works all the same.
                Err(e)
                    if e.kind() == Kind::Permission
                        && entry.desc == "COMMENT"
                        && entry.tag.starts_with("EXTENSION ") =>
                {
                    warnings.push(e.to_string());
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Gives the planner its statistics; what could not be done, for the record.
    async fn statistics(
        &self,
        runner: &Arc<Runner>,
        session: &Session,
        steps: Vec<graph::Step>,
        encoding: &str,
    ) -> Result<Option<String>> {
        let all = steps.len();
        if all == 0 {
            return Ok(None);
        }
        let major = session.version().major();
        if major < STATISTICS_SINCE {
            return Ok(Some(format!(
                "the planner's statistics of {all} relations were left out, since PostgreSQL {major} cannot restore them: run ANALYZE"
            )));
        }
        let jobs = self.request.jobs.map_or(self.platform.config.concurrency, usize::from).max(1);
        let sessions = self.sessions(session, encoding, jobs.min(all)).await?;
        let refused = runner.parallel(Graph::new(steps), sessions).await?.refused;
        Ok(refused.first().map(|first| {
            let count = refused.len();
            format!(
                "the planner's statistics of {count} relations could not be restored, run ANALYZE: {first}"
            )
        }))
    }

    /// Sessions to the same server as `session`; as many as it admits, one at least.
    async fn sessions(&self, session: &Session, encoding: &str, wanted: usize) -> Result<Vec<Session>> {
        let info = session.same_server();
        let mut all = Vec::new();
        for n in 0..wanted.max(1) {
            match target::join(&info, encoding).await {
                Ok(session) => all.push(session),
                Err(e) if n > 0 && e.kind() == Kind::Unreachable => {
                    tracing::warn!(error = %e, opened = n, wanted, "the target admits fewer sessions than wanted");
                    break;
                }
                Err(e) => return Err(e.context("opening a session to restore with")),
            }
        }
        Ok(all)
    }

    /// Ends what still runs on the server, and drops the database that this run created. One that stood there before is left as it is, which is
    /// told: dropping what another made is not a restore's to do. Every table in it holds all of its rows or none.
    async fn clean(&self, may_change: bool) -> Result<Option<String>> {
        let created = self.created.load(Relaxed);
        if !may_change || !(created || self.touched.load(Relaxed)) {
            return Ok(None);
        }
        let info = self.connection().await?;
        if created {
            target::drop_created(&info).await?;
            return Ok(Some("the database that this restore had created was dropped again".to_owned()));
        }
        target::stop_sessions(&info).await?;
        Ok(Some(format!(
            "the target database {} holds a part of the archive; make it empty before the next attempt",
            info.database()
        )))
    }
}
