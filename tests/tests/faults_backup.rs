//! Backups that cannot be made: each ends as an error of the function that names the object and the cause, in a record that says the same, with
//! no upload and no manifest left, and with no secret anywhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "connections/server.rs"]
#[allow(dead_code, reason = "used by another test as well")]
mod server;

use pgbaton::ledger::{Record, Status};
use pgbaton_tests::{
    database::{Database, program, successful},
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    variable,
};
use serde_json::{Value, json};
use server::Server;

/// 40 MB of rows: more than a run may hold in memory and in sockets while its uploads are held back.
const BIG: &str =
    "CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 32) AS body FROM generate_series(1, 40000) g";

/// Everything that a failed backup must be, whatever made it fail.
async fn failed(d: &Deployment, answer: Result<Record, String>, code: &str, says: &[&str]) -> Record {
    let message = answer.expect_err("a failure");
    let record = d.newest().await;
    assert_eq!(record.status, Status::Failed, "{record:?}");
    assert_eq!(record.error_code.as_deref(), Some(code), "{record:?}");
    let told = record.message.clone().unwrap_or_default();
    assert!(told.starts_with(&message), "the function said {message:?}, the record {told:?}");
    assert!(!told.contains('\n') && told.len() < 600, "{told}");
    for text in says {
        assert!(told.contains(text), "{told:?} does not say {text:?}");
    }
    assert!(record.finished_at.is_some() && record.lease_until.is_none(), "{record:?}");
    assert!(!d.objects().await.iter().any(|o| o.ends_with("manifest.json")));
    assert_eq!(d.uploads().await, Vec::<String>::new());
    println!("{code}: {told}");
    record
}

/// A role of one test's own; dropped with this value, after the databases that know it.
struct Role(String);

impl Role {
    fn create(prefix: &str) -> Self {
        let name = pgbaton_tests::unique(prefix);
        successful(
            "psql",
            &[
                "-qX",
                "-d",
                &variable("PGBATON_TEST_PG_URL"),
                "-c",
                &format!("CREATE ROLE {name} LOGIN PASSWORD 'reader'"),
            ],
        );
        Self(name)
    }

