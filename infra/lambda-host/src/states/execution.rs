//! Executions: what a running one knows of itself, and the record of how it stands.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{definition::Machine, failure::Failure, interpret, platform::Platform};
use crate::ids;

/// An execution, or a child execution of a Map Run, as its states see it.
pub struct Run {
    /// Functions, objects and the log.
    pub platform: Arc<Platform>,
    /// Name of the state machine.
    pub machine: String,
    /// ARN of the state machine.
    pub machine_arn: String,
    /// ARN of the execution.
    pub arn: String,
    /// Name of the execution.
    pub name: String,
    /// When it started.
    pub started: Timestamp,
    /// Its input.
    pub input: Value,
}

impl Run {
    /// An execution of a state machine.
    pub fn new(platform: Arc<Platform>, machine: &str, machine_arn: &str, name: &str, input: Value) -> Self {
        let arn = format!("{}:{name}", machine_arn.replacen(":stateMachine:", ":execution:", 1));
        let (machine, machine_arn) = (machine.to_owned(), machine_arn.to_owned());
        Self { platform, machine, machine_arn, arn, name: name.to_owned(), started: Timestamp::now(), input }
    }

    /// A child execution of a Map Run with this label.
    pub fn child(&self, label: &str, input: Value) -> Self {
        let machine_arn = format!("{}/{label}", self.machine_arn);
        Self::new(self.platform.clone(), &self.machine, &machine_arn, &ids::uuid(), input)
    }

    /// Writes a line to the state machine's log.
    pub fn log(&self, line: &str) {
        self.platform.log(&self.machine, &format!("execution {}: {line}", self.name));
    }

    /// What the result of a Map holds of a child that failed and was tolerated (developer guide, "ResultWriter": its execution result).
    pub fn failed(&self, failure: &Failure) -> Value {
        json!({
            "ExecutionArn": self.arn,
            "StateMachineArn": self.machine_arn,
            "Name": self.name,
            "Input": self.input.to_string(),
            "InputDetails": {"Included": true},
            "Status": "FAILED",
            "Error": failure.error,
            "Cause": failure.cause,
            "StartDate": format!("{:.3}", self.started),
            "StopDate": format!("{:.3}", Timestamp::now()),
        })
    }
}

/// The record of an execution.
pub struct Execution {
    run: Arc<Run>,
    input: String,
    ending: Mutex<Option<Ending>>,
    task: Mutex<Option<AbortHandle>>,
}

struct Ending {
    status: &'static str,
    at: Timestamp,
    output: Option<Value>,
    error: Option<String>,
    cause: Option<String>,
}

impl Execution {
    /// Starts it.
    pub fn start(run: Run, input: String, machine: Arc<Machine>) -> Arc<Self> {
        let this =
            Arc::new(Self { run: Arc::new(run), input, ending: Mutex::default(), task: Mutex::default() });
        this.run.log("started");
        let own = this.clone();
        let task = tokio::spawn(async move {
            let limit = machine.timeout.unwrap_or(Duration::MAX);
            let work = interpret::run(&own.run, &machine, own.run.input.clone());
            let (status, output, failure) = match tokio::time::timeout(limit, work).await {
                Ok(Ok(output)) => ("SUCCEEDED", Some(output), None),
                Ok(Err(failure)) => ("FAILED", None, Some(failure)),
                Err(_) => ("TIMED_OUT", None, Some(Failure::timeout(""))),
            };
            let (error, cause) = failure.map(|f| (f.error, f.cause)).unzip();
            own.end(Ending { status, at: Timestamp::now(), output, error, cause });
        });
        *lock(&this.task) = Some(task.abort_handle());
        this
    }

    /// StopExecution: gives the time of the end, which may lie before. Invokes in progress go on, unheard.
    pub fn stop(&self, error: Option<String>, cause: Option<String>) -> Timestamp {
        self.end(Ending { status: "ABORTED", at: Timestamp::now(), output: None, error, cause });
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
        lock(&self.ending).as_ref().map_or_else(Timestamp::now, |e| e.at)
    }

    fn end(&self, ending: Ending) {
        let mut place = lock(&self.ending);
        if place.is_none() {
            let (error, cause) =
                (ending.error.as_deref().unwrap_or(""), ending.cause.as_deref().unwrap_or(""));
            self.run.log(format!("{} {error} {cause}", ending.status).trim_end());
            *place = Some(ending);
        }
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.run.arn
    }

    /// When it started, as the API has times.
    pub fn started(&self) -> Value {
        seconds(self.run.started)
    }

    /// Whether it is of this state machine.
    pub fn is_of(&self, machine_arn: &str) -> bool {
        self.run.machine_arn == machine_arn
    }

    /// Whether it runs with this input.
    pub fn runs_with(&self, input: &str) -> bool {
        lock(&self.ending).is_none() && self.input == input
    }

    /// As ListExecutions has it.
    pub fn item(&self) -> Value {
        let ending = lock(&self.ending);
        let mut item = json!({
            "executionArn": self.run.arn,
            "stateMachineArn": self.run.machine_arn,
            "name": self.run.name,
            "status": ending.as_ref().map_or("RUNNING", |e| e.status),
            "startDate": seconds(self.run.started),
            "redriveCount": 0,
        });
        if let Some(ending) = &*ending {
            item["stopDate"] = seconds(ending.at);
        }
        item
    }

    /// As DescribeExecution has it.
    pub fn describe(&self) -> Value {
        let mut answer = self.item();
        answer["input"] = self.input.as_str().into();
        answer["inputDetails"] = json!({"included": true});
        if let Some(ending) = &*lock(&self.ending) {
            if let Some(output) = &ending.output {
                answer["output"] = output.to_string().into();
                answer["outputDetails"] = json!({"included": true});
            }
            for (name, text) in [("error", &ending.error), ("cause", &ending.cause)] {
                if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                    answer[name] = text.as_str().into();
                }
            }
        }
        answer
    }
}

/// A time as the API has it: seconds since 1970.
pub fn seconds(at: Timestamp) -> Value {
    (at.as_millisecond() as f64 / 1000.0).into()
}

/// Whether Step Functions takes this as a name (API reference, "StartExecution").
pub fn is_name(name: &str) -> bool {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    !name.is_empty() && name.chars().count() <= 80 && !name.chars().any(wrong)
}

/// A lock whose holder panicked still holds whole values here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
