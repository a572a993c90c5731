//! Verification, validation, connections, status and sums.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::record::{BackupType, Progress, RunKind, Status};

/// How to verify, and where a restore goes to.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"level": "read"}))]
pub(crate) struct VerifyOptions {
    /// `objects`: sizes and checksums; `read`: every row is read and counted; `restore`: into a scratch database, which is compared and dropped. By
    /// default the deployment's (`VERIFY_LEVEL`).
    level: Option<VerifyLevel>,
    /// For `restore`: on whose server the scratch database is made; by default the backup's own.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "MAIN")]
    target: Option<String>,
}

/// How thoroughly a backup is verified.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum VerifyLevel {
    Objects,
    Read,
    Restore,
}

/// How a verification judges a backup.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Verdict {
    Passed,
    Failed,
}

/// Which database to look through.
#[derive(ToSchema)]
pub(crate) struct ValidateOptions {
    /// The registered name.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main")]
    database: Option<String>,
}

/// What a validation found.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct Validation {
    /// The validation's run.
    id: String,
    /// The database.
    database: String,
    /// `completed`.
    status: Status,
    /// One sentence.
    message: Option<String>,
    /// Whether nothing was found. What was not checked may hold more.
    is_valid: bool,
    /// What was found, the first hundred.
    errors: Vec<Finding>,
    /// How many were found.
    error_count: u64,
    /// What was not looked at, the first hundred.
    not_checked: Vec<NotChecked>,
    /// How many were not looked at.
    not_checked_count: u64,
    /// How much was.
    checked: Checked,
}

/// One thing that does not keep what a definition promises.
#[derive(ToSchema)]
struct Finding {
    /// `orphaned_rows`, `check_violation`, `domain_violation`, `not_null_violation`, `sequence_behind`, `invalid_index` or `unreadable_table`.
    kind: String,
    /// Schema and name.
    table: String,
    /// The constraint, index or sequence; for NOT NULL the column.
    #[schema(nullable = false)]
    constraint: Option<String>,
    /// Rows; 1 for what has none.
    count: u64,
    /// Up to five rows by their keys. These are data of the database.
    #[schema(nullable = false)]
    examples: Option<Vec<Value>>,
    /// One sentence, without values.
    message: String,
}

/// What was not looked at.
#[derive(ToSchema)]
struct NotChecked {
    /// Table and constraint.
    what: String,
    /// Why.
    reason: String,
}

/// How much was looked at.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct Checked {
    /// Indexes.
    indexes: u64,
    /// Sequences of serial and identity columns.
    sequences: u64,
    /// Foreign keys.
    foreign_keys: u64,
    /// CHECK constraints that are not validated.
    check_constraints: u64,
    /// Columns of domains with constraints that are not validated.
    domain_columns: u64,
    /// Columns that must not be NULL.
    not_null_columns: u64,
    /// Tables and materialized views that were read in full.
    tables: u64,
    /// Their rows.
    rows: u64,
}

/// Whether every database can be reached and read in full.
#[derive(ToSchema)]
pub(crate) struct Connections {
    /// Each database and second database, by name.
    databases: Vec<Connection>,
    /// How many of them are in order.
    good: u64,
    /// How many were not looked at: there are more than one call tests.
    left_out: u64,
}

/// One connection.
#[derive(ToSchema)]
struct Connection {
    /// The database.
    database: String,
    /// `MAIN`, or `BACKUP` for its second database.
    target: String,
    /// Whether the deployment's settings say how it is reached.
    configured: bool,
    /// Whether a session could be opened.
    reachable: bool,
    /// The server's version.
    #[schema(nullable = false)]
    version: Option<String>,
    /// One round trip of an open session, milliseconds.
    #[schema(nullable = false)]
    latency_ms: Option<f64>,
    /// Opening the session, milliseconds.
    #[schema(nullable = false)]
    connect_ms: Option<f64>,
    /// How the session is protected.
    #[schema(nullable = false)]
    tls: Option<Tls>,
    /// What a full backup would fail of; only of main databases.
    #[schema(nullable = false)]
    privileges_missing: Option<Missing>,
    /// What to know of the connection string.
    warnings: Vec<String>,
    /// What failed.
    #[schema(nullable = false)]
    error: Option<ConnectionError>,
}

/// TLS of a session.
#[derive(ToSchema)]
struct Tls {
    /// `sslmode`.
    #[schema(example = "verify-full")]
    mode: String,
    /// Whether the session is encrypted.
    encrypted: bool,
    /// Whether the server's certificate was verified.
    certificate_verified: bool,
    /// Whether it was found to name the host as well.
    host_verified: bool,
}

/// What keeps a full backup from being made.
#[derive(ToSchema)]
struct Missing {
    /// Tables without SELECT, or USAGE of their schema.
    tables: Withheld,
    /// Sequences, likewise.
    sequences: Withheld,
    /// Large objects without SELECT.
    large_objects: Withheld,
    /// Tables whose policies would leave rows out.
    row_security: Withheld,
}

