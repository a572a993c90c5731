//! Lambda's Invoke API (API reference, "Invoke"): `POST /2015-03-31/functions/{name or ARN}/invocations`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    function::Refusal,
    host::Host,
    ids,
    instance::{Invoke, Outcome},
};

/// Largest event of a synchronous invoke, bytes (Lambda quotas).
pub const SYNC_LIMIT: usize = 6 * 1024 * 1024;
/// Largest event of an asynchronous invoke, bytes.
pub const ASYNC_LIMIT: usize = 1024 * 1024;

/// The call.
pub async fn invoke(
    State(host): State<Arc<Host>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = ids::uuid();
    let mut answer = answer(&host, &name, &headers, body, &request_id).await;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert("x-amzn-requestid", value);
    }
    answer
}

async fn answer(host: &Host, name: &str, headers: &HeaderMap, body: Bytes, request_id: &str) -> Response {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(function) = host.function(name) else {
        let message = format!("Function not found: {}", host.config().arn(function_name(name)));
        return fault(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message);
    };
    let kind = header("x-amz-invocation-type").unwrap_or("RequestResponse");
    let limit = match kind {
        "RequestResponse" | "DryRun" => SYNC_LIMIT,
        "Event" => ASYNC_LIMIT,
        other => {
            let message = format!("InvocationType {other} is not one of Event, RequestResponse, DryRun");
            return fault(StatusCode::BAD_REQUEST, "InvalidParameterValueException", &message);
        }
    };
    if body.len() > limit {
        let message = format!(
            "{} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
            body.len()
        );
        return fault(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message);
    }
    let payload = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    if let Err(e) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        let message = format!("Could not parse request body into json: {e}");
        return fault(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message);
    }
    let invoke = Invoke {
        request_id: request_id.to_owned(),
        payload,
        trace: header("x-amzn-trace-id").map_or_else(ids::trace, str::to_owned),
        client_context: header("x-amz-client-context").map(str::to_owned),
    };
    match kind {
        "DryRun" => StatusCode::NO_CONTENT.into_response(),
        "Event" => {
            function.invoke_later(invoke);
            StatusCode::ACCEPTED.into_response()
        }
        _ => match function.invoke(invoke).await {
            Ok(outcome) => result(outcome, header("x-amz-log-type") == Some("Tail")),
            Err(Refusal::Throttled) => {
                fault(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.")
            }
            Err(Refusal::Broken(why)) => fault(StatusCode::BAD_GATEWAY, "InvalidRuntimeException", &why),
        },
    }
}

fn result(outcome: Outcome, tail: bool) -> Response {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("content-type", "application/json");
    put("x-amz-executed-version", "$LATEST");
    if outcome.failed {
        put("x-amz-function-error", "Unhandled");
    }
    if tail {
        put("x-amz-log-result", &STANDARD.encode(&outcome.log_tail));
    }
    (headers, outcome.payload).into_response()
}

/// An error of the service, in the form that the SDKs read.
fn fault(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let type_ = if status.is_server_error() { "Service" } else { "User" };
    let headers = [("x-amzn-errortype", kind), ("content-type", "application/json")];
    (status, headers, json!({"Type": type_, "Message": message}).to_string()).into_response()
}

/// The name in a name, partial ARN or ARN, with or without a qualifier.
pub fn function_name(text: &str) -> &str {
    let after = match text.rfind("function:") {
        Some(at) => &text[at + "function:".len()..],
        None => text,
    };
    after.split(':').next().unwrap_or(after)
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn names_and_arns() {
        for text in [
            "backup",
            "backup:$LATEST",
            "123456789012:function:backup",
            "arn:aws:lambda:us-east-1:123456789012:function:backup",
            "arn:aws:lambda:us-east-1:123456789012:function:backup:live",
        ] {
            assert_eq!(function_name(text), "backup", "{text}");
        }
    }
}
