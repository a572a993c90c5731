//! Validation of live databases: every kind of damage is found where it is and counted, and a sound database is found sound.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use jsonwebtoken::{EncodingKey, Header};
use pgbaton::ledger::{RunKind, Status};
use pgbaton_tests::{
    database::{Database, beside},
    deployment::{Deployment, Wishes},
    roles::{Roles, quoted, url_as},
};
use serde_json::{Value, json};

async fn validate(d: &Deployment, database: &Database) -> Value {
    validate_at(d, &database.url).await
}

async fn validate_at(d: &Deployment, url: &str) -> Value {
    let event = json!({"validate": true, "database": "test", "databaseSecret": d.secret(url).await});
    let record = d.host.invoke("verify", &event).await.unwrap();
    assert_eq!(record["status"], "completed", "{record}");
    record["validation"].clone()
}

/// `kind table constraint count` of all findings.
fn found(report: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let line = |f: &Value| {
        format!("{} {} {} {}", text(&f["kind"]), text(&f["table"]), text(&f["constraint"]), f["count"])
    };
    let mut all: Vec<String> = report["errors"].as_array().unwrap().iter().map(line).collect();
    all.sort();
    all
}

fn finding<'a>(report: &'a Value, kind: &str, table: &str) -> &'a Value {
    let all = report["errors"].as_array().unwrap();
    all.iter()
        .find(|f| f["kind"] == kind && f["table"] == table)
        .unwrap_or_else(|| panic!("{kind} {table}: {report:#}"))
}

fn not_checked(report: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let all = report["notChecked"].as_array().unwrap();
    all.iter().map(|n| format!("{}: {}", text(&n["what"]), text(&n["reason"]))).collect()
}

/// What looks odd and is sound: NULLs in keys, inheritance, partitions, deferred and self-referring keys, collations, domains, sequences.
const SOUND: &str = "
    CREATE TABLE parent (id serial PRIMARY KEY, code text UNIQUE); INSERT INTO parent (code) SELECT 'c' || g FROM generate_series(1, 50) g;
    CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p int REFERENCES parent, code text COLLATE \"C\" REFERENCES parent (code), up int REFERENCES child DEFERRABLE);
    INSERT INTO child (p, code, up) SELECT g % 50 + 1, 'c' || (g % 50 + 1), NULL FROM generate_series(1, 100) g; INSERT INTO child (p) VALUES (NULL);
    UPDATE child SET up = id;
    CREATE TABLE pair (a int, b int, UNIQUE (a, b)); INSERT INTO pair VALUES (1, 1), (2, 2);
    CREATE TABLE simple (a int, b int, FOREIGN KEY (a, b) REFERENCES pair (a, b)); INSERT INTO simple VALUES (1, 1), (9, NULL), (NULL, NULL);
    CREATE TABLE whole (a int, b int, FOREIGN KEY (a, b) REFERENCES pair (a, b) MATCH FULL); INSERT INTO whole VALUES (2, 2), (NULL, NULL);
    CREATE TABLE heir () INHERITS (simple); INSERT INTO heir VALUES (77, 77);
    CREATE TABLE parts (id int PRIMARY KEY, p int REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
    INSERT INTO parts SELECT g, g % 50 + 1 FROM generate_series(1, 199) g;
    CREATE TABLE to_parts (id int REFERENCES parts); INSERT INTO to_parts VALUES (1), (150), (NULL);
    CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0); CREATE TABLE domains (v positive); INSERT INTO domains VALUES (1);
    ALTER TABLE domains ADD CHECK (v < 10) NOT VALID; ALTER TABLE domains ADD COLUMN n int; ALTER TABLE domains ADD CHECK (n > 0) NOT VALID;
    CREATE TABLE down (id int PRIMARY KEY); CREATE SEQUENCE down_id INCREMENT -1 MAXVALUE 100 START 100 OWNED BY down.id;
    ALTER TABLE down ALTER id SET DEFAULT nextval('down_id'); INSERT INTO down DEFAULT VALUES; INSERT INTO down DEFAULT VALUES;
    CREATE TABLE own (id int); CREATE SEQUENCE apart OWNED BY own.id; INSERT INTO own VALUES (5);
    CREATE TABLE \"Odd\n\"\"table\" (\"k\ney\" int PRIMARY KEY, t text); INSERT INTO \"Odd\n\"\"table\" VALUES (1, repeat('x', 100000));
    CREATE MATERIALIZED VIEW m AS SELECT * FROM parent; CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
