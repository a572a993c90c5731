//! Databases by name: which one a request means, and how it is reached. A database is configured by the deployment's settings (`DATABASE_LABEL` and the
//! `DATABASE_*` variables) or stands in the registry.

mod registry;

use jiff::{Timestamp, ToSpan};
use serde_json::Value;

pub use registry::{Entry, Page, RESERVED, Removed, list, put, remove};

use super::request::{BackupRequest, RestoreRequest, RestoreTarget};
use crate::{
    base::{Error, Kind, Result, ResultExt, config::Config, id::DatabaseName},
    ledger::{DatabaseSource, Ledger, Registration},
};

/// Names that an error lists at most.
const NAMED: usize = 20;

/// A database that a run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: DatabaseName,
    /// Its registration, if it has one; the configured database may.
    pub registration: Option<Registration>,
    /// Whether its connection is the deployment's own.
    pub configured: bool,
}

/// The database of this name, or the default one: the configured database, or the only one that is registered.
///
/// # Errors
/// [`Kind::NotFound`] for a name that is not registered, and [`Kind::InvalidInput`] where a name is needed, both with the names that there are; those of the
/// ledger.
pub async fn find(ledger: &Ledger, config: &Config, asked: Option<&DatabaseName>) -> Result<Database> {
    let name = match asked {
        Some(name) => name.clone(),
        None if config.configured => config.database.clone(),
        None => match &ledger.registered_names().await?[..] {
            [] => config.database.clone(),
            [only] => only.clone(),
            several => {
                let why = format!("several databases are registered, say which: {}", listed(several));
                return Err(Error::new(Kind::InvalidInput, why).at_field("database"));
            }
        },
    };
    let registration = ledger.registration(&name).await?;
    let own = registration.as_ref().is_some_and(|r| r.said.main.is_some());
    // Where there is nothing at all, working on it says which setting is missing.
    let configured = name == config.database
        && (config.configured || (!own && ledger.registered_names().await?.is_empty()));
    if configured || own {
        return Ok(Database { name, registration, configured });
    }
    let why = match registration {
        // Of a label that the deployment had before.
        Some(_) => format!("the registration of {name} does not say how it is reached: put a \"main\""),
        None => {
            let mut names = ledger.registered_names().await?;
            if config.configured || names.is_empty() {
                names.insert(0, config.database.clone());
            }
            format!("no database is registered under the name {name}; there is {}", listed(&names))
        }
    };
    Err(Error::new(Kind::NotFound, why).at_field("database"))
}

/// The database of a backup. An event that brings its own connection may call it as it likes.
///
/// # Errors
/// As [`find`].
pub async fn of_backup(ledger: &Ledger, config: &Config, request: &BackupRequest) -> Result<Database> {
    if !request.brings_source() {
        return find(ledger, config, request.database.as_ref()).await;
    }
    let name = request.database.clone().unwrap_or_else(|| config.database.clone());
    Ok(Database { name, registration: None, configured: false })
}

impl Database {
    /// A request for this database: its name, and the registration's defaults where the request says nothing.
    ///
    /// # Errors
    /// [`Kind::Config`] for defaults that this build cannot read.
    pub fn options(&self, request: BackupRequest) -> Result<BackupRequest> {
        let mut asked = BackupRequest { database: Some(self.name.clone()), ..request };
        if let Some(registration) = self.registration.as_ref().filter(|r| !r.said.defaults.is_empty()) {
            let defaults = Value::Object(registration.said.defaults.clone());
            let defaults = BackupRequest::from_defaults(defaults).map_err(|e| {
                let why =
                    format!("the defaults in the registration of {} are wrong: {}", self.name, e.message());
                Error::new(Kind::Config, why)
            })?;
            asked = asked.or(defaults);
        }
        Ok(asked)
    }

    /// A request that carries how the database is reached, so that every function of the run reads the same one, whatever becomes of the registration.
    pub fn pinned(&self, request: BackupRequest) -> BackupRequest {
        match self.source() {
            Some(DatabaseSource::Secret(name)) => {
                BackupRequest { database_secret: Some(name.clone()), ..request }
            }
            Some(DatabaseSource::Iam(login)) => {
                BackupRequest { database_iam: Some(login.clone()), ..request }
            }
            None => request,
        }
    }

    /// When a backup of this database made `now` falls to retention by its age; none where no rule goes by days.
    pub fn expires_at(&self, config: &Config, now: Timestamp) -> Option<Timestamp> {
        let days = match self.registration.as_ref().and_then(|r| r.said.retention) {
            Some(rules) => rules.days?,
            None => config.retention_days,
        };
        now.checked_add((i64::from(days) * 24).hours()).ok()
    }

    /// How the database itself is reached; none for the configured one.
    fn source(&self) -> Option<&DatabaseSource> {
        self.registration.as_ref().filter(|_| !self.configured)?.said.main.as_ref()
    }

    /// How its second database is reached; none for the configured one.
    fn second(&self) -> Result<Option<&DatabaseSource>> {
        if self.configured {
            return Ok(None);
        }
        let second = self.registration.as_ref().and_then(|r| r.said.backup.as_ref());
        second.map(Some).ok_or_else(|| {
            let why = format!("{} has no second database: put a \"backup\" into its registration", self.name);
            Error::new(Kind::NotFound, why).at_field("target")
        })
    }
}

