//! Level `restore`: the backup restored into a scratch database by the function for that, its rows and objects held against the manifest.
//!
//! ```text
//! choose a server ─ make and mark the database ─ invoke restore ─ wait for its record ─ every table counted and hashed ─ census ─ drop
//! ```
//!
//! Note: `verify/<run>/copy`: the server chosen, and the restore.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LOOK, Reached, Summary, Verify, done::Done, inventory::Inventory, scratch};
use crate::{
    base::{Error, Kind, Result, ResultExt, clock, id::RunId},
    jobs::{
        Platform, databases,
        request::{Asked, RestoreRequest, RestoreSource, RestoreTarget, VerifyRequest, Which},
        restore::{Choices, target, work::connection},
        successor,
    },
    ledger::{Record, START_LIMIT, Status},
    pg::ConnInfo,
};

/// What the functions of a run must know of its copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Copy {
    /// The request with the server that was chosen.
    event: Value,
    /// Whether owners, grants and all that belongs to the server's roles are restored, too.
    pub whole: bool,
    /// The restore.
    restore: RunId,
    /// When it was asked for.
    asked_at: Timestamp,
}

fn key(run: &RunId) -> String {
    format!("verify/{run}/copy")
}

impl Copy {
    /// That of a run, if it has come so far.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn load(platform: &Platform, run: &RunId) -> Result<Option<Self>> {
        platform.ledger.noted(&key(run)).await
    }

    /// How the server is reached.
    ///
    /// # Errors
    /// Those of reading the connection string.
    pub(super) async fn server(&self, platform: &Platform) -> Result<ConnInfo> {
        let request = self.request(&self.restore)?;
        connection(platform, &RestoreRequest { new_database: None, ..request }).await
    }

    /// The restore of this backup into the scratch database of `run`.
    fn request(&self, run: &RunId) -> Result<RestoreRequest> {
        let Asked::Verify(VerifyRequest { which: Which::Backup(backup), target: Some(target), .. }) =
            Asked::from_event(self.event.clone())?
        else {
            return Err(Error::new(Kind::Corrupt, "the note on the scratch database names no server"));
        };
        let mut request = into(backup, target);
        let less = !self.whole;
        request.new_database = Some(scratch::name(run));
        request.must_exist = true;
        request.choices = Choices {
            no_owner: less,
            no_privileges: less,
            no_publications: less,
            no_security_labels: less,
            // A restored one is disabled, and would keep the database from being dropped.
            no_subscriptions: true,
            no_tablespaces: true,
            ..Choices::default()
        };
        request.id = Some(self.restore.clone());
        request.event_id = Some(format!("verify/{run}"));
        request.created_by = Some(format!("verification {run}"));
        Ok(request)
    }
}

fn into(backup: RunId, target: RestoreTarget) -> RestoreRequest {
    RestoreRequest {
        source: RestoreSource::Backup(backup),
        target,
        database: None,
        new_database: None,
        must_exist: false,
        create_database: false,
        drop_existing: false,
        tables: Vec::new(),
        choices: Choices::default(),
        role_map: BTreeMap::new(),
        rename_schemas: BTreeMap::new(),
        allow_older: false,
        jobs: None,
        validate: false,
        id: None,
        event_id: None,
        created_by: None,
        resume: None,
    }
}

