//! pgbench's database, two million rows.

use pgbaton_tests::{
    database::{Database, successful},
    deployment::Deployment,
};

use super::round_trip;

#[tokio::test(flavor = "multi_thread")]
async fn pgbench_at_scale_20_comes_back_with_equal_counts_and_hashes() {
    let deployment = Deployment::start().await;
    let source = Database::empty("happy_pgbench").await;
    successful("pgbench", &["-i", "-q", "-s", "20", "--foreign-keys", &source.url]);
    successful("pgbench", &["-n", "-c", "2", "-t", "200", &source.url]);
    let zstd = if std::env::var_os("PGBATON_TEST_PG_RESTORE_ZSTD").is_some() { "zstd" } else { "gzip" };
    let backup = round_trip(&deployment, &source, zstd).await;
    assert_eq!(backup.record_count, Some(2_000_000 + 200 + 20 + 400));
}
