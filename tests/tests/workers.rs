//! A backup read by many functions under one snapshot, through the state machine of the template.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use pgbaton::ledger::{Record, Status};
use pgbaton_tests::{
    database::{Database, connect, successful},
    deployment::{Deployment, WORKERS, Wishes},
    gate::{Gate, What},
    load::{INVARIANT, Load},
};
use serde_json::json;

/// Tables of every size, and large objects: 14 MB.
const DATABASE: &str = "CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 32) AS body FROM generate_series(1, 12000) g; \
    ALTER TABLE big ADD PRIMARY KEY (id); \
    CREATE TABLE small (id int REFERENCES big, t text); INSERT INTO small SELECT g, 'x' FROM generate_series(1, 100) g; \
    CREATE TABLE empty (id int); \
    SELECT lo_from_bytea(0, decode(repeat('ab', 1000 + g), 'hex')) FROM generate_series(1, 20) g; \
    DO $$ BEGIN FOR n IN 1..60 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT g FROM generate_series(1, %s) g', n, n); END LOOP; END $$";

struct Scene {
    gate: Gate,
    d: Arc<Deployment>,
}

impl Scene {
    async fn set(wishes: Wishes) -> Self {
        let gate = Gate::start().await;
        let wishes = wishes
            .with("AWS_ENDPOINT_URL", &gate.url)
            .with("RUN_LEASE_SECONDS", "5")
            .with("BACKUP_SLICE_MB", "1")
            .with("BACKUP_FAN_OUT_MB", "1")
            .with("BACKUP_WORKERS", "4");
        Self { gate, d: Arc::new(Deployment::with(wishes).await) }
    }

    async fn until_workers_run(&self) {
        let start = std::time::Instant::now();
        while self.d.host.processes("worker").await.is_empty() {
            assert!(start.elapsed().as_secs() < 30, "no worker was started");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.gate.met().await;
    }
}

/// Invocations of a function so far.
fn starts(d: &Deployment, function: &str) -> usize {
    d.host.log(function).lines().filter(|l| l.starts_with("START ")).count()
}

async fn restored(d: &Deployment, backup: &Record) -> Database {
    let copy = Database::absent("workers_copy");
    let restore = d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap();
    assert_eq!(restore.status, Status::Completed);
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn many_functions_read_one_snapshot() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    let source = Database::of("workers", DATABASE).await;
    let event = json!({"databaseSecret": d.secret(&source.url).await, "database": "test", "planOnly": true});
    let planned = d.host.invoke("scheduled-backup", &event).await.unwrap();
    assert_eq!(
        (planned["workers"].as_bool(), planned["concurrency"].as_u64()),
        (Some(true), Some(4)),
        "{planned}"
    );

    let backup = d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(
        (backup.status, backup.table_count, backup.hops),
        (Status::Completed, Some(63), Some(0)),
        "{backup:?}"
    );
    // Sixty small tables do not make sixty items.
    let invoked = starts(d, "worker");
    assert!((10..30).contains(&invoked), "{invoked} invocations of workers");
    let copy = restored(d, &backup).await;
    assert_eq!(copy.contents().await, source.contents().await);
    d.keeps_secret("postgresql://").await;
}

/// All its rows go through workers: the restore of a backup of [`DATABASE`] has more than a megabyte.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_by_workers_that_are_killed_and_a_function_that_hands_on_is_whole() {
    let scene = Scene::set(Wishes { timeout: 12, worker_timeout: Some(120), ..Wishes::default() }).await;
    let d = &scene.d;
    let source = Database::of("workers_restore", DATABASE).await;
    d.backup(&source.url, json!({})).await.unwrap();
    let ended = |records: &[Record]| records.iter().all(|r| r.status.is_final());
    d.until("backed up", ended).await;
    let backup = d.newest().await;
    assert_eq!(backup.status, Status::Completed, "{backup:?}");
    let before = starts(d, "worker");

