//! The Lambda runtime API of one instance (developer guide, "Using the Lambda runtime API for custom runtimes"), on a loopback port
//! of its own, and the desk where the host lays down work for it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};

use crate::process::Watcher;

/// Largest answer of a function, bytes (Lambda quotas: 6 MB and the envelope).
pub const ANSWER_LIMIT: usize = 6 * 1024 * 1024 + 100;
/// How much of an invoke's log the `Tail` log type gives.
const TAIL: usize = 4096;

/// One invoke, as the runtime is told of it.
pub struct Assignment {
    /// Request id, a UUID.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
    /// `Root=…` for X-Ray.
    pub trace: String,
    /// ARN the function was invoked by.
    pub arn: String,
    /// The client context header, as it came.
    pub client_context: Option<String>,
    /// Time the function has, from the moment the runtime takes the work.
    pub timeout: Duration,
    /// Told when the runtime takes the work.
    pub taken: oneshot::Sender<Instant>,
    /// Told what the runtime answers.
    pub answer: oneshot::Sender<Answer>,
}

/// What a runtime answers.
#[derive(Debug)]
pub enum Answer {
    /// The function's result.
    Response(Bytes),
    /// The function's error document.
    Error(Bytes),
    /// A result over 6 MB, by its size.
    TooLarge(usize),
}

/// Where an instance stands. Set by the runtime's own calls, except `Gone`, which the end of the process sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Started; has not asked for work yet.
    Starting,
    /// Asks for work.
    Waiting,
    /// Has work.
    Working,
    /// Ended; how, in words.
    Gone(String),
}

/// What the host and the runtime of one instance share.
pub struct Desk {
    inbox: AsyncMutex<mpsc::Receiver<Assignment>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    phase: watch::Sender<Phase>,
    init_error: Mutex<Option<Bytes>>,
    tail: Mutex<VecDeque<u8>>,
    on_line: Box<dyn Fn(&str) + Send + Sync>,
}

impl Desk {
    /// A desk and the sender that lays work on it; `on_line` gets each line of log.
    pub fn new(on_line: Box<dyn Fn(&str) + Send + Sync>) -> (Arc<Self>, mpsc::Sender<Assignment>) {
        let (work, inbox) = mpsc::channel(1);
        let desk = Self {
            inbox: AsyncMutex::new(inbox),
            current: Mutex::default(),
            phase: watch::Sender::new(Phase::Starting),
            init_error: Mutex::default(),
            tail: Mutex::default(),
            on_line,
        };
        (Arc::new(desk), work)
    }

    /// Follows the phase.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// What the runtime said of a failed start.
    pub fn init_error(&self) -> Option<Bytes> {
        lock(&self.init_error).clone()
    }

    /// The last 4 KB of log since the last call of this.
    pub fn take_tail(&self) -> Vec<u8> {
        lock(&self.tail).drain(..).collect()
    }

    /// Keeps a line for [`Desk::take_tail`].
    pub fn keep(&self, line: &str) {
        let mut tail = lock(&self.tail);
        tail.extend(line.bytes().chain([b'\n']));
        let over = tail.len().saturating_sub(TAIL);
        tail.drain(..over);
    }

    fn set(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let change = !matches!(now, Phase::Gone(_)) && *now != phase;
            if change {
                *now = phase;
            }
            change
        });
    }

    fn answer(&self, request_id: &str, answer: Answer) -> bool {
        let mut current = lock(&self.current);
        match current.take_if(|(id, _)| id == request_id) {
            Some((_, sender)) => {
                // The invoker may have given up at the time-out.
                let _ = sender.send(answer);
                true
            }
            None => false,
        }
    }
}

impl Watcher for Desk {
    fn line(&self, line: &str) {
        self.keep(line);
        (self.on_line)(line);
    }

    fn gone(&self, how: String) {
        lock(&self.current).take();
        self.set(Phase::Gone(how));
    }
}

/// A lock whose holder panicked still holds whole values here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The routes.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(desk)
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    desk.set(Phase::Waiting);
    let work = desk.inbox.lock().await.recv().await;
    let Some(work) = work else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the host is closing this instance").into_response();
    };
    desk.set(Phase::Working);
    let deadline = SystemTime::now() + work.timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
    *lock(&desk.current) = Some((work.request_id.clone(), work.answer));
    let _ = work.taken.send(Instant::now());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", &work.request_id),
        ("lambda-runtime-deadline-ms", &deadline),
        ("lambda-runtime-invoked-function-arn", &work.arn),
        ("lambda-runtime-trace-id", &work.trace),
        ("lambda-runtime-client-context", work.client_context.as_deref().unwrap_or_default()),
    ] {
        if !value.is_empty()
            && let Ok(value) = value.parse()
        {
            headers.insert(name, value);
        }
    }
    (headers, work.payload).into_response()
}

async fn response(State(desk): State<Arc<Desk>>, Path(id): Path<String>, body: Bytes) -> Response {
    let size = body.len();
    if size > ANSWER_LIMIT {
        desk.answer(&id, Answer::TooLarge(size));
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge");
    }
    accepted(desk.answer(&id, Answer::Response(body)))
}

async fn error(State(desk): State<Arc<Desk>>, Path(id): Path<String>, body: Bytes) -> Response {
    accepted(desk.answer(&id, Answer::Error(body)))
}

async fn init_error(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    *lock(&desk.init_error) = Some(body);
    accepted(true)
}

fn accepted(known: bool) -> Response {
    if known {
        (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
    } else {
        refused(StatusCode::BAD_REQUEST, "InvalidRequestID")
    }
}

fn refused(status: StatusCode, kind: &str) -> Response {
    (status, Json(json!({"errorType": kind, "errorMessage": kind}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_4_kib() {
        let (desk, _work) = Desk::new(Box::new(|_| {}));
        desk.keep(&"a".repeat(5000));
        desk.keep("end");
        let tail = desk.take_tail();
        assert_eq!(tail.len(), TAIL);
        assert!(tail.ends_with(b"a\nend\n"));
        assert!(desk.take_tail().is_empty());
    }

    #[test]
    fn gone_is_final() {
        let (desk, _work) = Desk::new(Box::new(|_| {}));
        desk.gone("exit status 1".into());
        desk.set(Phase::Waiting);
        assert_eq!(*desk.phase().borrow(), Phase::Gone("exit status 1".into()));
    }
}
