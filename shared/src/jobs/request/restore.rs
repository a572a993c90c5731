//! What a restore is asked for with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::fields::{Fields, wrong};
use crate::{
    base::{
        Error, Format, IamLogin, Kind, Result,
        id::{DatabaseName, RunId},
    },
    catalog::select::Pattern,
    jobs::restore::{Choices, SCHEMA},
};

/// Most patterns of `tables`.
const PATTERNS: usize = 500;

/// What to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreSource {
    /// A backup that the ledger knows.
    Backup(RunId),
    /// A file in S3 that holds a whole database.
    File {
        /// None for the configured bucket.
        bucket: Option<String>,
        /// The folder's key, empty or ending with a slash.
        folder: String,
        /// Its name in the folder.
        name: String,
    },
    /// The folder of an archive in S3.
    Folder {
        /// None for the configured bucket.
        bucket: Option<String>,
        /// The key, ending with a slash.
        key: String,
    },
}

/// Which connection to restore over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// `MAIN`: the database of the request, the default one when it names none.
    Main,
    /// `BACKUP`: the second database of that.
    Backup,
    /// A registered name: its main database.
    Named(DatabaseName),
    /// The ARN or name of a secret with a connection string.
    Secret(String),
    /// An IAM login.
    Iam(IamLogin),
}

/// A restore as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// What to restore.
    pub source: RestoreSource,
    /// Where to.
    pub target: RestoreTarget,
    /// Whose `MAIN` or `BACKUP` the target is.
    pub database: Option<DatabaseName>,
    /// Into a new database of this name on the target's server.
    pub new_database: Option<String>,
    /// Events only: the database that `as` names must be there; none is created.
    pub must_exist: bool,
    /// Create the target's database when the server has none of that name. `as` always creates.
    pub create_database: bool,
    /// What the archive makes and stands in the target is dropped first.
    pub drop_existing: bool,
    /// These relations alone, with what they need; empty for all.
    pub tables: Vec<Pattern>,
    /// What is left out.
    pub choices: Choices,
    /// New names for the archive's roles.
    pub role_map: BTreeMap<String, String>,
    /// New names for the archive's schemas.
    pub rename_schemas: BTreeMap<String, String>,
    /// Also into a server of an older major version than the archive's.
    pub allow_older: bool,
    /// Connections at once, 1 to 16; none for the configured number.
    pub jobs: Option<u8>,
    /// Look through the restored database for what does not fit together; findings become warnings.
    pub validate: bool,
    /// Events only: the run's id, chosen by the caller.
    pub id: Option<RunId>,
    /// Events only: every delivery of the same event has the same.
    pub event_id: Option<String>,
    /// Events only: who asked.
    pub created_by: Option<String>,
    /// Events only, sent by a function whose time is up: the run to go on with.
    pub resume: Option<Resume>,
}

/// A run that a function has handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The run.
    pub id: RunId,
    /// The fence of the function that hands it over.
    pub fence: u64,
}

impl RestoreRequest {
    /// From the body of `POST /backup/restore`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] or [`Kind::NotAvailableYet`] with the field.
    pub fn from_body(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        let target = target(&mut fields, None, None)?;
        let request = options(&mut fields, target)?;
        fields.end()?;
        Ok(request)
    }

    /// From an event.
    ///
    /// # Errors
    /// As [`RestoreRequest::from_body`].
    pub fn from_event(event: Value) -> Result<Self> {
        let mut fields = Fields::of_value(event)?;
        let (secret, login) = (fields.secret("targetSecret")?, fields.document("targetIam")?);
        let target = target(&mut fields, secret, login)?;
        let request = RestoreRequest {
            id: fields.id("id")?,
            event_id: fields.event_id("eventId")?,
            created_by: fields.text("createdBy", 300)?,
            must_exist: fields.flag("mustExist")?.unwrap_or(false),
            resume: resume(&mut fields)?,
            ..options(&mut fields, target)?
        };
        fields.end()?;
        Ok(request)
    }

