//! Retention: what is too old goes, in an order that survives a crash; the newest good backup stays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{Timestamp, ToSpan};
use pgbaton::{
    base::{clock, id::RunId},
    ledger::{ListQuery, Record, RunKind, Status},
    store::ObjectKey,
};
use pgbaton_tests::{database::Database, deployment::Deployment};
use serde_json::{Value, json};

/// Makes a run look as old as that.
async fn age(d: &Deployment, record: &Record, days: i64) {
    let then = Timestamp::now().checked_sub((days * 24).hours()).unwrap();
    d.tables
        .client
        .update_item()
        .table_name(&d.tables.table)
        .key("id", AttributeValue::S(record.id.to_string()))
        .update_expression("SET created_at = :then")
        .expression_attribute_values(":then", AttributeValue::S(clock::text(then)))
        .send()
        .await
        .unwrap();
}

async fn retention(d: &Deployment, dry_run: bool) -> Value {
    d.host.invoke("retention-cleanup", &json!({"action": "retention", "dryRun": dry_run})).await.unwrap()
}

async fn objects_of(d: &Deployment, record: &Record) -> Vec<String> {
    let folder = d.folder(record);
    d.objects().await.into_iter().filter(|o| o.starts_with(&folder)).collect()
}

/// Runs of one kind, in the order of their ids.
async fn of_kind(d: &Deployment, kind: RunKind) -> Vec<Record> {
    let mut found = d.tables.ledger.list(&ListQuery::of(kind)).await.unwrap().records;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

async fn backups(d: &Deployment) -> Vec<RunId> {
    of_kind(d, RunKind::Backup).await.into_iter().map(|r| r.id).collect()
}

fn decision<'a>(answer: &'a Value, record: &Record) -> (&'a str, &'a str) {
    let lines = answer["plan"].as_array().unwrap();
    let line = lines.iter().find(|l| l["id"] == record.id.as_str()).expect("a line of the plan");
    (line["decision"].as_str().unwrap(), line["reason"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn old_backups_go_and_the_newest_good_one_stays() {
    let d = Deployment::start().await;
    let database =
        Database::of("retention", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 100) g").await;
    let oldest = d.backup(&database.url, json!({})).await.unwrap();
    let old = d.backup(&database.url, json!({})).await.unwrap();
    let newest = d.backup(&database.url, json!({})).await.unwrap();
    let other = d.backup(&database.url, json!({"database": "other"})).await.unwrap();
    d.backup("postgresql://u@127.0.0.1:1/d", json!({})).await.unwrap_err();
    let failed = d.newest().await;
    for (record, days) in [(&oldest, 90), (&old, 60), (&newest, 45), (&other, 400), (&failed, 31)] {
        age(&d, record, days).await;
    }
    // What a failed run had finished before it failed; and a stranger's folder whose name begins alike.
    let left = ObjectKey::within(&d.folder(&failed), "1.dat.zst").unwrap();
    let folder = d.folder(&oldest);
    let stranger = ObjectKey::parse(&format!("{}-kept/1.dat", folder.trim_end_matches('/'))).unwrap();
    for key in [&left, &stranger] {
        d.store.put(key, &b"left"[..], pgbaton::store::Put::IfAbsent).await.unwrap();
    }
    d.s3.create_multipart_upload()
        .bucket(d.store.bucket())
        .key(format!("{folder}9.dat"))
        .send()
        .await
        .unwrap();

    let before = (d.records().await.len(), d.objects().await);
    let plan = retention(&d, true).await;
    assert_eq!(decision(&plan, &oldest), ("remove", "it is older than 30 days"));
    assert_eq!(decision(&plan, &newest), ("keep", "it is the newest good backup of test"));
    assert_eq!(decision(&plan, &other), ("keep", "it is the newest good backup of other"));
    assert_eq!(decision(&plan, &failed).0, "remove");
    assert_eq!(plan["removed"], json!([]));
    assert_eq!((d.records().await.len(), d.objects().await), before, "a dry run removes nothing");

    let done = retention(&d, false).await;
    let mut removed: Vec<&str> =
        done["removed"].as_array().unwrap().iter().map(|v| v["id"].as_str().unwrap()).collect();
    removed.sort_unstable();
    let mut wanted = [oldest.id.as_str(), old.id.as_str(), failed.id.as_str()];
    wanted.sort_unstable();
    assert_eq!(removed, wanted);
    let mut kept = [newest.id.clone(), other.id.clone()];
    kept.sort_unstable();
    assert_eq!(backups(&d).await, kept);
    let deletions = of_kind(&d, RunKind::Deletion).await;
    assert_eq!(deletions.len(), 3);
    let of_oldest = deletions.iter().find(|r| r.backup_id.as_ref() == Some(&oldest.id)).unwrap();
    let why = format!("the backup {} was removed by retention: it is older than 30 days", oldest.id);
    assert_eq!((of_oldest.message.as_deref(), of_oldest.status), (Some(why.as_str()), Status::Completed));
    for record in [&oldest, &old, &failed] {
        assert_eq!(objects_of(&d, record).await, Vec::<String>::new());
    }
    assert_eq!(d.uploads().await, Vec::<String>::new());
    assert!(d.objects().await.contains(&stranger.to_string()));

    let copy = Database::absent("retention_copy");
    d.restore(&copy.url, json!({"backupId": newest.id, "createDatabase": true})).await.unwrap();
    assert_eq!(copy.contents().await, database.contents().await);
    let again = retention(&d, false).await;
    assert_eq!(again["removed"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_broke_off_is_finished_by_the_next_run() {
    let d = Deployment::start().await;
    let database = Database::of("retention_half", "CREATE TABLE t AS SELECT 1 AS id").await;
    let half = d.backup(&database.url, json!({})).await.unwrap();
    let good = d.backup(&database.url, json!({})).await.unwrap();
    // As a function killed after it had removed the manifest leaves it. It is the youngest by the clock, yet no good backup any more.
    age(&d, &good, 50).await;
    d.tables.ledger.mark_deleting(&half.id, clock::now()).await.unwrap();
    d.store.delete(&[ObjectKey::within(&d.folder(&half), "manifest.json").unwrap()]).await.unwrap();
    let target = Database::absent("retention_gone");
    let refused =
        d.restore(&target.url, json!({"backupId": half.id, "createDatabase": true})).await.unwrap_err();
    assert!(refused.contains("is being removed"), "{refused}");

    let done = retention(&d, false).await;
    assert_eq!(done["removed"][0]["id"], json!(half.id));
    assert_eq!(decision(&done, &half), ("remove", "its removal was begun"));
    assert_eq!(decision(&done, &good).0, "keep");
    assert_eq!(objects_of(&d, &half).await, Vec::<String>::new());
    assert!(d.tables.ledger.find(&half.id).await.unwrap().is_none());
    assert!(!objects_of(&d, &good).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_names_a_foreign_folder_removes_nothing() {
    let d = Deployment::start().await;
    let database = Database::of("retention_foreign", "CREATE TABLE t AS SELECT 1 AS id").await;
    let record = d.backup(&database.url, json!({})).await.unwrap();
    d.backup(&database.url, json!({})).await.unwrap();
    age(&d, &record, 90).await;
    let before = d.objects().await;
    d.tables
        .client
        .update_item()
        .table_name(&d.tables.table)
        .key("id", AttributeValue::S(record.id.to_string()))
        .update_expression("SET s3_url = :url")
        .expression_attribute_values(":url", AttributeValue::S(format!("s3://{}/backups/", d.store.bucket())))
        .send()
        .await
        .unwrap();
    let event = json!({"action": "retention"});
    let message = d.host.invoke("retention-cleanup", &event).await.unwrap_err();
    assert!(
        message.contains("is not the folder of its archive") && message.contains(record.id.as_str()),
        "{message}"
    );
    assert_eq!(d.objects().await, before);
}
