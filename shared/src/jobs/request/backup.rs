//! What a backup is asked for with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::{Fields, wrong};
use crate::{
    base::{
        Error, Format, IamLogin, Kind, Result, clock,
        config::Compression,
        id::{DatabaseName, RunId},
    },
    catalog::{Selection, select::Pattern},
    ledger::BackupType,
};

/// A backup as asked for. [`BackupRequest::default`] is a full backup of the default database with the configured compression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupRequest {
    /// The registered name; none for the default one.
    pub database: Option<DatabaseName>,
    /// `format`, over the configured one.
    pub format: Option<Format>,
    /// `inserts`: rows of an SQL script as INSERTs.
    pub inserts: bool,
    /// `dataOnly`: rows and sequence values alone are statements of an SQL script.
    pub data_only: bool,
    /// `includeHistory`: a JSON document also holds the records of the database's earlier backups.
    pub include_history: bool,
    /// `encrypt`, over the configured answer.
    pub encrypt: Option<bool>,
    /// `compress`: false stores data as it is.
    pub compress: Option<bool>,
    /// `compression`, over the configured one.
    pub compression: Option<Compression>,
    /// A name for people, at most 200 characters.
    pub label: Option<String>,
    /// Look through the database for what does not fit together, before the backup; findings become warnings. None is no.
    pub validate: Option<bool>,
    /// `tables`, `excludeTables`, `excludeData`, `includeSchemaOnly`; none where nothing is said of them. See [`BackupRequest::selection`].
    pub selected: Option<Selection>,
    /// Events only: the run's id, chosen by the caller.
    pub id: Option<RunId>,
    /// Events only: every delivery of the same event has the same.
    pub event_id: Option<String>,
    /// Events only: when the schedule meant it to run.
    pub scheduled_time: Option<Timestamp>,
    /// Events only: the schedule.
    pub schedule_id: Option<String>,
    /// Events only: none is `scheduled` when there is a schedule and `manual` otherwise; see [`BackupRequest::backup_type`].
    pub backup_type: Option<BackupType>,
    /// Events only: who asked.
    pub created_by: Option<String>,
    /// Events only: ARN or name of the secret with the connection string, instead of the configured database.
    pub database_secret: Option<String>,
    /// Events only: an IAM login, instead of such a secret.
    pub database_iam: Option<IamLogin>,
    /// Events only: answer with what would be read, and read nothing.
    pub plan_only: bool,
    /// Events only: go on with a backup that another function has begun.
    pub hop: Option<Hop>,
}

/// What the function that goes on with a backup is told by the one that holds its snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// The backup.
    pub run: RunId,
    /// Fence of the holder's lease.
    pub fence: u64,
    /// Hand-overs, this one included.
    pub number: u64,
    /// The holder's attempts at this hand-over, this one included.
    pub attempt: u32,
}

impl BackupRequest {
    /// From the body of `POST /backup`; an empty body asks for the defaults.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] or [`Kind::NotAvailableYet`] with the field.
    pub fn from_body(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        let request = options(&mut fields)?;
        fields.end()?;
        Ok(request)
    }

    /// From the body of `POST /backup/export`: as that of a backup, in JSON unless it says otherwise.
    ///
    /// # Errors
    /// As [`BackupRequest::from_body`].
    pub fn from_export(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        if !fields.has("format") {
            fields.put("format", Format::Json.name().into());
        }
        let request = options(&mut fields)?;
        fields.end()?;
        Ok(request)
    }

    /// From the `defaults` of a registration: what a body may say, but for the database.
    ///
    /// # Errors
    /// As [`BackupRequest::from_body`].
    pub fn from_defaults(defaults: Value) -> Result<Self> {
        let mut fields = Fields::of_value(defaults)?;
        if fields.has("database") {
            return Err(wrong(
                "database",
                "defaults are of one database; \"database\" has no place in them".into(),
            ));
        }
        let request = options(&mut fields)?;
        fields.end()?;
        Ok(request)
    }

