//! `GET /backup/status`, `/backup/stats` and `/backup/{id}/download`.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
};
use jiff::ToSpan;
use pgbaton::{
    base::clock,
    jobs::{
        download,
        overview::{self, stats},
    },
    ledger::RunKind,
};
use serde_json::json;

use crate::{
    app::App,
    auth::{Reader, Writer},
    backups::{self, Answer},
    query::Parameters,
};

/// `GET /backup/status`: what runs, and how each database fares.
pub(crate) async fn status(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    Parameters::of(query.as_deref())?.end()?;
    let overview = overview::current(&app.platform).await.map_err(backups::stored)?;
    Ok((StatusCode::OK, Json(json!(overview))))
}

/// `GET /backup/stats`: of the last thirty days, unless said otherwise.
pub(crate) async fn statistics(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let database = parameters.database()?;
    let since = parameters.instant("since")?;
    parameters.end()?;
    let since = since.or(clock::now().checked_sub((30 * 24).hours()).ok()).unwrap_or_default();
    let found = overview::backups_since(&app.platform, database.as_ref(), since).await;
    let (records, truncated) = found.map_err(backups::stored)?;
    let stats = stats(&records, truncated, since, &app.config.time_zone);
    Ok((StatusCode::OK, Json(json!(stats))))
}

/// `GET /backup/{id}/download`: URLs that fetch its files. Who has them can read the whole database.
pub(crate) async fn download(
    State(app): State<App>,
    _: Writer,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let seconds = parameters.number("expires_in", 60, 3_600)?.unwrap_or(900);
    let limit = parameters.number("limit", 1, 1_000)?.unwrap_or(500);
    let cursor = parameters.text("cursor", "cursor")?;
    parameters.end()?;
    let record = backups::record(&app, id, RunKind::Backup).await?;
    let valid = Duration::from_secs(seconds as u64);
    let files = download::download(&app.platform, &record, valid, limit, cursor.as_deref()).await?;
    Ok((StatusCode::OK, Json(json!(files))))
}
