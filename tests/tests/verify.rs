//! Verification of backups: each level finds a good one good and a bad one bad, says so on its record, and leaves no scratch database behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jsonwebtoken::{EncodingKey, Header};
use pgbaton::{
    base::VerifyLevel,
    ledger::{Record, RunKind, Status, Verdict},
    store::{ObjectKey, Put},
};
use pgbaton_tests::{
    database::{Database, program},
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    roles::Roles,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LEVELS: [&str; 3] = ["objects", "read", "restore"];

/// Tables of several kinds, odd names among them, one of them large enough for slices of 1 MiB; large objects, a view, a sequence.
const SHOP: &str = "
    CREATE TABLE fruit (id serial PRIMARY KEY, name text, kilos int CHECK (kilos < 10000));
    INSERT INTO fruit (name, kilos) SELECT 'fruit ' || g, g FROM generate_series(1, 1000) g;
    CREATE TABLE wide AS SELECT g AS id, repeat(md5(g::text), 20) AS t FROM generate_series(1, 5000) g;
    CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO parts SELECT g, date '2026-01-01' + g % 59 FROM generate_series(1, 500) g;
    CREATE TABLE animal (name text); CREATE TABLE dog (breed text) INHERITS (animal);
    INSERT INTO animal VALUES ('cat'), (NULL); INSERT INTO dog VALUES ('rex', 'x'), (NULL, NULL);
    CREATE SCHEMA \"Odd\nschema\"; CREATE TABLE \"Odd\nschema\".\"a \"\"table\"\"\" (\") FROM stdin\" int, \"b\nc\" text);
    INSERT INTO \"Odd\nschema\".\"a \"\"table\"\"\" VALUES (1, E'\\\\.\\n'), (NULL, E'tab\\t');
    CREATE TABLE empty (id int); CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
    CREATE TABLE computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO computed VALUES (1), (2);
    CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM fruit; CREATE INDEX ON wide (id);
    SELECT lo_from_bytea(0, convert_to(repeat('object ' || g, 100), 'UTF8')) FROM generate_series(1, 3) g;
";

/// A deployment whose database is this one.
async fn deployment(database: &Database, wishes: Wishes) -> Deployment {
    Deployment::with(wishes.with("DATABASE_URL", &database.url).with("BACKUP_SLICE_MB", "1")).await
}

async fn backup(d: &Deployment, more: Value) -> Record {
    serde_json::from_value(d.host.invoke("scheduled-backup", &more).await.unwrap()).unwrap()
}

async fn verify(d: &Deployment, backup: &Record, level: &str) -> Result<Record, String> {
    let event = json!({"backupId": backup.id, "level": level});
    d.host.invoke("verify", &event).await.map(|answer| serde_json::from_value(answer).unwrap())
}

/// Names of scratch databases on the server.
async fn scratch(on: &Database) -> Vec<String> {
    on.column("SELECT datname FROM pg_database WHERE datname LIKE 'pgbaton\\_verify\\_%' ORDER BY 1").await
}

async fn gone(on: &Database, name: &str) {
    for _ in 0..300 {
        if !scratch(on).await.contains(&name.to_owned()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} is still there");
}

fn name_of(run: &Record) -> String {
    format!("pgbaton_verify_{}", run.id.as_str().to_ascii_lowercase().replace('-', "_"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_backup_is_good_on_every_level() {
    let source = Database::of("verify_good", SHOP).await;
    let d = deployment(&source, Wishes::default()).await;
    let made = backup(&d, json!({})).await;
    assert_eq!(made.verified_at, None);
    for level in LEVELS {
        let run = verify(&d, &made, level).await.unwrap_or_else(|e| panic!("{level}: {e}"));
        assert_eq!((run.kind, run.status), (RunKind::Verify, Status::Completed), "{run:#?}");
        assert_eq!(run.warnings, [""; 0], "{level}");
        if level != "objects" {
            assert_eq!(run.record_count, made.record_count, "{level}: {run:#?}");
        }
        let there = d.record(&made.id).await;
        assert_eq!(there.verification, Some(Verdict::Passed));
        assert_eq!(there.verified_level.map(VerifyLevel::name), Some(level));
        assert_eq!(there.verification_id, Some(run.id.clone()));
        assert!(there.verified_at > made.finished_at, "{there:#?}");
        assert!(!scratch(&source).await.contains(&name_of(&run)), "{level}");
        assert_eq!(d.record(&run.id).await.scratch_database, None);
    }
}

/// Every kind of object: what the census counts in the copy is what the archive was to bring.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_is_verified_in_a_copy() {
    const OBJECTS: [&str; 7] = [
        include_str!("fidelity/areas/mixture_shop.sql"),
        include_str!("fidelity/areas/mixture_partitions.sql"),
        include_str!("fidelity/areas/mixture_views.sql"),
        include_str!("fidelity/areas/mixture_names.sql"),
        include_str!("fidelity/areas/mixture_schemas.sql"),
        include_str!("fidelity/areas/mixture_14.sql"),
        include_str!("fidelity/areas/mixture_kinds.sql"),
    ];
    const ROLES: [&str; 4] = ["_owner", "_reader", "_other", " \"Odd\" ; -- é' Role"];
    let roles = Roles::create(&ROLES, "");
    let source = Database::empty("verify_everything").await;
    let names = ["fidelity_a", "fidelity_b", "fidelity_c", "fidelity_Odd \"\"Role"];
    let pairs: Vec<(&str, &str)> = names.into_iter().zip(ROLES).collect();
    for sql in OBJECTS {
        let file = std::env::temp_dir().join(pgbaton_tests::unique("fill"));
        std::fs::write(&file, roles.put_into(sql, &pairs)).unwrap();
        let done = program(
            "psql",
            &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &source.url, "-f", file.to_str().unwrap()],
        );
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::remove_file(file).unwrap();
    }
    let d = deployment(&source, Wishes::default()).await;
    let made = backup(&d, json!({})).await;
    let run = verify(&d, &made, "restore").await.unwrap();
    assert_eq!(run.status, Status::Completed, "{run:#?}");
    let strange: Vec<&String> = run.warnings.iter().filter(|w| w.contains("objects in")).collect();
    assert_eq!(strange, [""; 0], "{run:#?}");
    // By another way in, without owners and grants.
    let event = json!({"backupId": made.id, "level": "restore", "targetSecret": d.secret(&source.url).await});
    let run = d.host.invoke("verify", &event).await.unwrap();
    assert_eq!(run["status"], "completed", "{run}");
    assert!(scratch(&source).await.iter().all(|name| !name.contains(&run["id"].as_str().unwrap()[17..])));
}

/// One object of a backup, and how it was.
struct Object<'a> {
    d: &'a Deployment,
    key: ObjectKey,
    was: Vec<u8>,
}

impl<'a> Object<'a> {
    async fn of(d: &'a Deployment, backup: &Record, name: &str) -> Self {
        let key = ObjectKey::within(&d.folder(backup), name).unwrap();
        let was = d.store.get_all(&key, 1 << 30).await.unwrap();
        Self { d, key, was }
    }

    async fn put(&self, bytes: Vec<u8>) {
        self.d.store.put(&self.key, bytes, Put::Replace).await.unwrap();
    }

    async fn remove(&self) {
        self.d.store.delete(std::slice::from_ref(&self.key)).await.unwrap();
    }
}

async fn manifest(d: &Deployment, backup: &Record) -> Value {
    serde_json::from_slice(&Object::of(d, backup, "manifest.json").await.was).unwrap()
}

fn file_of(manifest: &Value, table: &str) -> String {
    let all = manifest["objects"].as_array().unwrap();
    all.iter().find(|o| o["table"] == table).unwrap()["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_replaced_or_lost_is_found() {
    let source = Database::of("verify_bad", SHOP).await;
    let d = deployment(&source, Wishes::default()).await;
    let made = backup(&d, json!({})).await;
    let name = file_of(&manifest(&d, &made).await, "public.fruit");
    for (file, says) in [
        (name.as_str(), name.as_str()),
        ("toc.dat", "toc.dat"),
        ("blobs.toc", "blobs.toc"),
        ("manifest.json", "manifest.json"),
    ] {
        let object = Object::of(&d, &made, file).await;
        let mut flipped = object.was.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for (what, bytes) in
            [("cut", Some(object.was[..middle].to_vec())), ("flipped", Some(flipped)), ("missing", None)]
        {
            match bytes {
                Some(bytes) => object.put(bytes).await,
                None => object.remove().await,
            }
            for level in LEVELS {
                let told = verify(&d, &made, level).await.expect_err(&format!("{file} {what} {level}"));
                if level != "restore" || what != "flipped" {
                    assert!(told.contains(says), "{file} {what} {level}: {told}");
                }
                let there = d.record(&made.id).await;
                assert_eq!(there.verification, Some(Verdict::Failed), "{file} {what} {level}: {told}");
                assert_eq!(there.verified_level.map(VerifyLevel::name), Some(level));
                assert!(there.verification_message.is_some());
                assert_eq!(there.status, Status::Completed, "a verification changes nothing else");
            }
            object.put(object.was.clone()).await;
            // A lesser level does not hide what a higher one found.
            verify(&d, &made, "read").await.unwrap();
            assert_eq!(d.record(&made.id).await.verification, Some(Verdict::Failed));
            verify(&d, &made, "restore").await.unwrap();
            assert_eq!(d.record(&made.id).await.verification, Some(Verdict::Passed), "{file} {what}");
        }
    }
    let strange = ObjectKey::within(&d.folder(&made), "strange.bin").unwrap();
    d.store.put(&strange, &b"x"[..], Put::IfAbsent).await.unwrap();
    let run = verify(&d, &made, "objects").await.unwrap();
    assert!(run.warnings.iter().any(|w| w.contains("strange.bin")), "{run:#?}");
    assert_eq!(d.objects().await.iter().filter(|o| o.contains("strange.bin")).count(), 1);
    let ours: Vec<Record> = d.records().await.into_iter().filter(|r| r.kind == RunKind::Verify).collect();
    for name in scratch(&source).await {
        assert!(!ours.iter().any(|r| name_of(r) == name), "{name} was left");
    }
}

/// File, manifest and record agree with each other, and not with what was saved: only the hash of the rows tells.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_changed_with_all_checksums_are_found_by_their_hash() {
    let source = Database::of("verify_hash", SHOP).await;
    let d = deployment(&source, Wishes::default()).await;
    let made = backup(&d, json!({"compression": "none"})).await;
    let mut manifest = manifest(&d, &made).await;
    let name = file_of(&manifest, "public.fruit");
    let object = Object::of(&d, &made, &name).await;
    let text = String::from_utf8(object.was.clone()).unwrap();
    assert!(text.contains("\n77\tfruit 77\t77\n"));
    let bytes = text.replace("\n77\tfruit 77\t77\n", "\n77\tfruit 77\t78\n").into_bytes();
    let sha256: [u8; 32] = Sha256::digest(&bytes).into();
    for o in manifest["objects"].as_array_mut().unwrap().iter_mut().filter(|o| o["name"] == name.as_str()) {
        o["sha256"] = hex::encode(sha256).into();
        o.as_object_mut().unwrap().remove("s3_checksum");
    }
    object.put(bytes).await;
    let text = serde_json::to_vec(&manifest).unwrap();
    let checksum: [u8; 32] = Sha256::digest(&text).into();
    Object::of(&d, &made, "manifest.json").await.put(text).await;
    d.tables
        .client
        .update_item()
        .table_name(&d.tables.table)
        .key("id", AttributeValue::S(made.id.to_string()))
        .update_expression("SET checksum = :c")
        .expression_attribute_values(":c", AttributeValue::S(hex::encode(checksum)))
        .send()
        .await
        .unwrap();
    verify(&d, &made, "objects").await.unwrap();
    let told = verify(&d, &made, "read").await.unwrap_err();
    assert!(told.contains(&name) && told.contains("hash differs"), "{told}");
    let told = verify(&d, &made, "restore").await.unwrap_err();
    assert!(told.contains("the rows of public.fruit in the copy are not those that were saved"), "{told}");
    let there = d.record(&made.id).await;
    assert_eq!(
        (there.verification, there.verified_level),
        (Some(Verdict::Failed), Some(VerifyLevel::Restore))
    );
    let run = d.record(there.verification_id.as_ref().unwrap()).await;
    assert_eq!((run.status, run.error_code.as_deref()), (Status::Failed, Some("corrupt")));
    assert!(!scratch(&source).await.contains(&name_of(&run)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scratch_database_that_a_crash_left_is_dropped_and_no_other() {
    // Slow in scratch databases alone.
    let source = Database::of(
        "verify_crash",
        "CREATE FUNCTION slow(v int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN \
           IF current_database() LIKE 'pgbaton_verify%' THEN PERFORM pg_sleep(0.2); END IF; RETURN true; END $$; \
         CREATE TABLE t (id int CHECK (public.slow(id))); INSERT INTO t SELECT generate_series(1, 300);",
    )
    .await;
    let wishes = Wishes { retries: 0, ..Wishes::default() }.with("RUN_LEASE_SECONDS", "5");
    let d = deployment(&source, wishes).await;
    let made = backup(&d, json!({})).await;
    // Databases of such a name that are not ours: without a mark, and with that of a run that nobody knows.
    let suffix = &pgbaton_tests::unique("x")[2..10];
    let bare = at(&source, format!("pgbaton_verify_20200101t000000z_{suffix}"));
    let foreign = at(&source, format!("pgbaton_verify_20200102t000000z_{suffix}"));
    source.run(&format!("CREATE DATABASE {}", bare.name)).await;
    source.run(&format!("CREATE DATABASE {}", foreign.name)).await;
    source
        .run(&format!(
            "COMMENT ON DATABASE {} IS 'pgbaton: scratch database of verification 20200102T000000Z-{suffix}'",
            foreign.name
        ))
        .await;

    d.host.send("verify", &json!({"backupId": made.id, "level": "restore"})).await;
    let copying = "SELECT datname FROM pg_stat_activity WHERE query LIKE 'COPY public.t %' AND datname LIKE 'pgbaton\\_verify%'";
    let mut left = Vec::new();
    for _ in 0..600 {
        left = source.column(copying).await;
        if !left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let name = left.first().expect("a restore into a scratch database").clone();
    d.host.kill("verify").await;
    d.host.kill("restore").await;
    let run = d.records().await.into_iter().find(|r| r.kind == RunKind::Verify).unwrap();
    assert_eq!(run.scratch_database.as_deref(), Some(name.as_str()), "{run:#?}");
    // While its run is not final nobody drops it.
    let refused = d.host.invoke("verify", &json!({"cleanUp": run.id})).await;
    if d.record(&run.id).await.status == Status::InProgress {
        assert!(refused.unwrap_err().contains("only what an ended verification left"));
    }
    for _ in 0..60 {
        d.host.invoke("retention-cleanup", &json!({"action": "reap"})).await.unwrap();
        if !scratch(&source).await.contains(&name) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    gone(&source, &name).await;
    let run = d.record(&run.id).await;
    assert_eq!(run.error_code.as_deref(), Some("function_stopped"), "{run:#?}");
    d.until("taken off the record", |all| all.iter().all(|r| r.scratch_database.is_none())).await;
    assert_eq!(
        d.record(&made.id).await.verification,
        None,
        "a run that was cut off says nothing of the backup"
    );

    // The next verification drops it as well, where the reaper has not.
    source.run(&format!("CREATE DATABASE {name}")).await;
    source
        .run(&format!("COMMENT ON DATABASE {name} IS 'pgbaton: scratch database of verification {}'", run.id))
        .await;
    source.run("TRUNCATE t").await;
    let made = backup(&d, json!({})).await;
    verify(&d, &made, "restore").await.unwrap();
    let there = scratch(&source).await;
    assert!(!there.contains(&name), "{there:?}");
    assert!(there.contains(&bare.name) && there.contains(&foreign.name), "{there:?}");
}

/// A database on the same server.
fn at(on: &Database, name: String) -> Database {
    Database { url: pgbaton_tests::database::beside(&on.url, &name), name }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_verification_is_gone_on_with_by_the_next_function() {
    let source = Database::of(
        "verify_retry",
        "CREATE FUNCTION slow(v int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN \
           IF current_database() LIKE 'pgbaton_verify%' THEN PERFORM pg_sleep(0.05); END IF; RETURN true; END $$; \
         CREATE TABLE t (id int CHECK (public.slow(id))); INSERT INTO t SELECT generate_series(1, 150);",
    )
    .await;
    let d = deployment(&source, Wishes::default().with("RUN_LEASE_SECONDS", "5")).await;
    let made = backup(&d, json!({})).await;
    d.host.send("verify", &json!({"backupId": made.id, "level": "restore"})).await;
    d.until("restoring", |all| {
        all.iter().any(|r| {
            r.kind == RunKind::Restore && r.phase.as_deref() == Some("rows, indexes and constraints")
        })
    })
    .await;
    d.host.kill("verify").await;
    let ended = |all: &[Record]| all.iter().any(|r| r.kind == RunKind::Verify && r.status.is_final());
    let all = d.until("ended", ended).await;
    let run = all.iter().find(|r| r.kind == RunKind::Verify).unwrap();
    assert_eq!((run.status, run.hops, run.record_count), (Status::Completed, Some(1), Some(150)), "{run:#?}");
    assert_eq!(all.iter().filter(|r| r.kind == RunKind::Restore).count(), 1, "one restore: {all:#?}");
    assert!(!scratch(&source).await.contains(&name_of(run)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_verification_goes_on_in_other_functions() {
    let gate = Gate::start().await;
    let tables: String =
        (0..24).map(|n| format!("CREATE TABLE t{n} AS SELECT generate_series(1, 10) AS id;")).collect();
    let source = Database::of("verify_long", &tables).await;
    let wishes = Wishes { timeout: 8, ..Wishes::default() }
        .with("AWS_ENDPOINT_URL", &gate.url)
        .with("BACKUP_CONCURRENCY", "1");
    let d = deployment(&source, wishes).await;
    let made = backup(&d, json!({})).await;
    gate.stop("GET", ".dat.", What::Delay(500));
    d.host.send("verify", &json!({"backupId": made.id, "level": "read"})).await;
    let ended = |all: &[Record]| all.iter().any(|r| r.kind == RunKind::Verify && r.status.is_final());
    let all = d.until("ended", ended).await;
    let run = all.into_iter().find(|r| r.kind == RunKind::Verify).unwrap();
    assert_eq!((run.status, run.record_count), (Status::Completed, Some(240)), "{run:#?}");
    assert!((1..20).contains(&run.hops.unwrap_or_default()), "{run:#?}");
    // Each file was asked for once, but for those that were under way at a hand-over.
    let asked = gate.count() as u64;
    assert!((24..=24 + 2 * run.hops.unwrap_or_default()).contains(&asked), "{asked} {run:#?}");
}

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

#[tokio::test(flavor = "multi_thread")]
async fn verifications_are_asked_for_by_http_and_on_a_schedule() {
    let source = Database::of("verify_http", "CREATE TABLE t AS SELECT generate_series(1, 10) AS id").await;
    let d = deployment(&source, Wishes::default().with("JWT_SECRET", KEY)).await;
    let admin = token(json!({"role": "admin"}));
    let call = async |method: &str, path: &str, token: &str, body: Value| {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let url = format!("{}{path}", d.host.front_url);
        let answer = d.host.call(method, &url, &[("authorization", token)], body).await;
        (answer.status.as_u16(), answer.json())
    };
    // There is nothing to verify yet, which is told.
    let scheduled = json!({"latest": true, "scheduleId": "verify", "eventId": "verify 1"});
    let told = d.host.invoke("verify", &scheduled).await.unwrap_err();
    assert!(told.contains("there is no completed backup of main"), "{told}");

    let made = backup(&d, json!({})).await;
    let path = format!("/backup/{}/verify", made.id);
    let reader = token(json!({"scope": "backup:read"}));
    assert_eq!(call("POST", &path, &reader, Value::Null).await.0, 403);
    assert_eq!(call("POST", &path, "Bearer x", Value::Null).await.0, 401);
    for (body, field) in
        [(json!({"level": "deep"}), "level"), (json!({"levle": "read"}), "levle"), (json!([]), "")]
    {
        let (status, answer) = call("POST", &path, &admin, body).await;
        assert_eq!((status, answer["field"].as_str().unwrap_or_default()), (400, field), "{answer}");
    }
    assert_eq!(call("POST", "/backup/20200101T000000Z-00000000/verify", &admin, Value::Null).await.0, 404);
    assert_eq!(call("POST", "/backup/nonsense/verify", &admin, Value::Null).await.0, 400);

    let (status, asked) = call("POST", &path, &admin, Value::Null).await;
    assert_eq!(
        (status, &asked["status"], &asked["kind"]),
        (202, &json!("pending"), &json!("verify")),
        "{asked}"
    );
    assert_eq!((&asked["verified_level"], &asked["created_by"]), (&json!("read"), &json!("ann")));
    let id = asked["id"].as_str().unwrap().to_owned();
    d.until("verified", |all| all.iter().any(|r| r.id.as_str() == id && r.status.is_final())).await;
    let (status, run) = call("GET", &format!("/backup/{id}"), &admin, Value::Null).await;
    assert_eq!(
        (status, &run["status"], &run["backup_id"]),
        (200, &json!("completed"), &json!(made.id)),
        "{run}"
    );
    let (_, there) = call("GET", &format!("/backup/{}", made.id), &admin, Value::Null).await;
    assert_eq!(
        (&there["verification"], &there["verified_level"]),
        (&json!("passed"), &json!("read")),
        "{there}"
    );
    // A verification is no backup.
    assert_eq!(call("POST", &format!("/backup/{id}/verify"), &admin, Value::Null).await.0, 409);

    let scheduled =
        json!({"latest": true, "scheduleId": "verify", "eventId": "verify 2", "level": "objects"});
    for _ in 0..2 {
        let run = d.host.invoke("verify", &scheduled).await.unwrap();
        assert_eq!((&run["status"], &run["backup_type"]), (&json!("completed"), &json!("scheduled")));
    }
    let runs = d.records().await.into_iter().filter(|r| r.kind == RunKind::Verify).count();
    assert_eq!(runs, 3, "a second delivery of an event starts nothing");

    d.tables.ledger.mark_deleting(&made.id, jiff::Timestamp::now()).await.unwrap();
    let (status, answer) = call("POST", &path, &admin, Value::Null).await;
    assert_eq!((status, &answer["code"]), (409, &json!("conflict")), "{answer}");
    d.keeps_secret(&source.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_make_no_database_is_told_what_to_do() {
    let roles = Roles::create(&["_plain"], "LOGIN PASSWORD 'x'");
    let source = Database::of("verify_plain", "CREATE TABLE t AS SELECT 1 AS a").await;
    let owner = pgbaton_tests::roles::quoted(&roles.name("_plain"));
    source
        .run(&format!("ALTER DATABASE {} OWNER TO {owner}; ALTER TABLE t OWNER TO {owner}", source.name))
        .await;
    let url = pgbaton_tests::roles::url_as(&roles.name("_plain"), "x", &source.name);
    let d = Deployment::with(Wishes::default().with("DATABASE_URL", &url)).await;
    let made = backup(&d, json!({})).await;
    let told = verify(&d, &made, "restore").await.unwrap_err();
    assert!(told.contains("may not create databases") && told.contains("CREATEDB"), "{told}");
    assert_eq!(d.record(&made.id).await.verification, None, "nothing was found out about the backup");
    // The second database serves where there is one.
    let d = Deployment::with(
        Wishes::default()
            .with("DATABASE_URL", &url)
            .with("BACKUP_DATABASE_URL", &pgbaton_tests::variable("PGBATON_TEST_PG_URL")),
    )
    .await;
    let made = backup(&d, json!({})).await;
    let run = verify(&d, &made, "restore").await.unwrap();
    assert_eq!(run.status, Status::Completed, "{run:#?}");
}