    /// The event that [`RestoreRequest::from_event`] reads back.
    pub fn to_event(&self) -> Value {
        let mut event = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            event.extend(value.map(|v| (name.to_owned(), v)));
        };
        let flag = |set: bool| set.then_some(Value::Bool(true));
        let text = |value: Option<&str>| value.map(Value::from);
        match &self.source {
            RestoreSource::Backup(id) => put("backupId", Some(id.as_str().into())),
            RestoreSource::Folder { bucket: Some(bucket), key } => {
                put("filepath", Some(format!("s3://{bucket}/{key}").into()));
            }
            RestoreSource::Folder { bucket: None, key } => put("filepath", Some(key.as_str().into())),
            RestoreSource::File { bucket: Some(bucket), folder, name } => {
                put("filepath", Some(format!("s3://{bucket}/{folder}{name}").into()));
            }
            RestoreSource::File { bucket: None, folder, name } => {
                put("filepath", Some(format!("{folder}{name}").into()));
            }
        }
        match &self.target {
            RestoreTarget::Main => put("target", Some("MAIN".into())),
            RestoreTarget::Backup => put("target", Some("BACKUP".into())),
            RestoreTarget::Named(name) => put("target", Some(name.as_str().into())),
            RestoreTarget::Secret(secret) => put("targetSecret", Some(secret.as_str().into())),
            RestoreTarget::Iam(login) => put("targetIam", serde_json::to_value(login).ok()),
        }
        put("database", text(self.database.as_ref().map(DatabaseName::as_str)));
        put("as", text(self.new_database.as_deref()));
        put("createDatabase", flag(self.create_database));
        put("dropExisting", flag(self.drop_existing));
        let tables = || self.tables.iter().map(Pattern::text).collect::<Vec<_>>().into();
        put("tables", (!self.tables.is_empty()).then(tables));
        let c = self.choices;
        for (name, set) in [
            ("schemaOnly", c.schema_only),
            ("dataOnly", c.data_only),
            ("skipConstraints", c.skip_constraints),
            ("noOwner", c.no_owner),
            ("noPrivileges", c.no_privileges),
            ("noPublications", c.no_publications),
            ("noSubscriptions", c.no_subscriptions),
            ("noSecurityLabels", c.no_security_labels),
            ("noTablespaces", c.no_tablespaces),
            ("noTableAccessMethod", c.no_table_access_method),
            ("databaseProperties", c.database_properties),
            ("allowOlder", self.allow_older),
        ] {
            put(name, flag(set));
        }
        for (name, map) in [("roleMap", &self.role_map), ("renameSchemas", &self.rename_schemas)] {
            let pairs = map.iter().map(|(from, to)| (from.clone(), Value::from(to.as_str())));
            put(name, (!map.is_empty()).then(|| Value::Object(pairs.collect())));
        }
        put("jobs", self.jobs.map(Value::from));
        put("validate", flag(self.validate));
        put("mustExist", flag(self.must_exist));
        put("id", text(self.id.as_ref().map(RunId::as_str)));
        put("eventId", text(self.event_id.as_deref()));
        put("createdBy", text(self.created_by.as_deref()));
        put("resume", self.resume.as_ref().map(|r| json!({"id": r.id.as_str(), "fence": r.fence})));
        Value::Object(event)
    }
}

fn options(fields: &mut Fields, target: RestoreTarget) -> Result<RestoreRequest> {
    let backup = fields.id("backupId")?;
    let path = fields.parsed("filepath", folder)?;
    let source = match (backup, path) {
        (Some(id), None) => RestoreSource::Backup(id),
        (None, Some(folder)) => folder,
        (Some(_), Some(_)) => {
            return Err(wrong("filepath", "\"backupId\" and \"filepath\" are both given; give one".into()));
        }
        (None, None) => {
            return Err(wrong("backupId", "the field \"backupId\" or \"filepath\" is missing".into()));
        }
    };
    let database = fields.parsed("database", DatabaseName::parse)?;
    if database.is_some() && !matches!(target, RestoreTarget::Main | RestoreTarget::Backup) {
        return Err(wrong("database", "\"database\" goes with the targets MAIN and BACKUP alone".into()));
    }
    let new_database = fields.parsed("as", database_name)?;
    let tables = fields.list("tables", PATTERNS, Pattern::parse)?;
    fields.planned_text("pointInTime")?;
    let request = RestoreRequest {
        source,
        target,
        database,
        new_database,
        must_exist: false,
        create_database: fields.flag("createDatabase")?.unwrap_or(false),
        drop_existing: fields.flag("dropExisting")?.unwrap_or(false),
        tables,
        choices: Choices {
            schema_only: fields.flag("schemaOnly")?.unwrap_or(false),
            data_only: fields.flag("dataOnly")?.unwrap_or(false),
            skip_constraints: fields.flag("skipConstraints")?.unwrap_or(false),
            no_owner: fields.flag("noOwner")?.unwrap_or(false),
            no_privileges: fields.flag("noPrivileges")?.unwrap_or(false),
            no_publications: fields.flag("noPublications")?.unwrap_or(false),
            no_subscriptions: fields.flag("noSubscriptions")?.unwrap_or(false),
            no_security_labels: fields.flag("noSecurityLabels")?.unwrap_or(false),
            no_tablespaces: fields.flag("noTablespaces")?.unwrap_or(false),
            no_table_access_method: fields.flag("noTableAccessMethod")?.unwrap_or(false),
            database_properties: fields.flag("databaseProperties")?.unwrap_or(false),
        },
        role_map: fields.map("roleMap", role_name)?.unwrap_or_default(),
        rename_schemas: fields.map("renameSchemas", schema_name)?.unwrap_or_default(),
        allow_older: fields.flag("allowOlder")?.unwrap_or(false),
        jobs: fields.number("jobs", 1, 16)?.and_then(|n| u8::try_from(n).ok()),
        validate: fields.flag("validate")?.unwrap_or(false),
        id: None,
        event_id: None,
        created_by: None,
        resume: None,
    };
    fit_together(&request)?;
    Ok(request)
}

