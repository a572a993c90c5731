//! The API's router over real tables (DynamoDB's stand-in): tokens, parameters, the life of a request, problems.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

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
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pgbaton::{
    base::{clock, config::Config, id::RunId},
    jobs::request::BackupRequest,
    ledger::{Completion, Failure, Ledger, Status},
};
use pgbaton_api::{App, router};
use pgbaton_tests::tables::{Tables, aws_at};
use serde_json::{Value, json};
use tower::ServiceExt;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const MINUTE: Duration = Duration::from_secs(60);

/// A deployment: tables, a bucket's name, an Invoke endpoint that remembers what it was asked.
struct Deployment {
    ledger: Ledger,
    router: Router,
    invoked: Invoked,
}

#[derive(Clone)]
struct Invoked {
    calls: Arc<Mutex<Vec<(String, String, Value)>>>,
    ledger: Ledger,
}

/// Lambda's Invoke API as far as the API uses it. The function `lost` starts and its answer is lost; `absent` does not exist.
async fn invoke(
    State(invoked): State<Invoked>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1], &'static str) {
    let kind = headers["x-amz-invocation-type"].to_str().unwrap().to_owned();
    let event: Value = serde_json::from_str(&body).unwrap();
    let id = RunId::parse(event["id"].as_str().unwrap()).unwrap();
    invoked.calls.lock().unwrap().push((name.clone(), kind, event));
    match name.as_str() {
        "absent" => (StatusCode::NOT_FOUND, [("x-amzn-errortype", "ResourceNotFoundException")], "{}"),
        "lost" => {
            // A second attempt of the SDK finds it claimed.
            let _ = invoked.ledger.claim(&id, "lost", MINUTE).await;
            (StatusCode::INTERNAL_SERVER_ERROR, [("x-amzn-errortype", "ServiceException")], "{}")
        }
        _ => (StatusCode::ACCEPTED, [("x-amzn-requestid", "1")], ""),
    }
}

async fn deployment() -> Deployment {
    deployment_with(&[]).await
}

async fn deployment_with(environment: &[(&str, &str)]) -> Deployment {
    let tables = Tables::create().await;
    let invoked = Invoked { calls: Arc::default(), ledger: tables.ledger.clone() };
    let endpoint = Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .with_state(invoked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, endpoint).await });
    let config = Config::from_lookup(|name| {
        let given = environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| match name {
            "BACKUP_BUCKET" => Some(tables.table.clone()),
            "BACKUP_TABLE" => Some(tables.table.clone()),
            "STATE_TABLE" => Some(tables.state_table.clone()),
            "BACKUP_FUNCTION" => Some("backup".to_owned()),
            "JWT_SECRET" => Some(KEY.to_owned()),
            _ => None,
        })
    })
    .unwrap();
    let lambda = aws_sdk_lambda::Client::new(&aws_at(&address).await);
    let router = router(App::new(config, tables.aws, lambda));
    Deployment { ledger: tables.ledger, router, invoked }
}

fn seconds() -> i64 {
    clock::now().as_second()
}

fn claims() -> Value {
    json!({"sub": "ann", "role": "admin", "exp": seconds() + 60, "nbf": seconds() - 60})
}

fn token(claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(KEY.as_bytes()))
        .unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Deployment {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> Answer {
        self.call_as(&token(&claims()), method, path, body).await
    }

    async fn call_as(&self, token: &str, method: Method, path: &str, body: &str) -> Answer {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, "").await
    }
}

impl Answer {
    /// Asserts that this is a problem document.
    fn problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &json!(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], json!(status));
        for member in ["type", "title", "detail", "request_id"] {
            assert!(self.body[member].is_string(), "{member}: {}", self.body);
        }
        self
    }
}

