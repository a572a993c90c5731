//! `/backup/databases`: the registry of databases. It never gives a secret, only where one is kept.

use axum::{
    Json,
    extract::{Path, RawQuery, Request, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Kind, Result, clock, id::DatabaseName},
    jobs::databases,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
    auth::{Admin, Reader},
    backups::{self, Answer},
    problem::Problem,
    query::Parameters,
};

/// `GET /backup/databases`: all, by name, in pages.
pub(crate) async fn list(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let limit = parameters.number("limit", 1, 500)?.unwrap_or(50);
    let cursor = parameters.text("cursor", "cursor")?;
    parameters.end()?;
    let after = cursor
        .map(|c| DatabaseName::parse(&c))
        .transpose()
        .map_err(|_| Problem::invalid("cursor", "the cursor is not one that this list gave"))?;
    let page = databases::list(&app.ledger, &app.config, after.as_ref(), limit).await;
    answer(StatusCode::OK, &page.map_err(backups::stored)?)
}

/// `PUT /backup/databases/{name}`: registers a database, or says anew all that is said of it.
pub(crate) async fn put(
    State(app): State<App>,
    Admin(caller): Admin,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Answer {
    let name = parsed(name)?;
    let body = backups::body(request).await?;
    let put = databases::put(&app.ledger, &app.config, &name, &body, &caller.subject, clock::now()).await;
    let (entry, new) = put.map_err(backups::stored)?;
    answer(if new { StatusCode::CREATED } else { StatusCode::OK }, &entry)
}

/// `DELETE /backup/databases/{name}`: takes a registration back; says what stays. `?version=` as in a PUT.
pub(crate) async fn remove(
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
        &databases::remove(&app.ledger, &app.config, &name, version).await.map_err(backups::stored)?,
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
