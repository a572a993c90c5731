//! The schedules of the deployment's group in EventBridge Scheduler.

use aws_config::SdkConfig;
use aws_sdk_scheduler::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::get_schedule::GetScheduleOutput,
    primitives::DateTime,
    types::{
        DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, Target,
    },
};
use serde_json::Value;

use super::expression::{Expression, zone};
use crate::{
    base::{
        Error, Kind, Result, clock,
        config::{Config, ScheduleTarget},
    },
    ledger::{Schedule, ScheduleId},
};

/// As the template's own schedules: the backup function refuses a second delivery of an event, so trying often does no harm.
const ATTEMPTS: i32 = 10;
/// Seconds for which a delivery is tried: a backup that comes much later than meant is of no use.
const AGE: i32 = 3_600;

/// Writes and reads the group.
#[derive(Debug, Clone)]
pub(super) struct EventBridge {
    client: Client,
    target: ScheduleTarget,
    /// Whether the service is switched on; otherwise nothing fires.
    on: bool,
}

/// What EventBridge is told of one schedule.
struct Told {
    expression: String,
    timezone: String,
    state: ScheduleState,
    start: Option<DateTime>,
    description: String,
    target: Target,
}

impl EventBridge {
    pub(super) fn new(config: &Config, sdk: &SdkConfig) -> Option<Self> {
        let target = config.schedules.clone()?;
        Some(Self { client: Client::new(sdk), target, on: config.enabled })
    }

    /// Makes or changes the schedule so that it is what the record says.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when EventBridge does not accept it.
    pub(super) async fn put(&self, schedule: &Schedule) -> Result<()> {
        // A schedule that was never applied is new most of the time; each way falls back on the other.
        let mut create = schedule.applied == 0;
        for _ in 0..3 {
            let done = if create { self.create(schedule).await? } else { self.update(schedule).await? };
            if done {
                return Ok(());
            }
            create = !create;
        }
        Err(Error::new(Kind::Aws, format!("the schedule {} comes and goes in EventBridge", schedule.id)))
    }

    /// Creates it; false when it is there.
    async fn create(&self, schedule: &Schedule) -> Result<bool> {
        let told = self.told(schedule)?;
        let sent = self
            .client
            .create_schedule()
            .group_name(&self.target.group)
            .name(schedule.id.as_str())
            .schedule_expression(told.expression)
            .schedule_expression_timezone(told.timezone)
            .state(told.state)
            .set_start_date(told.start)
            .description(told.description)
            .flexible_time_window(exact()?)
            .target(told.target)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(e) if e.code() == Some("ConflictException") => Ok(false),
            Err(e) => Err(fault(e, "CreateSchedule", &schedule.id)),
        }
    }

    /// Changes it; false when it is not there. What an update leaves out, EventBridge resets (API reference, UpdateSchedule).
    async fn update(&self, schedule: &Schedule) -> Result<bool> {
        let told = self.told(schedule)?;
        let sent = self
            .client
            .update_schedule()
            .group_name(&self.target.group)
            .name(schedule.id.as_str())
            .schedule_expression(told.expression)
            .schedule_expression_timezone(told.timezone)
            .state(told.state)
            .set_start_date(told.start)
            .description(told.description)
            .flexible_time_window(exact()?)
            .target(told.target)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(e) if e.code() == Some("ResourceNotFoundException") => Ok(false),
            Err(e) => Err(fault(e, "UpdateSchedule", &schedule.id)),
        }
    }

    /// Removes a schedule; one that is not there is no error.
    pub(super) async fn delete(&self, id: &ScheduleId) -> Result<()> {
        let sent =
            self.client.delete_schedule().group_name(&self.target.group).name(id.as_str()).send().await;
        match sent {
            Err(e) if e.code() != Some("ResourceNotFoundException") => Err(fault(e, "DeleteSchedule", id)),
            _ => Ok(()),
        }
    }

    /// Names of all schedules in the group.
    pub(super) async fn names(&self) -> Result<Vec<String>> {
        let mut pages =
            self.client.list_schedules().group_name(&self.target.group).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(found) = pages.next().await {
            let found = found.map_err(|e| fault(e, "ListSchedules", &self.target.group))?;
            all.extend(found.name);
        }
        Ok(all)
    }

    /// Whether EventBridge has what the record says.
    pub(super) async fn agrees(&self, schedule: &Schedule) -> Result<bool> {
        let told = self.told(schedule)?;
        let got = self.client.get_schedule().group_name(&self.target.group).name(schedule.id.as_str());
        match got.send().await {
            Ok(there) => Ok(told.is(&there)),
            Err(e) if e.code() == Some("ResourceNotFoundException") => Ok(false),
            Err(e) => Err(fault(e, "GetSchedule", &schedule.id)),
        }
    }

    fn told(&self, schedule: &Schedule) -> Result<Told> {
        let retry =
            RetryPolicy::builder().maximum_retry_attempts(ATTEMPTS).maximum_event_age_in_seconds(AGE).build();
        let target = Target::builder()
            .arn(&self.target.function)
            .role_arn(&self.target.role)
            .input(event(schedule).to_string())
            .retry_policy(retry)
            .dead_letter_config(DeadLetterConfig::builder().arn(&self.target.dead_letters).build())
            .build()
            .map_err(unbuilt)?;
        let fires = schedule.enabled && self.on;
        Ok(Told {
            expression: schedule.expression.clone(),
            timezone: schedule.timezone.clone(),
            state: if fires { ScheduleState::Enabled } else { ScheduleState::Disabled },
            start: first_run(schedule)?,
            description: format!("Backups of pgbaton, version {}; change it over the API", schedule.version),
            target,
        })
    }
}

