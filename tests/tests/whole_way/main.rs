//! The whole way: a database is backed up by the function, restored by the function and by stock pg_restore, and is the same again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod areas;
mod consistency;
mod data_only;
mod drop_existing;
mod dump_versions;
mod encodings;
mod everything;
mod foreign;
mod formats;
mod hostile;
mod imports;
mod kinds;
mod large_row;
mod memory;
mod odd;
mod options;
mod pgbench;
mod picked;
mod renamed;
mod selection;
mod slices;

use std::process::Command;

use pgbaton::ledger::{Record, Status};
use pgbaton_tests::{
    database::{Database, program, successful},
    deployment::Deployment,
};
use serde_json::{Value, json};

const SHOP: &str = include_str!("../../../infra/sample/shop.sql");

/// A database filled by psql, for SQL that one batch cannot hold.
async fn filled(prefix: &str, sql: &str) -> Database {
    let database = Database::empty(prefix).await;
    fill(&database, sql);
    database
}

fn fill(database: &Database, sql: &str) {
    let file = std::env::temp_dir().join(pgbaton_tests::unique("fill"));
    std::fs::write(&file, sql).unwrap();
    successful(
        "psql",
        &[
            "-qX",
            "-o",
            "/dev/null",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &database.url,
            "-f",
            file.to_str().unwrap(),
        ],
    );
    std::fs::remove_file(&file).unwrap();
}

/// What a database is judged by.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    contents: Vec<String>,
    schema: String,
}

async fn picture(database: &Database) -> Picture {
    Picture { contents: database.contents().await, schema: database.schema() }
}

/// Says where two pictures differ, not all that they show.
fn same(got: &Picture, expected: &Picture, what: &str) {
    let lines = |p: &Picture| -> Vec<String> {
        p.contents.iter().cloned().chain(p.schema.lines().map(str::to_owned)).collect()
    };
    let (got_lines, expected_lines) = (lines(got), lines(expected));
    let missing: Vec<&String> = expected_lines.iter().filter(|l| !got_lines.contains(l)).take(20).collect();
    let extra: Vec<&String> = got_lines.iter().filter(|l| !expected_lines.contains(l)).take(20).collect();
    assert!(missing.is_empty() && extra.is_empty(), "{what}: missing {missing:#?}, instead {extra:#?}");
    assert_eq!(got.contents, expected.contents, "{what}");
    assert_eq!(got.schema, expected.schema, "{what}");
}

/// Backs up, without warnings.
async fn backed_up(deployment: &Deployment, url: &str, options: Value) -> Record {
    let backup = deployment.backup(url, options).await.unwrap();
    assert_eq!(backup.status, Status::Completed, "{backup:?}");
    assert!(backup.warnings.is_empty(), "{:?}", backup.warnings);
    backup
}

/// Restores a backup into a database that does not exist yet.
async fn restored(deployment: &Deployment, backup: &Record, copy: &Database) -> Record {
    let restored = deployment
        .restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true}))
        .await
        .unwrap_or_else(|e| panic!("{}: {e}", copy.name));
    assert_eq!(restored.status, Status::Completed);
    assert_eq!(restored.record_count, backup.record_count);
    assert!(restored.warnings.is_empty(), "{:?}", restored.warnings);
    restored
}

/// Restores a backup with stock `pg_restore -j4`; false when there is none that reads zstd.
async fn stock_restored(deployment: &Deployment, backup: &Record, target: &Database) -> bool {
    let folder = std::env::temp_dir().join(&target.name);
    deployment.download(&deployment.folder(backup), &folder).await;
    let restored = pg_restore(&folder, target, &[], backup.compression.as_deref() == Some("zstd"));
    std::fs::remove_dir_all(&folder).unwrap();
    restored
}

fn pg_restore(folder: &std::path::Path, target: &Database, options: &[&str], zstd: bool) -> bool {
    let mut arguments = vec!["-j4", "-d", &target.url];
    arguments.extend(options);
    arguments.push(folder.to_str().unwrap());
    let output = match std::env::var("PGBATON_TEST_PG_RESTORE_ZSTD") {
        Ok(own) if zstd => Command::new(own).args(&arguments).output().unwrap(),
        _ => program("pg_restore", &arguments),
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if zstd && errors.contains("does not support compression") {
        println!("no pg_restore with zstd here (PGBATON_TEST_PG_RESTORE_ZSTD): not judged");
        return false;
    }
    assert!(output.status.success(), "{}: {errors}", target.name);
    true
}

/// Backs up, restores by the function and by pg_restore, and compares.
async fn round_trip(deployment: &Deployment, source: &Database, compression: &str) -> Record {
    let expected = picture(source).await;
    let backup = backed_up(deployment, &source.url, json!({"compression": compression})).await;
    let copy = Database::absent("happy_copy");
    restored(deployment, &backup, &copy).await;
    same(&picture(&copy).await, &expected, &format!("our restore of {compression}"));
    let stock = Database::empty("happy_stock").await;
    if stock_restored(deployment, &backup, &stock).await {
        same(&picture(&stock).await, &expected, &format!("pg_restore of {compression}"));
    }
    backup
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_comes_back_by_our_restore_and_by_pg_restore() {
    let deployment = Deployment::start().await;
    let shop = filled("happy_shop", SHOP).await;
    assert!(shop.contents().await.len() > 14);
    for compression in ["gzip", "none", "zstd"] {
        round_trip(&deployment, &shop, compression).await;
    }
}
