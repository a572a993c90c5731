//! Sessions that functions before this one left on the server: ended where they wait for a client that is gone, left alone where they still build.

use std::{convert::Infallible, time::Duration};

use tokio::sync::oneshot;

use crate::{
    base::{Result, ResultExt, id::RunId},
    pg::{self, ConnInfo, literal},
};

/// Pause between looks.
const EVERY: Duration = Duration::from_secs(2);

/// What the sessions of a run's functions are called in `pg_stat_activity`: the fence tells the functions apart.
pub(super) fn name(run: &RunId, fence: u64) -> String {
    format!("{} fence {fence}", prefix(run))
}

fn prefix(run: &RunId) -> String {
    format!("pgbaton restore {run}")
}

/// A condition on `pg_stat_activity` for the sessions of these runs, whichever function opened them.
fn of(runs: &[RunId]) -> String {
    let each =
        runs.iter().map(|run| format!("pg_catalog.starts_with(application_name, {})", literal(&prefix(run))));
    format!(
        "usename = CURRENT_USER AND pid <> pg_catalog.pg_backend_pid() AND ({})",
        each.collect::<Vec<_>>().join(" OR ")
    )
}

/// What a worker's session is called: the first entry of its item tells it from the others.
pub(super) fn loader(run: &RunId, first: i32) -> String {
    format!("pgbaton loader {run} {first}")
}

fn loaders(runs: &[RunId]) -> String {
    let each = runs.iter().map(|run| {
        format!("pg_catalog.starts_with(application_name, {})", literal(&format!("pgbaton loader {run} ")))
    });
    format!("usename = CURRENT_USER AND ({})", each.collect::<Vec<_>>().join(" OR "))
}

/// Ends everything that sessions of these runs do on the server: one whose connection was dropped in the middle of building an index goes on until it
/// has something to say.
pub(super) async fn stop(info: &ConnInfo, runs: &[RunId]) -> Result<()> {
    let session = pg::connect(info).await?;
    let sql = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE {} OR ({})",
        of(runs),
        loaders(runs)
    );
    let ended = session.batch_execute(&sql).await;
    ended.map_err(|e| session.error(e)).context("ending the sessions of this restore")
}

/// Ends the sessions of earlier functions of these runs that wait for their client, from when `begin` tells how the target is reached, again and again
/// until none is left: what holds the mark of an entry would otherwise be waited for until TCP gives it up. Never ends by itself.
pub(super) async fn release(begin: oneshot::Receiver<ConnInfo>, runs: &[RunId]) -> Infallible {
    if let Ok(info) = begin.await {
        let sql = format!(
            "SELECT pid, CASE WHEN wait_event_type = 'Client' THEN pg_catalog.pg_terminate_backend(pid) ELSE false END \
             FROM pg_catalog.pg_stat_activity WHERE {} AND application_name <> pg_catalog.current_setting('application_name')",
            of(runs)
        );
        loop {
            match look(&info, &sql).await {
                Ok(0) => break,
                Ok(left) => tracing::debug!(left, "sessions of an earlier function are still there"),
                Err(e) => tracing::warn!(error = %e, "looking for sessions of an earlier function"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }
    std::future::pending().await
}

/// How many sessions were there.
async fn look(info: &ConnInfo, sql: &str) -> Result<usize> {
    let session = pg::connect(info).await?;
    let rows = session.query(sql, &[]).await.map_err(|e| session.error(e))?;
    session.close().await;
    Ok(rows.len())
}