";

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_database_is_valid() {
    let d = Deployment::start().await;
    let database = Database::of("valid_sound", SOUND).await;
    let report = validate(&d, &database).await;
    assert_eq!((&report["isValid"], found(&report)), (&json!(true), vec![]), "{report:#}");
    let missed = not_checked(&report);
    assert_eq!(missed.len(), 1, "{missed:#?}");
    assert!(missed[0].starts_with("the rows of public.unfilled"), "{missed:?}");
    let checked = &report["checked"];
    assert_eq!(
        (&checked["foreignKeys"], &checked["sequences"], &checked["checkConstraints"]),
        (&json!(7), &json!(3), &json!(2)),
        "{report:#}"
    );
    assert_eq!(checked["rows"], json!(50 + 101 + 2 + 3 + 2 + 1 + 199 + 3 + 1 + 2 + 1 + 1 + 50), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_damage_is_found() {
    let d = Deployment::start().await;
    let database = Database::of("valid_damaged", SOUND).await;
    // Past every trigger.
    let planted = "SET session_replication_role = replica; \
        UPDATE child SET p = 1000 + id WHERE id <= 7; \
        DELETE FROM parent WHERE id = 50; \
        INSERT INTO whole VALUES (1, NULL), (5, 5); INSERT INTO simple VALUES (5, 5), (6, NULL); \
        INSERT INTO parts VALUES (0 + 99 + 0, 7) ON CONFLICT DO NOTHING; UPDATE parts SET p = 999 WHERE id IN (5, 105); \
        INSERT INTO to_parts VALUES (199), (5000); \
        RESET session_replication_role; \
        CREATE TABLE late (id int PRIMARY KEY, p int); INSERT INTO late VALUES (1, 1), (2, 555), (3, NULL); \
        ALTER TABLE late ADD CONSTRAINT \"late\nkey\" FOREIGN KEY (p) REFERENCES parent NOT VALID; \
        INSERT INTO \"Odd\n\"\"table\" VALUES (-1, 'a'), (-2, 'b'); \
        ALTER TABLE \"Odd\n\"\"table\" ADD CONSTRAINT above CHECK (\"k\ney\" > 0 AND t IS NOT NULL) NOT VALID; \
        CREATE DOMAIN short AS text; CREATE DOMAIN shorter AS short; CREATE TABLE texts (id int PRIMARY KEY, a short, b shorter, c short[]); \
        INSERT INTO texts VALUES (1, 'long enough', 'x', '{long enough}'), (2, NULL, 'very very long', NULL); \
        ALTER DOMAIN short ADD CONSTRAINT brief CHECK (length(VALUE) < 5) NOT VALID; \
        SELECT setval(pg_get_serial_sequence('parent', 'id'), 40); SELECT setval('down_id', 100, false); \
        ALTER TABLE child ALTER id RESTART WITH 90; \
        CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (1); \
        UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'late'::regclass AND attname = 'p';";
    database.run(planted).await;
    database.try_run("CREATE UNIQUE INDEX CONCURRENTLY once ON twice (a)").await.unwrap_err();

    let report = validate(&d, &database).await;
    assert_eq!(report["isValid"], json!(false));
    let odd = "public.\"Odd\\n\"\"table\"";
    let wanted = [
        format!("check_violation {odd} above 2"),
        "domain_violation public.texts brief 1".into(),
        "domain_violation public.texts brief 1".into(),
        "invalid_index public.twice once 1".into(),
        "not_null_violation public.late p 1".into(),
        "orphaned_rows public.child child_code_fkey 2".into(),
        "orphaned_rows public.child child_p_fkey 9".into(),
        "orphaned_rows public.late \"late\\nkey\" 1".into(),
        "orphaned_rows public.parts parts_p_fkey 6".into(),
        "orphaned_rows public.simple simple_a_b_fkey 1".into(),
        "orphaned_rows public.to_parts to_parts_id_fkey 1".into(),
        "orphaned_rows public.whole whole_a_b_fkey 2".into(),
        "sequence_behind public.child public.child_id_seq 12".into(),
        "sequence_behind public.down public.down_id 2".into(),
        "sequence_behind public.parent public.parent_id_seq 9".into(),
    ];
    assert_eq!(found(&report), wanted, "{report:#}");
    assert_eq!(report["errorCount"], json!(wanted.len()));
    let orphans = finding(&report, "orphaned_rows", "public.child");
    assert_eq!(orphans["examples"].as_array().unwrap().len(), if orphans["count"] == 9 { 5 } else { 2 });
    assert!(orphans["examples"][0]["id"].is_string(), "{orphans}");
    assert_eq!(finding(&report, "not_null_violation", "public.late")["examples"], json!([{"id": "3"}]));
    let mut keys: Vec<String> = finding(&report, "check_violation", odd)["examples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["k\ney"].as_str().unwrap().to_owned())
        .collect();
    keys.sort();
    assert_eq!(keys, ["-1", "-2"]);
    // Without a primary key the columns of the constraint stand for it; NULLs are left out of a record.
    let full = finding(&report, "orphaned_rows", "public.whole");
    assert!(full["examples"].as_array().unwrap().contains(&json!({"a": "5", "b": "5"})), "{full}");
    assert!(
        not_checked(&report)
            .iter()
            .any(|n| n.contains("in column c of public.texts") && n.contains("arrays")),
        "{report:#}"
    );

    // The same as warnings of a backup, which goes on, and without keys.
    let made = d.backup(&database.url, json!({"validate": true})).await.unwrap();
    assert_eq!(made.status, Status::Completed);
    let said: Vec<&String> = made.warnings.iter().filter(|w| w.starts_with("validation: ")).collect();
    assert_eq!(said.len(), wanted.len() + 1, "{said:#?}");
    assert!(said.iter().any(|w| w.contains("1 rows of public.late refer by \"late\\nkey\"")), "{said:#?}");
    assert!(!said.iter().any(|w| w.contains("555") || w.contains("very very")), "{said:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_findings_are_warnings() {
    let d = Deployment::start().await;
    let source = Database::of(
        "valid_restore",
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, -1), (2, 1); ALTER TABLE t ADD CONSTRAINT up CHECK (v > 0) NOT VALID",
    )
    .await;
    let made = d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(made.warnings.iter().filter(|w| w.starts_with("validation")).count(), 0, "nobody asked");
    let target = Database::absent("valid_copy");
    let restored = d
        .restore(&target.url, json!({"backupId": made.id, "createDatabase": true, "validate": true}))
        .await
        .unwrap();
    assert!(restored.warnings.iter().any(|w| w.contains("1 rows of public.t violate up")), "{restored:#?}");
    assert_eq!(target.contents().await, source.contents().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told() {
    let d = Deployment::start().await;
    let roles = Roles::create(&["_reader", "_app"], "LOGIN PASSWORD 'x'");
    let (reader, app) = (quoted(&roles.name("_reader")), quoted(&roles.name("_app")));
    let database = Database::of(
        "valid_closed",
        &format!(
            "CREATE TABLE closed (id int); CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE TABLE open (id int); \
             INSERT INTO guarded VALUES (1); GRANT SELECT ON guarded, open TO {reader}; \
             CREATE FUNCTION trap(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sprung as %', current_user; END $$; \
             ALTER FUNCTION trap(int) OWNER TO {app}; INSERT INTO open VALUES (1); ALTER TABLE open ADD CONSTRAINT trapped CHECK (trap(id)) NOT VALID;"
        ),
    )
    .await;
    let report = validate_at(&d, &url_as(&roles.name("_reader"), "x", &database.name)).await;
    assert_eq!(
        found(&report),
        ["unreadable_table public.closed - 1", "unreadable_table public.guarded - 1"],
        "{report:#}"
    );
    assert!(
        finding(&report, "unreadable_table", "public.closed")["message"]
            .as_str()
            .unwrap()
            .contains("permission denied")
    );
    assert!(
        finding(&report, "unreadable_table", "public.guarded")["message"]
            .as_str()
            .unwrap()
            .contains("row-level security")
    );
    // A superuser does not call a function of somebody else.
    let report = validate(&d, &database).await;
    assert_eq!(found(&report), [""; 0], "{report:#}");
    let missed = not_checked(&report);
    assert!(missed.iter().any(|m| m.contains("trapped") && m.contains("trap(integer)")), "{missed:?}");
}

/// Where a function can hide: in a cast that a foreign key would use, under a domain, in an index that the planner looks at.
#[tokio::test(flavor = "multi_thread")]
async fn no_function_of_another_role_is_called_by_whatever_way() {
    let d = Deployment::start().await;
    let roles = Roles::create(&["_app"], "");
    let app = quoted(&roles.name("_app"));
    let database = Database::of(
        "valid_traps",
        &format!(
            "CREATE FUNCTION trap(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sprung as %', current_user; END $$; \
             CREATE TYPE word AS ENUM ('x'); \
             CREATE FUNCTION spelt(word) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sprung as %', current_user; END $$; \
             CREATE CAST (word AS int) WITH FUNCTION spelt(word) AS IMPLICIT; \
             CREATE TABLE words (w int PRIMARY KEY); CREATE TABLE said (w word); \
             SET session_replication_role = replica; INSERT INTO said VALUES ('x'); \
             ALTER TABLE said ADD CONSTRAINT known FOREIGN KEY (w) REFERENCES words NOT VALID; RESET session_replication_role; \
             CREATE DOMAIN inner_one AS int; CREATE DOMAIN outer_one AS inner_one; CREATE TABLE numbers (n outer_one); INSERT INTO numbers VALUES (-1), (1); \
             ALTER DOMAIN inner_one ADD CONSTRAINT trapped CHECK (trap(VALUE)) NOT VALID; ALTER DOMAIN outer_one ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID; \
             CREATE TABLE indexed (id serial); INSERT INTO indexed DEFAULT VALUES; \
             CREATE FUNCTION folded(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$; CREATE INDEX ON indexed ((folded(1))); \
             CREATE OR REPLACE FUNCTION folded(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sprung as %', current_user; END $$; \
             CREATE TABLE root (id int); CREATE TABLE leaf () INHERITS (root); CREATE STATISTICS counted ON (folded(2)), id FROM leaf; \
             CREATE TABLE free (id int); INSERT INTO free VALUES (1); \
             ALTER FUNCTION trap(int) OWNER TO {app}; ALTER FUNCTION spelt(word) OWNER TO {app}; ALTER FUNCTION folded(int) OWNER TO {app};"
        ),
    )
    .await;
    database
        .try_run("SELECT count(*) FROM indexed")
        .await
        .expect_err("a look at the table is enough to call it");
    let report = validate(&d, &database).await;
    assert!(!report.to_string().contains("sprung"), "{report:#}");
    assert_eq!(found(&report), [""; 0], "{report:#}");
    let missed = not_checked(&report);
    for (what, function) in [
        ("foreign key known of public.said", "spelt("),
        ("constraint trapped of domain public.inner_one", "trap(integer)"),
        ("constraint positive of domain public.outer_one", "trap(integer)"),
        ("the rows of public.indexed", "folded(integer)"),
        ("sequence public.indexed_id_seq", "folded(integer)"),
        ("the rows of public.leaf", "folded(integer)"),
    ] {
        assert!(missed.iter().any(|m| m.starts_with(what) && m.contains(function)), "{what}: {missed:#?}");
    }
    assert_eq!(report["checked"]["tables"], json!(4), "words, said, numbers, free: {report:#}");
}

/// The file of values kept out of line is emptied under a copy of the database that no session has read yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_found() {
    let d = Deployment::start().await;
    let model = Database::of(
        "valid_model",
        "CREATE TABLE good (id int); CREATE TABLE bad (id int PRIMARY KEY, t text); ALTER TABLE bad ALTER t SET STORAGE EXTERNAL; \
         INSERT INTO bad SELECT g, repeat('x', 10000) FROM generate_series(1, 50) g; INSERT INTO good SELECT generate_series(1, 10);",
    )
    .await;
    let strategy = if model.column("SHOW server_version_num").await[0].as_str() >= "150000" {
        "STRATEGY file_copy"
    } else {
        ""
    };
    let copy = Database::absent("valid_broken");
    let server = Database { name: "postgres".into(), url: beside(&model.url, "postgres") };
    let server = std::mem::ManuallyDrop::new(server);
    server.run(&format!("CREATE DATABASE {} TEMPLATE {} {strategy}", copy.name, model.name)).await;
    let file = copy
        .column("SELECT current_setting('data_directory') || '/' || pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname = 'bad'")
        .await
        .remove(0);
    server.run(&format!("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; : > \"{file}\"'")).await;
    let report = validate(&d, &copy).await;
    assert_eq!(found(&report), ["unreadable_table public.bad - 1"], "{report:#}");
    assert_eq!(report["checked"]["tables"], json!(1), "{report:#}");
}

const KEY: &str = "a shared secret of more than thirty-two bytes";

#[tokio::test(flavor = "multi_thread")]
async fn by_http_a_small_database_is_answered_at_once_and_a_slow_one_later() {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"sub": "ann", "role": "admin", "exp": now + 300, "nbf": now - 5});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    let token = format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap());
    let database = Database::of(
        "valid_http",
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, -1); ALTER TABLE t ADD CONSTRAINT up CHECK (v > 0) NOT VALID",
    )
    .await;
    let wishes = Wishes::default().with("DATABASE_URL", &database.url).with("JWT_SECRET", KEY);
    let d = Deployment::with(wishes).await;
    let post = async |token: &str, body: Value| {
        let url = format!("{}/backup/validate", d.host.front_url);
        let answer =
            d.host.call("POST", &url, &[("authorization", token)], body.to_string().into_bytes()).await;
        (answer.status.as_u16(), answer.json())
    };
    assert_eq!(post("", json!({})).await.0, 401);
    let (status, answer) = post(&token, json!({"database": "elsewhere"})).await;
    assert_eq!((status, &answer["field"]), (404, &json!("database")), "{answer}");
    let (status, answer) = post(&token, json!({"databaseSecret": "/x"})).await;
    assert_eq!((status, &answer["field"]), (400, &json!("databaseSecret")), "{answer}");
    let (status, answer) = post(&token, json!({})).await;
    assert_eq!(
        (status, &answer["isValid"], &answer["errorCount"]),
        (200, &json!(false), &json!(1)),
        "{answer}"
    );
    assert_eq!(answer["errors"][0]["examples"], json!([{"id": "1"}]));
    assert_eq!((&answer["status"], &answer["database"]), (&json!("completed"), &json!("main")));

    database
        .run(
            "CREATE FUNCTION slow(v int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(24); RETURN true; END $$; \
             ALTER TABLE t ADD CONSTRAINT slow CHECK (slow(v)) NOT VALID",
        )
        .await;
    let (status, answer) = post(&token, json!({"database": "main"})).await;
    assert_eq!((status, &answer["kind"]), (202, &json!("validate")), "{answer}");
    let id = answer["id"].as_str().unwrap().to_owned();
    d.until("ended", |all| all.iter().all(|r| r.status.is_final())).await;
    let url = format!("{}/backup/{id}", d.host.front_url);
    let record = d.host.call("GET", &url, &[("authorization", &token)], Vec::new()).await.json();
    assert_eq!(
        (&record["status"], &record["validation"]["isValid"]),
        (&json!("completed"), &json!(false)),
        "{record}"
    );
    d.keeps_secret(&database.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_time_does_not_reach_is_told() {
    let d = Deployment::with(Wishes { timeout: 8, ..Wishes::default() }).await;
    let database = Database::of(
        "valid_time",
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); \
         CREATE FUNCTION slow(v int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN true; END $$; \
         ALTER TABLE t ADD CONSTRAINT slow CHECK (slow(v)) NOT VALID; CREATE TABLE locked (id int); ",
    )
    .await;
    let report = validate(&d, &database).await;
    let missed = not_checked(&report);
    assert!(
        missed.iter().any(|m| m.contains("CHECK constraint slow") && m.contains("longer than the time")),
        "{missed:#?}"
    );
    assert!(missed.iter().any(|m| m.contains("the time was up")), "{missed:#?}");
    assert_eq!((&report["isValid"], &report["checked"]["tables"]), (&json!(true), &json!(0)), "{report:#}");
    let left = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgbaton validate%'";
    for _ in 0..50 {
        if database.column(left).await.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(database.column(left).await, [""; 0], "nothing runs on");
    let records = d.records().await;
    assert!(records.iter().all(|r| r.kind == RunKind::Validate && r.status == Status::Completed));
}
