//! A backup of a database that is written to is one instant of it.

use pgbaton_tests::{
    database::{Database, successful},
    deployment::{Deployment, Wishes},
    load::{INVARIANT, Load},
};
use serde_json::json;

use super::restored;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_writes_and_ddl_is_one_instant() {
    // pgbench_accounts is read in about thirty slices.
    let deployment = Deployment::with(Wishes::default().with("BACKUP_SLICE_MB", "1")).await;
    let source = Database::empty("happy_writes").await;
    successful("pgbench", &["-i", "-q", "-s", "3", &source.url]);
    source.run("CREATE TABLE refilled (i int, t text); INSERT INTO refilled SELECT i, 'x' FROM generate_series(1, 1000) i").await;
    let load = Load::start(&source, "3").await;
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
                assert!(["refilled", "churn_", "widened"].iter().any(|table| e.contains(table)), "{e}");
            }
        }
    }
    assert!(whole > 0, "no backup of four succeeded");
    load.stop();
    assert_eq!(source.column(INVARIANT).await[0].split(' ').skip(1).collect::<Vec<_>>(), ["t", "t", "t"]);
}
