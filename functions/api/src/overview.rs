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
        overview::{self, stats as sums},
    },
    ledger::RunKind,
};
use serde_json::json;

use crate::{
    app::App,
    auth::{Reader, Restorer},
    backups::{self, Answer},
    documents::{Download, DownloadFilter, Overview, RunPath, Stats, StatsFilter},
    problem::Problem,
    query::Parameters,
};

/// Tells what runs, how each database fares, what ran last and what runs next.
#[utoipa::path(
    get, path = "/status", tag = "checks", security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "How things stand.", body = Overview))
)]
pub(crate) async fn status(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    Parameters::of(query.as_deref())?.end()?;
    let overview = overview::current(&app.platform).await.map_err(backups::stored)?;
    Ok((StatusCode::OK, Json(json!(overview))))
}

/// Sums up backups: totals, bytes, durations, success, growth.
///
/// Of the last thirty days, unless `since` says otherwise.
#[utoipa::path(
    get, path = "/stats", tag = "checks", params(StatsFilter), security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "The sums.", body = Stats))
)]
pub(crate) async fn stats(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let database = parameters.database()?;
    let since = parameters.instant("since")?;
    parameters.end()?;
    let since = since.or(clock::now().checked_sub((30 * 24).hours()).ok()).unwrap_or_default();
    let found = overview::backups_since(&app.platform, database.as_ref(), since).await;
    let (records, truncated) = found.map_err(backups::stored)?;
    let stats = sums(&records, truncated, since, &app.config.time_zone);
    Ok((StatusCode::OK, Json(json!(stats))))
}

/// Gives presigned URLs of a backup's files, in pages, and the commands that restore them with stock tools.
///
/// Whoever has the URLs can read the whole database.
#[utoipa::path(
    get, path = "/{id}/download", tag = "restores", params(RunPath, DownloadFilter), security(("bearer" = ["backup:restore"])),
    responses(
        (status = 200, description = "A page of files.", body = Download),
        (status = 404, description = "There is no backup with this id."),
        (status = 409, description = "It is not completed."),
    )
)]
pub(crate) async fn download(
    State(app): State<App>,
    _: Restorer,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let seconds = parameters.number("expires_in", 60, 3_600)?.unwrap_or(900);
    let limit = parameters.number("limit", 1, 1_000)?.unwrap_or(500);
    let cursor = parameters.text("cursor", "cursor")?;
    if cursor.as_ref().is_some_and(|c| c.len() > 200 || c.contains('/') || c.chars().any(char::is_control)) {
        return Err(Problem::invalid("cursor", "the cursor is not one that this list gave"));
    }
    parameters.end()?;
    let record = backups::record(&app, id, RunKind::Backup).await?;
    let valid = Duration::from_secs(seconds as u64);
    let files = download::download(&app.platform, &record, valid, limit, cursor.as_deref()).await?;
    Ok((StatusCode::OK, Json(json!(files))))
}
