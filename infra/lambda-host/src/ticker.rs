//! EventBridge Scheduler: schedules that fire by the clock or on request.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    config::ScheduleConfig, expression::Expression, function::Function, host::Host, ids, instance::Invoke,
};

/// The longest sleep, so that a clock that was set is noticed.
const NAP: Duration = Duration::from_secs(30);

/// A schedule whose expression, zone and target were checked.
pub struct Schedule {
    config: ScheduleConfig,
    expression: Expression,
    zone: TimeZone,
    function: Arc<Function>,
    arn: String,
    start: Timestamp,
}

impl Schedule {
    /// Checks a schedule.
    ///
    /// # Errors
    /// A sentence naming the schedule and the field at fault.
    pub fn new(config: ScheduleConfig, host: &Host) -> Result<Self, String> {
        let arn = format!(
            "arn:aws:scheduler:{}:{}:schedule/default/{}",
            host.config().region,
            host.config().account,
            config.name
        );
        Self::starting(config, arn, Timestamp::now(), host)
    }

    /// The same with its ARN, and when its rate fires first. Without a start date that is at once (EventBridge Scheduler user guide,
    /// "Rate-based schedules").
    ///
    /// # Errors
    /// As [`Schedule::new`].
    pub fn starting(
        config: ScheduleConfig,
        arn: String,
        first: Timestamp,
        host: &Host,
    ) -> Result<Self, String> {
        let wrong = |why: String| format!("schedule {}: {why}", config.name);
        let expression = Expression::parse(&config.expression).map_err(wrong)?;
        let zone = TimeZone::get(&config.timezone).map_err(|e| wrong(e.to_string()))?;
        let function = host
            .function(&config.function)
            .ok_or_else(|| wrong(format!("no function {}", config.function)))?
            .clone();
        serde_json::from_str::<Value>(&config.input)
            .map_err(|e| wrong(format!("its input is not JSON: {e}")))?;
        let start = match expression {
            Expression::Rate(seconds) => first.checked_sub(SignedDuration::from_secs(seconds)),
            _ => Ok(first),
        };
        let start = start.map_err(|e| wrong(e.to_string()))?;
        Ok(Self { config, expression, zone, function, arn, start })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// As JSON, with its next time.
    pub fn describe(&self) -> Value {
        let next = self.expression.next(Timestamp::now(), self.start, &self.zone);
        json!({
            "name": self.config.name,
            "expression": self.config.expression,
            "timezone": self.config.timezone,
            "function": self.function.config().name,
            "enabled": self.config.enabled,
            "next": next.filter(|_| self.config.enabled).map(|t| t.to_string()),
        })
    }

    /// Invokes the target asynchronously, as for the time `scheduled`; answers what it was given.
    pub fn fire(&self, scheduled: Timestamp) -> Value {
        let execution = ids::hex(8);
        // Scheduler gives whole seconds in UTC.
        let time = scheduled.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let input = self
            .config
            .input
            .replace("<aws.scheduler.schedule-arn>", &self.arn)
            .replace("<aws.scheduler.scheduled-time>", &time)
            .replace("<aws.scheduler.execution-id>", &execution)
            .replace("<aws.scheduler.attempt-number>", "1");
        let request_id = ids::uuid();
        println!("[schedule {}] fires {} with {input}", self.config.name, self.function.config().name);
        let answer =
            json!({"requestId": request_id, "executionId": execution, "scheduledTime": time, "input": input});
        self.function.invoke_later(Invoke {
            request_id,
            payload: input.into(),
            trace: ids::trace(),
            client_context: None,
        });
        answer
    }

    /// Times after `from` up to `to` at which it fires, at most `count`.
    pub fn due(&self, from: Timestamp, to: Timestamp, count: usize) -> Vec<Timestamp> {
        let from = from.max(self.start);
        let next = |after| self.expression.next(after, self.start, &self.zone);
        std::iter::successors(next(from), |at| next(*at)).take_while(|at| *at <= to).take(count).collect()
    }

    /// Fires whenever its time has come.
    pub async fn run(self: Arc<Self>) {
        let mut last = self.start;
        while let Some(next) = self.expression.next(last, self.start, &self.zone) {
            loop {
                let left = Timestamp::now().duration_until(next);
                match Duration::try_from(left) {
                    Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(NAP)).await,
                    _ => break,
                }
            }
            self.fire(next);
            last = next;
        }
    }

    /// Whether the clock fires it.
    pub fn enabled(&self) -> bool {
        self.config.enabled
    }
}
