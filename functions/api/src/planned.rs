//! Calls that are documented and not built yet: 501 with the code `not_available_yet`, for callers that would be allowed.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    routing::{get, post},
};
use pgbaton::base::Kind;

use crate::{
    app::App,
    auth::{Reader, Writer},
    problem::Problem,
};

/// The planned calls below a mount; those that share a path with a built one are in [`crate::router`].
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/export", post(write))
        .route("/conflicts", get(read))
        .route("/conflicts/{entity}/{entity_id}/resolve", post(write))
}

/// A planned call that reads.
pub(crate) async fn read(_: Reader, request: Request) -> Problem {
    open(request).await
}

/// A planned call that changes something.
pub(crate) async fn write(_: Writer, request: Request) -> Problem {
    open(request).await
}

/// A planned call for everybody.
pub(crate) async fn open(request: Request) -> Problem {
    let detail = format!("{} {} is planned and not available yet", request.method(), request.uri().path());
    Problem::new(StatusCode::NOT_IMPLEMENTED, Kind::NotAvailableYet.code(), detail)
}
