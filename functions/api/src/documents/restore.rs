//! Restores, and files of backups.

use std::collections::BTreeMap;

use utoipa::{IntoParams, ToSchema};

use super::record::{RunRecord, Status};

/// What to restore, where to, and how. Field names are also taken in snake_case. `backupId` or `filepath` is needed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"backupId": "20261121T020000Z-9f86d081", "target": "MAIN", "as": "shop_copy"}))]
pub(crate) struct RestoreOptions {
    /// The backup.
    #[schema(pattern = "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$", example = "20261121T020000Z-9f86d081")]
    backup_id: Option<String>,
    /// Instead of a backup: the folder of an archive, as a key of the bucket or an s3:// URL. pg_dump's directory archives will do.
    #[schema(min_length = 1, max_length = 900, example = "backups/main/20261121T020000Z-9f86d081/")]
    filepath: Option<String>,
    /// `MAIN`, `BACKUP`, or the name that a database is registered under.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "MAIN")]
    target: String,
    /// Whose `MAIN` or `BACKUP` the target is.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main")]
    database: Option<String>,
    /// Restore into a new database of this name on the target's server.
    #[schema(min_length = 1, max_length = 63, example = "shop_copy")]
    r#as: Option<String>,
    /// Create the target's own database where the server has none of that name.
    #[schema(default = false)]
    create_database: Option<bool>,
    /// These tables, views and sequences alone, with what they need; patterns as in a backup's `tables`.
    #[schema(max_items = 500, example = json!(["shop.orders", "audit.*"]))]
    tables: Option<Vec<String>>,
    /// What the archive makes and stands in the target is dropped first, in one transaction. Where something else depends on it, or would be left, nothing is dropped.
    #[schema(default = false)]
    drop_existing: Option<bool>,
    /// No foreign keys, and no checks that are entries of their own.
    #[schema(default = false)]
    skip_constraints: Option<bool>,
    /// Rows, values of sequences and large objects alone, into empty tables that stand in the target.
    #[schema(default = false)]
    data_only: Option<bool>,
    /// New names of schemas, by the archive's. With `dataOnly` the names under which they stand in the target.
    #[schema(example = json!({"shop": "shop_restored"}))]
    rename_schemas: Option<BTreeMap<String, String>>,
    /// The structure without rows.
    #[schema(default = false)]
    schema_only: Option<bool>,
    /// Objects belong to the role that restores.
    #[schema(default = false)]
    no_owner: Option<bool>,
    /// No GRANT and REVOKE.
    #[schema(default = false)]
    no_privileges: Option<bool>,
    /// No publications.
    #[schema(default = false)]
    no_publications: Option<bool>,
    /// No subscriptions.
    #[schema(default = false)]
    no_subscriptions: Option<bool>,
    /// No security labels.
    #[schema(default = false)]
    no_security_labels: Option<bool>,
    /// Everything into the default tablespace.
    #[schema(default = false)]
    no_tablespaces: Option<bool>,
    /// Every table with the default access method.
    #[schema(default = false)]
    no_table_access_method: Option<bool>,
    /// Also the database's own settings, owner and privileges.
    #[schema(default = false)]
    database_properties: Option<bool>,
    /// New names of roles, by the archive's.
    #[schema(example = json!({"app": "app_copy"}))]
    role_map: Option<BTreeMap<String, String>>,
    /// Also into a server of an older major version than the archive's.
    #[schema(default = false)]
    allow_older: Option<bool>,
    /// Connections at once; by default the deployment's (`BACKUP_CONCURRENCY`).
    #[schema(minimum = 1, maximum = 16, example = 4)]
    jobs: Option<u8>,
    /// Look through the restored database for what does not fit together; findings become warnings.
    #[schema(default = false)]
    validate: Option<bool>,
    /// Planned: 501 when given.
    point_in_time: Option<String>,
}

/// Which restores to list. An empty value counts as absent, an unknown parameter is refused.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RestoreFilter {
    /// Of this database only.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", example = "main", nullable = false)]
    database: Option<String>,
    /// With this status only.
    #[param(inline, nullable = false)]
    status: Option<Status>,
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

/// A page of restores.
#[derive(ToSchema)]
pub(crate) struct RestoreList {
    /// Newest first.
    restores: Vec<RunRecord>,
    /// For the next page; null when this is the last. A page may be shorter than asked for and not be the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// How long URLs serve, and which page of files.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DownloadFilter {
    /// Seconds that the URLs serve.
    #[param(minimum = 60, maximum = 3600, default = 900, nullable = false)]
    expires_in: Option<u16>,
    /// Files in a page.
    #[param(minimum = 1, maximum = 1000, default = 500, nullable = false)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Files of one archive.
#[derive(ToSchema)]
pub(crate) struct Download {
    /// The backup.
    #[schema(example = "20261121T020000Z-9f86d081")]
    id: String,
    /// Where the archive is.
    s3_url: String,
    /// Seconds that the URLs serve.
    expires_in: u64,
    /// A page of its files, by name.
    files: Vec<DownloadFile>,
    /// For the next page; absent when this is the last.
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    /// What fetches the archive and what restores it, with stock tools.
    commands: Vec<String>,
}

/// One file of an archive.
#[derive(ToSchema)]
struct DownloadFile {
    /// Its name in the archive's folder.
    #[schema(example = "toc.dat")]
    file: String,
    /// Bytes.
    bytes: u64,
    /// Reads it without credentials.
    url: String,
}
