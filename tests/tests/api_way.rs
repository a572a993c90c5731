//! The API from end to end: through the HTTP front, over the function, to a finished backup.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use jsonwebtoken::{EncodingKey, Header};
use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
    host::Answer,
};
use serde_json::{Value, json};

const KEY: &str = "a shared secret of more than thirty-two bytes";

fn token(claims: Value) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut all = json!({"sub": "ann", "exp": now + 300, "nbf": now - 5});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    format!(
        "Bearer {}",
        jsonwebtoken::encode(&Header::default(), &all, &EncodingKey::from_secret(KEY.as_bytes())).unwrap()
    )
}

async fn call(d: &Deployment, method: &str, path: &str, token: &str, body: Value) -> Answer {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", token));
    }
    d.host.call(method, &format!("{}{path}", d.host.front_url), &headers, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_asked_for_by_http_is_made() {
    let database =
        Database::of("api_way", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 10) g").await;
    let wishes = Wishes::default().with("DATABASE_URL", &database.url).with("JWT_SECRET", KEY);
    let d = Deployment::with(wishes).await;
    let admin = token(json!({"role": "admin"}));
    let get = async |path: &str| call(&d, "GET", path, &admin, Value::Null).await;

    let health = call(&d, "GET", "/backup/health", "", Value::Null).await;
    assert_eq!((health.status.as_u16(), health.json()), (200, json!({"status": "ok"})));
    for (method, path) in [("GET", "/backup"), ("POST", "/backup"), ("GET", "/backup/latest")] {
        for bad in ["", "Bearer x.y.z", &token(json!({"exp": 1}))] {
            let answer = call(&d, method, path, bad, Value::Null).await;
            assert_eq!(answer.status, 401, "{method} {path} {bad}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
    let reader = token(json!({"scope": "backup:read"}));
    assert_eq!(call(&d, "POST", "/backup", &reader, json!({})).await.status, 403);
    assert_eq!(get("/backup/latest").await.status, 404);
    let wrong = call(&d, "POST", "/backup", &admin, json!({"frobnicate": 1})).await;
    assert_eq!(wrong.status, 400);
    assert!(d.records().await.is_empty());

    let answer =
        call(&d, "POST", "/backup", &admin, json!({"label": "by hand", "compression": "gzip"})).await;
    assert_eq!(answer.status, 202);
    let asked = answer.json();
    assert_eq!((&asked["status"], &asked["created_by"]), (&json!("pending"), &json!("ann")));
    let id = asked["id"].as_str().unwrap();
    d.until("completed", |r| r.iter().all(|r| r.status.is_final())).await;
    let done = get(&format!("/backup/{id}")).await.json();
    assert_eq!((&done["status"], &done["record_count"]), (&json!("completed"), &json!(10)), "{done}");
    assert_eq!((&done["label"], &done["compression"]), (&json!("by hand"), &json!("gzip")));
    assert_eq!(get("/backup/latest").await.json()["id"], id);
    let list = get("/api/admin/backup?limit=5").await.json();
    assert_eq!(list["backups"].as_array().unwrap().len(), 1);
    assert_eq!(d.records().await[0].status, Status::Completed);
    d.keeps_secret(KEY).await;
    d.keeps_secret(&database.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_fetched_without_credentials() {
    let database =
        Database::of("api_export", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 10) g").await;
    let wishes = Wishes::default().with("DATABASE_URL", &database.url).with("JWT_SECRET", KEY);
    let d = Deployment::with(wishes).await;
    let restorer = token(json!({"scope": "backup:restore"}));
    let reader = token(json!({"scope": "backup:read"}));
    assert_eq!(call(&d, "POST", "/backup/export", &reader, Value::Null).await.status, 403);
    let answer =
        call(&d, "POST", "/backup/export", &restorer, json!({"includeHistory": true, "compression": "none"}))
            .await;
    assert_eq!(answer.status, 202);
    let asked = answer.json();
    d.until("completed", |r| r.iter().all(|r| r.status == Status::Completed)).await;
    let id = asked["id"].as_str().unwrap();
    let files = call(&d, "GET", &format!("/backup/{id}/download"), &restorer, Value::Null).await.json();
    let name = asked["filepath"].as_str().unwrap().rsplit('/').next().unwrap();
    let file = files["files"].as_array().unwrap().iter().find(|f| f["file"] == name).unwrap();
    let fetched = d.host.call("GET", file["url"].as_str().unwrap(), &[], Vec::new()).await.json();
    assert_eq!(fetched["tables"][0]["row_count"], 10);
    assert_eq!(fetched["history"][0]["id"], id);
    assert!(files["commands"][1].as_str().unwrap().contains("json.tool"), "{files}");
}