/// Refuses options that contradict each other, and such as would have no effect beside another.
fn fit_together(request: &RestoreRequest) -> Result<()> {
    let choices = request.choices;
    if choices.data_only {
        let refused = [
            ("schemaOnly", choices.schema_only, "which leaves rows out"),
            (
                "dropExisting",
                request.drop_existing,
                "which drops the tables that the rows go to: empty them instead (TRUNCATE)",
            ),
            (
                "skipConstraints",
                choices.skip_constraints,
                "since no constraint is made: those of the target stay as they are",
            ),
            ("createDatabase", request.create_database, "since a new database has no tables for the rows"),
            ("databaseProperties", choices.database_properties, "which leaves rows alone"),
        ];
        if let Some((name, _, why)) = refused.into_iter().find(|(_, given, _)| *given) {
            return Err(wrong(name, format!("\"dataOnly\" does not go with \"{name}\", {why}")));
        }
    }
    let map = &request.rename_schemas;
    let mut new = BTreeSet::new();
    for to in map.values() {
        if map.contains_key(to) || !new.insert(to) {
            let why = format!("the field \"renameSchemas\" is wrong: {} is named twice", to.escape_debug());
            return Err(wrong("renameSchemas", why));
        }
    }
    Ok(())
}

pub(super) fn resume(fields: &mut Fields) -> Result<Option<Resume>> {
    let Some(value) = fields.raw("resume") else { return Ok(None) };
    let mut fields = Fields::of_value(value)?;
    let (id, fence) = (fields.id("id")?, fields.number("fence", 0, u64::MAX)?);
    fields.end()?;
    match (id, fence) {
        (Some(id), Some(fence)) => Ok(Some(Resume { id, fence })),
        _ => Err(wrong("resume", "the field \"resume\" must have \"id\" and \"fence\"".into())),
    }
}

/// The target that an event names in one of three ways, if it does.
pub(super) fn any_target(fields: &mut Fields) -> Result<Option<RestoreTarget>> {
    let (secret, login) = (fields.secret("targetSecret")?, fields.document("targetIam")?);
    given(fields, secret, login)
}

fn given(
    fields: &mut Fields,
    secret: Option<String>,
    login: Option<IamLogin>,
) -> Result<Option<RestoreTarget>> {
    let given = [named_target(fields)?, secret.map(RestoreTarget::Secret), login.map(RestoreTarget::Iam)];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (target, None) => Ok(target),
        _ => Err(wrong(
            "target",
            "of \"target\", \"targetSecret\" and \"targetIam\" more than one is given; give one".into(),
        )),
    }
}

/// No default: a restore into the wrong database is not to be had by leaving a word out.
fn target(fields: &mut Fields, secret: Option<String>, login: Option<IamLogin>) -> Result<RestoreTarget> {
    given(fields, secret, login)?.ok_or_else(|| {
        wrong("target", "the field \"target\" is missing: MAIN, BACKUP or a registered name".into())
    })
}