/// Things that the role may not read.
#[derive(ToSchema)]
struct Withheld {
    /// How many.
    count: u64,
    /// The first of them.
    names: Vec<String>,
}

/// Why a database cannot be reached.
#[derive(ToSchema)]
struct ConnectionError {
    /// The kind of error, as a problem's `code`.
    code: String,
    /// What happened.
    message: String,
    /// What to do about it; empty where the message says all.
    advice: String,
}

/// How things stand.
#[derive(ToSchema)]
pub(crate) struct Overview {
    /// Whether any run is under way.
    running: bool,
    /// What is under way.
    current: Vec<RunBrief>,
    /// The newest good backup of any database.
    #[schema(nullable = false)]
    last_backup: Option<RunBrief>,
    /// The most of any database.
    consecutive_failures: u64,
    /// Each database that has backups, the configured one and those that are registered.
    databases: Vec<DatabaseHealth>,
    /// When each schedule fires next.
    next_scheduled: Vec<NextRuns>,
    /// The last runs of any kind.
    recent: Vec<RunBrief>,
}

/// A run in few words.
#[derive(ToSchema)]
struct RunBrief {
    /// Its id.
    id: String,
    /// What it does.
    kind: RunKind,
    /// The database.
    database: String,
    /// Where it stands.
    status: Status,
    /// Manual or scheduled.
    backup_type: BackupType,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// How long it took, or has taken so far.
    #[schema(nullable = false)]
    duration_ms: Option<u64>,
    /// Bytes stored.
    #[schema(nullable = false)]
    file_size: Option<u64>,
    /// How far it has come, while it runs.
    #[schema(nullable = false)]
    progress: Option<Progress>,
    /// How it ended.
    #[schema(nullable = false)]
    message: Option<String>,
    /// Warnings it has; absent for none.
    #[schema(nullable = false)]
    warning_count: Option<u64>,
    /// Seconds since it was asked for.
    age_seconds: u64,
}

/// How a database fares.
#[derive(ToSchema)]
struct DatabaseHealth {
    /// Its name.
    name: String,
    /// `ok`; `warning`: the last backup has warnings, or is older than 26 hours; `failing`: it failed, or there is none that is good; `unknown`: there never
    /// was one.
    health: DatabaseState,
    /// Its last good backup.
    #[schema(nullable = false)]
    last_good: Option<RunBrief>,
    /// Backups that failed since, or in a row if there never was a good one.
    consecutive_failures: u64,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum DatabaseState {
    Ok,
    Warning,
    Failing,
    Unknown,
}

/// When a schedule fires next.
#[derive(ToSchema)]
struct NextRuns {
    /// The schedule.
    schedule_id: String,
    /// The database that it backs up.
    database: String,
    /// Whether it fires.
    enabled: bool,
    /// The next three times; none while it does not fire.
    #[schema(example = json!(["2026-11-22T02:00:00Z"]))]
    next_runs: Vec<String>,
}

/// Which backups to sum up.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatsFilter {
    /// Of this database only.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main", nullable = false)]
    database: Option<String>,
    /// Created at this time or later; by default thirty days ago.
    #[param(nullable = false, example = "2026-11-01")]
    since: Option<String>,
}

/// What the backups of a time came to.
#[derive(ToSchema)]
pub(crate) struct Stats {
    /// From when on.
    #[schema(format = DateTime)]
    since: String,
    /// Backups.
    total: u64,
    /// Whether there are more than were looked at (20,000).
    truncated: bool,
    /// By status.
    by_status: BTreeMap<String, u64>,
    /// By type.
    by_type: BTreeMap<String, u64>,
    /// Bytes stored of the completed ones that are still there.
    bytes_stored: u64,
    /// Bytes of their rows before compression.
    raw_bytes: u64,
    /// The second by the first.
    #[schema(nullable = false)]
    compression_ratio: Option<f64>,
    /// Milliseconds that the completed ones took.
    #[schema(nullable = false)]
    duration_ms: Option<Spread>,
    /// Completed ones among those that ended, 0 to 1.
    #[schema(nullable = false)]
    success_rate: Option<f64>,
    /// Bytes stored by each day's backups, days in the deployment's time zone.
    bytes_by_day: BTreeMap<String, u64>,
    /// By database.
    growth: Vec<Growth>,
}

/// Least, median, 95th percentile and most.
#[derive(ToSchema)]
struct Spread {
    /// The least.
    min: u64,
    /// The median.
    median: u64,
    /// The value that 95 of 100 do not pass.
    p95: u64,
    /// The most.
    max: u64,
}

/// How the rows of a database grow.
#[derive(ToSchema)]
struct Growth {
    /// The database.
    database: String,
    /// Bytes of rows a day, before compression; negative when it shrinks.
    raw_bytes_per_day: f64,
    /// Days between the first and the last backup that were compared.
    days: f64,
}
