//! What the backups of a time came to: a pure function of their records.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    base::{clock, id::DatabaseName},
    ledger::{Record, Status},
};

/// Least, median and 95th percentile (the nearest rank), and most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The least.
    pub min: u64,
    /// The median.
    pub median: u64,
    /// The value that 95 of 100 do not pass.
    pub p95: u64,
    /// The most.
    pub max: u64,
}

impl Spread {
    fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        let rank = |percent: usize| values.get((values.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { min: *values.first()?, median: rank(50)?, p95: rank(95)?, max: *values.last()? })
    }
}

/// How the rows of a database grow, from the first and the last good full backup of the time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// The database.
    pub database: DatabaseName,
    /// Bytes of rows a day, before compression; negative when it shrinks.
    pub raw_bytes_per_day: f64,
    /// Days between the two.
    pub days: f64,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// From when on.
    pub since: String,
    /// Backups.
    pub total: usize,
    /// Whether there are more than were looked at.
    pub truncated: bool,
    /// By status.
    pub by_status: BTreeMap<&'static str, usize>,
    /// By type.
    pub by_type: BTreeMap<&'static str, usize>,
    /// Bytes stored of the completed ones that are still there.
    pub bytes_stored: u64,
    /// Bytes of their rows before compression.
    pub raw_bytes: u64,
    /// The second by the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_ratio: Option<f64>,
    /// Milliseconds that the completed ones took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<Spread>,
    /// Completed ones among those that ended, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// Bytes stored by each day's backups.
    pub bytes_by_day: BTreeMap<String, u64>,
    /// By database.
    pub growth: Vec<Growth>,
}

/// Puts it together; days are those of the time zone.
pub fn stats(records: &[Record], truncated: bool, since: Timestamp, zone: &TimeZone) -> Stats {
    let mut s = Stats {
        since: clock::text(since),
        total: records.len(),
        truncated,
        by_status: BTreeMap::new(),
        by_type: BTreeMap::new(),
        bytes_stored: 0,
        raw_bytes: 0,
        compression_ratio: None,
        duration_ms: None,
        success_rate: None,
        bytes_by_day: BTreeMap::new(),
        growth: Vec::new(),
    };
    let mut good: BTreeMap<&DatabaseName, Vec<&Record>> = BTreeMap::new();
    for r in records {
        *s.by_status.entry(r.status.name()).or_default() += 1;
        *s.by_type.entry(r.backup_type.name()).or_default() += 1;
        if r.status == Status::Completed && r.deleting_at.is_none() {
            s.bytes_stored += r.file_size.unwrap_or(0);
            s.raw_bytes += r.raw_size.unwrap_or(0);
            let day = zone.to_datetime(r.created_at).date().to_string();
            *s.bytes_by_day.entry(day).or_default() += r.file_size.unwrap_or(0);
            good.entry(&r.database).or_default().push(r);
        }
    }
    let count = |status: Status| s.by_status.get(status.name()).copied().unwrap_or(0);
    let ended = count(Status::Completed) + count(Status::Failed);
    s.success_rate = (ended > 0).then(|| count(Status::Completed) as f64 / ended as f64);
    s.compression_ratio = (s.bytes_stored > 0).then(|| s.raw_bytes as f64 / s.bytes_stored as f64);
    s.duration_ms = Spread::of(good.values().flatten().filter_map(|r| r.duration_ms).collect());
    s.growth = good.into_iter().filter_map(|(database, runs)| growth(database, &runs)).collect();
    s
}

fn growth(database: &DatabaseName, runs: &[&Record]) -> Option<Growth> {
    let full = || {
        runs.iter().filter(|r| r.mode.as_deref().is_none_or(|mode| mode == "full") && r.raw_size.is_some())
    };
    let (first, last) = (full().min_by_key(|r| r.created_at)?, full().max_by_key(|r| r.created_at)?);
    let days = last.created_at.duration_since(first.created_at).as_secs_f64() / 86_400.0;
    // Over less than an hour it would be noise.
    let change = last.raw_size? as f64 - first.raw_size? as f64;
    (days > 1.0 / 24.0).then(|| Growth { database: database.clone(), raw_bytes_per_day: change / days, days })
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::{
        base::id::RunId,
        ledger::{BackupType, RunKind},
    };

    fn record(n: u32, status: Status, hours_ago: i64) -> Record {
        let now: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        let id = RunId::parse(&format!("20261121T020000Z-{n:08x}")).unwrap();
        let at = now.checked_sub(hours_ago.hours()).unwrap();
        let mut r = Record::pending(
            id,
            RunKind::Backup,
            DatabaseName::parse("a").unwrap(),
            BackupType::Scheduled,
            at,
        );
        r.status = status;
        if status == Status::Completed {
            (r.file_size, r.raw_size, r.duration_ms) =
                (Some(10), Some(u64::from(40 + n)), Some(u64::from(n)));
        }
        r
    }

    #[test]
    fn sums_ratios_and_growth() {
        let mut records: Vec<Record> =
            (1..=100).map(|n| record(n, Status::Completed, i64::from(100 - n) * 24)).collect();
        records.extend((101..=125).map(|n| record(n, Status::Failed, 1)));
        let s = stats(&records, false, "2026-01-01T00:00:00Z".parse().unwrap(), &TimeZone::UTC);
        assert_eq!((s.total, s.by_status["completed"], s.by_status["failed"]), (125, 100, 25));
        assert_eq!((s.bytes_stored, s.raw_bytes, s.by_type["scheduled"]), (1000, 9050, 125));
        assert_eq!((s.compression_ratio, s.success_rate), (Some(9.05), Some(0.8)));
        assert_eq!(s.duration_ms, Some(Spread { min: 1, median: 50, p95: 95, max: 100 }));
        assert_eq!((s.bytes_by_day.len(), s.bytes_by_day["2026-11-21"]), (100, 10));
        assert_eq!((s.growth[0].raw_bytes_per_day, s.growth[0].days), (1.0, 99.0));
    }

    #[test]
    fn nothing_gives_no_ratios() {
        let s = stats(&[], false, "2026-01-01T00:00:00Z".parse().unwrap(), &TimeZone::UTC);
        assert_eq!((s.compression_ratio, s.success_rate, s.duration_ms), (None, None, None));
        assert_eq!(Spread::of(vec![7]), Some(Spread { min: 7, median: 7, p95: 7, max: 7 }));
    }
}