/// `target`: a connection by its name.
pub(super) fn named_target(fields: &mut Fields) -> Result<Option<RestoreTarget>> {
    fields.parsed("target", |text| match text {
        "MAIN" => Ok(RestoreTarget::Main),
        "BACKUP" => Ok(RestoreTarget::Backup),
        // A URL put here by mistake must not be repeated.
        url if url.contains("://") || url.contains('=') => {
            Err(Error::new(Kind::InvalidInput, "it must be MAIN, BACKUP or a registered name, never a URL"))
        }
        name => DatabaseName::parse(name).map(RestoreTarget::Named),
    })
}

/// `backups/shop/20261121T020000Z-9f86d081/`, with or without the last slash, `s3://bucket/key/`, or the path of the folder's
/// `toc.dat` or `manifest.json`; or that of a file that holds everything.
fn folder(text: &str) -> Result<RestoreSource> {
    let refuse = |why: &'static str| Err(Error::new(Kind::InvalidInput, why));
    let (bucket, key) = match text.strip_prefix("s3://") {
        Some(rest) => match rest.split_once('/') {
            Some((bucket, key)) if is_bucket(bucket) => (Some(bucket.to_owned()), key),
            _ => return refuse("it must name a bucket and a folder: s3://bucket/folder/"),
        },
        None if text.contains("://") => return refuse("it must be an S3 key or an s3:// URL"),
        None => (None, text),
    };
    if key.len() > 900 || key.chars().any(|c| c.is_control() || c == '\\') {
        return refuse("it must be an S3 key of at most 900 bytes without control characters or backslashes");
    }
    let given = key;
    let own = |name: &str| key.strip_suffix(name).filter(|rest| rest.is_empty() || rest.ends_with('/'));
    let key = own("toc.dat").or_else(|| own("manifest.json")).unwrap_or(key);
    let key = key.strip_suffix('/').unwrap_or(key);
    if key.is_empty() || key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refuse("it must be the relative key of a folder, without \"..\"");
    }
    // What ends with a slash, or with the name of a file within, is a folder whatever it is called.
    if given.len() > key.len() {
        return Ok(RestoreSource::Folder { bucket, key: format!("{key}/") });
    }
    let (folder, name) =
        key.rsplit_once('/').map_or(("", key), |(folder, name)| (&key[..=folder.len()], name));
    if Format::of_file(name).is_some() {
        return Ok(RestoreSource::File { bucket, folder: folder.to_owned(), name: name.to_owned() });
    }
    if [".gz", ".csv", ".zst", ".age", ".dump", ".tar", ".backup"].iter().any(|s| name.ends_with(s)) {
        return refuse(
            "of single files only .json and .sql (.gz, .zst, .age) that pgbaton wrote are read; of an archive or of CSV files name the folder",
        );
    }
    Ok(RestoreSource::Folder { bucket, key: format!("{key}/") })
}

/// S3 user guide, "Bucket naming rules", as far as it keeps a name harmless in a URL.
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-'))
}

/// As PostgreSQL manual, CREATE ROLE: `public` and `none` are no roles' names.
fn role_name(text: &str) -> Result<String> {
    let why = match text {
        "public" | "none" => "public and none are no roles",
        _ if (1..=63).contains(&text.len()) && !text.contains('\0') => return Ok(text.to_owned()),
        _ => "a role's name has 1 to 63 bytes",
    };
    Err(Error::new(Kind::InvalidInput, why))
}

/// As PostgreSQL manual, CREATE SCHEMA: names that begin with `pg_` are the server's.
fn schema_name(text: &str) -> Result<String> {
    let why = match text {
        _ if text.starts_with("pg_") || text == "information_schema" => {
            "schemas that begin with pg_ and information_schema are the server's"
        }
        SCHEMA => "pgbaton_restore is where a restore keeps how far it has come",
        _ if (1..=63).contains(&text.len()) && !text.contains('\0') => return Ok(text.to_owned()),
        _ => "a schema's name has 1 to 63 bytes",
    };
    Err(Error::new(Kind::InvalidInput, why))
}

