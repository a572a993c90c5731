//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): asking again with the same key does nothing twice.
//!
//! A layer around every POST and PUT. For 24 hours the same key of the same caller on the same path with the same body gets the first answer again, another
//! body 422, and 409 while the first call is at work. The key is taken in the state table before the handler runs, together with the id of the run that
//! it stands for; a handler that begins a run takes that id from [`Ask`], so that whoever asks again after a crash finds the same run. Answers that are
//! errors are not kept: the next call with the key tries again, for the same run.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use pgbaton::{
    base::{Kind, clock, id::RunId},
    ledger::{Answer, Intent, KeyState},
};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    auth::{self, Scope},
    body,
    problem::Problem,
    trace::Audit,
};

/// Characters of a key.
const KEY: usize = 255;
/// The function's time-out (template.yaml) and some: nobody is at work longer.
const HOLD: Duration = Duration::from_secs(35);
/// Longer answers are not kept; an item of DynamoDB has 400 KB.
const ANSWER: usize = 300 << 10;

/// What a handler that begins a run needs of the caller's key; without a key all of it is new.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The id of the run to begin.
    pub(crate) id: RunId,
    /// The instant to put into its record, where it has none yet: now, and not when the key was first used.
    pub(crate) at: Timestamp,
    /// The caller has a key to ask again with.
    pub(crate) keyed: bool,
    /// An earlier call with the key came to no answer: the record may be there.
    pub(crate) resumed: bool,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let at = clock::now();
        match parts.extensions.get::<Intent>() {
            Some(intent) => Ok(Self { id: intent.run.clone(), at, keyed: true, resumed: intent.resumed }),
            None => Ok(Self { id: RunId::random(at)?, at, keyed: false, resumed: false }),
        }
    }
}

/// The layer.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let changes = [Method::POST, Method::PUT].contains(request.method());
    if !changes || !request.headers().contains_key("idempotency-key") {
        return next.run(request).await;
    }
    once(app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn once(app: App, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    // Only callers that are known may leave something in the table.
    let caller = auth::known(&parts, &app).await?;
    let key = key(&parts.headers)?;
    caller.needs(Scope::Read)?;
    if caller.is_unnamed() {
        let detail = "a key belongs to a caller, and this token names none (its claim sub is missing)";
        return Err(Problem::invalid("Idempotency-Key", detail));
    }
    let body = body::read(body).await?;
    let audit = parts.extensions.get::<Audit>().cloned().unwrap_or_default();
    let own = digest(&[caller.identity.as_bytes(), audit.path().as_bytes(), key.as_bytes()]);
    let asked = digest(&[parts.uri.query().unwrap_or("").as_bytes(), &body]);
    let now = clock::now();
    let standing = app.ledger.intend(&own, &asked, &RunId::random(now)?, now, HOLD).await;
    let standing = standing.map_err(|error| match error.kind() {
        Kind::NotFound => Problem::unavailable("a table of this deployment is missing", &error),
        _ => error.into(),
    })?;
    let intent = match standing {
        KeyState::Mine(intent) => intent,
        KeyState::Answered(run, answer) => {
            // Who may not ask any more gets no answer either.
            if let Some(scope) = answer.scope.as_deref().and_then(Scope::parse) {
                caller.needs(scope)?;
            }
            audit.run(run.as_str());
            return Ok(again(answer));
        }
        KeyState::UnderWay => {
            let detail = "a call with this Idempotency-Key is at work; ask again in a while";
            return Err(Problem::new(StatusCode::CONFLICT, "idempotency_key_in_use", detail));
        }
        KeyState::Other => {
            let detail = "this Idempotency-Key was used for another request; take a new one";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "idempotency_key_reused", detail));
        }
    };
    parts.extensions.insert(intent.clone());
    parts.extensions.insert(caller);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    Ok(keep(&app, &intent, audit.scope(), response).await)
}

/// Notes a good answer for the next time. Where that fails the answer stands all the same: whoever asks again finds the run.
async fn keep(app: &App, intent: &Intent, scope: Option<Scope>, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let kept = match (parts.status.is_success(), text(&bytes)) {
        (true, Some(body)) => {
            let scope = scope.map(|scope| scope.name().to_owned());
            let answer = Answer { status: parts.status.as_u16(), body: body.to_owned(), scope };
            app.ledger.answered(intent, &answer).await
        }
        _ => app.ledger.let_go(intent).await,
    };
    if let Err(error) = kept {
        tracing::warn!(?error, run = %intent.run, "the outcome of a call with an Idempotency-Key was not noted");
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn text(bytes: &Bytes) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| text.len() <= ANSWER)
}

fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true")),
    ];
    (status, headers, answer.body).into_response()
}

/// The one key: visible ASCII characters, and spaces within.
fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let (one, more) = (all.next(), all.next());
    let text = one.filter(|_| more.is_none()).and_then(|value| value.to_str().ok()).map(str::trim);
    text.filter(|key| (1..=KEY).contains(&key.len())).ok_or_else(|| {
        let detail = format!("there must be one Idempotency-Key of 1 to {KEY} visible ASCII characters");
        Problem::invalid("Idempotency-Key", detail)
    })
}

/// Of parts that are told apart: no two lists of them give the same text.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_visible_text() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", HeaderValue::from_bytes(value).unwrap());
            }
            key(&headers).map(str::to_owned).ok()
        };
        assert_eq!(of(&[b" \"a b\" "]).as_deref(), Some("\"a b\""));
        assert!(of(&[&[b'x'; 255]]).is_some());
        for bad in [&[&b""[..]][..], &[b"  "], &[&[b'x'; 256]], &[b"a", b"b"], &["é".as_bytes()], &[b"\xff"]]
        {
            assert!(of(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"ab"]), digest(&[b"ab", b""]));
        assert_eq!(digest(&[b"ab"]).len(), 64);
    }
}
