//! `/backup/databases`: the registry of databases. It never gives a secret, only where one is kept.

use axum::{
    Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Kind, Result, clock, id::DatabaseName},
    jobs::databases as registry,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
    auth::{Admin, Reader},
    backups::{self, Answer},
    body::Body,
    documents::{
        Database, DatabaseFilter, DatabaseList, DatabaseOptions, DatabasePath, RemovedDatabase, VersionFilter,
    },
    problem::Problem,
    query::Parameters,
};

/// Lists databases by name, in pages.
#[utoipa::path(
    get, path = "/databases", tag = "settings", params(DatabaseFilter), security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "A page.", body = DatabaseList))
)]
pub(crate) async fn databases(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let limit = parameters.number("limit", 1, 500)?.unwrap_or(50);
    let cursor = parameters.text("cursor", "cursor")?;
    parameters.end()?;
    let after = cursor
        .map(|c| DatabaseName::parse(&c))
        .transpose()
        .map_err(|_| Problem::invalid("cursor", "the cursor is not one that this list gave"))?;
    let page = registry::list(&app.ledger, &app.config, after.as_ref(), limit).await;
    answer(StatusCode::OK, &page.map_err(backups::stored)?)
}

/// Registers a database, or says anew all that is said of it.
#[utoipa::path(
    put, path = "/databases/{name}", tag = "settings", params(DatabasePath), request_body = DatabaseOptions, security(("bearer" = ["backup:admin"])),
    responses(
        (status = 200, description = "Changed.", body = Database),
        (status = 201, description = "Registered.", body = Database),
        (status = 409, description = "Somebody else was faster, or there are as many as there may be."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn put_database(
    State(app): State<App>,
    Admin(caller): Admin,
    name: Result<Path<String>, PathRejection>,
    Body(body): Body,
) -> Answer {
    let name = parsed(name)?;
    let put = registry::put(&app.ledger, &app.config, &name, &body, &caller.subject, clock::now()).await;
    let (entry, new) = put.map_err(backups::stored)?;
    answer(if new { StatusCode::CREATED } else { StatusCode::OK }, &entry)
}

/// Takes a database out of the registry; says what stays.
#[utoipa::path(
    delete, path = "/databases/{name}", tag = "settings", params(DatabasePath, VersionFilter), security(("bearer" = ["backup:admin"])),
    responses(
        (status = 200, description = "What it was, and what stays.", body = RemovedDatabase),
        (status = 404, description = "There is none with this name."),
        (status = 409, description = "It is the deployment's own, or somebody else was faster."),
    )
)]
pub(crate) async fn remove_database(
    State(app): State<App>,
    _: Admin,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Answer {
    let name = parsed(name)?;
    let mut parameters = Parameters::of(query.as_deref())?;
    let version = parameters.number("version", 1, usize::MAX)?.map(|v| v as u64);
    parameters.end()?;
    answer(
        StatusCode::OK,
        &registry::remove(&app.ledger, &app.config, &name, version).await.map_err(backups::stored)?,
    )
}

fn parsed(name: Result<Path<String>, PathRejection>) -> Result<DatabaseName, Problem> {
    let Path(name) = name.map_err(|_| Problem::invalid("name", "the name in the path cannot be read"))?;
    DatabaseName::parse(&name).map_err(|e| Problem::invalid("name", e.message()))
}

fn answer(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_value(body).map_err(|e| {
        tracing::error!(error = %e, "an answer cannot be written");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::Internal.code(), "the answer cannot be written")
    })?;
    Ok((status, Json::<Value>(body)))
}