    // Each file's first bytes come late.
    scene.gate.stop("GET", ".dat.zst", What::Delay(500));
    let copy = Database::absent("workers_restored");
    let event =
        json!({"backupId": backup.id, "createDatabase": true, "targetSecret": d.secret(&copy.url).await});
    d.host.send("restore", &event).await;
    let start = std::time::Instant::now();
    while starts(d, "worker") < before + 6 {
        assert!(start.elapsed().as_secs() < 60, "no workers load");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    d.host.kill("worker").await;
    d.until("restored", ended).await;
    let restore = d.records().await.into_iter().find(|r| r.backup_id.is_some()).unwrap();
    assert_eq!(restore.status, Status::Completed, "{restore:?}");
    assert_eq!((restore.table_count, restore.record_count), (backup.table_count, backup.record_count));
    assert!(restore.hops.unwrap_or(0) >= 1, "one function had time enough: {restore:?}");
    assert_eq!(copy.contents().await, source.contents().await);
    assert_eq!(
        copy.column("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgbaton_restore'").await,
        ["0"]
    );
    // Twelve items of the large table, one of all others: each once, but those that were killed.
    let loads = starts(d, "worker") - before;
    assert!((12..26).contains(&loads), "{loads}");
    d.keeps_secret("postgresql://").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_loading_worker_fails_of_stands_in_the_record() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    let source = Database::of("workers_spoilt", DATABASE).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    scene.gate.stop("GET", ".dat.zst", What::Deny);
    let copy = Database::absent("workers_unrestored");
    let e = d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap_err();
    assert!(e.contains("s3:GetObject") && e.contains("in a worker"), "{e}");
    assert!(e.contains("dropped again"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_limit_one_function_does_all() {
    let scene = Scene::set(Wishes::default().with("BACKUP_FAN_OUT_MB", "1000")).await;
    let source = Database::of("workers_few", "CREATE TABLE t AS SELECT 1 AS i").await;
    scene.d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(starts(&scene.d, "worker"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_and_hops_under_writes_keep_one_instant() {
    let wishes = Wishes { timeout: 36, worker_timeout: Some(120), ..Wishes::default() };
    let scene = Scene::set(wishes.with("BACKUP_WORKERS", "2")).await;
    let d = &scene.d;
    // Slow until another function has gone on, however fast the machine is.
    scene.gate.stop("PUT", ".dat.zst", What::Delay(4_000));
    let source = Database::empty("workers_hops").await;
    successful("pgbench", &["-i", "-q", "-s", "6", &source.url]);
    source.run("CREATE TABLE refilled (i int, t text); INSERT INTO refilled SELECT i, 'x' FROM generate_series(1, 1000) i").await;
    let load = Load::start(&source, "2").await;
    let first = d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(first.status, Status::InProgress, "another function goes on: {first:?}");
    assert_eq!(first.hops, Some(1));
    scene.gate.open();
    let ended = |records: &[Record]| records.iter().all(|r| r.status.is_final());
    d.until("ended", ended).await;
    load.stop();
    let backup = d.newest().await;
    assert_eq!(backup.status, Status::Completed, "{backup:?}");
    let copy = restored(d, &backup).await;
    assert_eq!(copy.column(INVARIANT).await, ["1000 t t t"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_nothing_is_lost_or_twice() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    scene.gate.stop("PUT", ".dat.zst", What::Delay(700));
    let source = Database::of("workers_killed", DATABASE).await;
    let (inner, url) = (Arc::clone(d), source.url.clone());
    let run = tokio::spawn(async move { inner.backup(&url, json!({})).await });
    scene.until_workers_run().await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        d.host.kill("worker").await;
    }
    scene.gate.open();
    let backup = run.await.unwrap().unwrap();
    assert_eq!(backup.status, Status::Completed);
    let copy = restored(d, &backup).await;
    assert_eq!(copy.contents().await, source.contents().await);
    assert_eq!(d.uploads().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_holder_a_run_is_closed_by_its_workers() {
    let scene = Scene::set(Wishes { retries: 0, ..Wishes::default() }).await;
    let d = &scene.d;
    scene.gate.stop("PUT", ".dat.zst", What::Delay(1_000));
    let source = Database::of("workers_orphaned", DATABASE).await;
    let event = json!({"databaseSecret": d.secret(&source.url).await, "database": "test"});
    d.host.send("scheduled-backup", &event).await;
    scene.until_workers_run().await;
    d.host.kill("scheduled-backup").await;
    // Nobody reaps here, and no retry comes.
    let ended = |records: &[Record]| records.iter().all(|r| r.status.is_final());
    let records = d.until("closed", ended).await;
    assert_eq!(records[0].status, Status::Failed, "{records:?}");
    scene.gate.open();
    let start = std::time::Instant::now();
    while !d.uploads().await.is_empty() {
        assert!(start.elapsed().as_secs() < 20, "{:?}", d.uploads().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!d.objects().await.iter().any(|o| o.ends_with("manifest.json")));
    // No item is begun any more.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let invoked = starts(d, "worker");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(starts(d, "worker"), invoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_fails_of_stands_in_the_record() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    scene.gate.stop("PUT", ".dat.zst", What::Deny);
    let source = Database::of("workers_denied", DATABASE).await;
    let e = d.backup(&source.url, json!({})).await.unwrap_err();
    let record = d.newest().await;
    assert_eq!((record.status, record.error_code.as_deref()), (Status::Failed, Some("permission")), "{e}");
    assert!(e.contains("s3:PutObject") && e.contains("in a worker"), "{e}");
    assert!(d.host.log(WORKERS).contains("Final"), "no worker is tried again for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_for_which_another_session_waits_is_left_to_the_holder() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    scene.gate.stop("PUT", "work.json", What::Hold);
    let source = Database::of("workers_contested", DATABASE).await;
    let (inner, url) = (Arc::clone(d), source.url.clone());
    let run = tokio::spawn(async move { inner.backup(&url, json!({})).await });
    scene.gate.met().await;
    let url = source.url.clone();
    let alter = tokio::spawn(async move {
        let client = connect(&url).await;
        client.batch_execute("ALTER TABLE small ADD COLUMN extra int DEFAULT 7").await.unwrap();
    });
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'small'::regclass AND NOT granted";
    while source.column(waits).await != ["t"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.gate.open();
    let backup = run.await.unwrap().unwrap();
    alter.await.unwrap();
    let copy = restored(d, &backup).await;
    assert_eq!(copy.column("SELECT count(*) FROM small").await, ["100"]);
    assert_eq!(
        copy.column("SELECT count(*) FROM pg_attribute WHERE attrelid = 'small'::regclass AND attnum > 0")
            .await,
        ["2"]
    );
}
