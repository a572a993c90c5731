//! Functions that die, freeze, are late or are asked twice: no record stays open, no upload stays behind, no event is served twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{process::Command, sync::Arc};

use pgbaton::ledger::{Record, RunKind, Status};
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
};
use serde_json::{Value, json};

/// 40 MB of rows: more than a run may hold in memory and in sockets while its uploads are held back.
const BIG: &str =
    "CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 32) AS body FROM generate_series(1, 40000) g";

/// A database, and a deployment whose uploads of parts wait at the gate.
struct Scene {
    gate: Gate,
    d: Arc<Deployment>,
    database: Database,
}

impl Scene {
    async fn set(wishes: Wishes) -> Self {
        let gate = Gate::start().await;
        let wishes = wishes.with("AWS_ENDPOINT_URL", &gate.url).with("RUN_LEASE_SECONDS", "5");
        let d = Arc::new(Deployment::with(wishes).await);
        let database = Database::of("crashes", BIG).await;
        gate.stop("PUT", "partNumber=", What::Hold);
        Self { gate, d, database }
    }

    async fn event(&self, event_id: &str) -> Value {
        let secret = self.d.secret(&self.database.url).await;
        json!({"databaseSecret": secret, "database": "test", "eventId": event_id, "compression": "none"})
    }

    /// Starts a backup and waits until it streams.
    async fn begin(&self, event: &Value) -> tokio::task::JoinHandle<Result<Value, String>> {
        let (d, event) = (Arc::clone(&self.d), event.clone());
        let run = tokio::spawn(async move { d.host.invoke("scheduled-backup", &event).await });
        self.gate.met().await;
        run
    }

    async fn manifests(&self) -> Vec<String> {
        self.d.objects().await.into_iter().filter(|o| o.ends_with("manifest.json")).collect()
    }
}

