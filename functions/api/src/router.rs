//! Which call goes where. The same calls answer under three mounts.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware,
    routing::{get, post},
};
use pgbaton::base::Kind;

use crate::{app::App, backups, health, planned, problem::Problem, trace, validate, verify};

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
        .route("/", get(backups::list).post(backups::create).put(planned::write))
        .route("/trigger", post(backups::create))
        .route("/manual", post(backups::create))
        .route("/latest", get(backups::latest))
        .route("/health", get(health::check))
        .route("/{id}", get(backups::read).delete(planned::write))
        .route("/{id}/verify", post(verify::create))
        .route("/validate", post(validate::create))
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
