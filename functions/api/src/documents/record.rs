//! Records of runs.

use serde_json::Value;
use utoipa::ToSchema;

use super::checks::{Verdict, VerifyLevel};

/// One run. A value that is not known yet is left out.
#[derive(ToSchema)]
pub(crate) struct RunRecord {
    /// The run's id.
    #[schema(pattern = "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", example = "20261121T020000Z-9f86d081")]
    id: String,
    /// What it does.
    kind: RunKind,
    /// The registered name of the database.
    #[schema(example = "main")]
    database: String,
    /// Where the run stands.
    status: Status,
    /// Manual or scheduled.
    backup_type: BackupType,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// `full`; `partial` where it holds a selection; `incremental`.
    #[schema(example = "full", nullable = false)]
    mode: Option<String>,
    /// `archive`.
    #[schema(example = "archive", nullable = false)]
    format: Option<String>,
    /// `zstd`, `gzip` or `none`.
    #[schema(example = "zstd", nullable = false)]
    compression: Option<String>,
    /// Whether the objects are encrypted by pgbaton itself.
    #[schema(nullable = false)]
    encrypted: Option<bool>,
    /// What the caller called it.
    #[schema(example = "before the move", nullable = false)]
    label: Option<String>,
    /// The archive's folder below the prefix, `database/id/`.
    #[schema(example = "main/20261121T020000Z-9f86d081/", nullable = false)]
    file_name: Option<String>,
    /// `s3://bucket/prefix/database/id/`.
    #[schema(example = "s3://bucket/backups/main/20261121T020000Z-9f86d081/", nullable = false)]
    s3_url: Option<String>,
    /// The bucket.
    #[schema(example = "bucket", nullable = false)]
    s3_bucket: Option<String>,
    /// The bucket's region.
    #[schema(example = "eu-central-1", nullable = false)]
    s3_region: Option<String>,
    /// Bytes stored.
    #[schema(nullable = false)]
    file_size: Option<u64>,
    /// Bytes before compression.
    #[schema(nullable = false)]
    raw_size: Option<u64>,
    /// Rows.
    #[schema(nullable = false)]
    record_count: Option<u64>,
    /// Tables.
    #[schema(nullable = false)]
    table_count: Option<u64>,
    /// SHA-256 of manifest.json, in hex.
    #[schema(nullable = false)]
    checksum: Option<String>,
    /// The server's version text.
    #[schema(example = "18.4", nullable = false)]
    database_version: Option<String>,
    /// One sentence on how it ended.
    #[schema(nullable = false)]
    message: Option<String>,
    /// The code of the error that ended it: that of a problem, or `function_stopped`, `never_started`.
    #[schema(nullable = false)]
    error_code: Option<String>,
    /// What a person should know although the run completed.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The largest tables, as many as an item has room for.
    #[schema(nullable = false)]
    tables: Option<Vec<TableLine>>,
    /// How many tables `tables` leaves out; manifest.json has them all.
    #[schema(nullable = false)]
    tables_omitted: Option<u64>,
    /// How far it has come.
    #[schema(nullable = false)]
    progress: Option<Progress>,
    /// What it is at, or was at when it failed.
    #[schema(nullable = false)]
    phase: Option<String>,
    /// Who asked for it.
    #[schema(example = "ann", nullable = false)]
    created_by: Option<String>,
    /// When a function claimed it.
    #[schema(format = DateTime, nullable = false)]
    started_at: Option<String>,
    /// When it became final.
    #[schema(format = DateTime, nullable = false)]
    finished_at: Option<String>,
    /// From `started_at` to `finished_at`.
    #[schema(nullable = false)]
    duration_ms: Option<u64>,
    /// Until when retention by days keeps it.
    #[schema(format = DateTime, nullable = false)]
    expires_at: Option<String>,
    /// When retention began to remove it; its objects are going.
    #[schema(format = DateTime, nullable = false)]
    deleting_at: Option<String>,
    /// The schedule that asked for it.
    #[schema(nullable = false)]
    schedule_id: Option<String>,
    /// Hand-overs of the snapshot.
    #[schema(nullable = false)]
    hops: Option<u64>,
    /// Restores: where the rows go, `MAIN`, `BACKUP`, a registered name or the secret with the connection string.
    #[schema(nullable = false)]
    target: Option<String>,
    /// Restores, verifications, deletions: the backup.
    #[schema(pattern = "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", nullable = false)]
    backup_id: Option<String>,
    /// Backups: when it was last verified.
    #[schema(format = DateTime, nullable = false)]
    verified_at: Option<String>,
    /// How thoroughly; of a verification, how thoroughly it is to be done.
    #[schema(nullable = false)]
    verified_level: Option<VerifyLevel>,
    /// What it came to.
    #[schema(nullable = false)]
    verification: Option<Verdict>,
    /// The same in a sentence.
    #[schema(nullable = false)]
    verification_message: Option<String>,
    /// The run that verified.
    #[schema(nullable = false)]
    verification_id: Option<String>,
    /// Verifications: a scratch database that is still to be dropped.
    #[schema(nullable = false)]
    scratch_database: Option<String>,
    /// Validations: what was found, as `POST /backup/validate` answers it.
    #[schema(nullable = false)]
    validation: Option<Value>,
    /// The failed run that this one repeats.
    #[schema(pattern = "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", nullable = false)]
    retry_of: Option<String>,
    /// In lists: how many warnings there are; the first three are shown.
    #[schema(nullable = false)]
    warning_count: Option<u64>,
}

/// A page of records.
#[derive(ToSchema)]
pub(crate) struct BackupList {
    /// Newest first, without their tables.
    backups: Vec<RunRecord>,
    /// For the next page; null when this is the last. A page may be shorter than asked for and not be the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// A page of runs of every kind.
#[derive(ToSchema)]
pub(crate) struct HistoryList {
    /// Newest first, without their tables.
    history: Vec<RunRecord>,
    /// For the next page; null when this is the last. A page may be shorter than asked for and not be the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What a run does. A deletion's `message` says what was removed.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum RunKind {
    Backup,
    Restore,
    Deletion,
    Verify,
    Validate,
}

/// Where a run stands: `pending`, then `in_progress`, then `completed` or `failed`; never backwards.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Status {
    Pending,
    InProgress,
    Completed,
    Failed,
}

/// Who wanted the run: a call, or a schedule.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum BackupType {
    Manual,
    Scheduled,
}

/// How far a run has come.
#[derive(ToSchema)]
pub(super) struct Progress {
    /// Tables to do.
    tables: u64,
    /// Tables done.
    tables_done: u64,
    /// Bytes of rows done, before compression.
    bytes_done: u64,
    /// 0 to 100.
    #[schema(maximum = 100, example = 42)]
    percent: u8,
}

/// One table of a finished run.
#[derive(ToSchema)]
struct TableLine {
    /// `schema.table`.
    #[schema(example = "public.orders")]
    name: String,
    /// Rows.
    rows: u64,
    /// Bytes of rows, before compression.
    bytes: u64,
}