impl Verify<'_> {
    /// Restores the backup and looks at the copy.
    ///
    /// # Errors
    /// Those that say nothing about the backup.
    pub(super) async fn restore(
        &self,
        backup: &Record,
        inventory: &Inventory,
        done: &mut Done,
    ) -> Result<Reached> {
        let Platform { ledger, .. } = self.platform;
        let run = &self.record.id;
        if done.compared {
            return self.compared(inventory, done).await;
        }
        let copy = match Copy::load(self.platform, run).await? {
            Some(copy) => copy,
            None => self.choose(backup).await?,
        };
        let server = copy.server(self.platform).await?;
        if let Err(e) = scratch::drop_leftovers(&server, ledger).await {
            tracing::warn!(error = %e, "dropping what earlier verifications left");
        }
        let name = scratch::name(run);
        let begun = self.record.scratch_database.as_deref() == Some(name.as_str());
        let restore = ledger.find(&copy.restore).await?;
        let restored_before = restore.as_ref().is_some_and(|r| r.status == Status::Completed);
        let put_down = || ledger.scratch(self.lease, Some(&name));
        scratch::make(&server, &inventory.manifest, run, (begun, restore.is_some()), put_down).await?;
        ledger.stage(self.lease, "restoring into the scratch database", Default::default()).await?;
        match self.restored(&copy, done).await? {
            Restored::NotYet => return Ok(Reached::TimeUp { stuck_at: None }),
            Restored::No => {}
            Restored::Yes => {
                ledger.stage(self.lease, "comparing the copy", Default::default()).await?;
                let info = server.with_database(&name);
                match self.compare(&info, copy.whole, inventory, done).await? {
                    // A function that also waited for the restore had little time for this.
                    Some(Reached::TimeUp { .. }) if !restored_before => {
                        return Ok(Reached::TimeUp { stuck_at: None });
                    }
                    Some(time_up) => return Ok(time_up),
                    None => {}
                }
            }
        }
        // Before the copy is dropped: whoever goes on after a crash must not compare the backup with nothing.
        done.compared = true;
        done.store(self.platform).await?;
        self.compared(inventory, done).await
    }

    /// Drops the copy, which is not needed any more.
    async fn compared(&self, inventory: &Inventory, done: &mut Done) -> Result<Reached> {
        let name = scratch::name(&self.record.id);
        if let Err(e) = self.drop_scratch().await {
            done.warning(format!(
                "the scratch database {name} could not be dropped ({e}); the reaper and the next verification try again"
            ));
        }
        Ok(Reached::End(self.summary(inventory, done)))
    }

    fn summary(&self, inventory: &Inventory, done: &Done) -> Summary {
        let tables = inventory.manifest.saved().map(|s| s.table);
        let tables = tables.collect::<std::collections::BTreeSet<_>>().len() as u64;
        Summary {
            rows: Some(done.rows),
            tables: Some(tables),
            bytes: Some(inventory.manifest.bytes()),
            says: format!(
                "restored into a scratch database, {tables} tables with {} rows counted and hashed there",
                done.rows
            ),
        }
    }

    /// Chooses the server: the one asked for; else the backup's own source, or BACKUP where no database may be made there.
    async fn choose(&self, backup: &Record) -> Result<Copy> {
        let mut refused = Vec::new();
        let candidates = match &self.request.target {
            Some(target) => vec![(target.clone(), false)],
            None => {
                vec![(RestoreTarget::Named(backup.database.clone()), true), (RestoreTarget::Backup, false)]
            }
        };
        for (target, source) in candidates {
            match self.may_make(backup, target).await {
                Ok((target, superuser)) => {
                    let event = VerifyRequest {
                        which: Which::Backup(backup.id.clone()),
                        target: Some(target),
                        resume: None,
                        ..self.request.clone()
                    };
                    let copy = Copy {
                        event: event.to_event(),
                        whole: superuser && source,
                        restore: RunId::random(clock::now())?,
                        asked_at: clock::now(),
                    };
                    let key = key(&self.record.id);
                    self.platform.ledger.note(&key, &copy).await?;
                    return Ok(copy);
                }
                Err(e)
                    if self.request.target.is_none()
                        && matches!(e.kind(), Kind::NotFound | Kind::Permission | Kind::Config) =>
                {
                    refused.push(e.to_string());
                }
                Err(e) => return Err(e),
            }
        }
        Err(Error::new(
            Kind::Permission,
            format!(
                "there is no server to make a scratch database on ({}): give the role CREATEDB, configure BACKUP, or name a \"target\"",
                refused.join("; ")
            ),
        ))
    }

    /// How the target is reached, and whether its role is a superuser, once it is known that it may make databases.
    async fn may_make(&self, backup: &Record, target: RestoreTarget) -> Result<(RestoreTarget, bool)> {
        let Platform { ledger, config, .. } = self.platform;
        let asked =
            RestoreRequest { database: Some(backup.database.clone()), ..into(backup.id.clone(), target) };
        let asked = databases::pinned_target(ledger, config, &asked).await?;
        let info = connection(self.platform, &asked).await?;
        let session = target::maintenance(&info).await?;
        match scratch::rights(&session).await? {
            (true, superuser) => Ok((asked.target, superuser)),
            (false, _) => Err(Error::new(
                Kind::Permission,
                format!("the role of {} may not create databases", info.describe()),
            )),
        }
    }

    /// Invokes the restore where it has not begun, and waits for its end.
    async fn restored(&self, copy: &Copy, done: &mut Done) -> Result<Restored> {
        let Platform { ledger, config, .. } = self.platform;
        if ledger.find(&copy.restore).await?.is_none() {
            let function = config.restore_function.as_deref().ok_or_else(|| {
                Error::new(Kind::Config, "RESTORE_FUNCTION is not set, so no restore can be started")
            })?;
            // Twice is no harm: it is one event.
            let event = copy.request(&self.record.id)?.to_event();
            successor::start(self.platform, function, &event).await.context("starting the restore")?;
        }
        loop {
            let there = ledger.find(&copy.restore).await?;
            match there {
                Some(record) if record.status == Status::Completed => {
                    for warning in record.warnings {
                        done.warning(format!("the restore: {warning}"));
                    }
                    return Ok(Restored::Yes);
                }
                Some(record) if record.status == Status::Failed => return failed(&record, done),
                None if clock::now().duration_since(copy.asked_at).unsigned_abs() > START_LIMIT => {
                    return Err(Error::new(
                        Kind::Aws,
                        "the restore was asked for and no function started it",
                    ));
                }
                _ => {}
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.shift.over() => return Ok(Restored::NotYet),
            }
        }
    }

    /// Drops this run's scratch database and takes its name off the record.
    ///
    /// # Errors
    /// Those of reaching the server.
    pub(super) async fn drop_scratch(&self) -> Result<()> {
        let run = &self.record.id;
        if let Some(copy) = Copy::load(self.platform, run).await? {
            let put_down = self.platform.ledger.get(run).await?.scratch_database.is_some();
            scratch::drop(&copy.server(self.platform).await?, run, put_down).await?;
        }
        self.platform.ledger.scratch(self.lease, None).await
    }
}

