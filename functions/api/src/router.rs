//! Which call goes where. The same calls answer under three mounts. A route comes with its description: see [`crate::openapi`].

use std::sync::Arc;

use axum::{Extension, Router, extract::Request, http::StatusCode, middleware};
use pgbaton::base::Kind;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    backups, connections, databases, docs, exports, health, history, idempotency,
    openapi::{self, Document},
    overview, planned,
    problem::Problem,
    removal, restores, schedules, trace, validate, verify,
};

/// Where admin tools look for `/backup` besides the canonical place.
const MOUNTS: [&str; 2] = ["/api", "/api/admin"];

/// The whole API.
pub fn router(app: App) -> Router {
    let (calls, document) = calls().split_for_parts();
    let calls = calls.route_layer(middleware::from_fn_with_state(app.clone(), idempotency::around));
    let mut router = calls.clone();
    for mount in MOUNTS {
        router = router.nest(mount, calls.clone());
    }
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(Arc::new(Document::new(openapi::finish(document)))))
        .layer(middleware::from_fn(trace::around))
        .with_state(app)
}

/// What the document says, without an API that serves it.
#[cfg(test)]
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    openapi::finish(calls().into_openapi())
}

fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .nest("/backup", below_the_mount())
        .routes(routes!(openapi::document))
        .routes(routes!(docs::page))
        .routes(routes!(docs::file))
}

fn below_the_mount() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(backups::list))
        .routes(routes!(backups::create))
        .routes(routes!(backups::trigger))
        .routes(routes!(backups::manual))
        .routes(routes!(backups::latest))
        .routes(routes!(backups::read))
        .routes(routes!(removal::remove))
        .routes(routes!(history::history))
        .routes(routes!(exports::export))
        .routes(routes!(restores::restore))
        .routes(routes!(restores::create))
        .routes(routes!(restores::list))
        .routes(routes!(restores::read))
        .routes(routes!(overview::download))
        .routes(routes!(overview::status))
        .routes(routes!(overview::stats))
        .routes(routes!(verify::verify))
        .routes(routes!(validate::validate))
        .routes(routes!(connections::test_connections))
        .routes(routes!(databases::databases))
        .routes(routes!(databases::put_database))
        .routes(routes!(databases::remove_database))
        .routes(routes!(removal::run_retention))
        .routes(routes!(health::check))
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