    /// With what `defaults` say where this request says nothing. The fields of a selection say one thing together. What comes with an event has no
    /// defaults.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        let (compress, compression) = match (self.compress, self.compression) {
            (None, None) => (defaults.compress, defaults.compression),
            own => own,
        };
        // What is said of a form goes with the form.
        let form = if self.format.is_some() { &self } else { &defaults };
        let (inserts, data_only, include_history) = (
            self.inserts || form.inserts,
            self.data_only || form.data_only,
            self.include_history || form.include_history,
        );
        Self {
            format: self.format.or(defaults.format),
            inserts,
            data_only,
            include_history,
            encrypt: self.encrypt.or(defaults.encrypt),
            compress,
            compression,
            label: self.label.or(defaults.label),
            validate: self.validate.or(defaults.validate),
            selected: self.selected.or(defaults.selected),
            ..self
        }
    }

    /// Whether the request says itself how the database is reached.
    pub fn brings_source(&self) -> bool {
        self.database_secret.is_some() || self.database_iam.is_some()
    }

    /// From an event: what the API or a schedule sends, or an EventBridge rule's event with the options in `detail`.
    ///
    /// # Errors
    /// As [`BackupRequest::from_body`].
    pub fn from_event(event: Value) -> Result<Self> {
        let mut fields = Fields::of_value(event)?;
        if fields.has("detail-type") && fields.has("source") {
            return from_rule(fields);
        }
        let request = with_origin(&mut fields)?;
        fields.end()?;
        Ok(request)
    }

    /// The event that [`BackupRequest::from_event`] reads back.
    pub fn to_event(&self) -> Value {
        let mut event = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            event.extend(value.map(|v| (name.to_owned(), v)));
        };
        let text = |value: Option<&str>| value.map(Value::from);
        put("database", text(self.database.as_ref().map(DatabaseName::as_str)));
        let flag = |set: bool| set.then_some(Value::Bool(true));
        put("format", text(self.format.map(Format::name)));
        put("inserts", flag(self.inserts));
        put("dataOnly", flag(self.data_only));
        put("includeHistory", flag(self.include_history));
        put("encrypt", self.encrypt.map(Value::from));
        put("compress", self.compress.map(Value::from));
        put("compression", text(self.compression.map(Compression::name)));
        put("label", text(self.label.as_deref()));
        put("validate", self.validate.map(Value::from));
        for (name, patterns) in self.selected.iter().flat_map(lists) {
            let texts = || patterns.iter().map(Pattern::text).collect::<Vec<_>>();
            put(name, (!patterns.is_empty()).then(|| texts().into()));
        }
        put("includeSchemaOnly", self.selected.as_ref().and_then(schema_only).map(Value::from));
        put("id", text(self.id.as_ref().map(RunId::as_str)));
        put("eventId", text(self.event_id.as_deref()));
        put("scheduledTime", self.scheduled_time.map(|t| clock::text(t).into()));
        put("scheduleId", text(self.schedule_id.as_deref()));
        put("backupType", text(self.backup_type.map(BackupType::name)));
        put("createdBy", text(self.created_by.as_deref()));
        put("databaseSecret", text(self.database_secret.as_deref()));
        // Texts and numbers, which JSON has a form for.
        put("databaseIam", self.database_iam.as_ref().and_then(|l| serde_json::to_value(l).ok()));
        put("planOnly", self.plan_only.then_some(Value::Bool(true)));
        // Ids and numbers, which JSON has a form for.
        put("hop", self.hop.as_ref().and_then(|h| serde_json::to_value(h).ok()));
        Value::Object(event)
    }

    /// How to compress, where `configured` is the configuration's answer.
    pub fn compression(&self, configured: Compression) -> Compression {
        match (self.compress, self.compression) {
            (Some(false), _) => Compression::None,
            (_, Some(chosen)) => chosen,
            (Some(true), None) if configured == Compression::None => Compression::Zstd,
            (_, None) => configured,
        }
    }

    /// The format, where `configured` is the configuration's answer.
    pub fn format(&self, configured: Format) -> Format {
        self.format.unwrap_or(configured)
    }

    /// What of the database is asked for; none for all of it.
    pub fn selection(&self) -> Option<&Selection> {
        self.selected.as_ref().filter(|s| !s.is_everything())
    }

    /// Manual or scheduled.
    pub fn backup_type(&self) -> BackupType {
        let implied = if self.schedule_id.is_some() { BackupType::Scheduled } else { BackupType::Manual };
        self.backup_type.unwrap_or(implied)
    }
}

