//! A router over tables of its own, and Lambda's Invoke API as far as it is needed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Method, Request, StatusCode},
    routing::post,
};
use jsonwebtoken::{EncodingKey, Header};
use pgbaton::base::{clock, config::Config};
use pgbaton_api::{App, router};
use pgbaton_tests::tables::{Tables, aws_at};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The secret that tokens are signed with, unless a test says otherwise.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A deployment.
pub struct Deployment {
    pub tables: Tables,
    router: Router,
    invoked: Invoked,
}

/// What functions were started with.
type Invoked = Arc<Mutex<Vec<Value>>>;

/// The function `absent` does not exist; `slow` is started after three seconds.
async fn invoke(
    State(invoked): State<Invoked>,
    Path(name): Path<String>,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1], &'static str) {
    invoked.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    if name == "absent" {
        return (StatusCode::NOT_FOUND, [("x-amzn-errortype", "ResourceNotFoundException")], "{}");
    }
    if name == "slow" {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    (StatusCode::ACCEPTED, [("x-amzn-requestid", "1")], "")
}

/// Claims that are right, with changes; `"absent"` leaves one out.
pub fn claims(changes: Value) -> Value {
    let now = clock::now().as_second();
    let mut all = json!({"sub": "ann", "exp": now + 60, "nbf": now - 60});
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
        if value == "absent" {
            all.as_object_mut().unwrap().remove(name);
        }
    }
    all
}

/// A token signed with [`KEY`].
pub fn token(changes: Value) -> String {
    let key = EncodingKey::from_secret(KEY.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims(changes), &key).unwrap()
}

/// A token that may do everything.
pub fn admin() -> String {
    token(json!({"role": "admin"}))
}

impl Deployment {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(environment: &[(&str, &str)]) -> Self {
        let tables = Tables::create().await;
        let invoked = Invoked::default();
        let endpoint = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .with_state(Arc::clone(&invoked));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, endpoint).await });
        let config = Config::from_lookup(|name| {
            let given = environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            given.or_else(|| match name {
                "BACKUP_BUCKET" | "BACKUP_TABLE" => Some(tables.table.clone()),
                "STATE_TABLE" => Some(tables.state_table.clone()),
                "BACKUP_FUNCTION" => Some("backup".to_owned()),
                "JWT_SECRET" => Some(KEY.to_owned()),
                _ => None,
            })
        })
        .unwrap();
        let lambda = aws_sdk_lambda::Client::new(&aws_at(&address).await);
        let router = router(App::new(config, tables.aws.clone(), lambda));
        Self { tables, router, invoked }
    }

    /// Events that functions were started with.
    pub fn invoked(&self) -> Vec<Value> {
        self.invoked.lock().unwrap().clone()
    }

    /// One request with these headers.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            self.router.clone().oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// One request with a token.
    pub async fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[("authorization", &bearer)], body.as_bytes()).await
    }

    /// Every call that the document describes: method, path with its parameters filled in, and the scope that it needs.
    pub async fn described(&self) -> Vec<(String, String, Option<String>)> {
        let document = self.send("GET", "/openapi.json", &[], b"").await.body;
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let filled = path
                .replace("{id}", "20261121T020000Z-9f86d081")
                .replace("{name}", "crm")
                .replace(['{', '}'], "");
            for (method, operation) in item.as_object().unwrap() {
                let scope = operation["security"][0]["bearer"][0].as_str().map(str::to_owned);
                all.push((method.to_uppercase(), filled.clone(), scope));
            }
        }
        all
    }

    /// Everything in the state table.
    pub async fn state(
        &self,
    ) -> Vec<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>> {
        let scanned = self.tables.client.scan().table_name(&self.tables.state_table).send().await.unwrap();
        scanned.items.unwrap_or_default()
    }
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Asserts that this is a problem document.
    pub fn problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, &self.body["code"]), (status, &json!(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!((&self.body["status"], self.body["request_id"].is_string()), (&json!(status), true));
        self
    }
}
