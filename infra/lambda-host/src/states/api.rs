//! The API of Step Functions (API reference; AWS JSON 1.0): one address, the action in the header `X-Amz-Target`. Nobody signs.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use super::{
    StateMachines,
    execution::{self, Execution, Run, seconds},
    failure::DATA_LIMIT,
};
use crate::ids;

/// Items of a list on one page, at most and when nothing is said.
const LONGEST_PAGE: usize = 1000;
const PAGE: usize = 100;

/// An error type of the service and its message.
type Fault = (&'static str, String);

/// The API.
pub fn router(machines: Arc<StateMachines>) -> Router {
    // Larger inputs are read so that the refusal is the service's.
    Router::new().route("/", post(call)).layer(DefaultBodyLimit::max(8 << 20)).with_state(machines)
}

async fn call(State(machines): State<Arc<StateMachines>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let headers =
        [("content-type", "application/x-amz-json-1.0".to_owned()), ("x-amzn-requestid", ids::uuid())];
    match answer(&machines, target, &body) {
        Ok(answer) => (headers, answer.to_string()).into_response(),
        Err((kind, message)) => {
            let body = json!({"__type": kind, "message": message}).to_string();
            (StatusCode::BAD_REQUEST, headers, body).into_response()
        }
    }
}

fn answer(machines: &StateMachines, target: &str, body: &[u8]) -> Result<Value, Fault> {
    let request: Value =
        serde_json::from_slice(body).map_err(|e| ("SerializationException", e.to_string()))?;
    let request = Request(request);
    match target.strip_prefix("AWSStepFunctions.") {
        Some("StartExecution") => machines.start(&request),
        Some("DescribeExecution") => {
            request.known(&["executionArn", "includedData"])?;
            Ok(machines.execution(&request)?.describe())
        }
        Some("StopExecution") => {
            request.known(&["executionArn", "error", "cause"])?;
            let (error, cause) = (request.text("error")?, request.text("cause")?);
            let stopped = machines.execution(&request)?.stop(error, cause);
            Ok(json!({"stopDate": seconds(stopped)}))
        }
        Some("ListExecutions") => machines.list(&request),
        Some("ListMapRuns") => {
            request.known(&["executionArn", "maxResults", "nextToken"])?;
            let arn = request.required("executionArn")?;
            let all = machines.platform.map_runs();
            let found = all.iter().rev().filter(|m| m.execution_arn() == arn).map(|m| m.item());
            request.page("mapRuns", found.collect())
        }
        Some("DescribeMapRun") => {
            request.known(&["mapRunArn"])?;
            let arn = request.required("mapRunArn")?;
            let found = machines.platform.map_runs().into_iter().find(|m| m.arn() == arn);
            let missing = || ("ResourceNotFound", format!("Resource not found: '{arn}'"));
            Ok(found.ok_or_else(missing)?.describe())
        }
        _ => Err(("UnknownOperationException", format!("{target} is not supported"))),
    }
}

impl StateMachines {
    fn start(&self, request: &Request) -> Result<Value, Fault> {
        request.known(&["stateMachineArn", "name", "input", "traceHeader"])?;
        let arn = request.required("stateMachineArn")?;
        if !arn.contains(":stateMachine:") {
            return Err(("InvalidArn", format!("Invalid Arn: '{arn}'")));
        }
        let missing = || ("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"));
        let machine = self.machine(&arn).ok_or_else(missing)?;
        let name = request.text("name")?.unwrap_or_else(ids::uuid);
        if !execution::is_name(&name) {
            return Err(("InvalidName", format!("Invalid Name: '{name}'")));
        }
        let input = request.text("input")?.unwrap_or_else(|| "{}".into());
        let invalid = |why: String| {
            ("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{why}'"))
        };
        if input.len() > DATA_LIMIT {
            return Err(invalid(format!("{} bytes, more than {DATA_LIMIT}", input.len())));
        }
        let value = serde_json::from_str(&input).map_err(|e| invalid(e.to_string()))?;
        let run = Run::new(self.platform.clone(), &machine.name, &machine.arn, &name, value);
        // Held until the new one is in the list: of two starts with one name, one wins.
        let mut executions = self.executions();
        let execution = match executions.iter().find(|e| e.arn() == run.arn) {
            Some(same) if same.runs_with(&input) => same.clone(),
            Some(_) => {
                return Err(("ExecutionAlreadyExists", format!("Execution Already Exists: '{}'", run.arn)));
            }
            None => {
                let execution = Execution::start(run, input, machine.definition.clone());
                executions.push(execution.clone());
                execution
            }
        };
        Ok(json!({"executionArn": execution.arn(), "startDate": execution.started()}))
    }

    fn execution(&self, request: &Request) -> Result<Arc<Execution>, Fault> {
        let arn = request.required("executionArn")?;
        if !arn.contains(":execution:") {
            return Err(("InvalidArn", format!("Invalid Arn: '{arn}'")));
        }
        let missing = || ("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"));
        self.executions().iter().find(|e| e.arn() == arn).cloned().ok_or_else(missing)
    }

    fn list(&self, request: &Request) -> Result<Value, Fault> {
        request.known(&["stateMachineArn", "statusFilter", "maxResults", "nextToken"])?;
        let arn = request.required("stateMachineArn")?;
        if self.machine(&arn).is_none() {
            return Err(("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'")));
        }
        let status = request.text("statusFilter")?;
        let executions = self.executions();
        let items = executions.iter().rev().filter(|e| e.is_of(&arn)).map(|e| e.item());
        let wanted = |item: &Value| status.as_ref().is_none_or(|s| item["status"] == s.as_str());
        request.page("executions", items.filter(wanted).collect())
    }
}

/// The body of a request.
struct Request(Value);

impl Request {
    /// Refuses members that this stand-in would ignore.
    fn known(&self, names: &[&str]) -> Result<(), Fault> {
        let members = self.0.as_object().ok_or_else(|| validation("the body is not an object"))?;
        match members.iter().find(|(name, value)| !names.contains(&name.as_str()) && !value.is_null()) {
            Some((name, _)) => Err(validation(&format!("{name} is not supported"))),
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(validation(&format!("{name} is not a string"))),
        }
    }

    fn required(&self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| validation(&format!("{name} is missing")))
    }

    /// One page of a list; the token is where the next begins.
    fn page(&self, name: &str, mut all: Vec<Value>) -> Result<Value, Fault> {
        let from = match self.text("nextToken")? {
            None => 0,
            Some(token) => {
                token.parse().map_err(|_| ("InvalidToken", format!("Invalid Token: '{token}'")))?
            }
        };
        let size = match &self.0["maxResults"] {
            Value::Null => PAGE,
            given => match given.as_u64().and_then(|n| usize::try_from(n).ok()) {
                Some(0) => PAGE,
                Some(n) if n <= LONGEST_PAGE => n,
                _ => return Err(validation("maxResults is not a number from 0 to 1000")),
            },
        };
        let more = all.len() > from + size;
        let page: Vec<Value> = all.drain(..).skip(from).take(size).collect();
        let mut answer = json!({name: page});
        if more {
            answer["nextToken"] = (from + size).to_string().into();
        }
        Ok(answer)
    }
}

fn validation(why: &str) -> Fault {
    ("ValidationException", why.to_owned())
}
