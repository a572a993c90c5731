//! What the function `verify` is asked for with: a verification of a backup, a validation of a live database, or to drop what a verification left.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    RestoreTarget, Resume, ValidateRequest,
    fields::{Fields, wrong},
    restore::{any_target, named_target, resume},
};
use crate::{
    base::{
        Result, VerifyLevel,
        config::Config,
        id::{DatabaseName, RunId},
    },
    ledger::{BackupType, Record, RunKind},
};

/// An event for the function `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Verify a backup.
    Verify(VerifyRequest),
    /// Look through a live database.
    Validate(ValidateRequest),
    /// Drop the scratch database that this verification left.
    CleanUp(RunId),
}

impl Asked {
    /// From an event: `{"validate": true, …}`, `{"cleanUp": ID}`, or a [`VerifyRequest`].
    ///
    /// # Errors
    /// [`crate::base::Kind::InvalidInput`] with the field.
    pub fn from_event(event: Value) -> Result<Self> {
        let mut fields = Fields::of_value(event)?;
        if fields.flag("validate")? == Some(true) {
            return ValidateRequest::of_event(fields).map(Self::Validate);
        }
        if let Some(id) = fields.id("cleanUp")? {
            fields.end()?;
            return Ok(Self::CleanUp(id));
        }
        VerifyRequest::of_event(fields).map(Self::Verify)
    }

    /// The event that [`Asked::from_event`] reads back.
    pub fn to_event(&self) -> Value {
        match self {
            Self::Verify(request) => request.to_event(),
            Self::Validate(request) => request.to_event(),
            Self::CleanUp(id) => json!({"cleanUp": id.as_str()}),
        }
    }
}

/// Which backup to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// This one.
    Backup(RunId),
    /// The newest completed one, of this database or of the default one.
    Latest(Option<DatabaseName>),
}

/// A verification as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The backup.
    pub which: Which,
    /// How thoroughly; none for the configured level.
    pub level: Option<VerifyLevel>,
    /// On which server the scratch database is made; none for the backup's own source, or BACKUP where that one's role may make none.
    pub target: Option<RestoreTarget>,
    /// Events only: the run's id, chosen by the caller.
    pub id: Option<RunId>,
    /// Events only: every delivery of the same event has the same.
    pub event_id: Option<String>,
    /// Events only: the schedule.
    pub schedule_id: Option<String>,
    /// Events only: who asked.
    pub created_by: Option<String>,
    /// Events only, sent by a function whose time is up: the run to go on with.
    pub resume: Option<Resume>,
}

