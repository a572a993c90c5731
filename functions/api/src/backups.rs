//! `/backup`: asking for backups and reading their records.

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::{Error, Kind, clock, id::RunId},
    jobs::{databases, request::BackupRequest},
    ledger::{BackupType, ListQuery, Page, Record, RunKind, Status},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::{Caller, Reader, Scope, Writer},
    begin::begin,
    body::Body,
    documents::{BackupList, BackupOptions, LatestFilter, ListFilter, RunPath, RunRecord},
    idempotency::Ask,
    problem::Problem,
    query::{NoQuery, Parameters},
    trace::Audit,
};

/// Fields of a record that callers do not see.
pub(crate) const INTERNAL: [&str; 4] = ["lease_owner", "lease_until", "fence", "event_id"];
/// Warnings of a record shown in a list.
const LISTED_WARNINGS: usize = 3;

pub(crate) type Answer = Result<(StatusCode, Json<Value>), Problem>;

/// Begins a backup.
///
/// The answer is its pending record; another function does the work.
#[utoipa::path(
    post, path = "/", tag = "backups", operation_id = "backup", request_body = Option<BackupOptions>, security(("bearer" = ["backup:write"])),
    responses(
        (status = 202, description = "Begun.", body = RunRecord),
        (status = 404, description = "No such database."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    ask: Ask,
    Body(body): Body,
) -> Answer {
    start(&app, caller, &audit, &ask, BackupRequest::from_body(&body)?).await
}

/// Begins a manual backup that was asked for with `request`.
pub(crate) async fn start(
    app: &App,
    caller: Caller,
    audit: &Audit,
    ask: &Ask,
    request: BackupRequest,
) -> Answer {
    let function = app.config.backup_function.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "BACKUP_FUNCTION is not set, so the API cannot start backups")
    })?;
    audit.run(ask.id.as_str());
    let of = databases::of_backup(&app.ledger, &app.config, &request).await.map_err(stored)?;
    let mut request = of.options(request)?;
    request.id = Some(ask.id.clone());
    // The same for every call with the caller's Idempotency-Key, which stands for this id.
    request.event_id = Some(format!("api/{}", ask.id));
    request.backup_type = Some(BackupType::Manual);
    request.created_by = Some(caller.subject);
    let record = request.pending(ask.id.clone(), &of, &app.config, app.region.as_deref(), ask.at)?;
    let record = begin(app, ask, record, function, &request.to_event()).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(&record))))
}

/// Begins a backup; the same as `POST /backup`.
#[utoipa::path(
    post, path = "/trigger", tag = "backups", request_body = Option<BackupOptions>, security(("bearer" = ["backup:write"])),
    responses(
        (status = 202, description = "Begun.", body = RunRecord),
        (status = 404, description = "No such database."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn trigger(
    app: State<App>,
    writer: Writer,
    audit: Extension<Audit>,
    ask: Ask,
    body: Body,
) -> Answer {
    create(app, writer, audit, ask, body).await
}

/// Begins a backup; the same as `POST /backup`.
#[utoipa::path(
    post, path = "/manual", tag = "backups", request_body = Option<BackupOptions>, security(("bearer" = ["backup:write"])),
    responses(
        (status = 202, description = "Begun.", body = RunRecord),
        (status = 404, description = "No such database."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
pub(crate) async fn manual(
    app: State<App>,
    writer: Writer,
    audit: Extension<Audit>,
    ask: Ask,
    body: Body,
) -> Answer {
    create(app, writer, audit, ask, body).await
}

/// Lists backups, newest first, in pages.
#[utoipa::path(
    get, path = "/", tag = "backups", operation_id = "list_backups", params(ListFilter), security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "A page.", body = BackupList))
)]
pub(crate) async fn list(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let query = ListQuery {
        kind: RunKind::Backup,
        database: parameters.database()?,
        status: status(&mut parameters)?,
        backup_type: parameters.word(
            "backup_type",
            "backupType",
            "manual or scheduled",
            BackupType::parse,
        )?,
        since: parameters.instant("since")?,
        until: parameters.instant("until")?,
        limit: parameters.number("limit", 1, 500)?.unwrap_or(50),
        cursor: parameters.text("cursor", "cursor")?,
    };
    parameters.end()?;
    let page = app.ledger.list(&query).await.map_err(stored)?;
    answer_page(&app, "backups", page).await
}

