//! What callers send and get, as the OpenAPI document describes it. Records are described here and written by [`pgbaton::ledger`]; a test in
//! [`crate::openapi`] finds a field that only one of them has.
#![allow(dead_code, reason = "read by the derives alone")]

mod checks;
mod record;
mod request;
mod restore;
mod settings;

pub(crate) use checks::{
    Connections, Overview, Stats, StatsFilter, ValidateOptions, Validation, VerifyOptions,
};
pub(crate) use record::{BackupList, HistoryList, RunRecord};
pub(crate) use request::{
    BackupOptions, DatabasePath, HistoryFilter, LatestFilter, ListFilter, RunPath, SchedulePath,
};
pub(crate) use restore::{Download, DownloadFilter, RestoreFilter, RestoreList, RestoreOptions};
pub(crate) use settings::{
    Database, DatabaseFilter, DatabaseList, DatabaseOptions, Removal, RemovalFilter, RemovedDatabase,
    RemovedSchedule, Retention, RetentionOptions, Schedule, ScheduleList, ScheduleOptions, StartOptions,
    UnderWay, VersionFilter,
};
use utoipa::ToSchema;

/// What went wrong (RFC 9457).
#[derive(ToSchema)]
pub(crate) struct Problem {
    /// A URN with the code.
    #[schema(example = "urn:pgbaton:problem:invalid_input")]
    r#type: String,
    /// The status in words.
    #[schema(example = "Bad Request")]
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 400)]
    status: u16,
    /// What is wrong and what to do, in a sentence. May change; programs look at `code`.
    #[schema(example = "the field \"compression\" is wrong: compression must be zstd, gzip or none")]
    detail: String,
    /// A stable name of the kind of error.
    #[schema(pattern = "^[a-z_]+$", example = "invalid_input")]
    code: String,
    /// The field, parameter or header at fault.
    #[schema(nullable = false, example = "compression")]
    field: Option<String>,
    /// The call's id in the logs; also in the header `x-request-id`.
    #[schema(example = "Qb3jTg6-DoEEMtQ=")]
    request_id: String,
}

/// Whether the service works.
#[derive(ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `unavailable` with status 503.
    status: HealthStatus,
    /// The parts that do not answer.
    #[schema(nullable = false, example = json!(["bucket"]))]
    failing: Option<Vec<Part>>,
}

/// Whether all parts answer.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum HealthStatus {
    Ok,
    Unavailable,
}

/// A part of the service.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Part {
    Tables,
    Bucket,
}
