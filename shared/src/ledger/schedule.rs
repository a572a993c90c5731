//! The record of one schedule, as it stands in the table.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rules::KeepRules;
use crate::base::{Error, Kind, Result};

/// The id of a schedule, which is its name in EventBridge as well: 1 to 64 of `a-z A-Z 0-9 _ . -`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScheduleId(String);

impl ScheduleId {
    /// Parses an id.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self> {
        let ok = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-'));
        if ok {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
        Err(Error::new(
            Kind::InvalidInput,
            format!(
                "\"{shown}\" is no id of a schedule: 1 to 64 letters, digits, \"_\", \".\" or \"-\", beginning with a letter or digit"
            ),
        ))
    }

    /// The id of the schedule that the deployment's `BACKUP_SCHEDULE` makes, and that start and stop are about.
    pub fn default_one() -> Self {
        Self("default".into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ScheduleId {
    type Error = Error;
    fn try_from(s: String) -> Result<Self> {
        Self::parse(&s)
    }
}

impl From<ScheduleId> for String {
    fn from(id: ScheduleId) -> Self {
        id.0
    }
}

/// One schedule, as it stands in the table. An absent value is an absent attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// A name for people.
    pub name: String,
    /// The schedule as it was given.
    pub schedule: String,
    /// The same as EventBridge has it.
    pub expression: String,
    /// IANA name.
    pub timezone: String,
    /// Options of its backups, as in `POST /backup`.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// Whether it fires.
    pub enabled: bool,
    /// What is kept of its backups, where that is its own affair.
    pub retention: Option<KeepRules>,
    /// What a rate counts from; a whole minute.
    pub counts_from: Timestamp,
    /// `BACKUP_SCHEDULE` and `TZ` that the deployment last set it to.
    pub deployed: Option<String>,
    /// Counts changes.
    pub version: u64,
    /// The version that EventBridge was last told.
    #[serde(default)]
    pub applied: u64,
    /// When its removal began.
    pub removing_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

impl Schedule {
    /// Whether EventBridge was told what stands here.
    pub fn in_effect(&self) -> bool {
        self.applied == self.version && self.removing_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_eventbridge_and_keys() {
        for good in ["default", "nightly-1", "A.b_c", &"x".repeat(64)] {
            assert_eq!(ScheduleId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", ".", "..", "a/b", "a b", "é", "a\0", "a#b", &"x".repeat(65)] {
            assert_eq!(ScheduleId::parse(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }
}
