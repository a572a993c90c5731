//! Calls about what is there: restores, histories, deletions, retention, status, downloads; each over HTTP, against the real functions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use jsonwebtoken::{EncodingKey, Header};
use pgbaton::ledger::{ListQuery, RunKind};
use pgbaton_tests::{
    database::{Database, successful},
    deployment::{Deployment, Wishes},
    host::Answer,
};
use serde_json::{Value, json};

const KEY: &str = "a shared secret of more than thirty-two bytes";

struct Scene {
    d: Deployment,
    main: Database,
    /// The server of BACKUP; restores make databases of their own beside it.
    _second: Database,
    admin: String,
}

impl Scene {
    async fn set(name: &str) -> Self {
        let main = Database::of(
            name,
            "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS t FROM generate_series(1, 1000) g",
        )
        .await;
        let second = Database::empty(&format!("{name}_second")).await;
        let wishes = Wishes::default()
            .with("DATABASE_URL", &main.url)
            .with("BACKUP_DATABASE_URL", &second.url)
            .with("JWT_SECRET", KEY);
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({"sub": "ann", "role": "admin", "exp": now + 900, "nbf": now - 5});
        let token =
            jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(KEY.as_bytes()));
        Self {
            d: Deployment::with(wishes).await,
            main,
            _second: second,
            admin: format!("Bearer {}", token.unwrap()),
        }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let headers = [("content-type", "application/json"), ("authorization", self.admin.as_str())];
        self.d.host.call(method, &format!("{}{path}", self.d.host.front_url), &headers, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
        answer.json()
    }

