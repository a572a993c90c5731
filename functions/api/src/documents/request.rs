//! Bodies, path and query parameters.

use utoipa::{IntoParams, ToSchema};

use super::record::{BackupType, Status};

/// What to back up, and how. Every field may be left out; field names are also taken in snake_case.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"label": "before the move", "compression": "gzip"}))]
pub(crate) struct BackupOptions {
    /// The registered name of the database.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main")]
    database: Option<String>,
    /// What it is stored as; by default as the deployment says (`BACKUP_FORMAT`, `archive`).
    #[schema(inline)]
    format: Option<Format>,
    /// Of `sql`: rows as INSERT statements.
    #[schema(default = false)]
    inserts: Option<bool>,
    /// Of `sql`: rows and sequence values alone are statements; the definitions stand in comments.
    #[schema(default = false)]
    data_only: Option<bool>,
    /// Of `json`: the records of the database's earlier backups, too.
    #[schema(default = false)]
    include_history: Option<bool>,
    /// False stores rows as they are; with `compression` it must not say the opposite.
    compress: Option<bool>,
    /// The codec; by default the deployment's (`BACKUP_COMPRESSION`).
    #[schema(inline)]
    compression: Option<Compression>,
    /// Only these tables, views and sequences, with what belongs to them and what they need. A pattern is `table`, `schema.table` or `schema.*`; `*`
    /// stands for any characters of a part, a part in double quotes is taken literally, case matters. One that matches nothing fails the run. All
    /// patterns of a request have 100,000 bytes at most; an empty list counts as absent.
    #[schema(max_items = 500, example = json!(["shop.*", "customers"]))]
    tables: Option<Vec<String>>,
    /// Not these, nor what cannot be without them; wins over `tables`.
    #[schema(max_items = 500)]
    exclude_tables: Option<Vec<String>>,
    /// Of these the structure without the rows.
    #[schema(max_items = 500, example = json!(["audit_*"]))]
    exclude_data: Option<Vec<String>>,
    /// What `tables` leaves out is archived with its structure; without `tables` there is nothing but the structure of everything.
    #[schema(default = false)]
    include_schema_only: Option<bool>,
    /// Planned: 501 when true.
    #[schema(default = false)]
    incremental: Option<bool>,
    /// Planned: 501 when true.
    #[schema(default = false)]
    encrypt: Option<bool>,
    /// Look through the database first for what does not fit together; findings become warnings.
    #[schema(default = false)]
    validate: Option<bool>,
    /// What to call it; no control characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$",
        example = "before the move"
    )]
    label: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Format {
    Archive,
    Sql,
    Json,
    Csv,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Compression {
    Zstd,
    Gzip,
    None,
}

/// A run.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RunPath {
    /// The run's id.
    #[param(pattern = "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", example = "20261121T020000Z-9f86d081")]
    id: String,
}

/// A schedule.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct SchedulePath {
    /// The schedule's id.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "nightly")]
    id: String,
}

/// A registered database.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DatabasePath {
    /// The name that it is registered under.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main")]
    name: String,
}

/// Which records to list. An empty value counts as absent, an unknown parameter is refused.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListFilter {
    /// Of this database only.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main", nullable = false)]
    database: Option<String>,
    /// With this status only.
    #[param(inline, nullable = false)]
    status: Option<Status>,
    /// Of this type only.
    #[param(inline, nullable = false)]
    backup_type: Option<BackupType>,
    /// Created at this time or later: an instant, or a day, which is its first moment in UTC.
    #[param(nullable = false, example = "2026-11-21T02:00:00Z")]
    since: Option<String>,
    /// Created at this time or earlier.
    #[param(nullable = false, example = "2026-11-22")]
    until: Option<String>,
    /// Records in a page.
    #[param(minimum = 1, maximum = 500, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Which record is meant.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LatestFilter {
    /// Of this database only.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main", nullable = false)]
    database: Option<String>,
    /// With this status.
    #[param(inline, nullable = false)]
    status: Option<Status>,
}

/// Which runs to list. An empty value counts as absent, an unknown parameter is refused.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryFilter {
    /// Of this database only.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main", nullable = false)]
    database: Option<String>,
    /// Created at this time or later: an instant, or a day, which is its first moment in UTC.
    #[param(nullable = false, example = "2026-11-21T02:00:00Z")]
    since: Option<String>,
    /// Created at this time or earlier.
    #[param(nullable = false, example = "2026-11-22")]
    until: Option<String>,
    /// Records in a page.
    #[param(minimum = 1, maximum = 500, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}
