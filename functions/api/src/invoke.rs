//! Starting other functions, and asking them.

use std::time::Duration;

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{config::Builder, error::SdkError, primitives::Blob, types::InvocationType};
use pgbaton::base::{Error, Kind, Result};
use serde_json::Value;

use crate::app::App;

/// API Gateway waits for 30 s, the function behind it for 29.
pub(crate) const PATIENCE: Duration = Duration::from_secs(22);

/// An asynchronous invoke: Lambda queues the event and answers at once.
///
/// # Errors
/// [`Kind::Aws`] when Lambda refused; [`Kind::Unreachable`] when nobody knows.
pub(crate) async fn start(app: &App, function: &str, event: &Value) -> Result<()> {
    let invoke = app
        .lambda
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(event.to_string()))
        .send()
        .await;
    match invoke {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(function, "could not be started", error)),
    }
}

/// Waits for what a function answers; none when it takes longer than `patience`, at most [`PATIENCE`]: it goes on all the same.
///
/// # Errors
/// [`Kind::Aws`] when it failed, or Lambda refused; [`Kind::Unreachable`] when that is not known.
pub(crate) async fn ask(
    app: &App,
    function: &str,
    event: &Value,
    patience: Duration,
) -> Result<Option<Value>> {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(patience).operation_timeout(patience).build();
    // Once: a second attempt would do the work beside the first.
    let once = Builder::new().timeout_config(timeouts).retry_config(RetryConfig::disabled());
    let invoke = app
        .lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(event.to_string()))
        .customize()
        .config_override(once)
        .send()
        .await;
    let answer = match invoke {
        Ok(answer) => answer,
        Err(SdkError::TimeoutError(_)) => return Ok(None),
        Err(error) => return Err(failed(function, "could not be asked", error)),
    };
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    if answer.function_error.is_some() {
        let told: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let why = told["errorMessage"].as_str().unwrap_or("it did not say why");
        return Err(Error::new(Kind::Aws, format!("the function {function} failed: {why}")));
    }
    serde_json::from_slice(&payload)
        .map(Some)
        .map_err(|e| Error::with_source(Kind::Aws, format!("the answer of {function} is not JSON"), e))
}

fn failed<E>(function: &str, what: &str, error: SdkError<E>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    // Of an answer that is lost or broken nobody knows what it would have said.
    let kind = match &error {
        SdkError::ServiceError(said) if said.raw().status().is_client_error() => Kind::Aws,
        _ => Kind::Unreachable,
    };
    Error::with_source(kind, format!("the function {function} {what}"), error)
}
