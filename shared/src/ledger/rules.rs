//! What is kept of a database's backups: rules that work together, each of which may be absent.

use serde::{Deserialize, Serialize};

/// Keep-rules. A backup stays when any rule keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeepRules {
    /// Backups younger than this many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The newest so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// The newest of each of the last so many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<u32>,
    /// The newest of each of the last so many weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekly: Option<u32>,
    /// The newest of each of the last so many months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly: Option<u32>,
    /// The newest of each of the last so many years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yearly: Option<u32>,
}