/// A page of records under a name, those closed that nobody works on any more.
pub(crate) async fn answer_page(app: &App, name: &str, page: Page) -> Answer {
    let mut records = Vec::with_capacity(page.records.len());
    for record in page.records {
        let closed = match app.ledger.close_if_stuck(record, clock::now()).await {
            Ok(record) => record,
            // Removed between the list and the look.
            Err(error) if error.kind() == Kind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        records.push(listed(&closed));
    }
    Ok((StatusCode::OK, Json(json!({name: records, "next_cursor": page.next_cursor}))))
}

/// Reads the newest backup with a status: completed, unless said otherwise.
#[utoipa::path(
    get, path = "/latest", tag = "backups", operation_id = "latest_backup", params(LatestFilter), security(("bearer" = ["backup:read"])),
    responses(
        (status = 200, description = "Its record.", body = RunRecord),
        (status = 404, description = "There is none."),
    )
)]
pub(crate) async fn latest(State(app): State<App>, _: Reader, RawQuery(query): RawQuery) -> Answer {
    let mut parameters = Parameters::of(query.as_deref())?;
    let database = parameters.database()?;
    let status = status(&mut parameters)?.unwrap_or(Status::Completed);
    parameters.end()?;
    match app.ledger.latest(database.as_ref(), status).await.map_err(stored)? {
        Some(record) => Ok((StatusCode::OK, Json(shown(&record)))),
        None => {
            let of = database.map(|d| format!(" of {d}")).unwrap_or_default();
            let detail = format!("there is no backup{of} with the status {}", status.name());
            Err(Problem::new(StatusCode::NOT_FOUND, Kind::NotFound.code(), detail))
        }
    }
}

/// Reads a backup's record, with its tables; or that of a verification, validation or deletion.
#[utoipa::path(
    get, path = "/{id}", tag = "backups", operation_id = "read_backup", params(RunPath), security(("bearer" = ["backup:read"])),
    responses(
        (status = 200, description = "The record.", body = RunRecord),
        (status = 404, description = "There is none with this id, or it is a restore's."),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    Reader(caller): Reader,
    Extension(audit): Extension<Audit>,
    _: NoQuery,
    id: Result<Path<String>, PathRejection>,
) -> Answer {
    let mut record = any(&app, id).await?;
    if record.kind == RunKind::Restore {
        let detail = format!("{} is the id of a restore, not of a backup", record.id);
        return Err(Problem::new(StatusCode::NOT_FOUND, Kind::NotFound.code(), detail));
    }
    if let Some(validation) = &mut record.validation {
        if caller.may(Scope::Write) {
            audit.always();
        } else {
            without_examples(validation);
        }
    }
    Ok((StatusCode::OK, Json(shown(&record))))
}

/// Takes out of what a validation found what are data of the database: those who may only read see records, no rows.
fn without_examples(validation: &mut Value) {
    for finding in validation["errors"].as_array_mut().into_iter().flatten() {
        if let Value::Object(finding) = finding {
            finding.remove("examples");
        }
    }
}

/// The record of the id in the path, of one kind.
pub(crate) async fn record(
    app: &App,
    id: Result<Path<String>, PathRejection>,
    kind: RunKind,
) -> Result<Record, Problem> {
    let record = any(app, id).await?;
    if record.kind != kind {
        let (id, is) = (&record.id, record.kind.name());
        let detail = format!("{id} is the id of a {is}, not of a {}", kind.name());
        return Err(Problem::new(StatusCode::NOT_FOUND, Kind::NotFound.code(), detail));
    }
    Ok(record)
}

/// The record of the id in the path, closed if nobody works on it any more.
async fn any(app: &App, id: Result<Path<String>, PathRejection>) -> Result<Record, Problem> {
    let id = run_id(id)?;
    let found = app.ledger.find(&id).await.map_err(stored)?;
    let found =
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no record with the id {id}")))?;
    Ok(app.ledger.close_if_stuck(found, clock::now()).await?)
}

/// The id in the path.
pub(crate) fn run_id(id: Result<Path<String>, PathRejection>) -> Result<RunId, Problem> {
    let Path(id) = id.map_err(|_| Problem::invalid("id", "the id in the path cannot be read"))?;
    RunId::parse(&id).map_err(|error| Problem::invalid("id", error.message()))
}

/// An error of the ledger where what is missing is nothing that the caller named (that has a field): a table is, which is no caller's fault.
pub(crate) fn stored(error: Error) -> Problem {
    match error.kind() {
        Kind::NotFound if error.field().is_none() => {
            Problem::unavailable("a table of this deployment is missing", &error)
        }
        _ => error.into(),
    }
}

fn status(parameters: &mut Parameters) -> Result<Option<Status>, Problem> {
    parameters.word("status", "status", "pending, in_progress, completed or failed", Status::parse)
}

/// A record as callers see it: without the lease.
pub(crate) fn shown(record: &Record) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or(Value::Null);
    if let Value::Object(map) = &mut value {
        for internal in INTERNAL {
            map.remove(internal);
        }
    }
    value
}

/// A record in a list: without its tables and findings and with few warnings, for Lambda answers with 6 MB at most.
pub(crate) fn listed(record: &Record) -> Value {
    let mut value = shown(record);
    if let Value::Object(map) = &mut value {
        map.remove("tables");
        map.remove("tables_omitted");
        map.remove("validation");
        if let Some(Value::Array(warnings)) = map.get_mut("warnings") {
            let count = warnings.len();
            warnings.truncate(LISTED_WARNINGS);
            map.insert("warning_count".into(), count.into());
        }
    }
    value
}