/// The lists of a selection by the names of their fields.
fn lists(selection: &Selection) -> [(&'static str, &[Pattern]); 3] {
    let Selection { tables, exclude_tables, exclude_data, .. } = selection;
    [("tables", tables), ("excludeTables", exclude_tables), ("excludeData", exclude_data)]
}

/// What the event is to say of `includeSchemaOnly`: where nothing else is said, that everything is asked for is said with it.
fn schema_only(selection: &Selection) -> Option<bool> {
    (selection.include_schema_only || selection.is_everything()).then_some(selection.include_schema_only)
}

/// Most patterns of a list.
const PATTERNS: usize = 500;

/// Most bytes of all patterns: an event carries them, which Lambda and EventBridge Scheduler take up to 256 KB of.
const PATTERN_BYTES: usize = 100_000;

fn selected(fields: &mut Fields) -> Result<Option<Selection>> {
    let mut list = |name| fields.list(name, PATTERNS, Pattern::parse);
    let (tables, exclude_tables, exclude_data) =
        (list("tables")?, list("excludeTables")?, list("excludeData")?);
    let flag = fields.flag("includeSchemaOnly")?;
    let selection =
        Selection { tables, exclude_tables, exclude_data, include_schema_only: flag.unwrap_or(false) };
    let bytes = |patterns: &[Pattern]| patterns.iter().map(|p| p.text().len()).sum::<usize>();
    if lists(&selection).iter().map(|(_, patterns)| bytes(patterns)).sum::<usize>() > PATTERN_BYTES {
        let why =
            format!("all patterns together have more than {PATTERN_BYTES} bytes: use * for many tables");
        return Err(wrong("tables", why));
    }
    Ok((flag.is_some() || !selection.is_everything()).then_some(selection))
}

/// What body and event have in common.
fn options(fields: &mut Fields) -> Result<BackupRequest> {
    let database = fields.parsed("database", DatabaseName::parse)?;
    let format = fields.parsed("format", Format::parse)?;
    let form = |fields: &mut Fields, name: &'static str, of: Format| -> Result<bool> {
        let set = fields.flag(name)?.unwrap_or(false);
        match set && format != Some(of) {
            true => Err(wrong(name, format!("\"{name}\" goes with \"format\": \"{}\" alone", of.name()))),
            false => Ok(set),
        }
    };
    let inserts = form(fields, "inserts", Format::Sql)?;
    let data_only = form(fields, "dataOnly", Format::Sql)?;
    let include_history = form(fields, "includeHistory", Format::Json)?;
    let compress = fields.flag("compress")?;
    let compression = fields.parsed("compression", |text| match text {
        "true" | "false" => Err(Error::new(Kind::InvalidInput, "compression must be zstd, gzip or none")),
        name => Compression::parse(name),
    })?;
    if compress == Some(false) && compression.is_some_and(|c| c != Compression::None) {
        return Err(wrong(
            "compression",
            "\"compress\" is false, so \"compression\" can only be none".into(),
        ));
    }
    if compress == Some(true) && compression == Some(Compression::None) {
        return Err(wrong("compression", "\"compress\" is true, so \"compression\" cannot be none".into()));
    }
    let selected = selected(fields)?;
    fields.planned_flag("incremental")?;
    let encrypt = fields.flag("encrypt")?;
    let label = fields.text("label", 200)?;
    let validate = fields.flag("validate")?;
    let asked = BackupRequest { database, compress, compression, label, ..BackupRequest::default() };
    Ok(BackupRequest { format, inserts, data_only, include_history, encrypt, validate, selected, ..asked })
}

/// The options and what only events may say.
fn with_origin(fields: &mut Fields) -> Result<BackupRequest> {
    let (database_secret, database_iam) =
        (fields.secret("databaseSecret")?, fields.document::<IamLogin>("databaseIam")?);
    if database_secret.is_some() && database_iam.is_some() {
        return Err(wrong(
            "databaseIam",
            "\"databaseSecret\" and \"databaseIam\" are both given; give one".into(),
        ));
    }
    Ok(BackupRequest {
        id: fields.id("id")?,
        event_id: fields.event_id("eventId")?,
        scheduled_time: fields.instant("scheduledTime")?,
        schedule_id: fields.text("scheduleId", 300)?,
        backup_type: fields.parsed("backupType", |text| {
            BackupType::parse(text)
                .ok_or_else(|| Error::new(Kind::InvalidInput, "it must be manual or scheduled"))
        })?,
        created_by: fields.text("createdBy", 300)?,
        database_secret,
        database_iam,
        plan_only: fields.flag("planOnly")?.unwrap_or(false),
        hop: fields.document("hop")?,
        ..options(fields)?
    })
}

