//! What people are told of, by name. The names are part of what receivers of notifications read: none is ever changed.

use serde::{Deserialize, Serialize};

/// Something that a person wants to know at night, or in the morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// A backup ended as failed.
    #[serde(rename = "backup.failed")]
    BackupFailed,
    /// A backup completed, and its record says what is not in it as it should be.
    #[serde(rename = "backup.completed_with_warnings")]
    BackupCompletedWithWarnings,
    /// The first good backup after failures or silence.
    #[serde(rename = "backup.recovered")]
    BackupRecovered,
    /// A backup was closed because nobody worked on it any more.
    #[serde(rename = "backup.stuck")]
    BackupStuck,
    /// A backup was found not to be what it should be.
    #[serde(rename = "verification.failed")]
    VerificationFailed,
    /// A restore ended as failed, or was closed because nobody worked on it any more.
    #[serde(rename = "restore.failed")]
    RestoreFailed,
    /// A restore completed.
    #[serde(rename = "restore.completed")]
    RestoreCompleted,
    /// No good backup within the expected time.
    #[serde(rename = "backup.silent")]
    BackupSilent,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::BackupFailed,
        Self::BackupCompletedWithWarnings,
        Self::BackupRecovered,
        Self::BackupStuck,
        Self::VerificationFailed,
        Self::RestoreFailed,
        Self::RestoreCompleted,
        Self::BackupSilent,
    ];

    /// The name, as in notifications.
    pub fn name(self) -> &'static str {
        match self {
            Self::BackupFailed => "backup.failed",
            Self::BackupCompletedWithWarnings => "backup.completed_with_warnings",
            Self::BackupRecovered => "backup.recovered",
            Self::BackupStuck => "backup.stuck",
            Self::VerificationFailed => "verification.failed",
            Self::RestoreFailed => "restore.failed",
            Self::RestoreCompleted => "restore.completed",
            Self::BackupSilent => "backup.silent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_are_read() {
        for kind in EventKind::ALL {
            let text = serde_json::to_string(&kind).unwrap();
            assert_eq!(text, format!("\"{}\"", kind.name()));
            assert_eq!(serde_json::from_str::<EventKind>(&text).unwrap(), kind);
        }
    }
}
