//! Writers beside a backup: pgbench, and sessions that empty, alter, make and drop tables.

use std::process::{Child, Command, Stdio};

use tokio::task::JoinHandle;

use crate::database::Database;

/// pgbench moves money: its four sums are equal at any instant, and each transaction adds a row of history. The table `refilled` is emptied and filled
/// again in one transaction, so that it has 1000 rows at any instant.
pub const INVARIANT: &str = "SELECT concat_ws(' ', (SELECT count(*) FROM refilled), \
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

/// Added and taken away again, and written anew, whatever reads it.
const ALTER: &str = "SET lock_timeout = '300ms';
CREATE TABLE IF NOT EXISTS widened (id int);
ALTER TABLE widened ADD COLUMN extra text DEFAULT md5(random()::text);
ALTER TABLE widened DROP COLUMN extra;
INSERT INTO widened VALUES (1);
";

/// Writers that run until they are dropped. The database must hold pgbench's tables and the table `refilled` of 1000 rows.
pub struct Load {
    pgbench: Child,
    loops: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts them, with so many clients of pgbench, and waits until they write.
    pub async fn start(source: &Database, clients: &str) -> Self {
        let bin = std::path::PathBuf::from(crate::variable("PGBATON_TEST_PG_BIN"));
        let mut command = Command::new(bin.join("pgbench"));
        command.args(["-n", "-T", "300", "-c", clients, &source.url]);
        let pgbench = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("pgbench");
        let loops = [REFILL, CHURN, ALTER].map(|script| loop_of(source, script)).into();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        Self { pgbench, loops }
    }

    /// Ends them.
    pub fn stop(self) {}
}

impl Drop for Load {
    fn drop(&mut self) {
        self.loops.iter().for_each(JoinHandle::abort);
        let _ = self.pgbench.kill();
        let _ = self.pgbench.wait();
    }
}

/// Runs a script again and again, whatever becomes of it.
fn loop_of(source: &Database, script: &'static str) -> tokio::task::JoinHandle<()> {
    let url = source.url.clone();
    tokio::spawn(async move {
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a session");
        tokio::spawn(connection);
        loop {
            for statement in script.lines() {
                let _ = client.batch_execute(statement).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
}
