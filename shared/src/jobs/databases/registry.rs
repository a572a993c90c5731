//! The registry as admins see it: what there is, put and removed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::listed;
use crate::{
    base::{
        Error, Kind, Result,
        config::{Config, ConnectionSource},
        id::DatabaseName,
    },
    jobs::request::RegistrationRequest,
    ledger::{DatabaseSource, KeepRules, Ledger, ListQuery, Registered, Registration, RunKind, Status},
};

/// What restores call their targets; in any spelling no name of a database.
pub const RESERVED: [&str; 2] = ["MAIN", "BACKUP"];

/// Backups that are counted when a registration is removed.
const COUNTED: usize = 500;

/// One database of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: DatabaseName,
    /// Whether its connection is the deployment's own.
    pub configured: bool,
    /// How it is reached; none where the deployment has the connection string itself.
    pub main: Option<DatabaseSource>,
    /// How its second database is reached.
    pub backup: Option<DatabaseSource>,
    /// What retention keeps; none for `BACKUP_RETENTION_DAYS`.
    pub retention: Option<KeepRules>,
    /// Options of its backups.
    pub defaults: Map<String, Value>,
    /// To be given back with a change; 0 for the configured database as long as nothing was put.
    pub version: u64,
    /// Who registered it, and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// By name.
    pub databases: Vec<Entry>,
    /// The last name of this page; none when there are no more.
    pub next_cursor: Option<DatabaseName>,
}

/// What became of a registration that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// What it was.
    pub removed: Entry,
    /// Backups of this database that stay, as far as they were counted.
    pub backups: usize,
    /// Of these, those that are not ended.
    pub open: usize,
    /// What stays, for a person.
    pub stays: Vec<String>,
}

/// All databases, the configured one among them, by name; those after `after`.
///
/// # Errors
/// Those of the ledger.
pub async fn list(
    ledger: &Ledger,
    config: &Config,
    after: Option<&DatabaseName>,
    limit: usize,
) -> Result<Page> {
    let mut names = ledger.registered_names().await?;
    if config.configured {
        names.push(config.database.clone());
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| after.is_none_or(|after| name > after));
    let more = names.len() > limit;
    names.truncate(limit);
    let found = ledger.registrations(&names).await?;
    let next_cursor = names.last().filter(|_| more).cloned();
    let entry = |name: &DatabaseName| {
        let registration = found.iter().find(|r| r.name == *name);
        // One that was removed since the names were read is not there.
        (registration.is_some() || is_configured(config, name)).then(|| entry(config, name, registration))
    };
    Ok(Page { databases: names.iter().filter_map(entry).collect(), next_cursor })
}

/// Registers a database, or changes its registration, by the body of `PUT /backup/databases/{name}`; tells whether it is new.
///
/// # Errors
/// [`Kind::InvalidInput`] or [`Kind::NotAvailableYet`] with the field; [`Kind::Conflict`] when it was changed since the version that the body names.
pub async fn put(
    ledger: &Ledger,
    config: &Config,
    name: &DatabaseName,
    body: &[u8],
    by: &str,
    now: Timestamp,
) -> Result<(Entry, bool)> {
    if RESERVED.iter().any(|r| r.eq_ignore_ascii_case(name.as_str())) {
        let why = format!("{name} is what restores call a target; take another name");
        return Err(Error::new(Kind::InvalidInput, why).at_field("name"));
    }
    let asked = RegistrationRequest::from_body(body, is_configured(config, name))?;
    let put = ledger.register(name, &asked.said, asked.version, by, now).await?;
    Ok((entry(config, name, Some(&put)), put.version == 1))
}

