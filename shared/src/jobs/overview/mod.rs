//! How things stand, from the records: what runs, how each database fares, and what the backups of a time came to.

mod stats;
mod status;

pub use stats::{Growth, Spread, Stats, stats};
pub use status::{Brief, DatabaseHealth, Health, NextRuns, Overview, overview};

use jiff::Timestamp;

use super::{
    Platform,
    schedules::{self, SHOWN},
};
use crate::{
    base::{Result, clock, id::DatabaseName},
    ledger::{HistoryQuery, ListQuery, Record, RunKind, Status},
};

/// Records that [`stats()`] looks at, the newest first.
pub const MOST: usize = 20_000;

/// Backups that the health of the databases is read from.
const RECENT: usize = 300;

/// What runs, and how the databases fare.
///
/// # Errors
/// Those of the ledger.
pub async fn current(platform: &Platform) -> Result<Overview> {
    let ledger = &platform.ledger;
    let now = clock::now();
    let mut open = Vec::new();
    for id in ledger.open().await? {
        if let Some(record) = ledger.find(&id).await? {
            let record = ledger.close_if_stuck(record, now).await?;
            open.extend((!record.status.is_final()).then_some(record));
        }
    }
    let mut known = ledger.registered_names().await?;
    if platform.config.configured || known.is_empty() {
        known.push(platform.config.database.clone());
    }
    let all = ListQuery { limit: RECENT, ..ListQuery::of(RunKind::Backup) };
    let mut backups = ledger.list(&all).await?.records;
    // Those of databases that are backed up rarely beside others.
    for name in &known {
        if !backups.iter().any(|r| r.database == *name && r.status == Status::Completed) {
            backups.extend(ledger.latest(Some(name), Status::Completed).await?);
        }
    }
    let recent = HistoryQuery { database: None, since: None, until: None, limit: 10, cursor: None };
    let recent = ledger.history(&recent).await?.records;
    let next = next_scheduled(platform, now).await?;
    Ok(overview(&open, &backups, &recent, &known, next, now))
}

async fn next_scheduled(platform: &Platform, now: Timestamp) -> Result<Vec<NextRuns>> {
    let all = platform.ledger.schedules().await?;
    let shown = all.iter().filter(|s| s.removing_at.is_none()).map(|schedule| NextRuns {
        schedule_id: schedule.id.clone(),
        database: schedules::backs_up(schedule, &platform.config).to_owned(),
        enabled: schedule.enabled,
        next_runs: schedules::next_of(schedule, now, SHOWN),
    });
    Ok(shown.collect())
}

/// All backups of a time, at most [`MOST`]; and whether there are more.
///
/// # Errors
/// Those of the ledger.
pub async fn backups_since(
    platform: &Platform,
    database: Option<&DatabaseName>,
    since: Timestamp,
) -> Result<(Vec<Record>, bool)> {
    let mut query = ListQuery {
        database: database.cloned(),
        since: Some(since),
        limit: 500,
        ..ListQuery::of(RunKind::Backup)
    };
    let mut all = Vec::new();
    loop {
        let page = platform.ledger.list(&query).await?;
        all.extend(page.records);
        match page.next_cursor {
            Some(_) if all.len() >= MOST => return Ok((all, true)),
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok((all, false)),
        }
    }
}
