//! The holder: the session that takes the snapshot, locks every table and lives until the last row is read.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    base::{Error, Kind, Result, ResultExt},
    catalog::{self, Choice, LockTarget, Selection},
    pg::{self, ConnInfo, LockWait, Snapshot, pooler, session},
};

/// Connects, refuses a pooler in transaction mode, pins the settings and takes the snapshot.
///
/// # Errors
/// Those of connecting; [`Kind::Pooler`].
async fn open(info: &ConnInfo) -> Result<Snapshot> {
    let session = pg::connect(info).await?;
    pooler::refuse_transaction_pooling(&session).await?;
    session::pin_for_dump(session.client(), session.version()).await?;
    Snapshot::open(session).await
}

/// Snapshots taken, one after another, while tables are rewritten or dropped between snapshot and lock.
const TRIES: usize = 5;

/// The snapshot, and what is known under it before anything is read.
pub(super) struct Held {
    pub holder: Snapshot,
    /// The snapshot's instant by the server's clock.
    pub at: Timestamp,
    /// The tables that are locked.
    pub targets: Vec<LockTarget>,
    /// What the selection means under this snapshot; none where everything is asked for.
    pub choice: Option<Choice>,
}

/// [`open`] and [`lock`]. Nothing has been read yet when a lock comes too late, so another snapshot is taken then.
///
/// # Errors
/// Those of both.
pub(super) async fn open_locked(
    info: &ConnInfo,
    wait: Duration,
    selection: Option<&Selection>,
) -> Result<Held> {
    let mut tries = 1;
    loop {
        let holder = open(info).await?;
        match lock(&holder, wait, selection).await {
            Ok((at, targets, choice)) => return Ok(Held { holder, at, targets, choice }),
            Err(e) if e.kind() == Kind::SnapshotBroken && tries < TRIES => {
                tracing::info!(tries, error = %e, "taking another snapshot");
                tries += 1;
            }
            Err(e) if e.kind() == Kind::SnapshotBroken => {
                return Err(e.note(&format!("as with {TRIES} snapshots before it")));
            }
            Err(e) => return Err(e),
        }
    }
}

/// Joins the holder's snapshot from one more session.
///
/// # Errors
/// Those of connecting; [`Kind::SnapshotBroken`] when the holder is gone.
pub(super) async fn join(info: &ConnInfo, id: &str) -> Result<Snapshot> {
    let session = pg::connect(info).await?;
    session::pin_for_dump(session.client(), session.version()).await?;
    Snapshot::import(session, id).await
}

/// Locks every table that is asked for, waiting up to `wait` for each hundred, and proves that none was rewritten between the snapshot and its lock.
/// Returns the instant of the snapshot by the server's clock, the tables, and what the selection means.
///
/// # Errors
/// [`Kind::Permission`], [`Kind::Busy`] or [`Kind::SnapshotBroken`], naming the table; [`Kind::InvalidInput`] for a selection that means nothing.
async fn lock(
    holder: &Snapshot,
    wait: Duration,
    selection: Option<&Selection>,
) -> Result<(Timestamp, Vec<LockTarget>, Option<Choice>)> {
    let row = holder
        .client()
        .query_one("SELECT (extract(epoch FROM pg_catalog.transaction_timestamp()) * 1000)::bigint", &[])
        .await
        .map_err(|e| holder.error(e))
        .context("asking the server for the time")?;
    let at = Timestamp::from_millisecond(row.get(0))
        .map_err(|e| Error::with_source(Kind::Database, "the server's clock is out of range", e))?;
    let (client, version) = (holder.client(), holder.version());
    let choice = match selection {
        Some(selection) => Some(catalog::select::choose(client, version, selection).await?),
        None => None,
    };
    let targets = catalog::tables_to_lock(client, version, choice.as_ref()).await?;
    let names: Vec<(&str, &str)> = targets.iter().map(|t| (t.schema.as_str(), t.name.as_str())).collect();
    holder.lock_tables(&names, LockWait::AtMost(wait)).await.map_err(|e| match e.kind() {
        Kind::Busy => e.note(&format!("waited {} s for it", wait.as_secs())),
        _ => e,
    })?;
    let files: Vec<(u32, u32, &str, &str)> =
        targets.iter().map(|t| (t.oid, t.relfilenode, t.schema.as_str(), t.name.as_str())).collect();
    holder.verify_unrewritten(&files).await?;
    Ok((at, targets, choice))
}