/// Removes a registration. Backups, their records and schedules stay.
///
/// # Errors
/// [`Kind::Conflict`] for the configured database, or when it was changed since `version`; [`Kind::NotFound`].
pub async fn remove(
    ledger: &Ledger,
    config: &Config,
    name: &DatabaseName,
    version: Option<u64>,
) -> Result<Removed> {
    if is_configured(config, name) {
        let why = format!(
            "{name} is the database of the deployment's settings and cannot be removed; PUT it with {{}} to take back its retention and defaults"
        );
        return Err(Error::new(Kind::Conflict, why).at_field("name"));
    }
    let Some(registration) = ledger.unregister(name, version).await? else {
        let names = ledger.registered_names().await?;
        let there = if names.is_empty() { "none".to_owned() } else { listed(&names) };
        let why = format!("no database is registered under the name {name}; registered: {there}");
        return Err(Error::new(Kind::NotFound, why).at_field("name"));
    };
    ledger.forget_standing(name).await?;
    let mut query = ListQuery { limit: COUNTED, ..ListQuery::of(RunKind::Backup) };
    query.database = Some(name.clone());
    let page = ledger.list(&query).await?;
    let open = page.records.iter().filter(|r| !r.status.is_final()).count();
    let good = page.records.iter().filter(|r| r.status == Status::Completed).count();
    let mut stays = Vec::new();
    if !page.records.is_empty() {
        let least = if page.next_cursor.is_some() { "at least " } else { "" };
        stays.push(format!(
            "{least}{} records of backups, {good} of them completed, and what they stored; BACKUP_RETENTION_DAYS says now how long",
            page.records.len()
        ));
    }
    if open > 0 {
        stays.push(format!("{open} backups that have not ended; those that are in progress go on"));
    }
    stays.push(format!("schedules that name {name}, if any: their backups fail until they are changed, or the name is registered again"));
    Ok(Removed {
        removed: entry(config, name, Some(&registration)),
        backups: page.records.len(),
        open,
        stays,
    })
}

/// Whether the deployment's settings say how a database is reached.
fn is_configured(config: &Config, name: &DatabaseName) -> bool {
    config.configured && *name == config.database
}

fn entry(config: &Config, name: &DatabaseName, registration: Option<&Registration>) -> Entry {
    let none = Registered { main: None, backup: None, retention: None, defaults: Map::new() };
    let said = registration.map_or(none, |r| r.said.clone());
    let configured = is_configured(config, name);
    let (main, backup) = match configured {
        true => (config.main.as_ref().and_then(reference), config.backup.as_ref().and_then(reference)),
        false => (said.main, said.backup),
    };
    Entry {
        name: name.clone(),
        configured,
        main,
        backup,
        retention: said.retention,
        defaults: said.defaults,
        version: registration.map_or(0, |r| r.version),
        created_by: registration.map(|r| r.created_by.clone()),
        created_at: registration.map(|r| r.created_at),
        updated_by: registration.map(|r| r.updated_by.clone()),
        updated_at: registration.map(|r| r.updated_at),
    }
}

/// What may be shown of a setting.
fn reference(source: &ConnectionSource) -> Option<DatabaseSource> {
    match source {
        ConnectionSource::Direct(_) => None,
        ConnectionSource::Reference(name) => Some(DatabaseSource::Secret(name.clone())),
        ConnectionSource::Iam(login) => Some(DatabaseSource::Iam(login.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &[(&str, &str)]) -> Config {
        let base = [("BACKUP_BUCKET", "b"), ("BACKUP_TABLE", "t"), ("STATE_TABLE", "s")];
        Config::from_lookup(|name| {
            more.iter().chain(base.iter()).find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
        .unwrap()
    }

    #[test]
    fn a_connection_string_of_the_settings_is_never_shown() {
        let name = DatabaseName::parse("main").unwrap();
        let of = |variable, value| {
            let entry = entry(&config(&[(variable, value)]), &name, None);
            assert!(entry.configured && entry.version == 0);
            serde_json::to_string(&entry).unwrap()
        };
        assert!(!of("DATABASE_URL", "postgresql://u:hunter2@h/d").contains("hunter2"));
        assert!(of("DATABASE_SECRET_ARN", "arn:aws:secretsmanager:x:1:secret:y").contains(":secret:y"));
        assert!(of("DATABASE_CONFIGURED", "true").contains("\"main\":null"));
    }
}
