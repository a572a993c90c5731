//! Databases, schedules, retention and removals.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::request::BackupOptions;

/// What is kept. A backup that any rule keeps stays; at least one rule is given.
#[derive(ToSchema)]
#[schema(example = json!({"days": 14, "monthly": 12}))]
struct KeepRules {
    /// All of so many days.
    #[schema(minimum = 1, maximum = 36500)]
    days: Option<u32>,
    /// So many of the newest.
    #[schema(maximum = 10000)]
    last: Option<u32>,
    /// The newest of each of so many days that have any.
    #[schema(maximum = 10000)]
    daily: Option<u32>,
    /// The newest of each of so many weeks.
    #[schema(maximum = 10000)]
    weekly: Option<u32>,
    /// The newest of each of so many months.
    #[schema(maximum = 10000)]
    monthly: Option<u32>,
    /// The newest of each of so many years.
    #[schema(maximum = 10000)]
    yearly: Option<u32>,
}

/// Login to Amazon RDS by IAM instead of a secret.
#[derive(ToSchema)]
struct IamLogin {
    /// The endpoint's own name.
    #[schema(example = "shop.abcdefghijkl.eu-central-1.rds.amazonaws.com")]
    host: String,
    /// The port.
    #[schema(minimum = 1, maximum = 65535, example = 5432)]
    port: Option<u16>,
    /// The database.
    #[schema(example = "app")]
    dbname: String,
    /// The role.
    #[schema(example = "backup")]
    user: String,
    /// The instance's region, where it is not the functions' own.
    region: Option<String>,
}

/// How a database is reached: the ARN or name of a secret with its connection string, or a login by IAM.
#[derive(ToSchema)]
#[serde(untagged)]
enum DatabaseSource {
    Secret(String),
    Iam(IamLogin),
}

/// All that is said of a database; what is left out counts as not said.
#[derive(ToSchema)]
#[schema(example = json!({"main": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf", "retention": {"days": 14}}))]
pub(crate) struct DatabaseOptions {
    /// Needed, but for the deployment's own database, which has it from the deployment's parameters.
    main: Option<DatabaseSource>,
    /// A second database, a restore's target `BACKUP`.
    backup: Option<DatabaseSource>,
    /// What retention keeps.
    retention: Option<KeepRules>,
    /// Options of its backups where a request says nothing; without `database`.
    defaults: Option<BackupOptions>,
    /// The version that was read, 0 for none: 409 when it is another by now.
    version: Option<u64>,
}

/// A database.
#[derive(ToSchema)]
pub(crate) struct Database {
    /// Its name.
    #[schema(example = "main")]
    name: String,
    /// Whether its connection is the deployment's own.
    configured: bool,
    /// Where its secret is; null where the deployment has the connection string itself.
    #[schema(required)]
    main: Option<DatabaseSource>,
    /// How its second database is reached.
    #[schema(required)]
    backup: Option<DatabaseSource>,
    /// What retention keeps; null for the deployment's rule (`BACKUP_RETENTION_DAYS`).
    #[schema(required)]
    retention: Option<KeepRules>,
    /// Options of its backups.
    defaults: BTreeMap<String, Value>,
    /// To be given back with a change; 0 as long as nothing was put.
    version: u64,
    /// Who registered it.
    #[schema(nullable = false)]
    created_by: Option<String>,
    /// When.
    #[schema(format = DateTime, nullable = false)]
    created_at: Option<String>,
    /// Who changed it last.
    #[schema(nullable = false)]
    updated_by: Option<String>,
    /// When.
    #[schema(format = DateTime, nullable = false)]
    updated_at: Option<String>,
}

/// A page of databases.
#[derive(ToSchema)]
pub(crate) struct DatabaseList {
    /// By name.
    databases: Vec<Database>,
    /// For the next page; null when this is the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Which page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DatabaseFilter {
    /// Databases in a page.
    #[param(minimum = 1, maximum = 500, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Which version.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionFilter {
    /// The version that was read: 409 when it is another by now.
    #[param(minimum = 1, nullable = false)]
    version: Option<u64>,
}

/// A database that was taken out of the registry.
#[derive(ToSchema)]
pub(crate) struct RemovedDatabase {
    /// What it was.
    removed: Database,
    /// Backups of it that stay, 500 at most are counted.
    backups: u64,
    /// Of these, those that are not ended.
    open: u64,
    /// What stays.
    stays: Vec<String>,
}

