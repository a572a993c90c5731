//! Calls that are documented and not built yet: 501 with the code `not_available_yet`, for callers that would be allowed.
//!
//! A call that is built has its line here taken out: see [`crate::openapi`].

use axum::{extract::Request, http::StatusCode};
use pgbaton::base::Kind;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Admin, Reader},
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
