//! A backup that outlives its function: the snapshot goes from one to the next, and the archive is one instant all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use pgbaton::ledger::{Record, Status};
use pgbaton_tests::{
    database::{Database, connect, successful},
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    load::{INVARIANT, Load},
};
use serde_json::{Value, json};

/// Twelve megabytes in slices of one, each with an upload of its own.
const SLICED: &str = "CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 32) AS body FROM generate_series(1, 12000) g; \
    CREATE TABLE small AS SELECT g AS id FROM generate_series(1, 100) g";

/// Functions of `timeout` seconds, whose files take a while to be stored: two at once, `delay` milliseconds each.
struct Scene {
    gate: Gate,
    d: Arc<Deployment>,
}

impl Scene {
    async fn set(timeout: u64, delay: u64, more: &[(&str, &str)]) -> Self {
        let gate = Gate::start().await;
        let wishes = Wishes { timeout, ..Wishes::default() }
            .with("AWS_ENDPOINT_URL", &gate.url)
            .with("RUN_LEASE_SECONDS", "5")
            .with("BACKUP_SLICE_MB", "1")
            .with("BACKUP_CONCURRENCY", "2");
        let wishes = more.iter().fold(wishes, |w, (name, value)| w.with(name, value));
        let d = Arc::new(Deployment::with(wishes).await);
        gate.stop("PUT", ".dat.zst", What::Delay(delay));
        Self { gate, d }
    }

    /// Starts a backup and waits until it has ended, however many functions that takes.
    async fn backup(&self, url: &str) -> Record {
        let begun = self.d.backup(url, json!({})).await;
        if let Err(e) = &begun {
            println!("the first function: {e}");
        }
        let ended = |records: &[Record]| records.iter().all(|r| r.status.is_final());
        self.d.until("ended", ended).await;
        self.d.newest().await
    }
}

