//! Errors as RFC 9457 problem documents.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use pgbaton::base::{Error, Kind};
use serde::Serialize;

/// An answer that is an error. The document is written at the very end, by [`crate::trace`], which knows the request id.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    field: Option<String>,
    /// For the log alone: the whole chain.
    cause: Option<String>,
}

/// The document (RFC 9457, section 3.1), with `code`, `field` and `request_id` as extensions.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    request_id: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), field: None, cause: None }
    }

    /// A malformed request; names the field or parameter at fault.
    pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Self {
        let field = Some(field.to_owned());
        Self { field, ..Self::new(StatusCode::BAD_REQUEST, Kind::InvalidInput.code(), detail) }
    }

    /// Answered to everyone whose token is not right, whatever is wrong with it.
    pub(crate) fn unauthorized() -> Self {
        let detail = "this call needs a valid bearer token";
        Self::new(StatusCode::UNAUTHORIZED, Kind::Unauthorized.code(), detail)
    }

    /// Something of ours does not work; `cause` goes to the log, not to the caller.
    pub(crate) fn unavailable(detail: &str, cause: &Error) -> Self {
        Self {
            cause: Some(format!("{cause:?}")),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, cause.kind().code(), detail)
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The finished answer.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let document = Document {
            r#type: format!("urn:pgbaton:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: &self.code,
            field: self.field.as_deref(),
            request_id,
        };
        let mut response = (self.status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = status(error.kind());
        Self {
            status,
            code: error.kind().code().into(),
            detail: error.message().to_owned(),
            field: error.field().map(str::to_owned),
            cause: status.is_server_error().then(|| format!("{error:?}")),
        }
    }
}

fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::InvalidInput => StatusCode::BAD_REQUEST,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict | Kind::Busy | Kind::Fenced => StatusCode::CONFLICT,
        Kind::NotAvailableYet => StatusCode::NOT_IMPLEMENTED,
        Kind::Unreachable | Kind::Config => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Aws => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
