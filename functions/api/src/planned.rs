//! Calls that are documented and not built yet: 501 with the code `not_available_yet`, for callers that would be allowed.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    routing::{MethodRouter, delete, get, post, put},
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
        .route("/history", get(read))
        .route("/restore", post(write))
        .route("/restores", get(read))
        .route("/restores/{id}", get(read))
        .route("/export", post(write))
        .route("/{id}/download", get(read))
        .route("/status", get(read))
        .route("/stats", get(read))
        .route("/start", post(write))
        .route("/stop", post(write))
        .route("/schedules", get(read))
        .route("/schedules/{id}", changed())
        .route("/schedules/{id}/run", post(write))
        .route("/test-connections", get(read))
        .route("/databases", get(read))
        .route("/databases/{name}", put(write).delete(write))
        .route("/retention/run", post(write))
        .route("/conflicts", get(read))
        .route("/conflicts/{entity}/{entity_id}/resolve", post(write))
}

fn changed() -> MethodRouter<App> {
    get(read).put(write).merge(delete(write))
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
