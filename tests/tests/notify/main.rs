//! What people are told of runs, from the run to the receiver: over SNS and a signed webhook, once, or again under the same id.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod counting;
mod faults;
mod receiver;
mod scene;
mod topic;

use jiff::ToSpan;
use pgbaton::{base::clock, ledger::Status, store::ObjectKey};
use pgbaton_tests::{
    database::Database,
    deployment::Wishes,
    roles::{Roles, url_as},
};
use scene::{Scene, database};
use serde_json::{Value, json};

/// Nobody listens there.
const NOWHERE: &str = "postgresql://u:hunter2@127.0.0.1:1/d";

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_else(|| panic!("{name}: {event}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_recovery_and_warnings_are_told_and_counted() {
    let s = Scene::set(Wishes::default()).await;
    let roles = Roles::create(&["reader"], "LOGIN PASSWORD 'correct horse'");
    let reader = roles.name("reader");
    let source =
        Database::of("notify", "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE kept AS SELECT 2 AS id").await;

    s.d.backup(NOWHERE, json!({})).await.unwrap_err();
    s.d.backup(&url_as(&reader, "correct%20horse", &source.name), json!({})).await.unwrap_err();
    let told = s.told().await;
    assert_eq!(told.len(), 2, "{told:?}");
    for (n, event) in told.iter().enumerate() {
        assert_eq!(text(event, "event"), "backup.failed");
        let run = text(event, "run_id");
        assert_eq!(text(event, "id"), format!("{run}/backup.failed"));
        assert_eq!(
            (text(event, "database"), &event["details"]["consecutive_failures"]),
            ("test", &json!(n + 1))
        );
        let record = s.d.record(&pgbaton::base::id::RunId::parse(run).unwrap()).await;
        assert_eq!(event["message"], record.message.unwrap());
        assert_eq!(event["details"]["status"], "failed");
        assert!(text(event, "next_step").contains("POST /backup"), "{event}");
    }
    assert_eq!(told[0]["details"]["error_code"], "unreachable");
    assert_eq!(told[1]["details"]["error_code"], "permission", "{}", told[1]);

    let good = s.d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(s.events().await, ["backup.recovered"]);
    s.d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(s.events().await, [""; 0], "an ordinary backup is nobody's business");
    let warned = s.d.backup(&format!("{}?client_encoding=LATIN1", source.url), json!({})).await.unwrap();
    assert!(!warned.warnings.is_empty());
    let told = s.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(text(&told[0], "event"), "backup.completed_with_warnings");
    assert_eq!(told[0]["details"]["warnings"], json!(warned.warnings));

    // What is counted of it, in the function's own log.
    let metrics = s.metrics("scheduled-backup");
    let of = |name: &str| metrics.iter().map(|m| m[name].as_f64()).collect::<Vec<_>>();
    assert_eq!(of("BackupFailed"), [1.0, 1.0, 0.0, 0.0, 0.0].map(Some));
    assert_eq!(of("BackupSucceeded"), [0.0, 0.0, 1.0, 1.0, 1.0].map(Some));
    assert_eq!(of("ConsecutiveFailures"), [1.0, 2.0, 0.0, 0.0, 0.0].map(Some));
    assert_eq!(of("BackupWarnings")[2..], [0.0, 0.0, warned.warnings.len() as f64].map(Some));
    assert_eq!(of("BackupBytes")[2], good.file_size.map(|b| b as f64));
    for line in &metrics {
        assert_eq!(
            (&line["Database"], &line["_aws"]["CloudWatchMetrics"][0]["Namespace"]),
            (&json!("test"), &json!("pgbaton"))
        );
    }
    let standing = s.d.tables.ledger.standing(&database()).await.unwrap();
    assert_eq!((standing.failures, standing.last_good, standing.outbox.len()), (0, Some(warned.id), 0));
    s.keeps_secrets().await;
    s.d.keeps_secret("hunter2").await;
    s.d.keeps_secret("correct horse").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restores_and_verifications_are_told() {
    let s = Scene::set(Wishes::default()).await;
    let source = Database::of("notify_restore", "CREATE TABLE t AS SELECT 1 AS id").await;
    let backup = s.d.backup(&source.url, json!({})).await.unwrap();
    s.d.restore(&source.url, json!({"backupId": backup.id})).await.unwrap_err();
    let target = Database::absent("notify_restored");
    s.d.restore(&target.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap();
    let told = s.told().await;
    let names: Vec<&str> = told.iter().map(|e| text(e, "event")).collect();
    assert_eq!(names, ["restore.failed", "restore.completed"]);
    assert!(told.iter().all(|e| e["details"]["backup_id"] == backup.id.as_str()), "{told:?}");
    let failed: Vec<_> = s.metrics("restore").iter().map(|m| m["RestoreFailed"].as_f64()).collect();
    assert_eq!(failed, [Some(1.0), Some(0.0)]);
    let standing = s.d.tables.ledger.standing(&database()).await.unwrap();
    assert_eq!(standing.failures, 0, "restores are not counted among backups");

    let lost = ObjectKey::within(&s.d.folder(&backup), "toc.dat").unwrap();
    s.d.s3.delete_object().bucket(s.d.store.bucket()).key(lost.as_str()).send().await.unwrap();
    let event = json!({"backupId": backup.id, "level": "objects"});
    s.d.host.invoke("verify", &event).await.unwrap_err();
    let told = s.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(text(&told[0], "event"), "verification.failed");
    let run = s.d.record(&backup.id).await.verification_id.unwrap();
    assert_eq!(text(&told[0], "id"), format!("{}/verification.failed/{run}", backup.id));
    assert!(
        text(&told[0], "message").contains("toc.dat") && text(&told[0], "next_step").contains("Do not rely")
    );
    assert!(s.metrics("verify").iter().any(|m| m["VerificationFailed"].as_f64() == Some(1.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_once_and_ended_by_a_backup() {
    let wishes = Wishes::default().with("EXPECTED_BACKUP_HOURS", "26").with("DATABASE_CONFIGURED", "true");
    let s = Scene::set(wishes).await;
    let source = Database::of("notify_silent", "CREATE TABLE t AS SELECT 1 AS id").await;
    let backup = s.d.backup(&source.url, json!({})).await.unwrap();
    let seen = s.run("watch").await;
    assert_eq!(seen["watched"].as_array().unwrap().len(), 1, "nothing expects backups of test: {seen}");
    s.schedule("daily", "0 2 * * *", "test").await;
    let seen = s.run("watch").await;
    let of = |seen: &Value, name: &str| {
        let all = seen["watched"].as_array().unwrap();
        all.iter().find(|w| w["database"] == name).unwrap_or_else(|| panic!("{seen}")).clone()
    };
    assert_eq!(of(&seen, "test")["silent"], false);
    assert_eq!(of(&seen, "main")["silent"], false, "the schedule's own database is waited for from now on");
    assert_eq!(s.events().await, [""; 0]);

    let ledger = &s.d.tables.ledger;
    let long_ago = |hours: i64| clock::now() - hours.hours();
    ledger.change_standing(&database(), |standing| standing.last_good_at = Some(long_ago(27))).await.unwrap();
    let seen = s.run("watch").await;
    assert_eq!(of(&seen, "test")["silent"], true);
    let told = s.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((text(&told[0], "event"), text(&told[0], "database")), ("backup.silent", "test"));
    assert!(text(&told[0], "message").contains(backup.id.as_str()), "{}", told[0]);
    for _ in 0..2 {
        s.run("watch").await;
    }
    assert_eq!(s.events().await, [""; 0], "once");
    ledger
        .change_standing(&database(), |standing| standing.silence_told_at = Some(long_ago(24)))
        .await
        .unwrap();
    s.run("watch").await;
    assert_eq!(s.events().await, ["backup.silent"], "and again after a day");
    let ages: Vec<_> =
        s.metrics("retention-cleanup").into_iter().filter(|m| m["Database"] == "test").collect();
    assert_eq!(ages.len(), 5);
    assert!(ages[1]["BackupAgeSeconds"].as_f64().unwrap() >= 27.0 * 3_600.0, "{}", ages[1]);

    // Where the schedules leave a week between two backups, a week is not silence.
    s.schedule("daily", "0 2 * * 0", "test").await;
    assert_eq!(of(&s.run("watch").await, "test")["silent"], false);
    let ages: Vec<_> =
        s.metrics("retention-cleanup").into_iter().filter(|m| m["Database"] == "test").collect();
    assert_eq!((ages[1]["BackupSilent"].as_f64(), ages[5]["BackupSilent"].as_f64()), (Some(1.0), Some(0.0)));

    s.d.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(s.events().await, ["backup.recovered"]);
    let seen = s.run("watch").await;
    assert_eq!(of(&seen, "test")["silent"], false);

    // The schedule's own database, of which there never was a backup.
    let main = pgbaton::base::id::DatabaseName::parse("main").unwrap();
    ledger.change_standing(&main, |standing| standing.expected_since = Some(long_ago(27))).await.unwrap();
    s.run("watch").await;
    let told = s.told().await;
    assert_eq!((text(&told[0], "event"), text(&told[0], "database")), ("backup.silent", "main"));
    assert!(s.d.records().await.iter().all(|r| r.status == Status::Completed));
}
