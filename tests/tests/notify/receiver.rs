//! A webhook's receiver on this machine: checks signatures with code of its own, and refuses as often as a test wants.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What came, in order.
#[derive(Debug, Clone)]
pub struct Came {
    /// The path and query that were asked for.
    pub uri: String,
    /// The header.
    pub id: String,
    /// The header, epoch seconds.
    pub timestamp: i64,
    /// The header `authorization`.
    pub authorization: String,
    /// As it came.
    pub body: Vec<u8>,
    /// What was answered.
    pub answered: u16,
}

impl Came {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Held {
    came: Vec<Came>,
    answers: VecDeque<u16>,
    always: Option<u16>,
}

#[derive(Clone)]
struct Shared {
    held: Arc<Mutex<Held>>,
    secret: Arc<str>,
}

/// The receiver.
pub struct Receiver {
    /// `127.0.0.1:port`.
    pub address: String,
    shared: Shared,
}

impl Receiver {
    /// One that shares `secret`.
    pub async fn start(secret: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Shared { held: Arc::default(), secret: secret.into() };
        let router = Router::new().fallback(take).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// The next requests are answered so, one after the other; later ones 200.
    pub fn answer(&self, statuses: &[u16]) {
        self.shared.held.lock().unwrap().answers.extend(statuses);
    }

    /// Every request is answered so, until told otherwise.
    pub fn always(&self, status: Option<u16>) {
        self.shared.held.lock().unwrap().always = status;
    }

    /// All that came so far.
    pub fn came(&self) -> Vec<Came> {
        self.shared.held.lock().unwrap().came.clone()
    }

    /// What was taken, forgotten by this call: the bodies, in order.
    pub fn taken(&self) -> Vec<Value> {
        let came = std::mem::take(&mut self.shared.held.lock().unwrap().came);
        came.iter().filter(|c| c.answered == 200).map(Came::json).collect()
    }
}

async fn take(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let timestamp = header("pgbaton-timestamp");
    let mut signed = timestamp.clone().into_bytes();
    signed.push(b'.');
    signed.extend_from_slice(&body);
    let wanted = format!("v1={}", hex::encode(hmac(shared.secret.as_bytes(), &signed)));
    let genuine = header("pgbaton-signature") == wanted && header("content-type") == "application/json";
    let mut held = shared.held.lock().unwrap();
    let answered = match (genuine, held.always) {
        (false, _) => 401,
        (true, Some(status)) => status,
        (true, None) => held.answers.pop_front().unwrap_or(200),
    };
    held.came.push(Came {
        uri: uri.to_string(),
        id: header("pgbaton-event-id"),
        timestamp: timestamp.parse().unwrap_or_default(),
        authorization: header("authorization"),
        body: body.to_vec(),
        answered,
    });
    let status = StatusCode::from_u16(answered).unwrap();
    (status, [("location", "/elsewhere")], "the answer's body is nobody's business").into_response()
}

/// HMAC-SHA256 as RFC 2104 defines it, for keys of at most 64 bytes.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|b| b ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}