/// A restore whose target is not a name any more but how it is reached, so that every function of the run restores into the same database. For a target that
/// is configured it stays `MAIN` or `BACKUP`.
///
/// # Errors
/// As [`find`]; [`Kind::NotFound`] for a `BACKUP` that there is none of.
pub async fn pinned_target(
    ledger: &Ledger,
    config: &Config,
    request: &RestoreRequest,
) -> Result<RestoreRequest> {
    let (asked, second) = match &request.target {
        RestoreTarget::Secret(_) | RestoreTarget::Iam(_) => return Ok(request.clone()),
        RestoreTarget::Main => (request.database.as_ref(), false),
        RestoreTarget::Backup => (request.database.as_ref(), true),
        RestoreTarget::Named(name) => (Some(name), false),
    };
    let found = find(ledger, config, asked).await.context("finding the target")?;
    let source = if second { found.second()? } else { found.source() };
    let target = match source {
        Some(DatabaseSource::Secret(name)) => RestoreTarget::Secret(name.clone()),
        Some(DatabaseSource::Iam(login)) => RestoreTarget::Iam(login.clone()),
        None if second => RestoreTarget::Backup,
        None => RestoreTarget::Main,
    };
    let configured = matches!(target, RestoreTarget::Main | RestoreTarget::Backup);
    Ok(RestoreRequest { target, database: configured.then_some(found.name), ..request.clone() })
}

/// Refuses a target that is not there.
///
/// # Errors
/// [`Kind::NotFound`] with the field; those of the ledger.
pub async fn known_target(ledger: &Ledger, config: &Config, target: &RestoreTarget) -> Result<()> {
    let found = match target {
        RestoreTarget::Secret(_) | RestoreTarget::Iam(_) => return Ok(()),
        RestoreTarget::Main => find(ledger, config, None).await.map(|_| ()),
        RestoreTarget::Backup => find(ledger, config, None).await.and_then(|d| d.second().map(|_| ())),
        RestoreTarget::Named(name) => find(ledger, config, Some(name)).await.map(|_| ()),
    };
    found.context("finding the target")
}

fn listed(names: &[DatabaseName]) -> String {
    let mut all: Vec<&str> = names.iter().take(NAMED).map(DatabaseName::as_str).collect();
    let more = format!("{} more", names.len().saturating_sub(NAMED));
    if names.len() > NAMED {
        all.push(&more);
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        base::IamLogin,
        ledger::{KeepRules, Registered},
    };

    fn database(defaults: Value, retention: Option<KeepRules>, configured: bool) -> Database {
        let name = DatabaseName::parse("shop").unwrap();
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let said = Registered {
            main: Some(DatabaseSource::Secret("/shop/url".into())),
            backup: None,
            retention,
            defaults: defaults.as_object().unwrap().clone(),
        };
        let (created_by, updated_by) = ("ann".to_owned(), "ann".to_owned());
        let registration = Registration {
            name: name.clone(),
            said,
            version: 1,
            created_by,
            created_at: at,
            updated_by,
            updated_at: at,
        };
        Database { name, registration: Some(registration), configured }
    }

    fn asked(event: Value) -> BackupRequest {
        BackupRequest::from_event(event).unwrap()
    }

    #[test]
    fn defaults_hold_where_the_request_says_nothing() {
        let of = |defaults: Value, event: Value| {
            database(defaults, None, false).options(asked(event)).unwrap().to_event()
        };
        let gzip = json!({"compression": "gzip", "label": "nightly"});
        assert_eq!(
            of(gzip.clone(), json!({})),
            json!({"database": "shop", "compression": "gzip", "label": "nightly"})
        );
        assert_eq!(
            of(gzip.clone(), json!({"label": "now", "createdBy": "ann"})),
            json!({"database": "shop", "compression": "gzip", "label": "now", "createdBy": "ann"})
        );
        // The two fields say one thing.
        assert_eq!(
            of(gzip, json!({"compress": false, "label": "x"})),
            json!({"database": "shop", "compress": false, "label": "x"})
        );
        assert_eq!(
            of(json!({"compress": false}), json!({"compression": "zstd"})),
            json!({"database": "shop", "compression": "zstd"})
        );
    }

    #[test]
    fn defaults_of_another_build_are_told() {
        let e = database(json!({"turbo": true}), None, false).options(BackupRequest::default()).unwrap_err();
        assert!(e.kind() == Kind::Config && e.to_string().contains("turbo"), "{e}");
    }

    #[test]
    fn a_pinned_request_names_its_source_unless_it_is_the_deployments() {
        let registered = database(json!({}), None, false);
        let pinned = registered.pinned(BackupRequest::default());
        assert_eq!(pinned.to_event(), json!({"databaseSecret": "/shop/url"}));
        let mut by_iam = registered.clone();
        let login = IamLogin::new("h", 5432, "d", "u", None).unwrap();
        by_iam.registration.as_mut().unwrap().said.main = Some(DatabaseSource::Iam(login));
        let pinned = by_iam.pinned(BackupRequest::default());
        assert_eq!(BackupRequest::from_event(pinned.to_event()).unwrap(), pinned);
        assert!(pinned.brings_source() && pinned.database_secret.is_none());
        let configured = Database { configured: true, ..registered };
        assert_eq!(configured.pinned(BackupRequest::default()), BackupRequest::default());
    }

    #[test]
    fn backups_expire_by_the_rules_of_their_database() {
        let config = Config::from_lookup(|name| {
            ["BACKUP_BUCKET", "BACKUP_TABLE", "STATE_TABLE"].contains(&name).then(|| "x".to_owned())
        });
        let (config, now) = (config.unwrap(), "2026-11-21T02:00:00Z".parse().unwrap());
        let of = |rules| database(json!({}), rules, false).expires_at(&config, now).map(|t| t.to_string());
        assert_eq!(of(None).as_deref(), Some("2026-12-21T02:00:00Z"));
        assert_eq!(of(Some(KeepRules::of_days(1))).as_deref(), Some("2026-11-22T02:00:00Z"));
        assert_eq!(of(Some(KeepRules { last: Some(3), ..KeepRules::default() })), None);
    }
}
