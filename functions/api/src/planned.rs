//! Calls that are documented and not built yet: 501 with the code `not_available_yet`, for callers that would be allowed.
//!
//! A call that is built has its line here taken out: see [`crate::openapi`].

use axum::{extract::Request, http::StatusCode};
use pgbaton::base::Kind;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Admin, Reader, Restorer, Writer},
    documents::{DatabasePath, RunPath, SchedulePath},
    problem::Problem,
};

/// One handler and route for each line: doc comment, method, path below the mount, who may, name, tag, parameters.
macro_rules! planned {
    ($($(#[doc = $doc:literal])+ $method:ident $path:tt $who:ident $scope:tt $name:ident $tag:tt ($($parameters:ident)*);)*) => {
        $(
            $(#[doc = $doc])+
            #[utoipa::path(
                $method, path = $path, tag = $tag, params($($parameters)*), security(("bearer" = [$scope])),
                responses((status = 501, description = "Not available yet."))
            )]
            async fn $name(_: $who, request: Request) -> Problem {
                let detail =
                    format!("{} {} is planned and not available yet", request.method(), request.uri().path());
                Problem::new(StatusCode::NOT_IMPLEMENTED, Kind::NotAvailableYet.code(), detail)
            }
        )*

        /// The planned calls below a mount.
        pub(crate) fn routes() -> OpenApiRouter<App> {
            OpenApiRouter::default()$(.routes(routes!($name)))*
        }
    };
}

planned! {
    /// Lists backups, restores and deletions.
    get "/history" Reader "backup:read" history "backups" ();
    /// Removes a backup's record, and its objects where asked to.
    delete "/{id}" Admin "backup:admin" remove "backups" (RunPath);
    /// Checks a backup: its objects, every row, or a restore into a scratch database.
    post "/{id}/verify" Writer "backup:write" verify "checks" (RunPath);
    /// Gives presigned URLs of a backup's objects.
    get "/{id}/download" Restorer "backup:restore" download "restores" (RunPath);
    /// Restores a backup into a database.
    post "/restore" Restorer "backup:restore" restore "restores" ();
    /// Restores a backup into a database; the same as `POST /backup/restore`.
    put "/" Restorer "backup:restore" restore_put "restores" ();
    /// Lists restores.
    get "/restores" Reader "backup:read" restores "restores" ();
    /// Reads a restore's record.
    get "/restores/{id}" Reader "backup:read" restore_record "restores" (RunPath);
    /// Writes a database into one file of its own.
    post "/export" Restorer "backup:restore" export "restores" ();
    /// Checks the consistency of a live database.
    post "/validate" Writer "backup:write" validate "checks" ();
    /// Tells what runs, what ran and what will run.
    get "/status" Reader "backup:read" status "checks" ();
    /// Sums up backups by status and type.
    get "/stats" Reader "backup:read" stats "checks" ();
    /// Tries to reach every registered database.
    get "/test-connections" Reader "backup:read" test_connections "checks" ();
    /// Enables the default schedule.
    post "/start" Admin "backup:admin" start "schedules" ();
    /// Disables the default schedule; what runs goes on.
    post "/stop" Admin "backup:admin" stop "schedules" ();
    /// Lists schedules.
    get "/schedules" Reader "backup:read" schedules "schedules" ();
    /// Reads a schedule.
    get "/schedules/{id}" Reader "backup:read" schedule "schedules" (SchedulePath);
    /// Makes or changes a schedule.
    put "/schedules/{id}" Admin "backup:admin" put_schedule "schedules" (SchedulePath);
    /// Removes a schedule.
    delete "/schedules/{id}" Admin "backup:admin" remove_schedule "schedules" (SchedulePath);
    /// Runs a schedule's backup now.
    post "/schedules/{id}/run" Writer "backup:write" run_schedule "schedules" (SchedulePath);
    /// Lists registered databases.
    get "/databases" Reader "backup:read" databases "settings" ();
    /// Registers a database, or changes it.
    put "/databases/{name}" Admin "backup:admin" put_database "settings" (DatabasePath);
    /// Takes a database out of the registry.
    delete "/databases/{name}" Admin "backup:admin" remove_database "settings" (DatabasePath);
    /// Plans what retention removes, or removes it.
    ///
    /// A dry run (the default) needs the scope backup:read; `dryRun: false` needs backup:admin.
    post "/retention/run" Reader "backup:read" run_retention "settings" ();
    /// Lists conflicts of a two-way synchronization.
    get "/conflicts" Reader "backup:read" conflicts "planned" ();
    /// Resolves a conflict of a two-way synchronization.
    post "/conflicts/{entity}/{entity_id}/resolve" Admin "backup:admin" resolve "planned" (ConflictPath);
}

/// A conflict.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "read by the derive alone")]
struct ConflictPath {
    /// The table.
    #[param(example = "orders")]
    entity: String,
    /// The row's key.
    #[param(example = "7")]
    entity_id: String,
}