    /// The URL of a database, as this role.
    fn url(&self, database: &Database) -> String {
        let (scheme, rest) = database.url.split_once("://").unwrap();
        let (_, server) = rest.split_once('@').unwrap();
        format!("{scheme}://{}:reader@{server}", self.0)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        program(
            "psql",
            &["-qX", "-d", &variable("PGBATON_TEST_PG_URL"), "-c", &format!("DROP ROLE {}", self.0)],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_cannot_be_reached_or_do_not_have_the_database() {
    let d = Deployment::start().await;
    let refused = d.backup("postgresql://u:hunter2-a@127.0.0.1:1/shop", json!({})).await;
    failed(&d, refused, "unreachable", &["127.0.0.1:1", "connection refused", "security groups"]).await;
    let unknown = d.backup("postgresql://u:hunter2-b@nowhere.invalid/shop", json!({})).await;
    failed(&d, unknown, "unreachable", &["\"nowhere.invalid\" cannot be resolved"]).await;

    let absent = Database::absent("faults_absent");
    let missing = d.backup(&absent.url, json!({})).await;
    failed(&d, missing, "not_found", &[&format!("database \"{}\" does not exist", absent.name)]).await;
    let plain = Database::empty("faults_plain").await;
    let tls = d.backup(&format!("{}?sslmode=require", plain.url), json!({})).await;
    failed(&d, tls, "tls", &["does not offer TLS, which sslmode demands"]).await;
    d.keeps_secret("hunter2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    let server = Server::start("faults", "", "host all all 127.0.0.1/32 scram-sha-256").await;
    server.run_sql("CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'correct-horse'").await;
    let d = Deployment::start().await;
    let url = |password: &str| format!("postgresql://keeper:{password}@127.0.0.1:{}/postgres", server.port);
    let wrong = d.backup(&url("battery-staple"), json!({})).await;
    let says = ["refused the password of user \"keeper\"", "check the user and password in the secret"];
    failed(&d, wrong, "authentication", &says).await;
    let none = d.backup(&format!("postgresql://keeper@127.0.0.1:{}/postgres", server.port), json!({})).await;
    failed(&d, none, "authentication", &["asks for a password of user \"keeper\", and none is given"]).await;
    let right = d.backup(&url("correct-horse"), json!({})).await.unwrap();
    assert_eq!(right.status, Status::Completed);
    d.keeps_secret("battery-staple").await;
    d.keeps_secret("correct-horse").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_missing_or_hold_something_else() {
    let d = Deployment::start().await;
    let missing = d.backup("unused", json!({"databaseSecret": "pgbaton/no-such-secret"})).await;
    failed(&d, missing, "not_found", &["the secret pgbaton/no-such-secret does not exist"]).await;
    for garbage in [
        "hunter2 garbage",
        "mysql://u:hunter2@h/d",
        "host=h password='hunter2",
        "{\"password\": \"hunter2\"}",
    ] {
        let secret = d.secret(garbage).await;
        let answer = d.backup("unused", json!({"databaseSecret": secret})).await;
        failed(&d, answer, "invalid_input", &["reading the connection string in secret", &secret]).await;
    }
    d.keeps_secret("hunter2").await;
    let none = d.host.invoke("scheduled-backup", &json!({})).await.unwrap_err();
    assert!(none.contains("no database is configured: set DATABASE_SECRET_ARN"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_and_missing_tables() {
    let database = Database::of("faults_bucket", "CREATE TABLE t AS SELECT 1 AS id").await;
    let bucket = "pgbaton-no-such-bucket-anywhere";
    let d = Deployment::with(Wishes::default().with("BACKUP_BUCKET", bucket)).await;
    let answer = d.backup(&database.url, json!({})).await;
    let record =
        failed(&d, answer, "not_found", &["bucket pgbaton-no-such-bucket-anywhere does not exist"]).await;
    let told = record.message.unwrap();
    assert_eq!(told.matches(bucket).count(), 1, "said once: {told}");

    for variable in ["BACKUP_TABLE", "STATE_TABLE"] {
        let d = Deployment::with(Wishes::default().with(variable, "pgbaton-no-such-table")).await;
        let message = d.backup(&database.url, json!({})).await.unwrap_err();
        assert!(
            message.contains("table pgbaton-no-such-table, or an index of it, does not exist"),
            "{message}"
        );
        assert!(d.objects().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_the_role_may_not_read_whole() {
    let role = Role::create("faults_reader");
    let database = Database::of(
        "faults_rights",
        &format!(
            "CREATE TABLE open AS SELECT 1 AS id; CREATE TABLE closed AS SELECT 2 AS id; GRANT SELECT ON open TO {0}",
            role.0
        ),
    )
    .await;
    let d = Deployment::start().await;
    let denied = d.backup(&role.url(&database), json!({})).await;
    failed(&d, denied, "permission", &["permission denied for table closed"]).await;

    database
        .run(&format!("GRANT SELECT ON closed TO {}; ALTER TABLE closed ENABLE ROW LEVEL SECURITY", role.0))
        .await;
    let hidden = d.backup(&role.url(&database), json!({})).await;
    let says = ["reading table public.closed", "row-level security", "BYPASSRLS"];
    failed(&d, hidden, "row_security", &says).await;

    database.run("ALTER TABLE closed DISABLE ROW LEVEL SECURITY").await;
    let done = d.backup(&role.url(&database), json!({})).await.unwrap();
    assert_eq!((done.status, done.record_count), (Status::Completed, Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_stays_locked() {
    let database =
        Database::of("faults_locked", "CREATE TABLE free (id int); CREATE TABLE taken (id int)").await;
    let (client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE taken IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let d = Deployment::with(Wishes::default().with("BACKUP_LOCK_TIMEOUT_SECONDS", "1")).await;
    let answer = d.backup(&database.url, json!({})).await;
    failed(&d, answer, "busy", &["public.taken is locked by another session", "waited 1 s for it"]).await;
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(d.backup(&database.url, json!({})).await.unwrap().status, Status::Completed);
}

/// Ends the sessions of one kind in the middle of a COPY whose uploads are held back.
async fn killed_in_mid_copy(who: &str) -> Record {
    let gate = Gate::start().await;
    let d = Deployment::with(Wishes::default().with("AWS_ENDPOINT_URL", &gate.url)).await;
    let database = Database::of("faults_killed", BIG).await;
    gate.stop("PUT", "partNumber=", What::Hold);
    let kill = async {
        gate.met().await;
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND application_name LIKE 'pgbaton {who} %'",
            database.name
        );
        assert!(!database.column(&sql).await.is_empty(), "no such session");
        gate.open();
    };
    let (answer, ()) = tokio::join!(d.backup(&database.url, json!({"compression": "none"})), kill);
    let record = failed(&d, answer, "server_lost", &["the connection to 127.0.0.1:"]).await;
    // Where the server's last words are lost with the connection, the system's are told.
    let told = record.message.clone().unwrap();
    let causes = ["terminating connection due to administrator command", "connection reset", "was lost"];
    assert!(causes.iter().any(|c| told.contains(c)), "{told}");
    assert_eq!(told.matches("was lost").count(), 1, "{told}");
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_is_killed_in_mid_copy() {
    let record = killed_in_mid_copy("reader").await;
    assert!(record.message.unwrap().contains("reading table public.big"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_of_the_snapshot_is_killed_in_mid_copy() {
    killed_in_mid_copy("backup").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_fails_in_mid_upload() {
    let database = Database::of("faults_s3", BIG).await;
    for (what, code, says) in [
        (What::Deny, "permission", "the function's role is not allowed s3:PutObject on s3://"),
        (What::Cut, "unreachable", "S3 could not be reached for s3:PutObject on s3://"),
    ] {
        let gate = Gate::start().await;
        let d = Deployment::with(Wishes::default().with("AWS_ENDPOINT_URL", &gate.url)).await;
        gate.stop("PUT", "partNumber=2", what);
        let answer = d.backup(&database.url, json!({"compression": "none"})).await;
        failed(&d, answer, code, &["reading table public.big: sending part 2 of", says]).await;
        assert!(gate.count() > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_malformed_begin_nothing() {
    let d = Deployment::start().await;
    for (event, says) in [
        (json!([1]), "the request must be a JSON object"),
        (json!("backup"), "the request must be a JSON object"),
        (json!({"tabels": ["a"]}), "tabels"),
        (json!({"format": "xml"}), "\"format\" is wrong: it must be archive, sql, json or csv"),
        (json!({"format": "csv", "inserts": true}), "\"inserts\""),
        (json!({"format": 7}), "\"format\""),
        (json!({"id": "../../etc/passwd"}), "\"id\""),
        (json!({"eventId": ""}), "\"eventId\""),
        (json!({"database": "../x"}), "\"database\""),
        (json!({"database": "unknown"}), "no database is registered under the name unknown"),
        (json!({"databaseSecret": "postgresql://u:hunter2@h/d"}), "\"databaseSecret\""),
        (json!({"compression": "lzma"}), "\"compression\""),
        (json!({"incremental": true}), "\"incremental\""),
    ] {
        let message = d.host.invoke("scheduled-backup", &event).await.unwrap_err();
        assert!(message.contains(says), "{event}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
    for event in [json!({"action": "burn"}), json!({}), json!({"action": "reap", "force": true}), Value::Null]
    {
        d.host.invoke("retention-cleanup", &event).await.unwrap_err();
    }
    assert!(d.records().await.is_empty());
    assert!(d.objects().await.is_empty());
    d.keeps_secret("hunter2").await;
}