enum Restored {
    Yes,
    /// The backup cannot be restored.
    No,
    /// The function's time is up.
    NotYet,
}

/// What a failed restore says: of the backup, or of the server it went to.
fn failed(record: &Record, done: &mut Done) -> Result<Restored> {
    let why = record.message.clone().unwrap_or_else(|| "no reason recorded".to_owned());
    let code = record.error_code.as_deref().unwrap_or_default();
    if says_of_the_backup(code, &why) {
        done.problem(format!("it cannot be restored: {why}"));
        return Ok(Restored::No);
    }
    let kind = Kind::parse(code).unwrap_or(Kind::ServerLost);
    Err(Error::new(kind, format!("the restore {} into the scratch database failed: {why}", record.id)))
}

/// Whether a restore's failure speaks of the archive: it is damaged, or the server refuses what it holds, by the classes 22 (data exception), 23 (integrity
/// constraint violation) and 42 (syntax error). All others may speak of the server (PostgreSQL manual, appendix "PostgreSQL Error Codes").
fn says_of_the_backup(code: &str, message: &str) -> bool {
    let of_the_archive =
        ["22", "23", "42"].iter().any(|class| message.contains(&format!("(SQLSTATE {class}")));
    match Kind::parse(code) {
        Some(Kind::Corrupt) => true,
        Some(Kind::Database) => of_the_archive,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_speaks_of_the_archive_condemns_the_backup() {
        for (code, message, of_the_backup) in [
            ("corrupt", "its SHA-256 differs", true),
            ("database", "violates check constraint (SQLSTATE 23514)", true),
            ("database", "could not extend file (SQLSTATE 53100)", false),
            ("database", "canceling statement (SQLSTATE 57014)", false),
            ("database", "cannot execute in a read-only transaction (SQLSTATE 25006)", false),
            ("database", "can only create extension in database postgres (SQLSTATE XX000)", false),
            ("database", "type does not exist (SQLSTATE 42704)", true),
            ("unreachable", "", false),
            ("conflict", "roles are missing", false),
            ("function_stopped", "", false),
        ] {
            assert_eq!(says_of_the_backup(code, message), of_the_backup, "{code} {message}");
        }
    }

    #[test]
    fn the_restore_goes_into_the_scratch_database_and_nowhere_else() {
        let id = |n: u8| RunId::parse(&format!("20261121T020000Z-0000000{n}")).unwrap();
        let event = json!({"backupId": id(1).as_str(), "target": "BACKUP"});
        let copy = Copy { event, whole: false, restore: id(2), asked_at: clock::now() };
        let request = copy.request(&id(3)).unwrap();
        assert_eq!(request.source, RestoreSource::Backup(id(1)));
        assert_eq!(request.new_database, Some(scratch::name(&id(3))));
        assert!(request.must_exist && !request.create_database && request.choices.no_owner);
        assert_eq!(RestoreRequest::from_event(request.to_event()).unwrap(), request);
        assert!(Copy { event: json!({"latest": true}), ..copy }.request(&id(3)).is_err());
    }
}