/// A schedule to make or to change; what is left out stays, or takes its default.
#[derive(ToSchema)]
#[schema(example = json!({"schedule": "30 2 * * 1-5", "timezone": "Europe/Berlin", "retention": {"daily": 14}}))]
pub(crate) struct ScheduleOptions {
    /// May repeat the id in the path.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    id: Option<String>,
    /// A name for people; the id by default.
    #[schema(min_length = 1, max_length = 200, example = "Week days")]
    name: Option<String>,
    /// Five-field cron, `cron(…)` or `rate(…)`. A new schedule needs it.
    #[schema(example = "30 2 * * 1-5")]
    schedule: Option<String>,
    /// IANA name; by default the deployment's (`TZ`).
    #[schema(example = "Europe/Berlin")]
    timezone: Option<String>,
    /// Options of its backups.
    options: Option<BackupOptions>,
    /// Whether it fires; true by default.
    enabled: Option<bool>,
    /// What is kept of its backups, where that is its own affair.
    retention: Option<KeepRules>,
}

/// A schedule: one of EventBridge Scheduler.
#[derive(ToSchema)]
pub(crate) struct Schedule {
    /// Its id.
    #[schema(example = "weekdays")]
    id: String,
    /// A name for people.
    name: String,
    /// As it was given.
    #[schema(example = "30 2 * * 1-5")]
    schedule: String,
    /// As EventBridge has it.
    #[schema(example = "cron(30 2 ? * 2-6 *)")]
    expression: String,
    /// IANA name.
    timezone: String,
    /// Options of its backups.
    options: BTreeMap<String, Value>,
    /// Whether it fires.
    enabled: bool,
    /// What is kept of its backups; null for the database's rules.
    #[schema(required)]
    retention: Option<KeepRules>,
    /// The next three times; none while it does not fire.
    next_runs: Vec<String>,
    /// Whether EventBridge has been told what stands here.
    in_effect: bool,
    /// What a person should know, say of schedules that meet.
    notes: Vec<String>,
    /// Who made it.
    created_by: String,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
    /// Who changed it last.
    updated_by: String,
    /// When.
    #[schema(format = DateTime)]
    updated_at: String,
    /// When its removal began.
    #[schema(format = DateTime, nullable = false)]
    removing_at: Option<String>,
}

/// All schedules.
#[derive(ToSchema)]
pub(crate) struct ScheduleList {
    /// By id.
    schedules: Vec<Schedule>,
}

/// A schedule that was removed.
#[derive(ToSchema)]
pub(crate) struct RemovedSchedule {
    /// Its id.
    removed: String,
}

/// How often the default schedule fires.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct StartOptions {
    /// Every so many hours; left out, it fires as it stands, or every six hours where it was never set.
    #[schema(minimum = 1, maximum = 8760, example = 6)]
    interval_hours: Option<u16>,
}

/// Whether anything is removed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct RetentionOptions {
    /// Only say what would be removed.
    #[schema(default = true)]
    dry_run: Option<bool>,
}

/// What retention did, or would do.
#[derive(ToSchema)]
pub(crate) struct Retention {
    /// Whether it was a trial.
    dry_run: bool,
    /// Each backup, kept or removed, and why.
    plan: Vec<RetentionLine>,
    /// What was removed.
    removed: Vec<Removal>,
    /// Runs that were closed as failed because nobody worked on them.
    closed: Vec<String>,
    /// Uploads that nobody finished and that were aborted.
    aborted_uploads: u64,
}

/// One decision.
#[derive(ToSchema)]
struct RetentionLine {
    /// The backup.
    id: String,
    /// Its database.
    database: String,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// `keep` or `remove`.
    decision: Decision,
    /// Why.
    reason: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum Decision {
    Keep,
    Remove,
}

/// Whether objects go, and whether a safeguard is passed over.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemovalFilter {
    /// Remove the stored objects too; otherwise they stay.
    #[param(default = false, nullable = false)]
    objects: Option<bool>,
    /// Even the newest good backup, or one that an incremental needs.
    #[param(default = false, nullable = false)]
    force: Option<bool>,
}

/// What was removed.
#[derive(ToSchema)]
pub(crate) struct Removal {
    /// The run.
    id: String,
    /// Objects removed; in a versioned bucket their versions stay for a while.
    objects: u64,
    /// Their bytes.
    bytes: u64,
    /// Where objects stay, if they do.
    #[schema(nullable = false)]
    objects_left_at: Option<String>,
}

/// Work that goes on after the call.
#[derive(ToSchema)]
pub(crate) struct UnderWay {
    /// What goes on, and where to look for its end.
    message: String,
    /// The run that is being removed.
    #[schema(nullable = false)]
    id: Option<String>,
    /// `deleting`.
    #[schema(nullable = false)]
    status: Option<String>,
    /// Of retention: whether it was a trial.
    #[schema(nullable = false)]
    dry_run: Option<bool>,
}
