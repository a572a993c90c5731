//! The body of a call, within bounds.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};

use crate::{app::App, problem::Problem, query::Parameters};

/// Bodies of calls are small.
const BYTES: usize = 1 << 20;

/// The whole body, 1 MiB at most, of a call that takes no query; the last argument of a handler.
pub(crate) struct Body(pub(crate) Bytes);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        // What is asked for in the wrong place is not passed over.
        Parameters::of(request.uri().query())?.end()?;
        read(request.into_body()).await.map(Self)
    }
}

/// Reads a body.
pub(crate) async fn read(body: axum::body::Body) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, BYTES).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 1 MiB or broke off")
    })
}
