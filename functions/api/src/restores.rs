//! `/backup/restore` and `/backup/restores`: asking for restores and reading their records.

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind},
    jobs::{databases, request::RestoreRequest, restore},
    ledger::{ListQuery, RunKind, Status},
};

use crate::{
    app::App,
    auth::{Reader, Restorer},
    backups::{self, Answer},
    begin::begin,
    body::Body,
    documents::{RestoreFilter, RestoreList, RestoreOptions, RunPath, RunRecord},
    idempotency::Ask,
    query::{NoQuery, Parameters},
    trace::Audit,
};

/// Restores a backup into a database.
///
/// The answer is its pending record; another function does the work. A target that is not empty is refused, but with `dropExisting` and `dataOnly`.
#[utoipa::path(
    post, path = "/restore", tag = "restores", request_body = RestoreOptions, security(("bearer" = ["backup:restore"])),
    responses(
        (status = 202, description = "Begun.", body = RunRecord),
        (status = 404, description = "No such backup or target."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn restore(
    State(app): State<App>,
    Restorer(caller): Restorer,
    Extension(audit): Extension<Audit>,
    ask: Ask,
    Body(body): Body,
) -> Answer {
    let mut request = RestoreRequest::from_body(&body)?;
    let function = app.config.restore_function.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "RESTORE_FUNCTION is not set, so the API cannot start restores")
    })?;
    audit.run(ask.id.as_str());
    request.id = Some(ask.id.clone());
    request.event_id = Some(format!("api/{}", ask.id));
    request.created_by = Some(caller.subject);
    // An unknown target is the caller's to mend; the function looks it up anew.
    databases::pinned_target(&app.ledger, &app.config, &request).await.map_err(backups::stored)?;
    let record = restore::pending(&app.platform, &request, ask.id.clone(), ask.at).await?;
    let record = begin(&app, &ask, record, function, &request.to_event()).await?;
    Ok((StatusCode::ACCEPTED, Json(backups::shown(&record))))
}

/// Restores a backup into a database; the same as `POST /backup/restore`.
#[utoipa::path(
    put, path = "/", tag = "restores", operation_id = "restore_put", request_body = RestoreOptions, security(("bearer" = ["backup:restore"])),
    responses(
        (status = 202, description = "Begun.", body = RunRecord),
        (status = 404, description = "No such backup or target."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn create(
    app: State<App>,
    caller: Restorer,
    audit: Extension<Audit>,
    ask: Ask,
    body: Body,
) -> Answer {
    restore(app, caller, audit, ask, body).await
}

/// Lists restores, newest first, in pages.
#[utoipa::path(
    get, path = "/restores", tag = "restores", operation_id = "list_restores", params(RestoreFilter), security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "A page.", body = RestoreList))
)]
pub(crate) async fn list(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let words = "pending, in_progress, completed or failed";
    let query = ListQuery {
        database: parameters.database()?,
        status: parameters.word("status", "status", words, Status::parse)?,
        since: parameters.instant("since")?,
        until: parameters.instant("until")?,
        limit: parameters.number("limit", 1, 500)?.unwrap_or(50),
        cursor: parameters.text("cursor", "cursor")?,
        ..ListQuery::of(RunKind::Restore)
    };
    parameters.end()?;
    let page = app.ledger.list(&query).await.map_err(backups::stored)?;
    backups::answer_page(&app, "restores", page).await
}

/// Reads a restore's record.
#[utoipa::path(
    get, path = "/restores/{id}", tag = "restores", operation_id = "read_restore", params(RunPath), security(("bearer" = ["backup:read"])),
    responses(
        (status = 200, description = "The record.", body = RunRecord),
        (status = 404, description = "There is no restore with this id."),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    _: Reader,
    _: NoQuery,
    id: Result<Path<String>, PathRejection>,
) -> Answer {
    let record = backups::record(&app, id, RunKind::Restore).await?;
    Ok((StatusCode::OK, Json(backups::shown(&record))))
}