#[tokio::test]
async fn a_backup_is_asked_for_and_read() {
    let d = deployment().await;
    let asked =
        d.call(Method::POST, "/backup", r#"{"label": "before the move", "compression": "gzip"}"#).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    let record = &asked.body;
    assert_eq!((&record["status"], &record["created_by"]), (&json!("pending"), &json!("ann")));
    assert_eq!((&record["compression"], &record["backup_type"]), (&json!("gzip"), &json!("manual")));
    for member in ["id", "database", "file_name", "s3_url", "s3_bucket", "s3_region", "created_at"] {
        assert!(record[member].is_string(), "{member}");
    }
    let id = record["id"].as_str().unwrap();

    let calls = d.invoked.calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].0.as_str(), calls[0].1.as_str()), ("backup", "Event"));
    let event = BackupRequest::from_event(calls[0].2.clone()).unwrap();
    assert_eq!(event.id.as_ref().map(RunId::as_str), Some(id));
    assert_eq!((event.label.as_deref(), event.created_by.as_deref()), (Some("before the move"), Some("ann")));

    let read = d.get(&format!("/backup/{id}")).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, record));
    assert_eq!(d.get(&format!("/api/admin/backup/{id}")).await.body, read.body);
    let list = d.get("/api/backup").await;
    assert_eq!(list.body["backups"][0]["id"], json!(id));
    assert_eq!(list.body["next_cursor"], Value::Null);
    d.get("/backup/latest").await.problem(404, "not_found");

    // The lease stays inside, the tables are told of one record and not in a list.
    let run = RunId::parse(id).unwrap();
    let lease = d.ledger.claim(&run, "f", MINUTE).await.unwrap();
    let running = d.get(&format!("/backup/{id}")).await;
    assert_eq!(running.body["status"], json!("in_progress"));
    for internal in ["lease_owner", "lease_until", "fence", "event_id"] {
        assert!(running.body.get(internal).is_none(), "{internal}");
    }
    let tables = vec![pgbaton::ledger::TableLine { name: "public.t".into(), rows: 3, bytes: 9 }];
    let completion = Completion { tables, warnings: vec!["w".into(); 5], ..Completion::default() };
    d.ledger.complete(&lease, completion).await.unwrap();
    assert_eq!(d.get(&format!("/backup/{id}")).await.body["tables"][0]["rows"], json!(3));
    assert_eq!(d.get("/backup/latest").await.body["id"], json!(id));
    let listed = d.get("/backup?status=completed&database=main").await.body["backups"][0].clone();
    assert!(listed.get("tables").is_none());
    assert_eq!((&listed["warning_count"], listed["warnings"].as_array().unwrap().len()), (&json!(5), 3));
}

