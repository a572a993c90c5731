//! Receivers that fail, functions that are killed, steps that are repeated: no run is spoilt by it, nothing is lost, nothing is told twice as two events.

use std::sync::Arc;

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::Database,
    deployment::Wishes,
    gate::{Gate, What},
};
use serde_json::json;

use super::{NOWHERE, scene::Scene, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_gets_the_same_event_again() {
    let s = Scene::set(Wishes::default()).await;
    s.receiver.answer(&[503, 500]);
    s.d.backup(NOWHERE, json!({})).await.unwrap_err();
    let came = s.receiver.came();
    assert_eq!(came.iter().map(|c| c.answered).collect::<Vec<_>>(), [503, 500, 200]);
    assert!(came.iter().all(|c| c.id == came[0].id && c.body == came[0].body), "{came:?}");
    assert!(came.iter().all(|c| c.uri == "/hook?key=querysecret" && c.authorization == "Basic YW5uOmh1c2g="));
    assert!(came[0].timestamp <= came[2].timestamp && came[0].timestamp > 1_700_000_000);
    assert_eq!(s.events().await, ["backup.failed"]);

    // For longer than one function tries.
    s.receiver.always(Some(503));
    let begun = std::time::Instant::now();
    s.d.backup(NOWHERE, json!({})).await.unwrap_err();
    assert!(begun.elapsed().as_secs() < 20, "a receiver that fails holds nobody up");
    let by_topic = s.topic.read().await;
    assert_eq!(by_topic.len(), 1, "the other channel does not wait: {by_topic:?}");
    assert_eq!(by_topic[0].0, "[pgbaton] Backup failed: test");
    let failed = |s: &Scene, function: &str| {
        s.metrics(function).iter().filter(|m| m["NotificationFailed"] == 1.0).count()
    };
    assert_eq!(failed(&s, "scheduled-backup"), 1);
    s.run("reap").await;
    assert_eq!(failed(&s, "retention-cleanup"), 1);
    let refused = s.receiver.came();
    assert_eq!(refused.len(), 6);
    s.receiver.always(None);
    s.run("reap").await;
    let taken = s.receiver.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0], by_topic[0].1, "the same event that the topic was told");
    assert_eq!(refused[0].json(), taken[0]);
    s.run("reap").await;
    assert_eq!(s.told().await, [json!(null); 0], "and no more");
    let counted = s.metrics("scheduled-backup").iter().filter(|m| m["BackupFailed"] == 1.0).count();
    assert_eq!(
        (counted, s.metrics("retention-cleanup").iter().filter(|m| m["BackupFailed"] == 1.0).count()),
        (2, 0)
    );
    s.keeps_secrets().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed_and_spoil_no_backup() {
    let s = Scene::set(Wishes::default()).await;
    let source = Database::of("notify_redirect", "CREATE TABLE t AS SELECT 1 AS id").await;
    s.receiver.always(Some(302));
    let url = format!("{}?client_encoding=LATIN1", source.url);
    let record = s.d.backup(&url, json!({})).await.unwrap();
    assert_eq!(record.status, Status::Completed);
    let came = s.receiver.came();
    assert_eq!(came.len(), 1, "one attempt, and nothing at /elsewhere: {came:?}");
    let log = s.d.host.log("scheduled-backup");
    assert!(log.contains("redirects are not followed"), "{log}");
    assert!(log.contains(&format!("http://{}/hook did not take it", s.receiver.address)), "{log}");
    s.keeps_secrets().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_off_is_told_once_by_the_reaper() {
    let gate = Gate::start().await;
    let wishes = Wishes::default().with("AWS_ENDPOINT_URL", &gate.url).with("RUN_LEASE_SECONDS", "5");
    let s = Arc::new(Scene::set(wishes).await);
    let source = Database::of("notify_stuck", "CREATE TABLE t AS SELECT 1 AS id").await;
    gate.stop("PUT", ".dat", What::Hold);
    let run = {
        let (s, url) = (Arc::clone(&s), source.url.clone());
        tokio::spawn(async move { s.d.backup(&url, json!({})).await })
    };
    gate.met().await;
    gate.forget();
    s.d.host.kill("scheduled-backup").await;
    run.await.unwrap().unwrap_err();
    s.d.reap().await;
    let told = s.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(text(&told[0], "event"), "backup.stuck");
    assert_eq!(text(&told[0], "run_id"), s.d.newest().await.id.as_str());
    assert!(text(&told[0], "message").contains("the function was stopped before it finished"));
    for _ in 0..2 {
        s.run("reap").await;
    }
    assert_eq!(s.events().await, [""; 0]);
    let failed = s.metrics("retention-cleanup").iter().filter(|m| m["BackupFailed"] == 1.0).count();
    assert_eq!(failed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_delivered_again_tells_nothing_again() {
    let s = Scene::set(Wishes::default()).await;
    let event = json!({"databaseSecret": s.d.secret("postgresql://u@127.0.0.1:1/d?sslmode=bogus").await, "database": "test", "eventId": "again"});
    for _ in 0..3 {
        s.d.host.invoke("scheduled-backup", &event).await.unwrap_err();
    }
    assert_eq!(s.d.records().await.len(), 1);
    assert_eq!(s.events().await, ["backup.failed"]);
}
