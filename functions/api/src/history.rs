//! `GET /backup/history`: whatever was done, newest first.

use axum::extract::{RawQuery, State};
use pgbaton::ledger::HistoryQuery;

use crate::{
    app::App,
    auth::Reader,
    backups::{self, Answer},
    documents::{HistoryFilter, HistoryList},
    query::Parameters,
};

/// Lists runs of every kind, newest first, in pages: backups, restores, verifications, validations, deletions.
#[utoipa::path(
    get, path = "/history", tag = "backups", params(HistoryFilter), security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "A page.", body = HistoryList))
)]
pub(crate) async fn history(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let query = HistoryQuery {
        database: parameters.database()?,
        since: parameters.instant("since")?,
        until: parameters.instant("until")?,
        limit: parameters.number("limit", 1, 500)?.unwrap_or(50),
        cursor: parameters.text("cursor", "cursor")?,
    };
    parameters.end()?;
    let page = app.ledger.history(&query).await.map_err(backups::stored)?;
    backups::answer_page(&app, "history", page).await
}
