//! The source, while a backup reads it: that the snapshot is still held, and that the backup is no burden beyond its limits.
//!
//! A snapshot keeps VACUUM from removing what was deleted since (its xmin); a lock that each table carries makes ALTER TABLE, DROP and TRUNCATE wait, and
//! behind one that waits every query on that table; and on a standby a long query can hold up replay.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::{
    base::{Error, Kind, Result, ResultExt, config::SourceLimits, id::RunId},
    jobs::Platform,
    pg::{self, Session, Snapshot, session},
};

/// How often the holder's connection is looked at, which asks nobody.
const PULSE: Duration = Duration::from_millis(500);

/// How often the server is asked.
const EVERY: Duration = Duration::from_secs(5);

/// Sessions that wait for an ACCESS EXCLUSIVE lock (the only mode that ACCESS SHARE is in the way of; PostgreSQL manual, "Explicit Locking") on a table
/// that a session of this backup has locked.
const WAITING: &str = "SELECT w.pid, w.relation::pg_catalog.regclass::pg_catalog.text AS relation \
    FROM pg_catalog.pg_locks w \
    WHERE w.locktype = 'relation' AND NOT w.granted AND w.mode = 'AccessExclusiveLock' \
      AND w.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
      AND EXISTS (SELECT FROM pg_catalog.pg_locks h JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid \
                  WHERE h.locktype = 'relation' AND h.granted AND h.database = w.database AND h.relation = w.relation \
                    AND a.application_name LIKE 'pgbaton %' || $1)";

/// Transactions by which the oldest session of this backup holds back VACUUM.
const XMIN_AGE: &str = "SELECT coalesce(max(pg_catalog.age(backend_xmin)), 0)::bigint AS age \
    FROM pg_catalog.pg_stat_activity WHERE application_name LIKE 'pgbaton %' || $1";

/// Seconds by which replay lies behind: of this server where it is a standby, otherwise of the slowest of its standbys. None where there is none, or where
/// it cannot be seen.
const LAG: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN \
      CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0 \
        ELSE extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END \
      ELSE (SELECT extract(epoch FROM max(replay_lag)) FROM pg_catalog.pg_stat_replication) END::double precision AS lag";

/// Waits until something is wrong with the source.
pub(super) async fn watch(platform: &Platform, holder: &Snapshot, run: &RunId) -> Error {
    let pulse = async {
        while !holder.client().is_closed() {
            tokio::time::sleep(PULSE).await;
        }
        let why = format!("the connection to {}, which held the snapshot, was lost", holder.host());
        Error::new(Kind::ServerLost, why)
    };
    let limits = platform.config.limits;
    let none = limits.xmin_age == 0 && limits.replica_lag.is_zero() && limits.lock_wait.is_zero();
    let burden = async {
        if none {
            return std::future::pending().await;
        }
        loop {
            // Whatever keeps the watch from seeing, such as a server without a free slot, is no reason to end the backup.
            match look(holder, run, limits).await {
                Ok(found) => return found,
                Err(e) => tracing::warn!(error = %e, "watching the source"),
            }
            tokio::time::sleep(EVERY * 6).await;
        }
    };
    tokio::select! {
        lost = pulse => lost,
        beyond = burden => beyond,
    }
}

/// Looks at the server until a limit is passed, which is what it gives.
async fn look(holder: &Snapshot, run: &RunId, limits: SourceLimits) -> Result<Error> {
    let info = holder.same_server().with_application_name("pgbaton watch");
    let session = pg::connect(&info).await?;
    session::pin_for_dump(session.client(), session.version()).await?;
    let mut waits = Waits::default();
    loop {
        if let Some(beyond) = once(&session, run.as_str(), limits, &mut waits).await? {
            return Ok(beyond);
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn once(
    session: &Session,
    run: &str,
    limits: SourceLimits,
    waits: &mut Waits,
) -> Result<Option<Error>> {
    let beyond = |why: String| Ok(Some(Error::new(Kind::SourceLimit, why)));
    let doing = "looking at the load on the source";
    if limits.xmin_age > 0 {
        let row = session.query_one(XMIN_AGE, &[&run]).await.map_err(|e| session.error(e)).context(doing)?;
        let age: i64 = row.get("age");
        if age > i64::from(limits.xmin_age) {
            return beyond(format!(
                "the snapshot has held back VACUUM for {age} transactions, more than BACKUP_MAX_XMIN_AGE ({}) allows",
                limits.xmin_age
            ));
        }
    }
    if !limits.lock_wait.is_zero() {
        let rows = session.query(WAITING, &[&run]).await.map_err(|e| session.error(e)).context(doing)?;
        let now: Vec<(i32, String)> = rows.iter().map(|r| (r.get("pid"), r.get("relation"))).collect();
        if let Some((relation, waited)) = waits.longest(now, Instant::now())
            && waited >= limits.lock_wait
        {
            return beyond(format!(
                "another session has waited {} s for table {relation}, which the backup has locked: more than BACKUP_MAX_LOCK_WAIT_SECONDS ({}) allows",
                waited.as_secs(),
                limits.lock_wait.as_secs()
            ));
        }
    }
    if !limits.replica_lag.is_zero() {
        let row = session.query_one(LAG, &[]).await.map_err(|e| session.error(e)).context(doing)?;
        let lag: Option<f64> = row.get("lag");
        if lag.is_some_and(|lag| lag > limits.replica_lag.as_secs_f64()) {
            return beyond(format!(
                "replication lies {:.0} s behind, more than BACKUP_MAX_REPLICA_LAG_SECONDS ({}) allows",
                lag.unwrap_or_default(),
                limits.replica_lag.as_secs()
            ));
        }
    }
    Ok(None)
}

/// Since when each session has been seen waiting for a table; servers before 14 do not tell.
#[derive(Debug, Default)]
struct Waits {
    since: HashMap<(i32, String), Instant>,
}

impl Waits {
    fn longest(&mut self, now: Vec<(i32, String)>, at: Instant) -> Option<(String, Duration)> {
        self.since.retain(|wait, _| now.contains(wait));
        for wait in now {
            self.since.entry(wait).or_insert(at);
        }
        let longest = self.since.iter().min_by_key(|(_, since)| **since)?;
        Some((longest.0.1.clone(), at.duration_since(*longest.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_count_from_when_they_were_first_seen() {
        let mut waits = Waits::default();
        let start = Instant::now();
        let after = |s| start + Duration::from_secs(s);
        let one = || (1, "public.t".to_owned());
        assert_eq!(waits.longest(vec![], start), None);
        waits.longest(vec![one()], start);
        let both = vec![one(), (2, "public.u".to_owned())];
        assert_eq!(waits.longest(both, after(7)), Some(("public.t".into(), Duration::from_secs(7))));
        let two = vec![(2, "public.u".to_owned())];
        assert_eq!(waits.longest(two, after(9)), Some(("public.u".into(), Duration::from_secs(2))));
        assert_eq!(
            waits.longest(vec![one()], after(10)),
            Some(("public.t".into(), Duration::ZERO)),
            "it waits anew"
        );
    }
}
