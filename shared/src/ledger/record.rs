//! The record of one run, as it stands in the table.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::verification::Verdict;
use crate::base::{
    VerifyLevel,
    id::{DatabaseName, RunId},
};

/// The mode of a backup that holds a selection of its database.
pub const PARTIAL: &str = "partial";

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Database to bucket.
    Backup,
    /// Bucket to database.
    Restore,
    /// A record was removed, and the backup's objects with it or not; written once, final from the beginning.
    Deletion,
    /// A backup proven.
    Verify,
    /// A live database looked through.
    Validate,
}

impl RunKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Backup, Self::Restore, Self::Verify, Self::Validate, Self::Deletion];

    /// The attribute's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Deletion => "deletion",
            Self::Verify => "verify",
            Self::Validate => "validate",
        }
    }
}

/// Where a run stands. Set by [`super::Ledger`] alone; every state is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Asked for; set by whoever creates the record.
    Pending,
    /// A function holds the lease; set by `claim`.
    InProgress,
    /// Done; set by the holder of the lease. Final.
    Completed,
    /// Not done; set by the holder, or by whoever finds the lease run out. Final.
    Failed,
}

impl Status {
    /// The attribute's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// The status of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::InProgress, Self::Completed, Self::Failed]
            .into_iter()
            .find(|s| s.name() == text)
    }

    /// Whether nothing follows it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// Who wanted the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupType {
    /// A person or program, by a call.
    Manual,
    /// A schedule.
    Scheduled,
}

impl BackupType {
    /// The attribute's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
        }
    }

    /// The type of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Manual, Self::Scheduled].into_iter().find(|t| t.name() == text)
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Tables to do.
    pub tables: u64,
    /// Tables done.
    pub tables_done: u64,
    /// Bytes of rows done, before compression.
    pub bytes_done: u64,
    /// 0 to 100.
    pub percent: u8,
}

/// One table of a finished run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLine {
    /// `schema.table`.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows, before compression.
    pub bytes: u64,
}

/// One item of `BACKUP_TABLE`. An absent value is an absent attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The run's id.
    pub id: RunId,
    /// What it does.
    pub kind: RunKind,
    /// The registered name of the database.
    pub database: DatabaseName,
    /// Where the run stands.
    pub status: Status,
    /// Manual or scheduled.
    pub backup_type: BackupType,
    /// When it was asked for.
    #[serde(with = "millis")]
    pub created_at: Timestamp,
    /// Raised by each claim and each closing; 0 before the first.
    #[serde(default)]
    pub fence: u64,
    /// `full`; [`PARTIAL`]; `incremental`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `archive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// `zstd`, `gzip` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// Whether the objects are encrypted by pgbaton itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// What the caller called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The archive's folder below the prefix, `database/id/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// `s3://bucket/prefix/database/id/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_url: Option<String>,
    /// The bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_bucket: Option<String>,
    /// The bucket's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_region: Option<String>,
    /// Bytes stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
    /// Bytes before compression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_size: Option<u64>,
    /// Rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
    /// Tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_count: Option<u64>,
    /// SHA-256 of manifest.json, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The server's version text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_version: Option<String>,
    /// One sentence on how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The code of the error that ended it: one of `base::Kind::code`, or `function_stopped`, `never_started`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What a person should know although the run completed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The largest tables, as many as an item has room for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableLine>,
    /// How many tables `tables` leaves out; manifest.json has them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables_omitted: Option<u64>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What it is at, or was at when it failed; set by `stage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When a function claimed it.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became final.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// From `started_at` to `finished_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Until when retention by days keeps it.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When retention began to remove it; its objects are going.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub deleting_at: Option<Timestamp>,
    /// The schedule that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<String>,
    /// The event whose first delivery began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Hand-overs of the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<u64>,
    /// Restores: where the rows go, `MAIN`, `BACKUP`, a registered name or the secret with the connection string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Restores, verifications and deletions: the backup. Incremental backups: the one that it builds on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<RunId>,
    /// Backups: when they were last verified.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// Backups: how thoroughly then. Verifications: how thoroughly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_level: Option<VerifyLevel>,
    /// Backups: with which outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verdict>,
    /// Backups: the outcome in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_message: Option<String>,
    /// Backups: the run that verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_id: Option<RunId>,
    /// Verifications: the database that they made and have not dropped yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch_database: Option<String>,
    /// Validations: what was found (see `jobs::validate::Report`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<serde_json::Value>,
    /// The failed run that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
    /// Who holds the lease: the caller of `claim` and a random token, so that no two claims have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_owner: Option<String>,
    /// Until when, in epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<i64>,
}

impl Record {
    /// A pending record with what every record has; the caller fills in the rest.
    pub fn pending(
        id: RunId,
        kind: RunKind,
        database: DatabaseName,
        backup_type: BackupType,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            database,
            status: Status::Pending,
            backup_type,
            created_at: at,
            fence: 0,
            mode: None,
            format: None,
            compression: None,
            encrypted: None,
            label: None,
            file_name: None,
            s3_url: None,
            s3_bucket: None,
            s3_region: None,
            file_size: None,
            raw_size: None,
            record_count: None,
            table_count: None,
            checksum: None,
            database_version: None,
            message: None,
            error_code: None,
            warnings: Vec::new(),
            tables: Vec::new(),
            tables_omitted: None,
            progress: None,
            phase: None,
            created_by: None,
            started_at: None,
            finished_at: None,
            duration_ms: None,
            expires_at: None,
            deleting_at: None,
            schedule_id: None,
            event_id: None,
            hops: None,
            target: None,
            backup_id: None,
            verified_at: None,
            verified_level: None,
            verification: None,
            verification_message: None,
            verification_id: None,
            scratch_database: None,
            validation: None,
            retry_of: None,
            lease_owner: None,
            lease_until: None,
        }
    }

    /// The time between two instants in milliseconds, none when they are the wrong way round.
    pub(super) fn elapsed(from: Option<Timestamp>, to: Timestamp) -> Option<u64> {
        let span: SignedDuration = to.duration_since(from?);
        u64::try_from(span.as_millis()).ok()
    }
}

/// Instants as [`crate::base::clock::text`] writes them: always three decimals, so that they sort as text.
mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::base::clock;

    pub fn serialize<S: Serializer>(t: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&clock::text(*t))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(d)
    }
}

mod optional_millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::base::clock;

    pub fn serialize<S: Serializer>(t: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
        match t {
            Some(t) => s.serialize_str(&clock::text(*t)),
            None => s.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Timestamp>, D::Error> {
        Option::<Timestamp>::deserialize(d)
    }
}
