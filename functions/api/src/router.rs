//! Which call goes where. The same calls answer under three mounts.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware,
    routing::{get, post, put},
};
use pgbaton::base::Kind;

use crate::{
    app::App, backups, connections, databases, health, history, overview, planned, problem::Problem, removal,
    restores, schedules, trace, validate, verify,
};

/// The canonical mount, and those that admin tools are written against.
const MOUNTS: [&str; 3] = ["/backup", "/api/backup", "/api/admin/backup"];

/// The whole API.
pub fn router(app: App) -> Router {
    let mut router =
        Router::new().route("/openapi.json", get(planned::open)).route("/docs", get(planned::open));
    for mount in MOUNTS {
        router = router.nest(mount, calls());
    }
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(trace::around))
        .with_state(app)
}

fn calls() -> Router<App> {
    Router::new()
        .route("/", get(backups::list).post(backups::create).put(restores::create))
        .route("/trigger", post(backups::create))
        .route("/manual", post(backups::create))
        .route("/latest", get(backups::latest))
        .route("/health", get(health::check))
        .route("/{id}", get(backups::read).delete(removal::delete))
        .route("/{id}/download", get(overview::download))
        .route("/history", get(history::list))
        .route("/restore", post(restores::create))
        .route("/restores", get(restores::list))
        .route("/restores/{id}", get(restores::read))
        .route("/status", get(overview::status))
        .route("/stats", get(overview::statistics))
        .route("/retention/run", post(removal::run))
        .route("/databases", get(databases::list))
        .route("/databases/{name}", put(databases::put).delete(databases::remove))
        .route("/test-connections", get(connections::test))
        .route("/{id}/verify", post(verify::create))
        .route("/validate", post(validate::create))
        .merge(schedules::routes())
        .merge(planned::routes())
}

async fn unknown(request: Request) -> Problem {
    let shown: String = request.uri().path().chars().take(100).collect();
    Problem::new(StatusCode::NOT_FOUND, Kind::NotFound.code(), format!("there is no call {shown}"))
}

async fn wrong_method(request: Request) -> Problem {
    let detail = format!("{} is not a method of this call", request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