impl VerifyRequest {
    /// From the body of `POST /backup/{id}/verify`.
    ///
    /// # Errors
    /// [`crate::base::Kind::InvalidInput`] with the field.
    pub fn from_body(backup: RunId, body: &[u8]) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        let target = named_target(&mut fields)?;
        let request = Self::of(&mut fields, Which::Backup(backup), target)?;
        fields.end()?;
        Ok(request)
    }

    fn of(fields: &mut Fields, which: Which, target: Option<RestoreTarget>) -> Result<Self> {
        let level = fields.parsed("level", VerifyLevel::parse)?;
        Ok(Self {
            which,
            level,
            target,
            id: None,
            event_id: None,
            schedule_id: None,
            created_by: None,
            resume: None,
        })
    }

    fn of_event(mut fields: Fields) -> Result<Self> {
        let backup = fields.id("backupId")?;
        let latest = fields.flag("latest")?.unwrap_or(false);
        let database = fields.parsed("database", DatabaseName::parse)?;
        let which = match (backup, latest) {
            (Some(id), false) if database.is_none() => Which::Backup(id),
            (None, true) => Which::Latest(database),
            (Some(_), false) => {
                return Err(wrong(
                    "database",
                    "\"database\" goes with \"latest\", not with \"backupId\"".into(),
                ));
            }
            (Some(_), true) => {
                return Err(wrong("latest", "\"backupId\" and \"latest\" are both given; give one".into()));
            }
            (None, false) => {
                return Err(wrong("backupId", "the field \"backupId\" or \"latest\" is missing".into()));
            }
        };
        let target = any_target(&mut fields)?;
        let request = Self {
            id: fields.id("id")?,
            event_id: fields.event_id("eventId")?,
            schedule_id: fields.text("scheduleId", 300)?,
            created_by: fields.text("createdBy", 300)?,
            resume: resume(&mut fields)?,
            ..Self::of(&mut fields, which, target)?
        };
        fields.end()?;
        Ok(request)
    }

    /// The event that [`Asked::from_event`] reads back.
    pub fn to_event(&self) -> Value {
        let mut event = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            event.extend(value.map(|v| (name.to_owned(), v)));
        };
        let text = |value: Option<&str>| value.map(Value::from);
        match &self.which {
            Which::Backup(id) => put("backupId", Some(id.as_str().into())),
            Which::Latest(database) => {
                put("latest", Some(true.into()));
                put("database", text(database.as_ref().map(DatabaseName::as_str)));
            }
        }
        put("level", text(self.level.map(VerifyLevel::name)));
        match &self.target {
            Some(RestoreTarget::Main) => put("target", Some("MAIN".into())),
            Some(RestoreTarget::Backup) => put("target", Some("BACKUP".into())),
            Some(RestoreTarget::Named(name)) => put("target", Some(name.as_str().into())),
            Some(RestoreTarget::Secret(secret)) => put("targetSecret", Some(secret.as_str().into())),
            Some(RestoreTarget::Iam(login)) => put("targetIam", serde_json::to_value(login).ok()),
            None => {}
        }
        put("id", text(self.id.as_ref().map(RunId::as_str)));
        put("eventId", text(self.event_id.as_deref()));
        put("scheduleId", text(self.schedule_id.as_deref()));
        put("createdBy", text(self.created_by.as_deref()));
        put("resume", self.resume.as_ref().map(|r| json!({"id": r.id.as_str(), "fence": r.fence})));
        Value::Object(event)
    }

    /// The pending record of this request; `backup` is the one to verify, where it was found.
    pub fn pending(&self, id: RunId, backup: Option<&Record>, config: &Config, now: Timestamp) -> Record {
        let database = match (backup, &self.which) {
            (Some(backup), _) => backup.database.clone(),
            (None, Which::Latest(Some(database))) => database.clone(),
            (None, _) => config.database.clone(),
        };
        let kind = if self.schedule_id.is_some() { BackupType::Scheduled } else { BackupType::Manual };
        let mut record = Record::pending(id, RunKind::Verify, database, kind, now);
        record.backup_id = match (backup, &self.which) {
            (Some(backup), _) => Some(backup.id.clone()),
            (None, Which::Backup(id)) => Some(id.clone()),
            (None, Which::Latest(_)) => None,
        };
        record.s3_url = backup.and_then(|b| b.s3_url.clone());
        record.verified_level = Some(self.level.unwrap_or(config.verify_level));
        record.created_by = self.created_by.clone();
        record.schedule_id = self.schedule_id.clone();
        record.event_id = self.event_id.clone();
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;

    const ID: &str = "20261121T020000Z-9f86d081";

    #[test]
    fn what_a_request_says_survives_the_way_through_an_event() {
        for event in [
            json!({"backupId": ID, "level": "restore", "target": "BACKUP", "id": ID, "eventId": "e", "createdBy": "ann", "resume": {"id": ID, "fence": 2}}),
            json!({"latest": true, "database": "shop", "level": "objects", "scheduleId": "nightly", "targetSecret": "/shop/scratch"}),
            json!({"latest": true}),
        ] {
            let Asked::Verify(request) = Asked::from_event(event.clone()).unwrap() else { panic!("{event}") };
            assert_eq!(request.to_event(), event);
        }
        let event = json!({"validate": true, "database": "shop", "id": ID, "eventId": "e", "createdBy": "ann", "databaseSecret": "/x"});
        let Asked::Validate(request) = Asked::from_event(event.clone()).unwrap() else { panic!("{event}") };
        assert_eq!(request.to_event(), event);
        let id = RunId::parse(ID).unwrap();
        assert_eq!(Asked::from_event(json!({"cleanUp": ID})).unwrap(), Asked::CleanUp(id));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_field() {
        for (event, field) in [
            (json!({}), "backupId"),
            (json!({"backupId": ID, "latest": true}), "latest"),
            (json!({"backupId": ID, "database": "x"}), "database"),
            (json!({"backupId": "../x"}), "backupId"),
            (json!({"latest": true, "level": "deep"}), "level"),
            (json!({"latest": true, "target": "postgresql://u:hunter2@h/d"}), "target"),
            (json!({"latest": true, "target": "MAIN", "targetSecret": "/x"}), "target"),
            (json!({"latest": 1}), "latest"),
            (json!({"cleanUp": ID, "x": 1}), "x"),
            (json!({"validate": true, "level": "read"}), "level"),
        ] {
            let e = Asked::from_event(event.clone()).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(field)), "{event}: {e}");
            assert!(!e.to_string().contains("hunter2"));
        }
        let id = || RunId::parse(ID).unwrap();
        for (body, field) in [
            (json!({"level": 1}), "level"),
            (json!({"latest": true}), "latest"),
            (json!({"targetSecret": "/x"}), "targetSecret"),
            (json!({"createdBy": "root"}), "createdBy"),
        ] {
            let e = VerifyRequest::from_body(id(), body.to_string().as_bytes()).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(field)), "{body}");
        }
        assert_eq!(VerifyRequest::from_body(id(), b"").unwrap().level, None);
        assert!(ValidateRequest::from_body(br#"{"databaseSecret": "/x"}"#).is_err());
    }
}
