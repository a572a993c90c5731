//! Memory that a run takes, whatever a table's size: `Max Memory Used` of the REPORT line.

use std::time::Instant;

use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
};
use serde_json::json;

use super::{backed_up, restored};

/// 100 MiB of COPY text that shrinks to about a third.
const ROWS_OF_100_MIB: u64 = 1_030_000;

fn table(name: &str, rows: u64) -> String {
    format!(
        "CREATE UNLOGGED TABLE {name} AS SELECT i, md5(i::text) AS a, repeat(md5((i % 97)::text), 2) AS b FROM generate_series(10000000, {}) i",
        10_000_000 + rows - 1
    )
}

/// Backs up and restores `tables` tables of `hundreds` times 100 MiB each; gives what both took, MB.
async fn memory_of(tables: usize, hundreds: u64, compression: &str) -> (u64, u64) {
    let deployment = Deployment::with(
        Wishes { timeout: 900, ..Wishes::default() }
            .with("BACKUP_CONCURRENCY", "4")
            .with("LOG_LEVEL", "info"),
    )
    .await;
    let source = Database::empty("happy_memory").await;
    for n in 0..tables {
        source.run(&table(&format!("t{n}"), hundreds * ROWS_OF_100_MIB)).await;
    }
    let begun = Instant::now();
    let backup = backed_up(&deployment, &source.url, json!({"compression": compression})).await;
    let (saved, backup_time) = (deployment.host.max_memory("scheduled-backup"), begun.elapsed());
    drop(source);
    let begun = Instant::now();
    let copy = Database::absent("happy_memory");
    restored(&deployment, &backup, &copy).await;
    let loaded = deployment.host.max_memory("restore");
    println!(
        "{tables} tables of {} MiB, {compression}: {} bytes of text, {} stored; backup {saved} MB, {:.0} s; restore {loaded} MB, {:.0} s",
        100 * hundreds,
        backup.raw_size.unwrap(),
        backup.file_size.unwrap(),
        backup_time.as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    assert!(backup.raw_size.unwrap() >= tables as u64 * hundreds * (100 << 20), "{:?}", backup.raw_size);
    (saved, loaded)
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_table() {
    let (saved, loaded) = memory_of(1, 2, "zstd").await;
    assert!(saved <= 128, "the backup took {saved} MB");
    assert!(loaded <= 128, "the restore took {loaded} MB");
}

/// By hand: `cargo test --workspace --test whole_way -- --ignored --nocapture memory`. The S3 stand-in holds what is stored several times over.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and several gigabytes of the stand-in's memory"]
async fn memory_of_two_gibibytes() {
    for compression in ["zstd", "gzip"] {
        let (saved, loaded) = memory_of(1, 21, compression).await;
        assert!(saved <= 192, "the backup took {saved} MB");
        assert!(loaded <= 192, "the restore took {loaded} MB");
    }
}

/// By hand, as above.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute and several gigabytes of the stand-in's memory"]
async fn memory_of_eight_tables_at_once() {
    let (saved, loaded) = memory_of(8, 1, "zstd").await;
    assert!(saved <= 192, "the backup took {saved} MB");
    assert!(loaded <= 192, "the restore took {loaded} MB");
}
