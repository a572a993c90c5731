//! `/backup/schedules`, `/backup/start` and `/backup/stop`.

use axum::{
    Extension, Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    routing::{get, post},
};
use pgbaton::{
    base::clock,
    jobs::{
        request::{BackupRequest, ScheduleRequest, interval_hours, nothing},
        schedules::view,
    },
    ledger::{Schedule, ScheduleId},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::{Admin, Reader, Writer},
    backups::{self, Answer},
    problem::Problem,
    trace::Audit,
};

/// The calls below a mount.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/schedules", get(list))
        .route("/schedules/{id}", get(read).put(write).delete(remove))
        .route("/schedules/{id}/run", post(run))
        .route("/start", post(start))
        .route("/stop", post(stop))
}

/// `GET /backup/schedules`: all of them, by id.
async fn list(State(app): State<App>, _: Reader) -> Answer {
    let all = app.desk.list().await?;
    let shown = view(&all, &all, &app.config, clock::now());
    Ok((StatusCode::OK, Json(json!({ "schedules": shown }))))
}

/// `GET /backup/schedules/{id}`.
async fn read(State(app): State<App>, _: Reader, id: Result<Path<String>, PathRejection>) -> Answer {
    let schedule = app.desk.get(&parsed(id)?).await?;
    shown(&app, StatusCode::OK, schedule).await
}

/// `PUT /backup/schedules/{id}`: makes a schedule (201) or changes one (200); what the body leaves out stays.
async fn write(
    State(app): State<App>,
    Admin(caller): Admin,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Answer {
    let id = parsed(id)?;
    let request = ScheduleRequest::from_body(&backups::body(request).await?, &id)?;
    let (schedule, new) = app.desk.put(&id, &request, &caller.subject).await?;
    shown(&app, if new { StatusCode::CREATED } else { StatusCode::OK }, schedule).await
}

/// `DELETE /backup/schedules/{id}`.
async fn remove(
    State(app): State<App>,
    Admin(caller): Admin,
    id: Result<Path<String>, PathRejection>,
) -> Answer {
    let id = parsed(id)?;
    app.desk.delete(&id, &caller.subject).await?;
    Ok((StatusCode::OK, Json(json!({ "removed": id }))))
}

/// `POST /backup/schedules/{id}/run`: a backup with the schedule's options, now. The schedule itself does not notice.
async fn run(
    State(app): State<App>,
    Writer(caller): Writer,
    Extension(audit): Extension<Audit>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Answer {
    let id = parsed(id)?;
    nothing(&backups::body(request).await?)?;
    let schedule = app.desk.get(&id).await?;
    let options = BackupRequest::from_body(Value::Object(schedule.options).to_string().as_bytes())?;
    let request = BackupRequest { schedule_id: Some(id.to_string()), ..options };
    backups::begin(&app, caller, &audit, request).await
}

/// `POST /backup/start`: the default schedule fires from now on.
async fn start(State(app): State<App>, Admin(caller): Admin, request: Request) -> Answer {
    let hours = interval_hours(&backups::body(request).await?)?;
    let schedule = app.desk.start(hours, &caller.subject).await?;
    shown(&app, StatusCode::OK, schedule).await
}

/// `POST /backup/stop`: the default schedule fires no more; running backups finish.
async fn stop(State(app): State<App>, Admin(caller): Admin, request: Request) -> Answer {
    nothing(&backups::body(request).await?)?;
    let schedule = app.desk.stop(&caller.subject).await?;
    shown(&app, StatusCode::OK, schedule).await
}

async fn shown(app: &App, status: StatusCode, schedule: Schedule) -> Answer {
    let all = app.desk.list().await?;
    let mut shown = view(&[schedule], &all, &app.config, clock::now());
    Ok((status, Json(shown.pop().unwrap_or_default())))
}

fn parsed(id: Result<Path<String>, PathRejection>) -> Result<ScheduleId, Problem> {
    let Path(id) = id.map_err(|_| Problem::invalid("id", "the id in the path cannot be read"))?;
    ScheduleId::parse(&id).map_err(|error| Problem::invalid("id", error.message()))
}