/// PostgreSQL names have at most 63 bytes; a longer one would be cut in silence.
fn database_name(text: &str) -> Result<String> {
    if (1..=63).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Error::new(Kind::InvalidInput, "a database name has 1 to 63 bytes and no control characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "20261121T020000Z-9f86d081";

    fn body(value: Value) -> Result<RestoreRequest> {
        RestoreRequest::from_body(value.to_string().as_bytes())
    }

    #[test]
    fn a_full_request() {
        let r = RestoreRequest::from_event(json!({
            "backupId": ID, "targetSecret": "/shop/target", "as": "shop copy", "create_database": true, "schemaOnly": true,
            "noOwner": true, "no_privileges": true, "noPublications": true, "noSubscriptions": true, "noSecurityLabels": true, "noTablespaces": true,
            "noTableAccessMethod": true, "databaseProperties": true, "roleMap": {"a \"b\"": "c"}, "allowOlder": true, "jobs": 4, "id": ID, "eventId": "e", "createdBy": "ann",
            "tables": ["shop.*", "\"we.ird\""], "dropExisting": true, "skipConstraints": true, "renameSchemas": {"a.b": "c \"d\""}
        }))
        .unwrap();
        assert_eq!(r.source, RestoreSource::Backup(RunId::parse(ID).unwrap()));
        assert_eq!(r.target, RestoreTarget::Secret("/shop/target".into()));
        assert_eq!((r.new_database.as_deref(), r.jobs), (Some("shop copy"), Some(4)));
        assert!(r.create_database && r.allow_older && r.drop_existing);
        let all = Choices {
            schema_only: true,
            data_only: false,
            skip_constraints: true,
            no_owner: true,
            no_privileges: true,
            no_publications: true,
            no_subscriptions: true,
            no_security_labels: true,
            no_tablespaces: true,
            no_table_access_method: true,
            database_properties: true,
        };
        assert_eq!(r.choices, all);
        assert_eq!((r.role_map["a \"b\""].as_str(), r.rename_schemas["a.b"].as_str()), ("c", "c \"d\""));
    }

    #[test]
    fn what_a_request_says_survives_the_way_through_an_event() {
        for event in [
            json!({"backupId": ID, "targetSecret": "/shop/target", "as": "shop copy", "createDatabase": true, "schemaOnly": true,
                "noOwner": true, "noPrivileges": true, "noPublications": true, "noSubscriptions": true, "noSecurityLabels": true, "noTablespaces": true,
                "noTableAccessMethod": true, "databaseProperties": true, "roleMap": {"a \"b\"": "c"}, "allowOlder": true, "jobs": 4, "validate": true, "mustExist": true, "id": ID,
                "eventId": "e", "createdBy": "ann", "resume": {"id": ID, "fence": 3}}),
            json!({"filepath": "s3://bucket/a/b/", "target": "MAIN", "dataOnly": true}),
            json!({"filepath": "a/b/", "target": "shop", "dropExisting": true, "skipConstraints": true, "renameSchemas": {"a": "b", "public": "c"}}),
            json!({"filepath": "a/b/", "target": "BACKUP", "database": "shop"}),
            json!({"filepath": "a/b/", "targetIam": {"host": "h", "port": 5432, "dbname": "d", "user": "u"}}),
        ] {
            let request = RestoreRequest::from_event(event.clone()).unwrap();
            assert_eq!(request.to_event(), event);
            assert_eq!(RestoreRequest::from_event(request.to_event()).unwrap(), request);
        }
        for resume in [
            json!({"id": ID}),
            json!({"id": ID, "fence": -1}),
            json!(7),
            json!({"id": ID, "fence": 1, "x": 1}),
        ] {
            let event = json!({"backupId": ID, "target": "MAIN", "resume": resume});
            assert_eq!(RestoreRequest::from_event(event).unwrap_err().kind(), Kind::InvalidInput);
        }
        assert!(body(json!({"backupId": ID, "target": "MAIN", "resume": {"id": ID, "fence": 1}})).is_err());
    }

    #[test]
    fn folders() {
        let of = |path: &str| body(json!({"filepath": path, "target": "MAIN"})).map(|r| r.source);
        let here = |key: &str| RestoreSource::Folder { bucket: None, key: key.into() };
        assert_eq!(of("a/b").unwrap(), here("a/b/"));
        assert_eq!(of("a/b/toc.dat").unwrap(), here("a/b/"));
        let there = RestoreSource::Folder { bucket: Some("bucket".into()), key: "a/b/".into() };
        assert_eq!(of("s3://bucket/a/b/").unwrap(), there);
        for bad in [
            "",
            "/",
            "../x",
            "a/../b",
            "/a",
            "a//b",
            "s3://bucket",
            "s3://bucket/",
            "s3:///a",
            "s3://B!/a",
            "https://x/y",
            "a\\b",
            "toc.dat",
            "a\u{0}",
        ] {
            let e = of(bad).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some("filepath")), "{bad}");
        }
        let file = |bucket: Option<&str>, folder: &str, name: &str| RestoreSource::File {
            bucket: bucket.map(str::to_owned),
            folder: folder.into(),
            name: name.into(),
        };
        assert_eq!(of("backup-2026.json.gz").unwrap(), file(None, "", "backup-2026.json.gz"));
        assert_eq!(of("s3://bucket/a/b.sql.zst.age").unwrap(), file(Some("bucket"), "a/", "b.sql.zst.age"));
        for path in ["s3://bucket/a/b.json", "c.sql"] {
            let request = body(json!({"filepath": path, "target": "MAIN"})).unwrap();
            assert_eq!(RestoreRequest::from_event(request.to_event()).unwrap(), request);
        }
        assert_eq!(of("a/app.sql/toc.dat").unwrap(), here("a/app.sql/"));
        assert_eq!(of("a/shop.dump/").unwrap(), here("a/shop.dump/"));
        for other in ["a.csv", "a/b.dump", "x.tar.gz", ".json", "b.age"] {
            let e = of(other);
            assert!(
                e.is_err() || matches!(e, Ok(RestoreSource::Folder { .. })) && other == ".json",
                "{other}"
            );
        }
    }

    #[test]
    fn what_is_wrong_or_planned_is_refused_with_its_field() {
        for (name, value, kind) in [
            ("backupId", json!("../x"), Kind::InvalidInput),
            ("target", json!("postgresql://u:hunter2@h/d"), Kind::InvalidInput),
            ("targetSecret", json!("/x"), Kind::InvalidInput),
            ("targetIam", json!({"host": "h"}), Kind::InvalidInput),
            ("database", json!("../x"), Kind::InvalidInput),
            ("as", json!("x".repeat(64)), Kind::InvalidInput),
            ("roleMap", json!({"a": 1}), Kind::InvalidInput),
            ("roleMap", json!({"a": "public"}), Kind::InvalidInput),
            ("roleMap", json!({"none": "a"}), Kind::InvalidInput),
            ("roleMap", json!({"a": "x".repeat(64)}), Kind::InvalidInput),
            ("roleMap", json!(["a", "b"]), Kind::InvalidInput),
            ("noPublications", json!("yes"), Kind::InvalidInput),
            ("jobs", json!(17), Kind::InvalidInput),
            ("jobs", json!(-1), Kind::InvalidInput),
            ("renameSchemas", json!({"a": ""}), Kind::InvalidInput),
            ("renameSchemas", json!({"a": "pg_b"}), Kind::InvalidInput),
            ("renameSchemas", json!({"a": "pgbaton_restore"}), Kind::InvalidInput),
            ("renameSchemas", json!({"a": "b", "b": "c"}), Kind::InvalidInput),
            ("renameSchemas", json!({"a": "c", "b": "c"}), Kind::InvalidInput),
            ("renameSchemas", json!({"a": "a"}), Kind::InvalidInput),
            ("pointInTime", json!("2026-11-21T02:00:00Z"), Kind::NotAvailableYet),
        ] {
            let mut all = json!({"backupId": ID, "target": "MAIN"});
            all[name] = value;
            let e = body(all).unwrap_err();
            assert_eq!((e.kind(), e.field()), (kind, Some(name)), "{e}");
            assert!(!e.to_string().contains("hunter2"));
        }
        for name in ["schemaOnly", "dropExisting", "skipConstraints", "createDatabase", "databaseProperties"]
        {
            let mut all = json!({"backupId": ID, "target": "MAIN", "dataOnly": true});
            all[name] = true.into();
            let e = body(all).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(name)), "{e}");
        }
        let both = body(json!({"backupId": ID, "target": "shop", "database": "shop"}));
        assert_eq!(both.unwrap_err().field(), Some("database"));
        assert_eq!(body(json!({"backupId": ID})).unwrap_err().field(), Some("target"));
        assert_eq!(body(json!({"target": "MAIN"})).unwrap_err().field(), Some("backupId"));
    }
}
