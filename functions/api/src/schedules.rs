//! `/backup/schedules`, `/backup/start` and `/backup/stop`.

use axum::{
    Extension, Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use pgbaton::{
    base::clock,
    jobs::{
        request::{BackupRequest, ScheduleRequest, interval_hours, nothing},
        schedules::view,
    },
    ledger::{Schedule as Held, ScheduleId},
};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Admin, Reader, Writer},
    backups::{self, Answer},
    body::Body,
    documents::{
        RemovedSchedule, RunRecord, Schedule, ScheduleList, ScheduleOptions, SchedulePath, StartOptions,
    },
    idempotency::Ask,
    problem::Problem,
    query::NoQuery,
    trace::Audit,
};

/// The calls below a mount.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(schedules))
        .routes(routes!(schedule))
        .routes(routes!(put_schedule))
        .routes(routes!(remove_schedule))
        .routes(routes!(run_schedule))
        .routes(routes!(start))
        .routes(routes!(stop))
}

/// Lists schedules, all of them, by id.
#[utoipa::path(
    get, path = "/schedules", tag = "schedules", security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "All of them.", body = ScheduleList))
)]
async fn schedules(State(app): State<App>, _: Reader, _: NoQuery) -> Answer {
    let all = app.desk.list().await?;
    let shown = view(&all, &all, &app.config, clock::now());
    Ok((StatusCode::OK, Json(json!({ "schedules": shown }))))
}

/// Reads a schedule.
#[utoipa::path(
    get, path = "/schedules/{id}", tag = "schedules", params(SchedulePath), security(("bearer" = ["backup:read"])),
    responses((status = 200, description = "The schedule.", body = Schedule), (status = 404, description = "There is none with this id."))
)]
async fn schedule(
    State(app): State<App>,
    _: Reader,
    _: NoQuery,
    id: Result<Path<String>, PathRejection>,
) -> Answer {
    let schedule = app.desk.get(&parsed(id)?).await?;
    shown(&app, StatusCode::OK, schedule).await
}

/// Makes a schedule, or changes one: what the body leaves out stays.
#[utoipa::path(
    put, path = "/schedules/{id}", tag = "schedules", params(SchedulePath), request_body = ScheduleOptions, security(("bearer" = ["backup:admin"])),
    responses(
        (status = 200, description = "Changed.", body = Schedule),
        (status = 201, description = "Made.", body = Schedule),
        (status = 404, description = "No such database."),
        (status = 409, description = "It is being removed or changed by somebody else, or there are as many as there may be."),
        (status = 501, description = "An option is planned and not available yet; `field` names it."),
    )
)]
async fn put_schedule(
    State(app): State<App>,
    Admin(caller): Admin,
    id: Result<Path<String>, PathRejection>,
    Body(body): Body,
) -> Answer {
    let id = parsed(id)?;
    let request = ScheduleRequest::from_body(&body, &id)?;
    let (schedule, new) = app.desk.put(&id, &request, &caller.subject).await?;
    shown(&app, if new { StatusCode::CREATED } else { StatusCode::OK }, schedule).await
}

/// Removes a schedule.
#[utoipa::path(
    delete, path = "/schedules/{id}", tag = "schedules", params(SchedulePath), security(("bearer" = ["backup:admin"])),
    responses(
        (status = 200, description = "Removed.", body = RemovedSchedule),
        (status = 404, description = "There is none with this id."),
        (status = 409, description = "It is the deployment's own, which can only be stopped."),
    )
)]
async fn remove_schedule(
    State(app): State<App>,
    Admin(caller): Admin,
    _: NoQuery,
    id: Result<Path<String>, PathRejection>,
) -> Answer {
    let id = parsed(id)?;
    app.desk.delete(&id, &caller.subject).await?;
    Ok((StatusCode::OK, Json(json!({ "removed": id }))))
}

/// Makes a backup with a schedule's options now; the schedule itself does not notice.
#[utoipa::path(
    post, path = "/schedules/{id}/run", tag = "schedules", params(SchedulePath), security(("bearer" = ["backup:write"])),
    responses((status = 202, description = "Begun.", body = RunRecord), (status = 404, description = "There is none with this id."))
)]
async fn run_schedule(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    id: Result<Path<String>, PathRejection>,
    ask: Ask,
    Body(body): Body,
) -> Answer {
    let id = parsed(id)?;
    nothing(&body)?;
    let schedule = app.desk.get(&id).await?;
    let options = BackupRequest::from_body(Value::Object(schedule.options).to_string().as_bytes())?;
    let request = BackupRequest { schedule_id: Some(id.to_string()), ..options };
    backups::start(&app, caller, &audit, &ask, request).await
}

/// Lets the default schedule fire from now on, as it stands or every so many hours.
#[utoipa::path(
    post, path = "/start", tag = "schedules", request_body = Option<StartOptions>, security(("bearer" = ["backup:admin"])),
    responses((status = 200, description = "The schedule.", body = Schedule))
)]
async fn start(State(app): State<App>, Admin(caller): Admin, Body(body): Body) -> Answer {
    let hours = interval_hours(&body)?;
    let schedule = app.desk.start(hours, &caller.subject).await?;
    shown(&app, StatusCode::OK, schedule).await
}

/// Keeps the default schedule from firing; running backups finish.
#[utoipa::path(
    post, path = "/stop", tag = "schedules", security(("bearer" = ["backup:admin"])),
    responses((status = 200, description = "The schedule.", body = Schedule))
)]
async fn stop(State(app): State<App>, Admin(caller): Admin, Body(body): Body) -> Answer {
    nothing(&body)?;
    let schedule = app.desk.stop(&caller.subject).await?;
    shown(&app, StatusCode::OK, schedule).await
}

async fn shown(app: &App, status: StatusCode, schedule: Held) -> Answer {
    let all = app.desk.list().await?;
    let mut shown = view(&[schedule], &all, &app.config, clock::now());
    Ok((status, Json(shown.pop().unwrap_or_default())))
}

fn parsed(id: Result<Path<String>, PathRejection>) -> Result<ScheduleId, Problem> {
    let Path(id) = id.map_err(|_| Problem::invalid("id", "the id in the path cannot be read"))?;
    ScheduleId::parse(&id).map_err(|error| Problem::invalid("id", error.message()))
}
