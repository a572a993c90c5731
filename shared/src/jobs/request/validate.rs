//! What a validation of a live database is asked for with.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{BackupRequest, fields::Fields};
use crate::{
    base::{
        Result,
        id::{DatabaseName, RunId},
    },
    ledger::{BackupType, Record, RunKind},
};

/// A validation as asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidateRequest {
    /// The registered name; none for the default one.
    pub database: Option<DatabaseName>,
    /// Events only: the run's id, chosen by the caller.
    pub id: Option<RunId>,
    /// Events only: every delivery of the same event has the same.
    pub event_id: Option<String>,
    /// Events only: who asked.
    pub created_by: Option<String>,
    /// Events only: ARN or name of the secret with the connection string, instead of the configured database.
    pub database_secret: Option<String>,
}

impl ValidateRequest {
    /// From the body of `POST /backup/validate`.
    ///
    /// # Errors
    /// [`crate::base::Kind::InvalidInput`] with the field.
    pub fn from_body(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        let request = Self { database: fields.parsed("database", DatabaseName::parse)?, ..Self::default() };
        fields.end()?;
        Ok(request)
    }

    /// From the fields of an event, its `validate` taken already.
    pub(super) fn of_event(mut fields: Fields) -> Result<Self> {
        let request = Self {
            database: fields.parsed("database", DatabaseName::parse)?,
            id: fields.id("id")?,
            event_id: fields.event_id("eventId")?,
            created_by: fields.text("createdBy", 300)?,
            database_secret: fields.secret("databaseSecret")?,
        };
        fields.end()?;
        Ok(request)
    }

    /// The event that [`super::Asked::from_event`] reads back.
    pub fn to_event(&self) -> Value {
        let mut event = Map::new();
        event.insert("validate".to_owned(), true.into());
        for (name, value) in [
            ("database", self.database.as_ref().map(DatabaseName::as_str)),
            ("id", self.id.as_ref().map(RunId::as_str)),
            ("eventId", self.event_id.as_deref()),
            ("createdBy", self.created_by.as_deref()),
            ("databaseSecret", self.database_secret.as_deref()),
        ] {
            event.extend(value.map(|v| (name.to_owned(), v.into())));
        }
        Value::Object(event)
    }

    /// The pending record of this request, for the database that it was found to mean: the same whether the API or the function itself makes it.
    pub fn pending(&self, id: RunId, database: DatabaseName, now: Timestamp) -> Record {
        let mut record = Record::pending(id, RunKind::Validate, database, BackupType::Manual, now);
        record.created_by = self.created_by.clone();
        record.event_id = self.event_id.clone();
        record
    }

    /// A backup of the same database: it is found and reached in the same way.
    pub fn as_backup(&self) -> BackupRequest {
        BackupRequest {
            database: self.database.clone(),
            database_secret: self.database_secret.clone(),
            ..BackupRequest::default()
        }
    }
}
