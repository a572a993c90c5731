//! A standby as the source: it can be backed up, unless it lies too far behind.

use std::time::Duration;

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
};
use serde_json::json;

use super::server::{Server, value, wait_for};

const HBA: &str = "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust";

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_backed_up_unless_it_lies_too_far_behind() {
    let first = Server::start("primary", "", HBA).await;
    first
        .run_sql("CREATE TABLE t AS SELECT g AS id, md5(g::text) AS t FROM generate_series(1, 5000) g")
        .await;
    let (primary, standby) = first
        .stopped(async |data| {
            let primary = Server::copy_of(data, "primary", "", HBA).await;
            let from = format!("primary_conninfo = 'host=127.0.0.1 port={} user=postgres'", primary.port);
            let standby = Server::standby_of(data, "standby", &from, HBA).await;
            (primary, standby)
        })
        .await;
    let session = pgbaton::pg::connect(&standby.superuser()).await.unwrap();
    primary.run_sql("CREATE TABLE later (i int)").await;
    let replayed = "SELECT to_regclass('public.later') IS NOT NULL";
    wait_for(&standby.program.dir, || async { value(&session, replayed).await == "t" }).await;

    let gate = Gate::start().await;
    let wishes = Wishes { retries: 0, ..Wishes::default() }
        .with("AWS_ENDPOINT_URL", &gate.url)
        .with("BACKUP_MAX_REPLICA_LAG_SECONDS", "2");
    let d = Deployment::with(wishes).await;
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable", standby.port);
    let backup = d.backup(&url, json!({})).await.unwrap();
    assert_eq!((backup.status, backup.record_count), (Status::Completed, Some(5000)));
    let copy = Database::absent("standby_copy");
    d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap();
    let sum = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM t";
    assert_eq!(copy.column(sum).await, [value(&session, sum).await]);

    // From now on it takes in what the primary sends, and does not apply it.
    standby.run_sql("ALTER SYSTEM SET recovery_min_apply_delay = '1h';\nSELECT pg_reload_conf()").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    primary.run_sql("INSERT INTO later VALUES (1)").await;
    let behind = "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() \
        AND clock_timestamp() - pg_last_xact_replay_timestamp() > '3 s'";
    wait_for(&standby.program.dir, || async { value(&session, behind).await == "t" }).await;
    gate.stop("PUT", ".dat.zst", What::Hold);
    let told = d.backup(&url, json!({})).await.unwrap_err();
    assert!(told.contains("BACKUP_MAX_REPLICA_LAG_SECONDS (2)"), "{told}");
    gate.open();
    let record = d.newest().await;
    assert_eq!((record.status, record.error_code.as_deref()), (Status::Failed, Some("source_limit")));
    assert_eq!(d.uploads().await, Vec::<String>::new());
}
