//! The cache against a server on loopback, with short times.

use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::State as Shared,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use super::*;

/// What the server answers, and how often it was asked.
struct Server {
    answer: StdMutex<(StatusCode, String, String)>,
    asked: AtomicUsize,
}

impl Server {
    async fn start(keys: &[Value]) -> (Arc<Self>, String) {
        let server = Arc::new(Self { answer: StdMutex::default(), asked: AtomicUsize::new(0) });
        server.publishes(keys, "");
        let app = Router::new()
            .route("/keys", get(answer))
            .route("/moved", get(|| async { axum::response::Redirect::temporary("/keys") }))
            .with_state(Arc::clone(&server));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (server, url)
    }

    fn publishes(&self, keys: &[Value], cache: &str) {
        *self.answer.lock().unwrap() =
            (StatusCode::OK, cache.to_owned(), json!({ "keys": keys }).to_string());
    }

    fn breaks(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() =
            (StatusCode::from_u16(status).unwrap(), String::new(), body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(Shared(server): Shared<Arc<Server>>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    let (status, cache, body) = server.answer.lock().unwrap().clone();
    (status, [(header::CACHE_CONTROL, cache)], body).into_response()
}

fn ed(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

const SHORT: Times = Times {
    least: Duration::from_millis(400),
    most: Duration::from_millis(400),
    outage: Duration::from_millis(800),
    unknown: Duration::from_millis(1500),
    failure: Duration::from_millis(100),
};

fn keys(url: &str, times: Times) -> PublishedKeys {
    PublishedKeys { times, ..PublishedKeys::new(url) }
}

async fn has(keys: &PublishedKeys, id: &str) -> bool {
    keys.key(Some(id), Algorithm::EdDSA).await.unwrap().is_some()
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_in_a_while() {
    let (server, url) = Server::start(&[ed("old")]).await;
    let keys = keys(&url, Times { least: Duration::from_secs(60), most: Duration::from_secs(60), ..SHORT });
    assert!(!has(&keys, "new").await);
    assert_eq!(server.asked(), 1, "what was fetched this moment is not fetched again");
    server.publishes(&[ed("old"), ed("new")], "");
    assert!(has(&keys, "new").await && has(&keys, "old").await);
    assert_eq!(server.asked(), 2);
    server.publishes(&[ed("newer")], "");
    for _ in 0..20 {
        assert!(!has(&keys, "newer").await);
    }
    assert_eq!(server.asked(), 2, "anybody can name a key");
    pause(1600).await;
    assert!(has(&keys, "newer").await && !has(&keys, "old").await);
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn keys_are_kept_through_an_outage_but_not_for_ever() {
    let (server, url) = Server::start(&[ed("a")]).await;
    let keys = keys(&url, SHORT);
    assert!(has(&keys, "a").await && has(&keys, "a").await);
    assert_eq!(server.asked(), 1);
    for (status, body) in [(500, ""), (200, "<html>"), (200, r#"{"keys": []}"#)] {
        server.breaks(status, body);
        pause(if status == 500 { 450 } else { 110 }).await;
        assert!(has(&keys, "a").await, "{body}");
    }
    assert_eq!(server.asked(), 4);
    pause(800).await;
    let gone = keys.key(Some("a"), Algorithm::EdDSA).await;
    assert_eq!(gone.err().unwrap().kind(), Kind::Unreachable);
    server.publishes(&[ed("a")], "");
    pause(110).await;
    assert!(has(&keys, "a").await, "and back again");
}

#[tokio::test]
async fn without_keys_the_fault_is_told_and_not_asked_for_at_once() {
    let (server, url) = Server::start(&[]).await;
    server.breaks(503, "");
    let keys = keys(&url, SHORT);
    for _ in 0..5 {
        let error = keys.key(Some("a"), Algorithm::EdDSA).await.err().unwrap();
        assert!(error.to_string().contains("503"), "{error}");
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn cache_control_holds_within_bounds() {
    let times = Times { least: Duration::from_millis(200), most: Duration::from_secs(60), ..SHORT };
    for (cache, again) in [("max-age=0", 2), ("no-store", 2), ("max-age=86400", 1), ("", 1)] {
        let (server, url) = Server::start(&[]).await;
        server.publishes(&[ed("a")], cache);
        let keys = keys(&url, times);
        assert!(has(&keys, "a").await && has(&keys, "a").await);
        assert_eq!(server.asked(), 1, "{cache}: not more often than the least");
        pause(250).await;
        assert!(has(&keys, "a").await);
        assert_eq!(server.asked(), again, "{cache}");
    }
}

#[tokio::test]
async fn redirects_and_floods_are_refused() {
    let (server, url) = Server::start(&[ed("a")]).await;
    let moved = keys(&url.replace("/keys", "/moved"), SHORT);
    let error = moved.key(Some("a"), Algorithm::EdDSA).await.err().unwrap();
    assert!(error.to_string().contains("307"), "{error}");
    assert_eq!(server.asked(), 0);
    let padding = " ".repeat(257 << 10);
    server.breaks(200, &format!("{{\"keys\": [{}]}}{padding}", ed("a")));
    assert!(keys(&url, SHORT).key(Some("a"), Algorithm::EdDSA).await.is_err());
}