/// An EventBridge rule's event (EventBridge user guide, "Events"): its `id` is the same for every delivery.
fn from_rule(mut fields: Fields) -> Result<BackupRequest> {
    let event_id = fields.event_id("id")?;
    let scheduled_time = fields.instant("time")?;
    let rule = match fields.raw("resources") {
        Some(Value::Array(list)) => list.first().and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let mut detail = Fields::of_value(fields.raw("detail").unwrap_or(Value::Null))?;
    let asked = with_origin(&mut detail)?;
    detail.end()?;
    Ok(BackupRequest {
        event_id: asked.event_id.or(event_id),
        scheduled_time: asked.scheduled_time.or(scheduled_time),
        schedule_id: asked.schedule_id.or(rule),
        backup_type: asked.backup_type.or(Some(BackupType::Scheduled)),
        ..asked
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(value: Value) -> Result<BackupRequest> {
        BackupRequest::from_body(value.to_string().as_bytes())
    }

    #[test]
    fn nothing_asks_for_the_defaults() {
        for empty in ["", " \n", "{}", "null"] {
            assert_eq!(BackupRequest::from_body(empty.as_bytes()).unwrap(), BackupRequest::default());
        }
        let harmless = json!({"tables": [], "exclude_tables": [], "incremental": false, "encrypt": null,
            "inserts": false});
        assert_eq!(body(harmless).unwrap(), BackupRequest::default());
    }

    #[test]
    fn what_is_planned_is_refused_with_its_field() {
        let e = body(json!({"incremental": true})).unwrap_err();
        assert_eq!((e.kind(), e.field()), (Kind::NotAvailableYet, Some("incremental")));
    }

    #[test]
    fn what_is_said_of_a_form_goes_with_it() {
        let sql = body(json!({"format": "sql", "inserts": true, "data_only": true})).unwrap();
        assert!(sql.inserts && sql.data_only && sql.format == Some(Format::Sql));
        assert_eq!(BackupRequest::from_event(sql.to_event()).unwrap(), sql);
        let json = body(json!({"format": "json", "includeHistory": true})).unwrap();
        assert!(BackupRequest::from_event(json.to_event()).unwrap().include_history);
        for wrong in [
            json!({"inserts": true}),
            json!({"format": "json", "dataOnly": true}),
            json!({"format": "sql", "includeHistory": true}),
        ] {
            assert_eq!(body(wrong.clone()).unwrap_err().kind(), Kind::InvalidInput, "{wrong}");
        }
        let defaults =
            || BackupRequest { format: Some(Format::Sql), inserts: true, ..BackupRequest::default() };
        assert!(BackupRequest::default().or(defaults()).inserts);
        let archive = BackupRequest { format: Some(Format::Archive), ..BackupRequest::default() };
        assert!(!archive.or(defaults()).inserts);
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_field() {
        for (name, value) in [
            ("database", json!("../x")),
            ("database", json!(1)),
            ("format", json!("xml")),
            ("inserts", json!(true)),
            ("includeHistory", json!(true)),
            ("compress", json!("yes")),
            ("compression", json!("lzma")),
            ("compression", json!("true")),
            ("tables", json!("a")),
            ("tables", json!({})),
            ("exclude_tables", json!(true)),
            ("excludeData", json!(vec!["a"; 501])),
            ("includeSchemaOnly", json!("yes")),
            ("include_schema_only", json!(1)),
            ("incremental", json!(1)),
            ("label", json!("")),
            ("label", json!("a\u{0}")),
            ("label", json!("x".repeat(201))),
            ("tabels", json!([])),
            // A body must not choose where a connection string is read, or who asked.
            ("databaseSecret", json!("arn:aws:secretsmanager:x:1:secret:y")),
            ("id", json!("20261121T020000Z-9f86d081")),
            ("createdBy", json!("root")),
        ] {
            let e = body(json!({ name: value })).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(name)), "{e}");
        }
        for text in ["[]", "1", "{", "\"x\"", "{\"a\":}"] {
            assert_eq!(BackupRequest::from_body(text.as_bytes()).unwrap_err().kind(), Kind::InvalidInput);
        }
    }

    #[test]
    fn a_selection_is_read_and_travels() {
        let request = body(json!({"tables": ["shop.*", "\"we.ird\""], "exclude_tables": ["tmp_*"],
            "excludeData": ["audit"], "include_schema_only": true}))
        .unwrap();
        let selection = request.selection().unwrap();
        let texts = |patterns: &[Pattern]| patterns.iter().map(Pattern::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&selection.tables), ["shop.*", "\"we.ird\""]);
        assert_eq!(texts(&selection.exclude_tables), ["tmp_*"]);
        assert_eq!(texts(&selection.exclude_data), ["audit"]);
        assert!(selection.include_schema_only);
        assert_eq!(BackupRequest::from_event(request.to_event()).unwrap(), request);
        let hop =
            Hop { run: RunId::parse("20261121T020000Z-9f86d081").unwrap(), fence: 1, number: 1, attempt: 1 };
        let handed = BackupRequest { hop: Some(hop), ..request };
        assert_eq!(BackupRequest::from_event(handed.to_event()).unwrap(), handed);
    }

    #[test]
    fn a_request_that_says_anything_of_a_selection_has_none_of_the_defaults() {
        let defaults = || BackupRequest::from_defaults(json!({"excludeData": ["audit"]})).unwrap();
        let of = |value| body(value).unwrap().or(defaults());
        assert_eq!(of(json!({})).selected, defaults().selected);
        assert_eq!(of(json!({"tables": []})).selected, defaults().selected);
        assert_eq!(of(json!({"tables": ["a"]})).selected, body(json!({"tables": ["a"]})).unwrap().selected);
        let all = of(json!({"includeSchemaOnly": false}));
        assert!(all.selected.is_some() && all.selection().is_none());
        let again = BackupRequest::from_event(all.to_event()).unwrap().or(defaults());
        assert!(again.selection().is_none(), "a function that goes on with it knows no defaults either");
    }

    #[test]
    fn a_wrong_pattern_is_refused_at_its_place() {
        for (value, field) in [
            (json!({"tables": [1]}), "tables[0]"),
            (json!({"tables": ["a", ""]}), "tables[1]"),
            (json!({"exclude_tables": ["a", "b", "a.b.c"]}), "exclude_tables[2]"),
            (json!({"excludeData": ["a\u{0}"]}), "excludeData[0]"),
            (json!({"excludeData": ["\"a"]}), "excludeData[0]"),
            (json!({"tables": ["x".repeat(301)]}), "tables[0]"),
            (json!({"tables": [null]}), "tables[0]"),
        ] {
            let e = body(value).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(field)), "{e}");
        }
        let many = json!(vec!["x".repeat(300); 400]);
        let e = body(json!({"tables": many})).unwrap_err();
        assert!(e.message().contains("100000 bytes"), "{e}");
    }

    #[test]
    fn compression_is_decided_once() {
        let of = |v| body(v).unwrap().compression(Compression::Gzip);
        assert_eq!(of(json!({})), Compression::Gzip);
        assert_eq!(of(json!({"compress": true})), Compression::Gzip);
        assert_eq!(of(json!({"compress": false})), Compression::None);
        assert_eq!(of(json!({"compression": "zstd"})), Compression::Zstd);
        assert_eq!(
            body(json!({"compress": true})).unwrap().compression(Compression::None),
            Compression::Zstd
        );
        assert!(body(json!({"compress": false, "compression": "zstd"})).is_err());
    }

    #[test]
    fn events_come_back() {
        let event = json!({
            "id": "20261121T020000Z-9f86d081", "eventId": "d32c5kddcf5bb8c3", "scheduledTime": "2026-11-21T02:00:00Z",
            "scheduleId": "nightly", "database": "shop", "compression": "gzip", "label": "before the move", "validate": true,
            "databaseSecret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf", "createdBy": "ann"
        });
        let request = BackupRequest::from_event(event).unwrap();
        assert_eq!(request.backup_type(), BackupType::Scheduled);
        assert_eq!(BackupRequest::from_event(request.to_event()).unwrap(), request);
    }

    #[test]
    fn a_connection_string_in_an_event_is_refused_and_not_repeated() {
        let e =
            BackupRequest::from_event(json!({"databaseSecret": "postgresql://u:hunter2@h/d"})).unwrap_err();
        assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some("databaseSecret")));
        assert!(!format!("{e} {e:?}").contains("hunter2"));
    }

    #[test]
    fn the_event_of_a_rule() {
        let event = json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-21T02:00:00Z", "region": "eu-central-1",
            "resources": ["arn:aws:events:eu-central-1:123456789012:rule/nightly"], "detail": {}
        });
        let request = BackupRequest::from_event(event).unwrap();
        assert_eq!(request.event_id.as_deref(), Some("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"));
        assert_eq!(request.backup_type(), BackupType::Scheduled);
        assert!(request.schedule_id.unwrap().ends_with("rule/nightly"));
    }
}