#[tokio::test]
async fn a_function_that_does_not_start_fails_the_record() {
    let d = deployment_with(&[("BACKUP_FUNCTION", "absent")]).await;
    let refused = d.call(Method::POST, "/backup/trigger", "").await;
    refused.problem(502, "aws");
    let failed = d.get("/backup?status=failed").await;
    let record = &failed.body["backups"][0];
    assert_eq!(record["error_code"], json!("aws"));
    assert!(record["message"].as_str().unwrap().contains("absent"), "{record}");
    assert!(d.ledger.open().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_function_whose_start_was_not_confirmed_keeps_its_record() {
    let d = deployment_with(&[("BACKUP_FUNCTION", "lost")]).await;
    let accepted = d.call(Method::POST, "/backup/manual", r#"{"incremental": false}"#).await;
    assert_eq!((accepted.status, &accepted.body["status"]), (StatusCode::ACCEPTED, &json!("in_progress")));
}

#[tokio::test]
async fn a_stopped_run_is_closed_by_whoever_looks() {
    let d = deployment().await;
    let asked = d.call(Method::POST, "/backup", "").await;
    let id = RunId::parse(asked.body["id"].as_str().unwrap()).unwrap();
    d.ledger.claim(&id, "f", Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let list = d.get("/backup").await;
    assert_eq!(list.body["backups"][0]["error_code"], json!("function_stopped"));
    assert_eq!(d.ledger.get(&id).await.unwrap().status, Status::Failed);
}

#[tokio::test]
async fn every_wrong_token_gets_the_same_answer() {
    let d = deployment_with(&[("JWT_ISSUER", "https://issuer"), ("JWT_AUDIENCE", "pgbaton")]).await;
    let with = |changes: Value| {
        let mut all = claims();
        all["iss"] = json!("https://issuer");
        all["aud"] = json!("pgbaton");
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
            if value == &json!("absent") {
                all.as_object_mut().unwrap().remove(name);
            }
        }
        all
    };
    let good = with(json!({}));
    assert_eq!(d.call_as(&token(&good), Method::GET, "/backup", "").await.status, StatusCode::OK);

    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let key = EncodingKey::from_secret(KEY.as_bytes());
    // Signed with HS256 whatever the header claims.
    let forged = |header: Value| {
        let message = format!("{}.{}", part(&header), part(&good));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    assert_eq!(
        d.call_as(&forged(json!({"alg": "HS256", "typ": "JWT"})), Method::GET, "/backup", "").await.status,
        StatusCode::OK,
        "the forger itself works"
    );
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none"})), part(&good));
    let other_key = EncodingKey::from_secret(b"another key of at least 32 bytes");
    let mut bad = vec![
        unsigned,
        forged(json!({"alg": "none"})),
        forged(json!({"alg": "RS256"})),
        forged(json!({"alg": "hs256"})),
        forged(json!({"alg": "HS256", "crit": ["b64"], "b64": false})),
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), &good, &key).unwrap(),
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &good, &other_key).unwrap(),
        token(&good)[..token(&good).len() - 2].to_owned(),
        "x.y.z".into(),
        String::new(),
    ];
    for claim in ["exp", "nbf"] {
        for value in
            [json!("absent"), json!(null), json!("9999999999"), json!([1]), json!({}), json!(-1), json!(true)]
        {
            bad.push(token(&with(json!({ claim: value }))));
        }
    }
    for changes in [
        json!({"exp": seconds() - 120}),
        json!({"exp": 0}),
        json!({"nbf": seconds() + 120}),
        json!({"nbf": u64::MAX}),
        json!({"iss": "https://other"}),
        json!({"iss": "absent"}),
        json!({"iss": 1}),
        json!({"aud": "other"}),
        json!({"aud": []}),
        json!({"aud": "absent"}),
        json!({"aud": {"pgbaton": true}}),
    ] {
        bad.push(token(&with(changes)));
    }
    let mut answers = Vec::new();
    for token in bad {
        for (method, path) in
            [(Method::GET, "/backup"), (Method::POST, "/backup"), (Method::GET, "/backup/status")]
        {
            let answer = d.call_as(&token, method, path, "").await;
            answer.problem(401, "unauthorized");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            answers.push(answer.body["detail"].clone());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "no detail on what was wrong");
    assert!(d.invoked.calls.lock().unwrap().is_empty());
    assert!(d.ledger.open().await.unwrap().is_empty());
}

#[tokio::test]
async fn scopes_decide() {
    let d = deployment().await;
    let with = |claims_of: Value| {
        let mut all = claims();
        all.as_object_mut().unwrap().remove("role");
        all.as_object_mut().unwrap().extend(claims_of.as_object().unwrap().clone());
        token(&all)
    };
    let (reader, writer) = (with(json!({"scope": "backup:read"})), with(json!({"scopes": ["backup:write"]})));
    assert_eq!(d.call_as(&reader, Method::GET, "/backup", "").await.status, StatusCode::OK);
    assert_eq!(d.call_as(&writer, Method::POST, "/backup", "").await.status, StatusCode::ACCEPTED);
    d.call_as(&reader, Method::POST, "/backup", "").await.problem(403, "forbidden");
    assert_eq!(d.call_as(&writer, Method::GET, "/backup", "").await.status, StatusCode::OK);
    d.call_as(&reader, Method::DELETE, "/backup/x", "").await.problem(403, "forbidden");
    d.call_as(&with(json!({})), Method::GET, "/backup", "").await.problem(403, "forbidden");
}

#[tokio::test]
async fn without_a_key_nobody_enters_and_a_short_one_is_refused() {
    let d = deployment_with(&[("JWT_SECRET", "")]).await;
    d.get("/backup").await.problem(401, "unauthorized");
    let short = deployment_with(&[("JWT_SECRET", "short")]).await;
    let answer = short.get("/backup").await;
    answer.problem(503, "config");
    assert!(!answer.body.to_string().contains("short"), "nothing about the key: {}", answer.body);
}

#[tokio::test]
async fn the_key_may_be_kept_in_a_secret() {
    let aws = pgbaton_tests::tables::aws().await;
    let mut suffix = [0u8; 6];
    getrandom::fill(&mut suffix).unwrap();
    let name = format!("jwt-{}", hex::encode(suffix));
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    secrets.create_secret().name(&name).secret_string(KEY).send().await.unwrap();
    let d = deployment_with(&[("JWT_SECRET", ""), ("JWT_SECRET_ARN", &name)]).await;
    assert_eq!(d.get("/backup").await.status, StatusCode::OK);
    let lost = deployment_with(&[("JWT_SECRET", ""), ("JWT_SECRET_ARN", "no-such-secret")]).await;
    let answer = lost.get("/backup").await;
    answer.problem(503, "not_found");
    assert!(!answer.body.to_string().contains("no-such-secret"));
}

#[tokio::test]
async fn bad_requests_name_the_field() {
    let d = deployment().await;
    for (body, status, code, field) in [
        ("{", 400, "invalid_input", Value::Null),
        ("[]", 400, "invalid_input", Value::Null),
        (r#"{"tabels": []}"#, 400, "invalid_input", json!("tabels")),
        (r#"{"compress": "yes"}"#, 400, "invalid_input", json!("compress")),
        (r#"{"database": "../x"}"#, 400, "invalid_input", json!("database")),
        (r#"{"databaseSecret": "/x"}"#, 400, "invalid_input", json!("databaseSecret")),
        (r#"{"database": "other"}"#, 404, "not_found", json!("database")),
        (r#"{"incremental": true}"#, 501, "not_available_yet", json!("incremental")),
        (r#"{"exclude_tables": ["a", "a.b.c"]}"#, 400, "invalid_input", json!("exclude_tables[1]")),
        (r#"{"tables": ["a\u0000"]}"#, 400, "invalid_input", json!("tables[0]")),
    ] {
        let answer = d.call(Method::POST, "/backup", body).await;
        answer.problem(status, code);
        assert_eq!(answer.body.get("field").cloned().unwrap_or_default(), field, "{body}");
    }
    d.call(Method::POST, "/backup", &format!("{{\"label\": \"{}\"}}", "x".repeat(2 << 20)))
        .await
        .problem(413, "too_large");
    assert!(d.invoked.calls.lock().unwrap().is_empty());
    assert!(d.ledger.open().await.unwrap().is_empty(), "no record of a refused request");

    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=501", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("limit=5&limit=6", "limit"),
        ("status=done", "status"),
        ("backup_type=x", "backup_type"),
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("database=..%2Fx", "database"),
        ("colour=red", "colour"),
    ] {
        let answer = d.get(&format!("/backup?{query}")).await;
        answer.problem(400, "invalid_input");
        assert_eq!(answer.body["field"], json!(field), "{query}");
    }
    let fine =
        d.get("/backup?limit=1&since=2026-11-21&until=2026-11-22T00:00:00Z&backupType=manual&status=").await;
    assert_eq!(fine.status, StatusCode::OK, "{}", fine.body);
}

#[tokio::test]
async fn an_id_is_an_id() {
    let d = deployment().await;
    for path in [
        "/backup/../x",
        "/backup/..%2Fx",
        "/backup/%2e%2e%2f%2e%2e%2fetc",
        "/backup/..",
        "/backup/%252e%252e%252fx",
        "/backup/x",
        "/backup/%ff",
        "/backup/20261121T020000Z-9f86d08G",
        "/api/backup/20261121T020000Z-9f86d081%00",
    ] {
        let answer = d.get(path).await;
        answer.problem(400, "invalid_input");
        assert_eq!(answer.body["field"], json!("id"), "{path}");
    }
    d.get("/backup/20261121T020000Z-9f86d081").await.problem(404, "not_found");
}

#[tokio::test]
async fn an_export_is_one_file() {
    let d = deployment().await;
    let answer = d.call(Method::POST, "/backup/export", "").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let body = &answer.body;
    assert_eq!((&body["format"], &body["compression"]), (&json!("json"), &json!("gzip")));
    let path = body["filepath"].as_str().unwrap();
    assert!(path.starts_with("s3://") && path.ends_with(".json.gz") && path.contains("/backup-20"), "{path}");
    let asked = r#"{"format": "sql", "inserts": true, "compress": false}"#;
    let sql = d.call(Method::POST, "/backup/export", asked).await;
    assert!(sql.body["filepath"].as_str().unwrap().ends_with(".sql"), "{}", sql.body);
    for refused in
        [r#"{"format": "csv"}"#, r#"{"format": "archive"}"#, r#"{"format": "sql", "includeHistory": true}"#]
    {
        d.call(Method::POST, "/backup/export", refused).await.problem(400, "invalid_input");
    }
}

#[tokio::test]
async fn other_calls_say_what_they_are() {
    let d = deployment().await;
    for (method, path) in [
        (Method::GET, "/backup/conflicts".to_owned()),
        (Method::POST, "/backup/conflicts/orders/7/resolve".into()),
    ] {
        d.call(method, &path, "").await.problem(501, "not_available_yet");
    }
    for path in ["/", "/backups", "/backup/a/b/c", "/api/admin"] {
        d.get(path).await.problem(404, "not_found");
    }
    let wrong = d.call(Method::PATCH, "/backup", "").await;
    wrong.problem(405, "method_not_allowed");
    let allow = wrong.headers["allow"].to_str().unwrap();
    assert!(["GET", "POST", "PUT"].iter().all(|m| allow.contains(m)), "{allow}");
    d.call(Method::POST, "/api/admin/backup/latest", "").await.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn pages_follow_their_cursor() {
    let d = deployment().await;
    for _ in 0..5 {
        assert_eq!(d.call(Method::POST, "/backup", "").await.status, StatusCode::ACCEPTED);
    }
    let (mut seen, mut path) = (Vec::new(), "/backup?limit=2".to_owned());
    loop {
        let page = d.get(&path).await;
        seen.extend(
            page.body["backups"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()),
        );
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/backup?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn health_needs_no_token_and_tells_no_secret() {
    let d = deployment().await;
    let ask =
        || async { d.send(Request::builder().uri("/api/backup/health").body(Body::empty()).unwrap()).await };
    let answer = ask().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "there is no bucket");
    assert_eq!(answer.body, json!({"status": "unavailable", "failing": ["bucket"]}));

    let aws = pgbaton_tests::tables::aws().await;
    let s3 = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
    let mut suffix = [0u8; 6];
    getrandom::fill(&mut suffix).unwrap();
    let bucket = format!("health-{}", hex::encode(suffix));
    aws_sdk_s3::Client::from_conf(s3).create_bucket().bucket(&bucket).send().await.unwrap();
    let d = deployment_with(&[("BACKUP_BUCKET", &bucket)]).await;
    let answer = d.send(Request::builder().uri("/backup/health").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({"status": "ok"})));
}

#[tokio::test]
async fn a_missing_table_is_no_fault_of_the_caller() {
    let d = deployment_with(&[("BACKUP_TABLE", "no-such-table")]).await;
    for (method, path) in [
        (Method::POST, "/backup"),
        (Method::GET, "/backup"),
        (Method::GET, "/backup/latest"),
        (Method::GET, "/backup/20261121T020000Z-9f86d081"),
    ] {
        d.call(method, path, "").await.problem(503, "not_found");
    }
    assert!(d.invoked.calls.lock().unwrap().is_empty(), "nothing starts without a record");
}

#[tokio::test]
async fn a_service_switched_off_says_so() {
    let d = deployment_with(&[("ENABLE_BACKUP_SERVICE", "false")]).await;
    d.call(Method::POST, "/backup", "").await.problem(503, "service_disabled");
    d.get("/backup").await.problem(503, "service_disabled");
}

#[tokio::test]
async fn a_restore_is_not_a_backup() {
    let d = deployment().await;
    let asked = d.call(Method::POST, "/backup", "").await;
    let id = RunId::parse(asked.body["id"].as_str().unwrap()).unwrap();
    let mut restore = d.ledger.get(&id).await.unwrap();
    restore.id = RunId::random(clock::now()).unwrap();
    restore.kind = pgbaton::ledger::RunKind::Restore;
    d.ledger.create(&restore).await.unwrap();
    let answer = d.get(&format!("/backup/{}", restore.id)).await;
    answer.problem(404, "not_found");
    assert!(answer.body["detail"].as_str().unwrap().contains("restore"));
    let failure = Failure { code: "x".into(), message: "y".into(), warnings: vec![] };
    d.ledger.fail_pending(&restore.id, &failure).await.unwrap();
    assert_eq!(d.get("/backup").await.body["backups"].as_array().unwrap().len(), 1);
}