async fn restored(d: &Deployment, backup: &Record) -> Database {
    let copy = Database::absent("relay_copy");
    let restore = d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap();
    assert_eq!(restore.status, Status::Completed);
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn hops_under_writes_truncates_and_alters_keep_one_instant() {
    // More readers than the ceiling on connections allows: a warning, once, however many functions say it.
    let scene = Scene::set(36, 1_500, &[("BACKUP_MAX_CONNECTIONS", "5"), ("BACKUP_CONCURRENCY", "3")]).await;
    let source = Database::empty("relay").await;
    successful("pgbench", &["-i", "-q", "-s", "6", &source.url]);
    source.run("CREATE TABLE refilled (i int, t text); INSERT INTO refilled SELECT i, 'x' FROM generate_series(1, 1000) i").await;
    // A warning of the catalogs, which the plan tells the next function as well.
    source.run("CREATE TABLE twice AS SELECT 1 AS i FROM generate_series(1, 2)").await;
    assert!(source.try_run("CREATE UNIQUE INDEX CONCURRENTLY invalid ON twice (i)").await.is_err());
    let load = Load::start(&source, "3").await;
    let sessions = most_sessions(&source);
    let backup = scene.backup(&source.url).await;
    load.stop();
    let most = sessions.await;
    assert!((4..=5).contains(&most), "{most} sessions at once");
    if backup.status == Status::Failed {
        // A table may be emptied between snapshot and lock: said, never silent.
        let told = backup.message.unwrap();
        assert!(["refilled", "churn_", "widened"].iter().any(|table| told.contains(table)), "{told}");
        panic!("a table changed before it was locked, five times in a row: {told}");
    }
    assert!(backup.hops.unwrap() >= 2, "{backup:?}");
    assert_eq!(backup.warnings.len(), 2, "{:?}", backup.warnings);
    for text in ["invalid", "BACKUP_MAX_CONNECTIONS (5)"] {
        assert!(backup.warnings.iter().any(|w| w.contains(text)), "{:?}", backup.warnings);
    }
    scene.gate.open();
    let copy = restored(&scene.d, &backup).await;
    assert_eq!(copy.column(INVARIANT).await, ["1000 t t t"]);
    assert!(copy.column("SELECT count(*) FROM pgbench_history").await != ["0"]);
    assert_eq!(scene.d.uploads().await, Vec::<String>::new());
    assert_eq!(source.column(SESSIONS).await, ["0"], "no session is left behind");
}

const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgbaton %' AND datname = current_database()";

/// Counts the sessions of backups until the future is awaited, which then waits for the last one to end; gives the most that there were at once.
fn most_sessions(source: &Database) -> impl Future<Output = i64> {
    let url = source.url.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let counting = tokio::spawn(async move {
        let client = connect(&url).await;
        let (mut most, mut stopped) = (0, stopped);
        loop {
            let now: i64 = client.query_one(SESSIONS, &[]).await.unwrap().get(0);
            most = most.max(now);
            if stopped.try_recv().is_ok() {
                return most;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    async move {
        stop.send(()).unwrap();
        counting.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_for_which_another_session_waits_is_read_by_the_holder_itself() {
    let scene = Scene::set(60, 300, &[]).await;
    let source = Database::of("relay_contested", SLICED).await;
    let d = Arc::clone(&scene.d);
    let url = source.url.clone();
    let run = tokio::spawn(async move { d.backup(&url, json!({})).await });
    let locked =
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'small'::regclass AND mode = 'AccessShareLock'";
    while source.column(locked).await != ["t"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It waits for the backup, and every query on the table waits for it.
    let url = source.url.clone();
    let alter = tokio::spawn(async move {
        let client = connect(&url).await;
        client
            .batch_execute("ALTER TABLE small ALTER id TYPE bigint; UPDATE small SET id = id + 1000")
            .await
            .unwrap();
    });
    let record = run.await.unwrap().unwrap();
    alter.await.unwrap();
    assert_eq!(source.column("SELECT min(id) FROM small").await, ["1001"]);
    scene.gate.open();
    let copy = restored(&scene.d, &record).await;
    assert_eq!(
        copy.column("SELECT concat_ws(' ', count(*), min(id), max(id)) FROM small").await,
        ["100 1 100"]
    );
    assert!(
        scene.d.host.log("scheduled-backup").contains("the holder reads this table itself"),
        "nobody was in the way"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cap_on_hops_ends_a_run_and_cleans_up() {
    let scene = Scene::set(12, 2_500, &[("BACKUP_MAX_HOPS", "1")]).await;
    let source = Database::of("relay_cap", SLICED).await;
    let backup = scene.backup(&source.url).await;
    let told = backup.message.as_deref().unwrap();
    assert_eq!((backup.status, backup.error_code.as_deref()), (Status::Failed, Some("budget")), "{told}");
    assert!(told.contains("after 1 hand-overs, as many as BACKUP_MAX_HOPS allows"), "{told}");
    assert_eq!(backup.hops, Some(1));
    clean(&scene.d).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_no_function_can_read_in_its_time_ends_the_run() {
    let scene = Scene::set(12, 60_000, &[("BACKUP_CONCURRENCY", "1")]).await;
    let source = Database::of("relay_stuck", "CREATE TABLE wide AS SELECT repeat('x', 5000) AS t").await;
    let backup = scene.backup(&source.url).await;
    let told = backup.message.as_deref().unwrap();
    assert_eq!((backup.status, backup.error_code.as_deref()), (Status::Failed, Some("budget")), "{told}");
    assert!(told.contains("public.wide") && told.contains("BACKUP_SLICE_MB"), "{told}");
    clean(&scene.d).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_successor_ends_the_run_and_cleans_up() {
    let scene = Scene::set(14, 2_500, &[]).await;
    let source = Database::of("relay_killed", SLICED).await;
    let event = json!({"databaseSecret": scene.d.secret(&source.url).await, "database": "test", "eventId": "relay/killed"});
    scene.d.host.send("scheduled-backup", &event).await;
    let hopped = |records: &[Record]| records.iter().any(|r| r.hops == Some(1));
    scene.d.until("handed over", hopped).await;
    // By then the first function has let go; killed as well, its own event would be served anew.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    scene.d.host.kill("scheduled-backup").await;
    let ended = |records: &[Record]| records.iter().all(|r| r.status.is_final());
    let records = scene.d.until("closed", ended).await;
    assert_eq!(records.len(), 1, "a snapshot that is lost is not taken anew behind anybody's back");
    assert_eq!(records[0].error_code.as_deref(), Some("function_stopped"), "{records:?}");
    scene.gate.open();
    clean(&scene.d).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_on_the_source_end_a_run_and_name_what_passed_them() {
    let limits = [("BACKUP_MAX_LOCK_WAIT_SECONDS", "3"), ("BACKUP_MAX_XMIN_AGE", "40")];
    for (n, (name, value)) in limits.into_iter().enumerate() {
        let scene = Scene::set(120, 3_000, &[(name, value)]).await;
        let source = Database::of("relay_limits", SLICED).await;
        let d = Arc::clone(&scene.d);
        let url = source.url.clone();
        let run: tokio::task::JoinHandle<Record> = tokio::spawn(async move {
            d.backup(&url, json!({})).await.unwrap_err();
            d.newest().await
        });
        let locked =
            "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'big'::regclass AND mode = 'AccessShareLock'";
        while source.column(locked).await != ["t"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let url = source.url.clone();
        let other = tokio::spawn(async move {
            let client = connect(&url).await;
            if n == 0 {
                return client.batch_execute("ALTER TABLE big ADD COLUMN extra int").await;
            }
            for _ in 0..100 {
                client.batch_execute("INSERT INTO small VALUES (0)").await?;
            }
            Ok(())
        });
        let record = run.await.unwrap();
        other.await.unwrap().unwrap();
        let told = record.message.unwrap();
        assert_eq!(record.error_code.as_deref(), Some("source_limit"), "{told}");
        assert!(told.contains(name), "{told}");
        assert!(n > 0 || told.contains("public.big"), "{told}");
        scene.gate.open();
        clean(&scene.d).await;
    }
}

/// A run that failed leaves no manifest, no upload.
async fn clean(d: &Deployment) {
    assert!(!d.objects().await.iter().any(|o| o.ends_with("manifest.json")));
    let start = std::time::Instant::now();
    while !d.uploads().await.is_empty() {
        assert!(start.elapsed().as_secs() < 10, "{:?}", d.uploads().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// An event cannot be made up: nothing is taken over that was not offered.
#[tokio::test(flavor = "multi_thread")]
async fn a_hop_that_nobody_offered_changes_nothing() {
    let d = Deployment::start().await;
    let source = Database::of("relay_forged", "CREATE TABLE t AS SELECT 1 AS i").await;
    let done = d.backup(&source.url, json!({})).await.unwrap();
    let hop = json!({"run": done.id, "fence": 1, "number": 1, "attempt": 1});
    let again = d.backup(&source.url, json!({"hop": hop})).await.unwrap();
    assert_eq!(again, done);
    for wrong in [
        json!({"run": "../x", "fence": 1, "number": 1, "attempt": 1}),
        json!({"run": done.id}),
        Value::from(1),
    ] {
        let e = d.backup(&source.url, json!({"hop": wrong})).await.unwrap_err();
        assert!(e.contains("the field \"hop\" is wrong"), "{e}");
    }
    let absent = json!({"run": "20200101T000000Z-00000000", "fence": 1, "number": 1, "attempt": 1});
    let e = d.backup(&source.url, json!({"hop": absent})).await.unwrap_err();
    assert!(e.contains("there is no record"), "{e}");
}
