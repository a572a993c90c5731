//! One row of 200 MB: it is a single message of the protocol, and the run must not hold it many times over.

use std::time::Instant;

use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
};
use serde_json::json;

use super::{backed_up, restored};

/// 6.1 million lines of 33 bytes; in COPY text each newline is two characters.
const ROW: &str = "CREATE TABLE large (id int PRIMARY KEY, t text);
    ALTER TABLE large ALTER t SET STORAGE EXTERNAL;
    INSERT INTO large VALUES (1, 'before'), (3, E'\\\\.');
    INSERT INTO large SELECT 2, string_agg(md5(i::text), E'\n' ORDER BY i) FROM generate_series(1, 6100000) i;";

const JUDGE: &str = "SELECT concat_ws(' ', id, length(t), md5(t)) FROM large ORDER BY id";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_200_mb_comes_back() {
    let deployment =
        Deployment::with(Wishes { timeout: 600, ..Wishes::default() }.with("LOG_LEVEL", "info")).await;
    let source = Database::of("happy_large", ROW).await;
    let expected = source.column(JUDGE).await;
    assert_eq!(source.column("SELECT max(length(t)) > 200000000 FROM large").await, ["t"]);
    let begun = Instant::now();
    let backup = backed_up(&deployment, &source.url, json!({"compression": "zstd"})).await;
    let (saved, backup_time) = (deployment.host.max_memory("scheduled-backup"), begun.elapsed());
    drop(source);
    let begun = Instant::now();
    let copy = Database::absent("happy_large");
    restored(&deployment, &backup, &copy).await;
    let loaded = deployment.host.max_memory("restore");
    println!(
        "a row of {} bytes, {} stored: backup {saved} MB, {:.0} s; restore {loaded} MB, {:.0} s",
        backup.raw_size.unwrap(),
        backup.file_size.unwrap(),
        backup_time.as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(copy.column(JUDGE).await, expected);
    // The row's message, and what its buffer grew to; a restore passes pieces on and holds no row.
    assert!(saved <= 400, "the backup took {saved} MB");
    assert!(loaded <= 128, "the restore took {loaded} MB");
}
