//! What a schedule is made or changed with, and what the default one is started with.

use serde_json::{Map, Value};

use super::{
    backup::BackupRequest,
    fields::{Fields, wrong},
};
use crate::{
    base::{Error, Result},
    jobs::schedules::{Expression, zone},
    ledger::{KeepRules, ScheduleId},
};

/// Hours of `intervalHours`: up to a year.
const HOURS: u64 = 24 * 365;

/// The body of `PUT /backup/schedules/{id}`. What it leaves out stays as it is, or takes its default on a new schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleRequest {
    /// For people, at most 200 characters; the id by default.
    pub name: Option<String>,
    /// Five-field cron, `cron(…)` or `rate(…)`, checked. A new schedule needs it.
    pub schedule: Option<String>,
    /// IANA name, checked; that of `TZ` by default.
    pub timezone: Option<String>,
    /// Options of its backups, as in `POST /backup`; none by default.
    pub options: Option<BackupRequest>,
    /// True by default.
    pub enabled: Option<bool>,
    /// Keep-rules of its own.
    pub retention: Option<KeepRules>,
}

impl ScheduleRequest {
    /// From the body of a call on the schedule `id`, which the body may repeat.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] or [`Kind::NotAvailableYet`] with the field.
    pub fn from_body(body: &[u8], id: &ScheduleId) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        if fields.text("id", 64)?.is_some_and(|given| given != id.as_str()) {
            return Err(wrong("id", format!("the field \"id\" is not {id}, which the path names")));
        }
        let request = Self {
            name: fields.text("name", 200)?,
            schedule: fields
                .parsed("schedule", |text| Expression::parse(text).map(|_| text.trim().to_owned()))?,
            timezone: fields.parsed("timezone", |text| zone(text).map(|(_, name)| name))?,
            options: options(fields.raw("options").unwrap_or_default())?,
            enabled: fields.flag("enabled")?,
            retention: fields.document("retention")?,
        };
        fields.end()?;
        Ok(request)
    }

    /// The options as a record holds them.
    pub fn stored_options(&self) -> Option<Map<String, Value>> {
        match self.options.as_ref()?.to_event() {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }
}

fn options(value: Value) -> Result<Option<BackupRequest>> {
    if value.is_null() {
        return Ok(None);
    }
    if !value.is_object() {
        return Err(wrong("options", "the field \"options\" must be an object, as in POST /backup".into()));
    }
    let request = BackupRequest::from_body(value.to_string().as_bytes());
    request.map(Some).map_err(|e| {
        let field = e.field().map_or_else(|| "options".to_owned(), |f| format!("options.{f}"));
        Error::new(e.kind(), format!("the field \"options\" is wrong: {}", e.message())).at_field(field)
    })
}

/// The hours of `POST /backup/start`, 1 to 8,760, where the body names any.
///
/// # Errors
/// [`Kind::InvalidInput`] with the field.
pub fn interval_hours(body: &[u8]) -> Result<Option<u32>> {
    let mut fields = Fields::of_body(body)?;
    let hours = fields.number("intervalHours", 1, HOURS)?;
    fields.end()?;
    Ok(hours.and_then(|h| u32::try_from(h).ok()))
}

/// Refuses a body with fields, for calls that take none.
///
/// # Errors
/// [`Kind::InvalidInput`] with the field.
pub fn nothing(body: &[u8]) -> Result<()> {
    Fields::of_body(body)?.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;
    use serde_json::json;

    fn parse(value: Value) -> Result<ScheduleRequest> {
        ScheduleRequest::from_body(value.to_string().as_bytes(), &ScheduleId::parse("nightly").unwrap())
    }

    #[test]
    fn everything_that_can_be_said() {
        let all = parse(json!({
            "id": "nightly", "name": "Every night", "schedule": " 0 2 * * * ", "timezone": "europe/berlin", "enabled": false,
            "options": {"compression": "gzip", "label": "n"}, "retention": {"days": 7, "weekly": 4},
        }))
        .unwrap();
        assert_eq!(all.schedule.as_deref(), Some("0 2 * * *"));
        assert_eq!(all.timezone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(
            Value::Object(all.stored_options().unwrap()),
            json!({"compression": "gzip", "label": "n"})
        );
        assert_eq!(all.retention, Some(KeepRules { days: Some(7), weekly: Some(4), ..KeepRules::default() }));
        assert_eq!(parse(json!({})).unwrap(), ScheduleRequest::default());
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_field() {
        for (body, kind, field) in [
            (json!({"id": "other"}), Kind::InvalidInput, "id"),
            (json!({"schedule": "61 * * * *"}), Kind::InvalidInput, "schedule"),
            (json!({"schedule": 6}), Kind::InvalidInput, "schedule"),
            (json!({"timezone": "Mars/Base"}), Kind::InvalidInput, "timezone"),
            (json!({"enabled": "yes"}), Kind::InvalidInput, "enabled"),
            (json!({"name": ""}), Kind::InvalidInput, "name"),
            (json!({"options": []}), Kind::InvalidInput, "options"),
            (json!({"options": {"compression": "lzma"}}), Kind::InvalidInput, "options.compression"),
            (json!({"options": {"eventId": "x"}}), Kind::InvalidInput, "options.eventId"),
            (json!({"options": {"incremental": true}}), Kind::NotAvailableYet, "options.incremental"),
            (json!({"retention": {"days": 0}}), Kind::InvalidInput, "retention"),
            (json!({"retention": {"hours": 1}}), Kind::InvalidInput, "retention"),
            (json!({"retention": 7}), Kind::InvalidInput, "retention"),
            (json!({"next_runs": []}), Kind::InvalidInput, "next_runs"),
        ] {
            let e = parse(body.clone()).unwrap_err();
            assert_eq!((e.kind(), e.field()), (kind, Some(field)), "{body}: {e}");
        }
    }

    #[test]
    fn hours() {
        assert_eq!(interval_hours(b"").unwrap(), None);
        assert_eq!(interval_hours(br#"{"intervalHours": 8760}"#).unwrap(), Some(8_760));
        for bad in [
            "{\"intervalHours\": 0}",
            "{\"intervalHours\": 8761}",
            "{\"intervalHours\": 1.5}",
            "{\"hours\": 1}",
            "[]",
        ] {
            assert_eq!(interval_hours(bad.as_bytes()).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
        assert!(nothing(b" {} ").is_ok() && nothing(b"{\"x\": 1}").is_err());
    }
}
