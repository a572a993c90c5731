//! Around every call: a request id, a check of the raw path, the problem document, the audit line and the error log.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::{
    extract::Request,
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use lambda_http::{RequestExt, request::RequestContext};
use percent_encoding::percent_decode_str;
use pgbaton::base::telemetry::AUDIT;

use crate::{auth::Scope, problem::Problem};

/// Collects what the audit line says while a call is handled.
#[derive(Clone, Default)]
pub(crate) struct Audit(Arc<Notes>);

#[derive(Default)]
struct Notes {
    path: OnceLock<String>,
    caller: OnceLock<String>,
    run: OnceLock<String>,
    always: OnceLock<()>,
    scope: Mutex<Option<Scope>>,
}

impl Audit {
    /// The path as the caller sent it, the mount included.
    pub(crate) fn path(&self) -> &str {
        self.0.path.get().map_or("", String::as_str)
    }

    /// Who calls; the first one stays.
    pub(crate) fn caller(&self, subject: &str) {
        self.0.caller.get_or_init(|| subject.to_owned());
    }

    /// The call leaves an audit line whatever its method.
    pub(crate) fn always(&self) {
        self.0.always.get_or_init(|| ());
    }

    /// What the call was found to need; of several the last.
    pub(crate) fn needs(&self, scope: Scope) {
        *self.0.scope.lock().unwrap_or_else(PoisonError::into_inner) = Some(scope);
    }

    /// See [`Audit::needs`].
    pub(crate) fn scope(&self) -> Option<Scope> {
        *self.0.scope.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which run the call made or touched.
    pub(crate) fn run(&self, id: &str) {
        self.0.run.get_or_init(|| id.to_owned());
    }
}

/// The middleware.
pub(crate) async fn around(mut request: Request, next: Next) -> Response {
    let (request_id, source_ip) = origin(&request);
    let audit = Audit::default();
    request.extensions_mut().insert(audit.clone());
    let method = request.method().clone();
    // The gateway's adapter resolves dots before routing; what the caller sent is kept beside the URI.
    let raw = match request.raw_http_path() {
        "" => request.uri().path().to_owned(),
        path => path.to_owned(),
    };
    audit.0.path.get_or_init(|| raw.clone());
    let response = if climbs(&raw) {
        Problem::invalid("id", "the path must not hold \"..\"").into_response()
    } else {
        next.run(request).await
    };
    finish(response, &Call { method, path: raw, request_id, source_ip, audit })
}

struct Call {
    method: Method,
    path: String,
    request_id: String,
    source_ip: String,
    audit: Audit,
}

fn finish(response: Response, call: &Call) -> Response {
    let status = response.status();
    let problem = response.extensions().get::<Problem>().cloned();
    if let Some(problem) = problem.as_ref().filter(|p| p.status().is_server_error()) {
        let cause = problem.cause().unwrap_or(problem.detail());
        tracing::error!(
            request_id = call.request_id,
            path = call.path,
            status = status.as_u16(),
            cause,
            "a call failed"
        );
    }
    let reads = call.method == Method::GET || call.method == Method::HEAD;
    if !reads || call.audit.0.always.get().is_some() {
        tracing::info!(
            target: AUDIT,
            audit = true,
            who = call.audit.0.caller.get().map_or("unknown", String::as_str),
            what = format!("{} {}", call.method, call.path),
            run = call.audit.0.run.get(),
            status = status.as_u16(),
            source_ip = call.source_ip,
            request_id = call.request_id,
            "audit"
        );
    }
    let mut response = match problem {
        Some(problem) => {
            let mut rendered = problem.render(&call.request_id);
            if let Some(allow) = response.headers().get(header::ALLOW) {
                rendered.headers_mut().insert(header::ALLOW, allow.clone());
            }
            rendered
        }
        None => response,
    };
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&call.request_id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// The gateway's request id and the caller's address, as the gateway saw it: no header that the caller could write.
fn origin(request: &Request) -> (String, String) {
    let context = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => Some(context),
        _ => None,
    };
    let id = context.and_then(|c| c.request_id.clone()).unwrap_or_else(|| "none".into());
    (id, context.and_then(|c| c.http.source_ip.clone()).unwrap_or_else(|| "unknown".into()))
}

/// Whether a path has a `..` segment, plain or percent-encoded (twice even).
fn climbs(path: &str) -> bool {
    let once = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
    [path, &once, &twice].iter().any(|p| p.split(['/', '\\']).any(|segment| segment == ".."))
}

#[cfg(test)]
mod tests {
    use super::climbs;

    #[test]
    fn climbing_is_seen_in_every_dress() {
        for bad in [
            "/backup/../x",
            "/backup/..",
            "/backup/..%2Fx",
            "/backup/%2e%2E/x",
            "/backup/%252e%252e%252fx",
            "/..\\x",
        ] {
            assert!(climbs(bad), "{bad}");
        }
        for good in ["/backup", "/backup/a..b", "/backup/...", "/backup/%zz"] {
            assert!(!climbs(good), "{good}");
        }
    }
}