    async fn refused(&self, method: &str, path: &str, body: Value, status: u16, code: &str) -> String {
        let answer = self.call(method, path, body).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {problem}"
        );
        problem["detail"].as_str().unwrap().to_owned()
    }

    /// A backup by a call, once it is completed.
    async fn backup(&self) -> String {
        let asked = self.call("POST", "/backup", json!({})).await;
        assert_eq!(asked.status, 202);
        self.ended("", asked.json()["id"].as_str().unwrap(), "completed").await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The record of a run, once it has ended with this status.
    async fn ended(&self, below: &str, id: &str, status: &str) -> Value {
        let record = self.end(below, id).await;
        assert_eq!(record["status"], status, "{record}");
        record
    }

    /// The record of a run, once it has ended.
    async fn end(&self, below: &str, id: &str) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let record = self.get(&format!("/backup{below}/{id}")).await;
            if matches!(record["status"].as_str(), Some("completed" | "failed")) {
                return record;
            }
            assert!(begun.elapsed().as_secs() < 60, "{record}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_asked_for_by_http_is_made() {
    let s = Scene::set("calls_restore").await;
    let backup = s.backup().await;
    for (method, path) in [("POST", "/backup/restore"), ("PUT", "/api/admin/backup")] {
        let copy = Database::absent("calls_copy");
        let asked =
            s.call(method, path, json!({"backupId": backup, "target": "BACKUP", "as": copy.name})).await;
        assert_eq!(asked.status, 202, "{:?}", asked.body);
        let asked = asked.json();
        assert_eq!(
            (&asked["status"], &asked["kind"], &asked["created_by"]),
            (&json!("pending"), &json!("restore"), &json!("ann"))
        );
        let done = s.ended("/restores", asked["id"].as_str().unwrap(), "completed").await;
        assert_eq!((&done["record_count"], &done["backup_id"]), (&json!(1000), &json!(backup)));
        assert_eq!(copy.contents().await, s.main.contents().await);
    }
    assert_eq!(s.get("/backup/restores?limit=10").await["restores"].as_array().unwrap().len(), 2);
    // Over a live database: told what stands there, and nothing is touched.
    let before = s.main.contents().await;
    let asked = s.call("POST", "/backup/restore", json!({"backupId": backup, "target": "MAIN"})).await.json();
    let failed = s.ended("/restores", asked["id"].as_str().unwrap(), "failed").await;
    assert!(failed["message"].as_str().unwrap().contains("public.t"), "{failed}");
    assert_eq!(s.main.contents().await, before);

    // A backup and two restores of an earlier one, all at once.
    let copies = [Database::absent("calls_beside"), Database::absent("calls_beside")];
    let beside = s.call("POST", "/backup", Value::Null).await.json();
    let mut asked_for = Vec::new();
    for copy in &copies {
        let body = json!({"backupId": backup, "target": "MAIN", "as": copy.name});
        asked_for.push(s.call("POST", "/backup/restore", body).await.json());
    }
    s.ended("", beside["id"].as_str().unwrap(), "completed").await;
    for (asked, copy) in asked_for.iter().zip(&copies) {
        s.ended("/restores", asked["id"].as_str().unwrap(), "completed").await;
        assert_eq!(copy.contents().await, before);
    }
    // Two into one: the second finds what the first has made.
    let one = Database::absent("calls_both");
    let body = json!({"backupId": backup, "target": "MAIN", "as": one.name});
    let mut ends = Vec::new();
    let both = [
        s.call("POST", "/backup/restore", body.clone()).await,
        s.call("POST", "/backup/restore", body).await,
    ];
    for asked in both {
        let id = asked.json()["id"].as_str().unwrap().to_owned();
        ends.push(s.end("/restores", &id).await["status"].as_str().unwrap().to_owned());
    }
    ends.sort();
    assert_eq!(ends, ["completed", "failed"]);
    assert_eq!(one.contents().await, before);

    let id = "20261121T020000Z-9f86d081";
    for (body, status, code) in [
        (json!({}), 400, "invalid_input"),
        (json!({"backupId": backup}), 400, "invalid_input"),
        (json!({"backupId": id, "target": "BACKUP"}), 404, "not_found"),
        (json!({"backupId": asked["id"], "target": "BACKUP"}), 400, "invalid_input"),
        (json!({"backupId": backup, "target": "postgresql://u:hunter2@h/d"}), 400, "invalid_input"),
        (
            json!({"backupId": backup, "targetSecret": "arn:aws:secretsmanager:x:1:secret:y", "target": "BACKUP"}),
            400,
            "invalid_input",
        ),
        (
            json!({"backupId": backup, "target": "BACKUP", "pointInTime": "2026-11-21T02:00:00Z"}),
            501,
            "not_available_yet",
        ),
        (
            json!({"backupId": backup, "target": "BACKUP", "dataOnly": true, "dropExisting": true}),
            400,
            "invalid_input",
        ),
        (
            json!({"backupId": backup, "target": "BACKUP", "tables": ["t\"; DROP TABLE t; --"]}),
            400,
            "invalid_input",
        ),
        (json!({"filepath": "../../x/", "target": "BACKUP"}), 400, "invalid_input"),
        (json!({"backupId": backup, "target": "nobody"}), 404, "not_found"),
    ] {
        let detail = s.refused("POST", "/backup/restore", body, status, code).await;
        assert!(!detail.contains("hunter2"), "{detail}");
    }
    s.refused("GET", &format!("/backup/restores/{backup}"), Value::Null, 404, "not_found").await;
    assert_eq!(
        s.get("/backup/restores").await["restores"].as_array().unwrap().len(),
        7,
        "a refusal leaves no record"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_gone_and_told_and_the_last_good_one_stays() {
    let s = Scene::set("calls_delete").await;
    let (first, second, third) = (s.backup().await, s.backup().await, s.backup().await);
    for query in ["", "?objects=true", "?force=false"] {
        let why = s.refused("DELETE", &format!("/backup/{third}{query}"), Value::Null, 409, "conflict").await;
        assert!(why.contains("newest good one of main") && why.contains("force=true"), "{why}");
    }
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"sub": "bob", "scope": "backup:read backup:write", "exp": now + 900, "nbf": now - 5});
    let token =
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(KEY.as_bytes())).unwrap();
    let writer = format!("Bearer {token}");
    for (method, path, body) in [
        ("DELETE", format!("/backup/{first}"), ""),
        ("POST", "/backup/retention/run".to_owned(), r#"{"dryRun": false}"#),
    ] {
        let url = format!("{}{path}", s.d.host.front_url);
        let answer = s.d.host.call(method, &url, &[("authorization", &writer)], body.into()).await;
        assert_eq!(answer.status, 403, "{method} {path}");
    }
    for query in ["?objects=1", "?objects=yes", "?frobnicate=true", "?objects=true&objects=true"] {
        s.refused("DELETE", &format!("/backup/{first}{query}"), Value::Null, 400, "invalid_input").await;
    }
    s.refused("DELETE", "/backup/20261121T020000Z-9f86d081", Value::Null, 404, "not_found").await;

    let before = s.d.objects().await;
    let removed = s.call("DELETE", &format!("/backup/{first}"), Value::Null).await;
    assert_eq!(removed.status, 200);
    let left = removed.json()["objects_left_at"].as_str().unwrap().to_owned();
    assert!(left.ends_with(&format!("/{first}/")), "{left}");
    assert_eq!(s.d.objects().await, before);
    s.refused("GET", &format!("/backup/{first}"), Value::Null, 404, "not_found").await;
    // What stays can be restored from its place.
    let copy = Database::absent("calls_left");
    let asked = s
        .call("POST", "/backup/restore", json!({"filepath": left, "target": "BACKUP", "as": copy.name}))
        .await;
    assert_eq!(asked.status, 202, "{:?}", asked.body);
    let restore = s.ended("/restores", asked.json()["id"].as_str().unwrap(), "completed").await;
    assert_eq!(copy.contents().await, s.main.contents().await);

    let removed = s.call("DELETE", &format!("/backup/{second}?objects=true"), Value::Null).await;
    assert_eq!(removed.status, 200, "{:?}", removed.body);
    assert!(removed.json()["objects"].as_u64().unwrap() >= 3, "{}", removed.json());
    assert!(!s.d.objects().await.iter().any(|o| o.contains(&second)));
    let removed = s.call("DELETE", &format!("/backup/{third}?objects=true&force=true"), Value::Null).await;
    assert_eq!(removed.status, 200);
    assert!(!s.d.objects().await.iter().any(|o| o.contains(&third)));

    let history = s.get("/backup/history?limit=50").await;
    let kinds: Vec<(&str, &str)> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["kind"].as_str().unwrap(), r["backup_id"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(kinds.iter().filter(|(kind, _)| *kind == "deletion").count(), 3);
    assert!(
        kinds.contains(&("deletion", &first))
            && kinds.contains(&("deletion", &third))
            && kinds.iter().any(|(kind, _)| *kind == "restore")
    );
    // In pages of one, the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = s.get(&format!("/backup/history?limit=1&cursor={cursor}")).await;
        paged.extend(page["history"].as_array().unwrap().iter().map(|r| r["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    let all: Vec<Value> = history["history"].as_array().unwrap().iter().map(|r| r["id"].clone()).collect();
    assert_eq!(paged, all);
    s.refused("GET", "/backup/history?cursor=forged", Value::Null, 400, "invalid_input").await;
    // The record of a restore goes too, that of a deletion does not.
    let deletion =
        s.d.tables.ledger.list(&ListQuery::of(RunKind::Deletion)).await.unwrap().records[0].id.clone();
    s.refused("DELETE", &format!("/backup/{deletion}?force=true"), Value::Null, 409, "conflict").await;
    assert_eq!(
        s.call("DELETE", &format!("/backup/{}", restore["id"].as_str().unwrap()), Value::Null).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_statistics_and_retention_say_how_things_stand() {
    let s = Scene::set("calls_status").await;
    let none = s.get("/backup/status").await;
    assert_eq!((&none["running"], &none["databases"][0]["health"]), (&json!(false), &json!("unknown")));
    assert_eq!(s.get("/backup/stats").await["total"], 0);
    let backup = s.backup().await;
    s.d.backup("postgresql://u@127.0.0.1:1/d", json!({"database": "broken"})).await.unwrap_err();
    let status = s.get("/backup/status").await;
    assert_eq!(
        (&status["last_backup"]["id"], &status["consecutive_failures"]),
        (&json!(backup), &json!(1)),
        "{status}"
    );
    let health: Vec<(&str, &str)> = status["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["name"].as_str().unwrap(), d["health"].as_str().unwrap()))
        .collect();
    assert_eq!(health, [("broken", "failing"), ("main", "ok")]);
    let stats = s.get("/backup/stats?since=2020-01-01").await;
    assert_eq!(
        (&stats["total"], &stats["success_rate"], &stats["by_status"]["failed"]),
        (&json!(2), &json!(0.5), &json!(1))
    );
    assert!(
        stats["compression_ratio"].as_f64().unwrap() > 0.0
            && stats["duration_ms"]["p95"].as_u64().unwrap() > 0
    );
    assert_eq!(s.get("/backup/stats?database=main").await["total"], 1);
    for bad in ["/backup/stats?since=yesterday", "/backup/stats?database=../x", "/backup/status?x=1"] {
        s.refused("GET", bad, Value::Null, 400, "invalid_input").await;
    }

    let plan = s.call("POST", "/backup/retention/run", json!({})).await;
    assert_eq!(plan.status, 200, "{:?}", plan.body);
    let plan = plan.json();
    let line = plan["plan"].as_array().unwrap().iter().find(|l| l["id"] == backup.as_str()).unwrap();
    assert_eq!(
        (&plan["dry_run"], &line["reason"]),
        (&json!(true), &json!("it is the newest good backup of main"))
    );
    let done = s.call("POST", "/backup/retention/run", json!({"dryRun": false})).await.json();
    assert_eq!((&done["dry_run"], &done["removed"]), (&json!(false), &json!([])));
    s.refused("POST", "/backup/retention/run", json!({"dryRun": "no"}), 400, "invalid_input").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_restored_by_stock_pg_restore() {
    let s = Scene::set("calls_download").await;
    let asked = s.call("POST", "/backup", json!({"compression": "gzip"})).await.json();
    let id = asked["id"].as_str().unwrap().to_owned();
    s.ended("", &id, "completed").await;
    let folder = std::env::temp_dir().join(pgbaton_tests::unique("download"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut cursor = String::new();
    loop {
        let page = s.get(&format!("/backup/{id}/download?limit=2&expires_in=60&cursor={cursor}")).await;
        assert_eq!((&page["expires_in"], page["commands"].as_array().unwrap().len()), (&json!(60), 2));
        for file in page["files"].as_array().unwrap() {
            let answer = s.d.host.call("GET", file["url"].as_str().unwrap(), &[], Vec::new()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.len() as u64),
                (200, file["bytes"].as_u64().unwrap())
            );
            std::fs::write(folder.join(file["file"].as_str().unwrap()), &answer.body).unwrap();
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    let copy = Database::empty("calls_downloaded").await;
    successful(
        "pg_restore",
        &["--no-owner", "--exit-on-error", "--dbname", &copy.url, folder.to_str().unwrap()],
    );
    assert_eq!(copy.contents().await, s.main.contents().await);
    std::fs::remove_dir_all(&folder).unwrap();
    for (query, code) in [("expires_in=3601", 400), ("expires_in=-1", 400), ("limit=0", 400), ("x=1", 400)] {
        s.refused("GET", &format!("/backup/{id}/download?{query}"), Value::Null, code, "invalid_input").await;
    }
    s.d.backup("postgresql://u@127.0.0.1:1/d", json!({})).await.unwrap_err();
    let failed = s.d.newest().await.id;
    s.refused("GET", &format!("/backup/{failed}/download"), Value::Null, 409, "conflict").await;
}
