//! The HTTP front: API Gateway's HTTP API with payload format 2.0 (API Gateway developer guide, "AWS Lambda proxy integrations for HTTP APIs").
//! Unlike API Gateway it leaves `rawPath` as the client sent it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    config::ApiConfig,
    function::Refusal,
    host::Host,
    ids,
    instance::{Invoke, Outcome},
    invoke_api::SYNC_LIMIT,
};

/// Largest request, bytes, and longest wait (API Gateway quotas for HTTP APIs).
const BODY_LIMIT: usize = 10 * 1024 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Any request: one event, one answer.
pub async fn any(
    State(host): State<Arc<Host>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let Some(api) = &host.config().api else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let Some(function) = host.function(&api.function) else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let request_id = ids::uuid();
    let payload = event(api, &host.config().account, &parts, &body, peer, &request_id).to_string();
    if payload.len() > SYNC_LIMIT {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let invoke = Invoke { request_id, payload: payload.into(), trace: ids::trace(), client_context: None };
    match tokio::time::timeout(TIME_LIMIT, function.invoke(invoke)).await {
        Err(_) | Ok(Err(Refusal::Throttled)) => {
            message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Ok(Err(Refusal::Broken(why))) => {
            tracing::error!("the API's function cannot be started: {why}");
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Ok(Ok(outcome)) => response(&outcome)
            .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    let headers = [("content-type", "application/json")];
    (status, headers, json!({"message": text}).to_string()).into_response()
}

/// The event of one request.
fn event(
    api: &ApiConfig,
    account: &str,
    parts: &Parts,
    body: &[u8],
    peer: SocketAddr,
    request_id: &str,
) -> Value {
    let mut headers = Map::new();
    let mut cookies = Vec::new();
    for name in parts.headers.keys() {
        let values = parts.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()));
        if name == "cookie" {
            cookies
                .extend(values.flat_map(|v| v.split(';').map(|c| c.trim().to_owned()).collect::<Vec<_>>()));
        } else {
            headers.insert(name.to_string(), values.collect::<Vec<_>>().join(",").into());
        }
    }
    let host = headers.get("host").and_then(Value::as_str).unwrap_or("localhost").to_owned();
    let user_agent = headers.get("user-agent").cloned().unwrap_or_else(|| "".into());
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or(""));
    let now = jiff::Timestamp::now();
    let mut event = json!({
        "version": "2.0",
        "routeKey": api.route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": account,
            "apiId": api.id,
            "domainName": host,
            "domainPrefix": api.id,
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": peer.ip().to_string(),
                "userAgent": user_agent,
            },
            "requestId": request_id,
            "routeKey": api.route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    if !query.is_empty() {
        event["queryStringParameters"] = query_parameters(query).into();
    }
    if !body.is_empty() {
        match std::str::from_utf8(body).ok().filter(|_| is_text(&parts.headers)) {
            Some(text) => event["body"] = text.into(),
            None => {
                event["body"] = STANDARD.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Content types whose bodies HTTP APIs hand over as text; all others come in base64.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get("content-type") else { return true };
    let kind = kind.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

/// Names to values, percent-decoded; the values of a repeated name are joined by commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        match all.get_mut(&name) {
            Some(Value::String(before)) => {
                before.push(',');
                before.push_str(&value);
            }
            _ => {
                all.insert(name, value.into());
            }
        }
    }
    all
}

fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&b, tail)) = rest.split_first() {
        match tail.get(..2).filter(|_| b == b'%').and_then(|h| hex::decode(h).ok()) {
            Some(byte) => {
                out.extend(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(b);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The HTTP answer in a function's result; a result without `statusCode` is itself the body of a 200. `None` when the function failed or its
/// result has another form.
fn response(outcome: &Outcome) -> Option<Response> {
    if outcome.failed {
        return None;
    }
    let value: Value = serde_json::from_slice(&outcome.payload).ok()?;
    let Some(status) = value.get("statusCode") else {
        return Some(([("content-type", "application/json")], outcome.payload.clone()).into_response());
    };
    let status = StatusCode::from_u16(u16::try_from(status.as_u64()?).ok()?).ok()?;
    let body = match value.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if value["isBase64Encoded"] == true => STANDARD.decode(text).ok()?.into(),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(_) => return None,
    };
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    let single =
        value.get("headers").and_then(Value::as_object).into_iter().flatten().map(|(n, v)| (n.as_str(), v));
    let multi = value.get("multiValueHeaders").and_then(Value::as_object).into_iter().flatten();
    let multi = multi.flat_map(|(n, vs)| vs.as_array().into_iter().flatten().map(move |v| (n.as_str(), v)));
    let cookies =
        value.get("cookies").and_then(Value::as_array).into_iter().flatten().map(|v| ("set-cookie", v));
    for (name, v) in single.chain(multi).chain(cookies) {
        let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let (Ok(name), Ok(v)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&text)) else {
            return None;
        };
        if name != "content-length" && name != "transfer-encoding" {
            answer.headers_mut().append(name, v);
        }
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(request: axum::http::request::Builder, body: &[u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let api = ApiConfig { function: "api".into(), id: "local".into(), route_key: "$default".into() };
        event(&api, "123456789012", &parts, body, "127.0.0.1:5".parse().unwrap(), "id")
    }

    #[test]
    fn an_event_has_the_parts_of_the_request() {
        let e = build(
            axum::http::Request::post("/backup/a%20b?x=1&x=2&y=a+b%2Fc")
                .header("Host", "h:1")
                .header("Cookie", "a=1; b=2")
                .header("X-One", "1")
                .header("X-One", "2")
                .header("Content-Type", "application/json; charset=utf-8"),
            b"{}",
        );
        assert_eq!(
            (&e["rawPath"], &e["rawQueryString"]),
            (&json!("/backup/a%20b"), &json!("x=1&x=2&y=a+b%2Fc"))
        );
        assert_eq!(e["queryStringParameters"], json!({"x": "1,2", "y": "a b/c"}));
        assert_eq!(e["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(e["headers"]["x-one"], "1,2");
        assert!(e["headers"].get("cookie").is_none());
        assert_eq!((&e["body"], &e["isBase64Encoded"]), (&json!("{}"), &json!(false)));
        assert_eq!(e["requestContext"]["http"]["method"], "POST");
        assert_eq!(e["requestContext"]["http"]["protocol"], "HTTP/1.1");
    }

    #[test]
    fn bytes_come_in_base64() {
        let e = build(
            axum::http::Request::put("/").header("content-type", "application/octet-stream"),
            b"\xff\x00",
        );
        assert_eq!((&e["body"], &e["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    }

    fn outcome(value: &Value) -> Outcome {
        Outcome { payload: value.to_string().into(), failed: false, log_tail: Vec::new() }
    }

    #[test]
    fn answers_are_taken_apart() {
        let r = response(&outcome(&json!({
            "statusCode": 202, "headers": {"x-a": "1", "content-length": "99"}, "cookies": ["c=1", "d=2"],
            "body": "aGk=", "isBase64Encoded": true
        })))
        .unwrap();
        assert_eq!(r.status(), 202);
        assert_eq!(r.headers()["x-a"], "1");
        assert_eq!(r.headers().get_all("set-cookie").iter().count(), 2);
        assert!(r.headers().get("content-length").is_none());
        assert_eq!(response(&outcome(&json!({"a": 1}))).unwrap().status(), 200);
        assert!(response(&outcome(&json!({"statusCode": 9999}))).is_none());
        assert!(response(&Outcome { failed: true, ..outcome(&json!({})) }).is_none());
    }
}