impl Told {
    /// Whether this is what stands there; the start, which passes, apart.
    fn is(&self, there: &GetScheduleOutput) -> bool {
        there.schedule_expression() == Some(&self.expression)
            && there.schedule_expression_timezone() == Some(&self.timezone)
            && there.state() == Some(&self.state)
            && there.description() == Some(&self.description)
            && there.target().is_some_and(|target| *target == self.target)
    }
}

/// The event that the backup function gets. The execution id is another one for each attempt, so the schedule and its time tell a second delivery.
fn event(schedule: &Schedule) -> Value {
    let mut event = schedule.options.clone();
    for (name, value) in [
        ("backupType", "scheduled"),
        ("scheduleId", schedule.id.as_str()),
        ("eventId", "<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time>"),
        ("scheduledTime", "<aws.scheduler.scheduled-time>"),
    ] {
        event.insert(name.to_owned(), value.into());
    }
    Value::Object(event)
}

/// A rate fires for the first time at its start date, and at once without one (user guide, "Rate-based schedules"), so that each change of a
/// schedule would make a backup: it starts at its next run instead.
fn first_run(schedule: &Schedule) -> Result<Option<DateTime>> {
    let expression = Expression::parse(&schedule.expression)?;
    let Expression::Rate(_) = expression else { return Ok(None) };
    let (zone, _) = zone(&schedule.timezone)?;
    let next = expression.next(clock::now(), schedule.counts_from, &zone);
    Ok(next.map(|at| DateTime::from_secs(at.as_second())))
}

fn exact() -> Result<FlexibleTimeWindow> {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(unbuilt)
}

fn unbuilt(error: BuildError) -> Error {
    Error::with_source(Kind::Internal, "a schedule cannot be put into words for EventBridge", error)
}

/// Turns an SDK error of `action` on the schedule or group `name` into one that names both.
fn fault<E, R>(error: SdkError<E, R>, action: &str, name: impl std::fmt::Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let said = error.message().unwrap_or("it gave no reason").to_owned();
    let (kind, message) = match (&error, error.code().unwrap_or("no code")) {
        (SdkError::ServiceError(_), "ValidationException") => {
            (Kind::InvalidInput, format!("EventBridge does not accept the schedule {name}: {said}"))
        }
        (SdkError::ServiceError(_), "ServiceQuotaExceededException") => {
            (Kind::Conflict, format!("EventBridge has no room for the schedule {name}: {said}"))
        }
        (SdkError::ServiceError(_), "ResourceNotFoundException") => {
            (Kind::Config, format!("the group of {name} is missing in EventBridge Scheduler: {said}"))
        }
        (SdkError::ServiceError(_), code @ ("AccessDeniedException" | "UnrecognizedClientException")) => {
            (Kind::Permission, format!("the function's role may not do {action} on {name} ({code})"))
        }
        (SdkError::ServiceError(_), code) => {
            (Kind::Aws, format!("EventBridge failed in {action} on {name}: {code} {said}"))
        }
        _ => (Kind::Unreachable, format!("EventBridge Scheduler cannot be reached for {action} on {name}")),
    };
    Error::with_source(kind, message, error)
}
