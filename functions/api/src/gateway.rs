//! Between API Gateway's events (HTTP API, payload 2.0) and the router.

use axum::Router;
use lambda_http::{Adapter, Error, LambdaEvent, request::LambdaRequest, tower::ServiceExt};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What RFC 3986, section 3.4, does not allow in a query, but for `%`.
const NOT_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Serves the router until the runtime ends.
///
/// # Errors
/// When the Lambda runtime cannot be reached.
pub async fn serve(router: Router) -> Result<(), Error> {
    let adapter = Adapter::from(router).map_request(|event: LambdaEvent<LambdaRequest>| {
        let (request, context) = event.into_parts();
        LambdaEvent::new(clean(request), context)
    });
    lambda_http::lambda_runtime::run(adapter).await
}

/// The gateway hands over the query string as the caller sent it, and lambda_http panics on one that is no URI.
fn clean(mut request: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV2(event) = &mut request
        && let Some(query) = &event.raw_query_string
    {
        event.raw_query_string = Some(utf8_percent_encode(query, NOT_QUERY).to_string());
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Request;
    use serde_json::json;

    fn request(path: &str, query: &str) -> Request {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": {"host": "h"},
            "requestContext": {
                "accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r1", "timeEpoch": 0,
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "t"}
            },
            "isBase64Encoded": false
        });
        Request::from(clean(serde_json::from_value(event).unwrap()))
    }

    #[test]
    fn no_query_string_brings_the_function_down() {
        for query in ["a=<>", "a=\"b\" c", "a=#", "a=é", "a=\u{0}\n", "[]{}|\\^`", "%", "%zz", "a=1&b=%20"] {
            let request = request("/backup", query);
            assert_eq!(request.uri().path(), "/backup", "{query}");
        }
        assert_eq!(
            request("/backup", "since=2026-11-21T02:00:00Z&a=%2B").uri().query().unwrap(),
            "since=2026-11-21T02:00:00Z&a=%2B"
        );
    }

    #[test]
    fn no_path_brings_the_function_down() {
        for path in [
            "/",
            "",
            "//x",
            "/a b",
            "/é",
            "/%",
            "/backup/../x",
            "/\u{0}",
            "/?",
            "/#",
            "/a\\b",
            "/:80",
            "/[",
            "@x",
        ] {
            request(path, "");
        }
    }

    #[tokio::test]
    async fn dots_that_the_adapter_resolves_are_seen_all_the_same() {
        use axum::{Router, middleware, routing::get};
        let app = Router::new()
            .route("/backup/{id}", get(|| async { "served" }))
            .layer(middleware::from_fn(crate::trace::around));
        for (path, status) in [("/backup/x", 200), ("/backup/y/../x", 400), ("/backup/y/%2e%2e/x", 400)] {
            let response = app.clone().oneshot(request(path, "")).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(response.headers()["x-request-id"], "r1");
        }
    }
}
