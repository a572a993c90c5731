//! The registry of databases from end to end: registered by HTTP, backed up and restored by name, tested, removed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use jsonwebtoken::{EncodingKey, Header};
use pgbaton::{
    base::{clock, id::DatabaseName},
    ledger::{DatabaseSource, Record, Registered, Status},
};
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    host::Answer,
    roles::{Roles, quoted, url_as},
};
use serde_json::{Value, json};

const KEY: &str = "a shared secret of more than thirty-two bytes";

fn token(claims: Value) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut all = json!({"sub": "ann", "exp": now + 300, "nbf": now - 5});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let key = EncodingKey::from_secret(KEY.as_bytes());
    format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &all, &key).unwrap())
}

struct Scene {
    d: Deployment,
    admin: String,
}

impl Scene {
    async fn set(wishes: Wishes) -> Self {
        let d = Deployment::with(wishes.with("JWT_SECRET", KEY)).await;
        Self { d, admin: token(json!({"role": "admin"})) }
    }

    async fn call_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let headers = [("content-type", "application/json"), ("authorization", token)];
        self.d.host.call(method, &format!("{}{path}", self.d.host.front_url), &headers, body).await
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_as(&self.admin, method, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
        answer.json()
    }

    /// Registers a database; the answer's body.
    async fn put(&self, name: &str, body: Value) -> Value {
        let answer = self.call("PUT", &format!("/backup/databases/{name}"), body).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
        answer.json()
    }

    /// The status, code and field of a problem.
    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String, Value, String) {
        let answer = self.call(method, path, body.clone()).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path} {body}");
        let p = answer.json();
        let text = |name: &str| p[name].as_str().unwrap_or_default().to_owned();
        (answer.status.as_u16(), text("code"), p["field"].clone(), text("detail"))
    }

    /// Asks for a backup by HTTP and waits for its end.
    async fn backup(&self, body: Value) -> Record {
        let answer = self.call("POST", "/backup", body).await;
        assert_eq!(answer.status, 202, "{:?}", answer.body);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let ended = |r: &[Record]| r.iter().any(|r| r.id.as_str() == id && r.status.is_final());
        let all = self.d.until("ended", ended).await;
        all.into_iter().find(|r| r.id.as_str() == id).unwrap()
    }
}