fn stopped(record: &Record) {
    assert_eq!(record.status, Status::Failed, "{record:?}");
    assert_eq!(record.error_code.as_deref(), Some("function_stopped"), "{record:?}");
    let told = record.message.as_deref().unwrap();
    assert!(told.contains("the function was stopped before it finished"), "{told}");
    assert!(record.finished_at.is_some() && record.lease_until.is_none(), "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_is_made_again_by_lambdas_retry() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    d.host.send("scheduled-backup", &scene.event("crash/1").await).await;
    scene.gate.met().await;
    assert_eq!(d.newest().await.status, Status::InProgress);
    assert_eq!(d.uploads().await.len(), 1);
    // What was on its way dies with the function; what comes later passes.
    scene.gate.forget();
    d.host.kill("scheduled-backup").await;

    let done = |records: &[Record]| records.iter().any(|r| r.status == Status::Completed);
    let records = d.until("completed by the retry", done).await;
    assert_eq!(records.len(), 2, "{records:?}");
    let (again, first): (Vec<_>, Vec<_>) = records.into_iter().partition(|r| r.status == Status::Completed);
    stopped(&first[0]);
    assert_eq!(again[0].retry_of.as_ref(), Some(&first[0].id));
    assert_eq!(again[0].record_count, Some(40_000));
    assert_eq!(d.uploads().await, Vec::<String>::new());
    assert_eq!(scene.manifests().await, [format!("{}manifest.json", d.folder(&again[0]))]);

    // Delivered once more, the event finds the run that was made in the place of the first.
    let third = d.host.invoke("scheduled-backup", &scene.event("crash/1").await).await.unwrap();
    assert_eq!(third["id"], again[0].id.as_str());
    assert_eq!(d.records().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_retries_the_reaper_closes_a_killed_backup() {
    let scene = Scene::set(Wishes { retries: 0, ..Wishes::default() }).await;
    let d = &scene.d;
    let run = scene.begin(&scene.event("crash/2").await).await;
    scene.gate.forget();
    d.host.kill("scheduled-backup").await;
    run.await.unwrap().unwrap_err();
    assert_eq!(d.newest().await.status, Status::InProgress);
    assert_eq!(d.uploads().await.len(), 1);

    let answer = d.reap().await;
    let record = d.newest().await;
    assert_eq!(answer["closed"], json!([record.id]));
    stopped(&record);
    assert_eq!(d.uploads().await, Vec::<String>::new());
    assert!(scene.manifests().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_whose_time_is_up_ends_itself() {
    let wishes = Wishes { timeout: 8, ..Wishes::default() }.with("BACKUP_MAX_HOPS", "0");
    let scene = Scene::set(wishes).await;
    let d = &scene.d;
    let message = scene.begin(&scene.event("late").await).await.await.unwrap().unwrap_err();
    assert!(message.contains("the time of the function is up, and BACKUP_MAX_HOPS is 0"), "{message}");
    let record = d.newest().await;
    assert_eq!((record.status, record.error_code.as_deref()), (Status::Failed, Some("budget")));
    assert!(record.message.unwrap().starts_with(&message));
    assert_eq!(d.uploads().await, Vec::<String>::new());
    assert!(scene.manifests().await.is_empty());
    assert!(!d.host.log("scheduled-backup").contains("Status: timeout"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_delivered_twice_is_served_once() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    let event = scene.event("twice").await;
    let run = scene.begin(&event).await;
    // The stand-in dates every upload to 2010, so this one looks like an orphan; yet its run goes on.
    let reaped = d.host.invoke("retention-cleanup", &json!({"action": "reap"})).await.unwrap();
    assert_eq!((&reaped["closed"], &reaped["aborted_uploads"]), (&json!([]), &json!(0)));
    assert_eq!(d.uploads().await.len(), 1);
    let while_running = d.host.invoke("scheduled-backup", &event).await.unwrap();
    assert_eq!(while_running["status"], "in_progress");
    scene.gate.open();
    let first = run.await.unwrap().unwrap();
    assert_eq!((&first["status"], &first["id"]), (&json!("completed"), &while_running["id"]));
    let after = d.host.invoke("scheduled-backup", &event).await.unwrap();
    assert_eq!((&after["status"], &after["id"]), (&json!("completed"), &first["id"]));

    let event = scene.event("at once").await;
    let all = futures_util::future::join_all((0..4).map(|_| d.host.invoke("scheduled-backup", &event))).await;
    let ids: Vec<String> = all.into_iter().map(|a| a.unwrap()["id"].to_string()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    d.until("completed", |r| r.iter().all(|r| r.status == Status::Completed)).await;
    assert_eq!(d.records().await.len(), 2);
    assert_eq!(scene.manifests().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_froze_and_wakes_writes_nothing_more() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    let run = scene.begin(&scene.event("frozen").await).await;
    let process = d.host.processes("scheduled-backup").await[0].to_string();
    let signal =
        |name: &str| assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    signal("-STOP");
    d.reap().await;
    let closed = d.newest().await;
    stopped(&closed);
    scene.gate.open();
    signal("-CONT");

    let message = run.await.unwrap().unwrap_err();
    assert!(message.contains("its lease"), "{message}");
    assert_eq!(d.record(&closed.id).await, closed, "the record is as the reaper left it");
    assert!(scene.manifests().await.is_empty());
    assert_eq!(d.uploads().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_restore_is_closed_by_the_reaper() {
    let scene = Scene::set(Wishes::default()).await;
    let d = &scene.d;
    scene.gate.forget();
    let backup = d.backup(&scene.database.url, json!({})).await.unwrap();
    let target = Database::absent("crashes_restored");
    let event =
        json!({"backupId": backup.id, "targetSecret": d.secret(&target.url).await, "createDatabase": true});
    scene.gate.stop("GET", ".dat.", What::Hold);
    let restore = {
        let (d, event) = (Arc::clone(d), event.clone());
        tokio::spawn(async move { d.host.invoke("restore", &event).await })
    };
    scene.gate.met().await;
    scene.gate.forget();
    d.host.kill("restore").await;
    restore.await.unwrap().unwrap_err();
    d.reap().await;
    let record = d.newest().await;
    assert_eq!(record.kind, RunKind::Restore);
    stopped(&record);
    assert_eq!(d.record(&backup.id).await, backup);
    // The half-filled database stands, known by its mark: the next attempt makes it anew and fills it.
    let again = d.host.invoke("restore", &event).await.unwrap();
    assert_eq!(again["status"], "completed", "{again}");
    assert_eq!(again["record_count"], backup.record_count.unwrap(), "{again}");
}
