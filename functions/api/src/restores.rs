//! `/backup/restore` and `/backup/restores`: asking for restores and reading their records.

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, Request, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind, clock, id::RunId},
    jobs::{databases, request::RestoreRequest, restore},
    ledger::{ListQuery, RunKind, Status},
};

use crate::{
    app::App,
    auth::{Reader, Writer},
    backups::{self, Answer},
    invoke,
    query::Parameters,
    trace::Audit,
};

/// `POST /backup/restore` and `PUT /backup`: a pending record, and the function that works on it started.
pub(crate) async fn create(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    request: Request,
) -> Answer {
    let body = backups::body(request).await?;
    let mut request = RestoreRequest::from_body(&body)?;
    if request.data_only {
        let error = Error::new(Kind::NotAvailableYet, "\"dataOnly\" is planned and not available yet");
        return Err(error.at_field("dataOnly").into());
    }
    let function = app.config.restore_function.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "RESTORE_FUNCTION is not set, so the API cannot start restores")
    })?;
    let now = clock::now();
    let id = RunId::random(now)?;
    audit.run(id.as_str());
    request.id = Some(id.clone());
    request.event_id = Some(format!("api/{id}"));
    request.created_by = Some(caller.subject);
    // An unknown target is the caller's to mend; the function looks it up anew.
    databases::pinned_target(&app.ledger, &app.config, &request).await.map_err(backups::stored)?;
    let record = restore::pending(&app.platform, &request, id, now).await?;
    app.ledger.create(&record).await.map_err(backups::stored)?;
    match invoke::start(&app, function, &request.to_event()).await {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(backups::shown(&record)))),
        Err(error) => backups::not_started(&app, record, error).await,
    }
}

/// `GET /backup/restores`: newest first, in pages.
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

/// `GET /backup/restores/{id}`: one record.
pub(crate) async fn read(
    State(app): State<App>,
    _: Reader,
    id: Result<Path<String>, PathRejection>,
) -> Answer {
    let record = backups::record(&app, id, RunKind::Restore).await?;
    Ok((StatusCode::OK, Json(backups::shown(&record))))
}
