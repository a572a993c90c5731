//! Task states: a Lambda function, by the integration `lambda:invoke` or by its own ARN.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    execution::Run,
    failure::Failure,
    fields::{Fields, Number},
    json_path::{Data, Scope},
    template::Template,
};
use crate::{
    function::Refusal,
    ids,
    instance::{Invoke, Outcome},
};

/// A Task state.
#[derive(Debug)]
pub struct TaskState {
    function: Template,
    payload: Option<Template>,
    /// Whether the answer stands in an envelope (`Payload`, `StatusCode`), as `lambda:invoke` has it.
    envelope: bool,
    timeout: Option<Number>,
}

impl TaskState {
    /// Reads what is its own of a Task state.
    ///
    /// # Errors
    /// A refusal.
    pub fn parse(state: &mut Fields) -> Result<Self, String> {
        let resource = state.required_text("Resource")?;
        let timeout = state.number("TimeoutSeconds", 1.0..=99_999_999.0, true)?;
        if resource == "arn:aws:states:::lambda:invoke" {
            let mut parameters =
                state.object("Parameters")?.ok_or_else(|| state.wrong("Parameters", "is missing"))?;
            let function = parameters
                .value_or_path("FunctionName")?
                .ok_or_else(|| parameters.wrong("FunctionName", "is missing"))?;
            let payload = Some(parameters.value_or_path("Payload")?.unwrap_or(Template::Fixed(json!({}))));
            parameters.end()?;
            return Ok(Self { function, payload, envelope: true, timeout });
        }
        if !(resource.starts_with("arn:aws:lambda:") && resource.contains(":function:")) {
            return Err(state.wrong("Resource", &format!("is {resource}, which is not supported")));
        }
        let payload = state.template("Parameters", Scope::State)?;
        Ok(Self { function: Template::Fixed(resource.into()), payload, envelope: false, timeout })
    }

    /// Invokes the function once and waits for its answer.
    ///
    /// # Errors
    /// As Step Functions names what Lambda answers.
    pub async fn run(&self, run: &Run, data: Data<'_>) -> Result<Value, Failure> {
        let function = self.function.apply(data)?;
        let payload = match &self.payload {
            Some(template) => template.apply(data)?,
            None => data.input.clone(),
        };
        Failure::if_too_large(&payload, "The state's Parameters")?;
        let name = function.as_str().unwrap_or_default();
        let Some(function) = run.platform.function(name) else {
            let cause = format!("Function not found: {name} (Service: Lambda, Status Code: 404)");
            return Err(Failure::new("Lambda.ResourceNotFoundException", cause));
        };
        let invoke = Invoke {
            request_id: ids::uuid(),
            payload: payload.to_string().into(),
            trace: ids::trace(),
            client_context: None,
        };
        let work = function.invoke(invoke);
        let ended = match &self.timeout {
            None => work.await,
            Some(limit) => {
                let limit = Duration::from_secs_f64(limit.resolve(data)?);
                tokio::time::timeout(limit, work).await.map_err(|_| Failure::timeout(""))?
            }
        };
        let answer = match ended {
            Ok(outcome) => result(&outcome)?,
            Err(Refusal::Throttled) => {
                let cause = "Rate Exceeded. (Service: Lambda, Status Code: 429)";
                return Err(Failure::new("Lambda.TooManyRequestsException", cause));
            }
            Err(Refusal::Broken(why)) => return Err(Failure::new("Lambda.ServiceException", why)),
        };
        Ok(match self.envelope {
            true => json!({"ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200}),
            false => answer,
        })
    }
}

fn result(outcome: &Outcome) -> Result<Value, Failure> {
    let text = String::from_utf8_lossy(&outcome.payload);
    let document = serde_json::from_slice::<Value>(&outcome.payload);
    if outcome.failed {
        let named = document.ok().and_then(|d| d["errorType"].as_str().map(str::to_owned));
        return Err(match named.filter(|n| !n.is_empty()) {
            Some(error) => Failure::new(error, text),
            None => {
                let why = "The cause could not be determined because Lambda did not return an error type.";
                Failure::new("Lambda.Unknown", format!("{why} Returned payload: {text}"))
            }
        });
    }
    if outcome.payload.is_empty() {
        return Ok(Value::Null);
    }
    document.map_err(|e| Failure::runtime(format!("The function's answer is not JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_become_errors() {
        let end = |payload: &'static str, failed| {
            result(&Outcome { payload: payload.into(), failed, log_tail: Vec::new() })
        };
        assert_eq!(end(r#"{"a":1}"#, false), Ok(json!({"a": 1})));
        assert_eq!(end("", false), Ok(Value::Null));
        let late = end(r#"{"errorType":"Sandbox.Timedout","errorMessage":"late"}"#, true).unwrap_err();
        assert_eq!((late.error.as_str(), late.cause.contains("late")), ("Sandbox.Timedout", true));
        assert_eq!(end(r#"{"errorMessage":"x"}"#, true).unwrap_err().error, "Lambda.Unknown");
    }
}