async fn filled(prefix: &str, rows: u32) -> Database {
    Database::of(prefix, &format!("CREATE TABLE t AS SELECT g AS id FROM generate_series(1, {rows}) g")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_are_backed_up_and_restored_by_name() {
    let s = Scene::set(Wishes::default()).await;
    let (shop, store, copy) =
        (filled("shop", 10).await, filled("store", 20).await, Database::empty("copy").await);
    let second = Database::empty("second").await;
    let (shop_secret, copy_secret) = (s.d.secret(&shop.url).await, s.d.secret(&copy.url).await);

    // None is registered, none configured: what is missing is said where it is missed.
    let none = s.backup(json!({})).await;
    assert!(none.message.as_deref().unwrap().contains("no database is configured"), "{none:?}");

    let put = s.put(
        "shop",
        json!({
            "main": shop_secret, "backup": s.d.secret(&second.url).await, "retention": {"days": 7},
            "defaults": {"compression": "gzip", "label": "by default"}
        }),
    );
    let put = put.await;
    assert_eq!(
        (&put["version"], &put["created_by"], &put["configured"]),
        (&json!(1), &json!("ann"), &json!(false))
    );
    assert_eq!(put["main"], json!(shop_secret));

    // One is registered: it is the default one.
    let first = s.backup(json!({"label": "by hand"})).await;
    assert_eq!((first.status, first.record_count), (Status::Completed, Some(10)), "{first:?}");
    assert_eq!((first.database.as_str(), first.compression.as_deref()), ("shop", Some("gzip")));
    assert_eq!(first.label.as_deref(), Some("by hand"));
    let kept = first.expires_at.unwrap().duration_since(first.created_at);
    assert_eq!(kept.as_hours(), 7 * 24);

    s.put("store", json!({"main": s.d.secret(&store.url).await})).await;
    s.put("copy", json!({"main": copy_secret})).await;
    let (status, code, field, detail) = s.refused("POST", "/backup", json!({})).await;
    assert_eq!((status, code.as_str(), field), (400, "invalid_input", json!("database")));
    assert!(detail.contains("copy, shop, store"), "{detail}");
    let (status, _, field, detail) = s.refused("POST", "/backup", json!({"database": "shoop"})).await;
    assert_eq!((status, field), (404, json!("database")));
    assert!(detail.contains("shoop") && detail.contains("copy, shop, store"), "{detail}");
    let other = s.backup(json!({"database": "store", "compress": false})).await;
    assert_eq!((other.status, other.record_count), (Status::Completed, Some(20)), "{other:?}");

    // As a schedule does it.
    let event = json!({"database": "shop", "scheduleId": "nightly", "eventId": "nightly/1"});
    let scheduled: Record =
        serde_json::from_value(s.d.host.invoke("scheduled-backup", &event).await.unwrap()).unwrap();
    assert_eq!((scheduled.database.as_str(), scheduled.record_count), ("shop", Some(10)));
    assert_eq!(
        (scheduled.label.as_deref(), scheduled.compression.as_deref()),
        (Some("by default"), Some("gzip"))
    );
    let unknown = s.d.host.invoke("scheduled-backup", &json!({"database": "x"})).await.unwrap_err();
    assert!(
        unknown.contains("no database is registered under the name x; there is copy, shop, store"),
        "{unknown}"
    );

    // A registered name as target, and BACKUP of a database.
    let restore = async |target: Value| {
        let mut event = json!({"backupId": first.id});
        event.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        s.d.host.invoke("restore", &event).await
    };
    let into_copy = restore(json!({"target": "copy"})).await.unwrap();
    assert_eq!(
        (&into_copy["status"], &into_copy["target"]),
        (&json!("completed"), &json!("copy")),
        "{into_copy}"
    );
    assert_eq!(copy.contents().await, shop.contents().await);
    let into_second = restore(json!({"target": "BACKUP", "database": "shop"})).await.unwrap();
    assert_eq!(into_second["target"], "BACKUP of shop");
    assert_eq!(second.contents().await, shop.contents().await);
    // MAIN of shop is not empty: it is shop that was reached.
    let full = restore(json!({"target": "MAIN", "database": "shop"})).await.unwrap_err();
    assert!(full.contains(&shop.name) && full.contains("is not empty"), "{full}");
    for (target, part) in [
        (
            json!({"target": "nobody"}),
            "no database is registered under the name nobody; there is copy, shop, store",
        ),
        (json!({"target": "BACKUP", "database": "copy"}), "copy has no second database"),
        (json!({"target": "MAIN"}), "several databases are registered, say which: copy, shop, store"),
    ] {
        let error = restore(target.clone()).await.unwrap_err();
        assert!(error.contains(part), "{target}: {error}");
        assert_eq!(s.d.newest().await.status, Status::Failed, "{target}");
    }

    // The list, whole and in pages.
    let names = |page: &Value| -> Vec<String> {
        page["databases"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = s.get("/backup/databases").await;
    assert_eq!(
        (names(&all), &all["next_cursor"]),
        (vec!["copy".into(), "shop".into(), "store".into()], &Value::Null)
    );
    let page = s.get("/api/admin/backup/databases?limit=2").await;
    assert_eq!(names(&page), ["copy", "shop"]);
    let page =
        s.get(&format!("/backup/databases?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!((names(&page), &page["next_cursor"]), (vec!["store".into()], &Value::Null));

    // Removed: what was stored stays, and the name is unknown.
    let gone = s.call("DELETE", "/backup/databases/shop", Value::Null).await.json();
    assert_eq!((&gone["removed"]["name"], &gone["backups"]), (&json!("shop"), &json!(2)), "{gone}");
    assert!(
        gone["stays"].to_string().contains("2 of them completed")
            && gone["stays"].to_string().contains("schedules")
    );
    assert_eq!(s.refused("DELETE", "/backup/databases/shop", Value::Null).await.0, 404);
    assert_eq!(s.refused("POST", "/backup", json!({"database": "shop"})).await.0, 404);
    assert!(
        s.d.objects().await.iter().any(|k| k.starts_with("backups/shop/") && k.ends_with("manifest.json"))
    );
    assert_eq!(s.d.record(&first.id).await.status, Status::Completed);
    for database in [&shop, &store, &copy, &second] {
        s.d.keeps_secret(&database.url).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_and_leaves_nothing() {
    let s = Scene::set(Wishes::default()).await;
    for (name, body, status, field) in [
        ("shop", json!({}), 400, "main"),
        ("shop", json!({"main": "postgresql://u:hunter2@h/d"}), 400, "main"),
        ("shop", json!({"main": "host=h password=hunter2"}), 400, "main"),
        (
            "shop",
            json!({"main": {"host": "h", "dbname": "d", "user": "u", "password": "hunter2"}}),
            400,
            "main.password",
        ),
        (
            "shop",
            json!({"main": {"host": "h", "dbname": "d", "user": "u", "sslmode": "require"}}),
            400,
            "main.sslmode",
        ),
        ("shop", json!({"main": "/x", "retention": {"days": 0}}), 400, "retention.days"),
        ("shop", json!({"main": "/x", "retention": {"hourly": 1}}), 400, "retention.hourly"),
        ("shop", json!({"main": "/x", "defaults": {"compression": "lzma"}}), 400, "defaults.compression"),
        ("shop", json!({"main": "/x", "defaults": {"incremental": true}}), 501, "defaults.incremental"),
        ("shop", json!({"main": "/x", "password": "hunter2"}), 400, "password"),
        ("shop", json!({"main": "/x", "version": 3}), 409, "version"),
        ("MAIN", json!({"main": "/x"}), 400, "name"),
        ("backup", json!({"main": "/x"}), 400, "name"),
        ("a%2Fb", json!({"main": "/x"}), 400, "name"),
        ("-x", json!({"main": "/x"}), 400, "name"),
        ("a%00b", json!({"main": "/x"}), 400, "name"),
        ("%F0%9F%92%A9", json!({"main": "/x"}), 400, "name"),
    ] {
        let (got, _, at, detail) = s.refused("PUT", &format!("/backup/databases/{name}"), body.clone()).await;
        assert_eq!((got, &at), (status, &json!(field)), "{name} {body}: {detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }
    for query in ["limit=0", "limit=501", "cursor=../x", "colour=red"] {
        assert_eq!(
            s.refused("GET", &format!("/backup/databases?{query}"), Value::Null).await.0,
            400,
            "{query}"
        );
    }
    assert_eq!(s.get("/backup/databases").await["databases"], json!([]));

    // Who may.
    let claims = [("backup:read", 200, 403), ("backup:write", 200, 403), ("backup:admin", 200, 201)];
    for (scope, read, write) in claims {
        let token = token(json!({"scope": scope}));
        assert_eq!(s.call_as(&token, "GET", "/backup/databases", Value::Null).await.status, read, "{scope}");
        let put = s.call_as(&token, "PUT", "/backup/databases/shop", json!({"main": "/shop/url"})).await;
        assert_eq!(put.status, write, "{scope}");
        let delete = s.call_as(&token, "DELETE", "/backup/databases/other", Value::Null).await;
        assert_eq!(delete.status, if write == 201 { 404 } else { 403 }, "{scope}");
    }
    assert_eq!(s.call_as("Bearer x", "GET", "/backup/databases", Value::Null).await.status, 401);
    assert_eq!(s.call_as("Bearer x", "GET", "/backup/test-connections", Value::Null).await.status, 401);

    // Versions: of two who read the same, one is told.
    let second = json!({"main": "/shop/url", "defaults": {"label": "a"}, "version": 1});
    assert_eq!(s.put("shop", second.clone()).await["version"], 2);
    // The same once more, as after an answer that was lost.
    assert_eq!(s.put("shop", second).await["version"], 2);
    let late = json!({"main": "/shop/url", "defaults": {"label": "b"}, "version": 1});
    let (status, code, _, detail) = s.refused("PUT", "/backup/databases/shop", late).await;
    assert_eq!((status, code.as_str()), (409, "conflict"), "{detail}");
    assert_eq!(s.refused("DELETE", "/backup/databases/shop?version=1", Value::Null).await.0, 409);
    assert_eq!(s.call("DELETE", "/backup/databases/shop?version=2", Value::Null).await.status, 200);

    // Of many at once each is there in the end.
    let s = &s;
    let puts = (0..8).map(|n| async move { s.put(&format!("db{n}"), json!({"main": "/x"})).await });
    futures_util::future::join_all(puts).await;
    assert_eq!(s.get("/backup/databases").await["databases"].as_array().unwrap().len(), 8);
    s.d.keeps_secret("hunter2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configured_database_is_in_the_list() {
    let main = filled("configured", 5).await;
    let s = Scene::set(Wishes::default().with("DATABASE_URL", &main.url).with("DATABASE_LABEL", "crm")).await;
    let list = s.get("/backup/databases").await;
    assert_eq!(list["databases"].as_array().unwrap().len(), 1);
    let entry = &list["databases"][0];
    assert_eq!(
        (&entry["name"], &entry["configured"], &entry["main"]),
        (&json!("crm"), &json!(true), &Value::Null)
    );
    assert!(!list.to_string().contains(&main.name));
    let (status, code, ..) = s.refused("DELETE", "/backup/databases/crm", Value::Null).await;
    assert_eq!((status, code.as_str()), (409, "conflict"));
    let (status, _, field, _) = s.refused("PUT", "/backup/databases/crm", json!({"main": "/x"})).await;
    assert_eq!((status, field), (400, json!("main")));
    s.put("crm", json!({"defaults": {"compress": false}, "retention": {"last": 3}})).await;
    s.put("other", json!({"main": "/other/url"})).await;
    // It stays the default one, with its defaults; rules without days let nothing expire by its age.
    let record = s.backup(json!({})).await;
    assert_eq!((record.database.as_str(), record.status), ("crm", Status::Completed), "{record:?}");
    assert_eq!((record.compression.as_deref(), record.expires_at), (Some("none"), None));
    assert_eq!(s.refused("DELETE", "/backup/databases/crm", Value::Null).await.0, 409);
    // A secret that is not there is found when it is needed.
    let record = s.backup(json!({"database": "other"})).await;
    assert_eq!(
        (record.status, record.error_code.as_deref()),
        (Status::Failed, Some("not_found")),
        "{record:?}"
    );
    assert!(record.message.unwrap().contains("the secret /other/url does not exist"));
    s.d.keeps_secret(&main.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_on_with_the_connection_that_it_began_with() {
    let gate = Gate::start().await;
    let sliced = "CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 32) AS body FROM generate_series(1, 9000) g";
    let source = Database::of("pinned", sliced).await;
    for (more, hops) in [
        (&[("BACKUP_CONCURRENCY", "2")][..], true),
        (&[("BACKUP_FAN_OUT_MB", "1"), ("BACKUP_WORKERS", "2")], false),
    ] {
        let timeout = if hops { 16 } else { 120 };
        let wishes = Wishes { timeout, ..Wishes::default() }
            .with("AWS_ENDPOINT_URL", &gate.url)
            .with("RUN_LEASE_SECONDS", "5")
            .with("BACKUP_SLICE_MB", "1");
        let d = Deployment::with(more.iter().fold(wishes, |w, (name, value)| w.with(name, value))).await;
        let name = DatabaseName::parse("shop").unwrap();
        let main = Some(DatabaseSource::Secret(d.secret(&source.url).await));
        let said = Registered { main, backup: None, retention: None, defaults: Default::default() };
        d.tables.ledger.register(&name, &said, None, "ann", clock::now()).await.unwrap();
        gate.stop("PUT", ".dat.zst", What::Delay(if hops { 3_500 } else { 1_000 }));
        d.host.send("scheduled-backup", &json!({"database": "shop", "eventId": "pinned"})).await;
        d.until("begun", |r| r.iter().any(|r| r.status == Status::InProgress)).await;
        // Nobody can look the name up any more.
        assert!(d.tables.ledger.unregister(&name, None).await.unwrap().is_some());
        let ended = d.until("ended", |r| r.iter().all(|r| r.status.is_final())).await;
        assert_eq!((ended[0].status, ended[0].record_count), (Status::Completed, Some(9000)), "{ended:?}");
        assert_eq!(ended[0].hops.unwrap_or_default() > 0, hops, "{:?}", ended[0]);
        assert_eq!(d.host.log("worker").contains("START "), !hops);
        gate.forget();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_tested_within_ten_seconds() {
    let main = filled("tested", 5).await;
    let s = Scene::set(Wishes::default().with("DATABASE_URL", &main.url)).await;
    // It accepts and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("postgresql://u:hunter2@{}/d", silent.local_addr().unwrap());
    let roles = Roles::create(&["reader"], "LOGIN PASSWORD 'p'");
    let poor = Database::of(
        "tested_poor",
        "CREATE TABLE readable (id int); CREATE TABLE hidden (id serial); CREATE TABLE guarded (id int); \
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE SCHEMA closed; CREATE TABLE closed.t (id int); \
         SELECT lo_create(4711); SELECT lo_create(4712)",
    )
    .await;
    let reader = quoted(&roles.name("reader"));
    poor.run(&format!(
        "GRANT SELECT ON readable, guarded, closed.t TO {reader}; GRANT SELECT ON LARGE OBJECT 4712 TO {reader}"
    ))
    .await;
    let many: String = (0..30).map(|n| format!("CREATE TABLE many{n:02} (id int);")).collect();
    poor.run(&many).await;
    let poor_url = url_as(&roles.name("reader"), "p", &poor.name);
    s.put("poor", json!({"main": s.d.secret(&poor_url).await, "backup": s.d.secret(&main.url).await})).await;
    s.put("away", json!({"main": s.d.secret("postgresql://u:hunter2@127.0.0.1:1/d").await})).await;
    s.put("silent", json!({"main": s.d.secret(&silent).await})).await;
    s.put("lost", json!({"main": "pgbaton/no-such-secret"})).await;
    s.put("garbage", json!({"main": s.d.secret("hunter2").await})).await;
    // Not a server of RDS, and without a certificate that anybody trusts.
    s.put("token", json!({"main": {"host": "localhost", "port": 1, "dbname": "d", "user": "u"}})).await;

    let start = Instant::now();
    let tested = s.get("/backup/test-connections").await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let all = tested["databases"].as_array().unwrap();
    assert_eq!((all.len(), &tested["good"], &tested["left_out"]), (8, &json!(2), &json!(0)), "{tested}");
    let of = |name: &str, target: &str| -> &Value {
        all.iter().find(|c| c["database"] == name && c["target"] == target).unwrap()
    };
    let good = of("main", "MAIN");
    assert_eq!((&good["reachable"], &good["configured"]), (&json!(true), &json!(true)), "{good}");
    assert!(good["version"].as_str().unwrap().parse::<f32>().unwrap() >= 13.0, "{good}");
    assert!(good["latency_ms"].as_f64().unwrap() > 0.0 && good["connect_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(good["privileges_missing"]["tables"], json!({"count": 0, "names": []}));
    // The stand-in's server is on this machine, where no sslmode means prefer.
    assert_eq!(
        (&good["tls"]["mode"], &good["tls"]["certificate_verified"]),
        (&json!("prefer"), &json!(false))
    );
    assert!(
        of("poor", "BACKUP")["reachable"] == true && of("poor", "BACKUP").get("privileges_missing").is_none()
    );

    let missing = &of("poor", "MAIN")["privileges_missing"];
    // 30 of many, hidden, and closed.t, whose schema is closed.
    assert_eq!(missing["tables"]["count"], 32, "{missing}");
    assert_eq!(missing["tables"]["names"].as_array().unwrap().len(), 20);
    assert_eq!(missing["tables"]["names"][0], "closed.t");
    assert_eq!(missing["sequences"], json!({"count": 1, "names": ["public.hidden_id_seq"]}));
    assert_eq!(missing["large_objects"], json!({"count": 1, "names": ["4711"]}));
    assert_eq!(missing["row_security"], json!({"count": 1, "names": ["public.guarded"]}));

    for (name, code, part) in [
        ("away", "unreachable", "127.0.0.1:1"),
        ("silent", "unreachable", "not done in its time"),
        ("lost", "not_found", "pgbaton/no-such-secret does not exist"),
        ("garbage", "invalid_input", "reading the connection string in secret"),
        ("token", "unreachable", "localhost:1"),
    ] {
        let failed = of(name, "MAIN");
        assert_eq!(
            (&failed["reachable"], &failed["error"]["code"]),
            (&json!(false), &json!(code)),
            "{failed}"
        );
        assert!(failed["error"]["message"].as_str().unwrap().contains(part), "{failed}");
    }
    // Once nothing is missing a backup goes through; so far it does not.
    let refused = s.backup(json!({"database": "poor"})).await;
    assert_eq!(
        (refused.status, refused.error_code.as_deref()),
        (Status::Failed, Some("permission")),
        "{refused:?}"
    );
    poor.run(&format!(
        "GRANT USAGE ON SCHEMA closed TO {reader}; GRANT SELECT ON ALL TABLES IN SCHEMA public, closed TO {reader}; \
         GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {reader}; GRANT SELECT ON LARGE OBJECT 4711 TO {reader}; \
         ALTER TABLE guarded DISABLE ROW LEVEL SECURITY"
    ))
    .await;
    let tested = s.get("/backup/test-connections").await;
    assert_eq!(tested["good"], 3, "{tested}");
    assert_eq!(s.backup(json!({"database": "poor"})).await.status, Status::Completed);
    let wrong = s.d.host.invoke("scheduled-backup", &json!({"testConnections": true, "label": "x"})).await;
    assert!(wrong.unwrap_err().contains("nothing more"));
    s.d.keeps_secret("hunter2").await;
    s.d.keeps_secret("X-Amz-Signature").await;
}
