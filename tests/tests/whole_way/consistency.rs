//! A backup of a database that is written to is one instant of it.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use pgbaton_tests::{
    database::{Database, successful},
    deployment::{Deployment, Wishes},
};
use serde_json::json;

use super::restored;

/// pgbench moves money: its four sums are equal at any instant, and each transaction adds a row of history. The table `refilled` is emptied and filled
/// again in one transaction, so that it has 1000 rows at any instant.
const INVARIANT: &str = "SELECT concat_ws(' ', (SELECT count(*) FROM refilled), \
    (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(bbalance) FROM pgbench_branches), \
    (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(tbalance) FROM pgbench_tellers), \
    (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history))";

/// TRUNCATE waits for the locks of a backup, not for ever; tables come and go beside it.
const REFILL: &str = "SET lock_timeout = '300ms';
BEGIN;
TRUNCATE refilled;
INSERT INTO refilled SELECT i, md5(random()::text) FROM generate_series(1, 1000) i;
COMMIT;
ROLLBACK;
";
const CHURN: &str = "CREATE TABLE IF NOT EXISTS churn_1 (id int PRIMARY KEY, t text);
INSERT INTO churn_1 SELECT i, 'x' FROM generate_series(1, 50) i ON CONFLICT DO NOTHING;
SET lock_timeout = '300ms';
DROP TABLE IF EXISTS churn_1;
SELECT pg_sleep(0.02);
";

/// pgbench in the background.
struct Writer(Child);

impl Writer {
    fn start(url: &str, clients: &str) -> Self {
        let bin = std::path::PathBuf::from(pgbaton_tests::variable("PGBATON_TEST_PG_BIN"));
        let mut command = Command::new(bin.join("pgbench"));
        command.args(["-n", "-T", "120", "-c", clients]);
        Self(command.arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_writes_and_ddl_is_one_instant() {
    // pgbench_accounts is read in about thirty slices.
    let deployment = Deployment::with(Wishes::default().with("BACKUP_SLICE_MB", "1")).await;
    let source = Database::empty("happy_writes").await;
    successful("pgbench", &["-i", "-q", "-s", "3", &source.url]);
    source.run("CREATE TABLE refilled (i int, t text); INSERT INTO refilled SELECT i, 'x' FROM generate_series(1, 1000) i").await;
    let pgbench = Writer::start(&source.url, "3");
    let loops: Vec<_> = [REFILL, CHURN].map(|script| loop_of(&source, script)).into();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut whole = 0;
    for round in 0..4 {
        match deployment.backup(&source.url, json!({})).await {
            Ok(backup) => {
                let copy = Database::absent("happy_copy");
                restored(&deployment, &backup, &copy).await;
                assert_eq!(copy.column(INVARIANT).await, ["1000 t t t"], "round {round}");
                assert!(copy.column("SELECT count(*) > 0 FROM pgbench_history").await == ["t"]);
                whole += 1;
            }
            // A table may be emptied between snapshot and lock: said, never silent.
            Err(e) => {
                println!("round {round}: {e}");
                assert!(["refilled", "churn_"].iter().any(|table| e.contains(table)), "{e}");
            }
        }
    }
    assert!(whole > 0, "no backup of four succeeded");
    for task in &loops {
        task.abort();
    }
    drop(pgbench);
    assert_eq!(source.column(INVARIANT).await[0].split(' ').skip(1).collect::<Vec<_>>(), ["t", "t", "t"]);
}

/// Runs a script again and again, whatever becomes of it.
fn loop_of(source: &Database, script: &'static str) -> tokio::task::JoinHandle<()> {
    let url = source.url.clone();
    tokio::spawn(async move {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        loop {
            for statement in script.lines() {
                let _ = client.batch_execute(statement).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}
