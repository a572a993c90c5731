//! Metrics as log lines in CloudWatch's embedded metric format (CloudWatch user guide, "Specification: Embedded metric format"): one JSON object a
//! line on standard output, between the lines of the log. CloudWatch Logs makes metrics of those that have `_aws`; no call goes out.

use std::{io::Write, sync::OnceLock};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::id::DatabaseName;

/// The namespace of all metrics, unless another was named.
pub const NAMESPACE: &str = "pgbaton";

static NAMED: OnceLock<String> = OnceLock::new();

/// Names the namespace of all metrics of this process, once: stacks of one account and region are told apart by it.
pub fn name(namespace: &str) {
    // A second name is not taken: there is one configuration.
    let _ = NAMED.set(namespace.to_owned());
}

/// A metric's name; its unit is one of CloudWatch's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// 1 for a backup that completed, 0 for one that failed.
    BackupSucceeded,
    /// 1 for a backup that failed, 0 for one that completed.
    BackupFailed,
    /// Warnings of a backup that completed.
    BackupWarnings,
    /// From the claim of a backup to its end.
    BackupDurationSeconds,
    /// Bytes that a completed backup stored.
    BackupBytes,
    /// Time since the last good backup ended, or since the database was first looked for where there is none.
    BackupAgeSeconds,
    /// 1 where that is longer than expected, else 0.
    BackupSilent,
    /// Backups that failed since the last good one.
    ConsecutiveFailures,
    /// 1 for a restore that failed, 0 for one that completed.
    RestoreFailed,
    /// 1 for a verification that failed.
    VerificationFailed,
    /// 1 for a notification that a channel did not take, this time.
    NotificationFailed,
}

impl Metric {
    /// The name, as in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::BackupSucceeded => "BackupSucceeded",
            Self::BackupFailed => "BackupFailed",
            Self::BackupWarnings => "BackupWarnings",
            Self::BackupDurationSeconds => "BackupDurationSeconds",
            Self::BackupBytes => "BackupBytes",
            Self::BackupAgeSeconds => "BackupAgeSeconds",
            Self::BackupSilent => "BackupSilent",
            Self::ConsecutiveFailures => "ConsecutiveFailures",
            Self::RestoreFailed => "RestoreFailed",
            Self::VerificationFailed => "VerificationFailed",
            Self::NotificationFailed => "NotificationFailed",
        }
    }

    /// The unit, as in CloudWatch's `MetricDatum`.
    pub fn unit(self) -> &'static str {
        match self {
            Self::BackupDurationSeconds | Self::BackupAgeSeconds => "Seconds",
            Self::BackupBytes => "Bytes",
            _ => "Count",
        }
    }
}

/// Writes values of one instant, each under the dimension `Database` and under none.
pub fn emit(at: Timestamp, database: &DatabaseName, values: &[(Metric, f64)]) {
    let namespace = NAMED.get().map_or(NAMESPACE, String::as_str);
    let Some(line) = line(namespace, at, database, values) else { return };
    // In one write: what other threads log must not come in between. A log that cannot be written to is no reason to fail.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// The line with its newline; none without values. A value that is not finite is left out: JSON has none.
fn line(namespace: &str, at: Timestamp, database: &DatabaseName, values: &[(Metric, f64)]) -> Option<String> {
    let finite: Vec<_> = values.iter().filter(|(_, value)| value.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    let metrics: Vec<Value> =
        finite.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()})).collect();
    let mut root = Map::new();
    root.insert(
        "_aws".into(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [["Database"], []],
                "Metrics": metrics,
            }],
        }),
    );
    root.insert("Database".into(), database.as_str().into());
    root.extend(finite.iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))));
    Some(format!("{}\n", Value::Object(root)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Metric; 11] = [
        Metric::BackupSucceeded,
        Metric::BackupFailed,
        Metric::BackupWarnings,
        Metric::BackupDurationSeconds,
        Metric::BackupBytes,
        Metric::BackupAgeSeconds,
        Metric::BackupSilent,
        Metric::ConsecutiveFailures,
        Metric::RestoreFailed,
        Metric::VerificationFailed,
        Metric::NotificationFailed,
    ];

    fn database() -> DatabaseName {
        DatabaseName::parse("shop").unwrap()
    }

    fn at() -> Timestamp {
        "2026-11-21T02:00:00.250Z".parse().unwrap()
    }

    /// The members that the specification requires, and the limits it sets.
    fn conforms(line: &str) -> Value {
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "one line: {line:?}");
        assert!(line.len() < 256 << 10);
        let root: Value = serde_json::from_str(line).unwrap();
        let metadata = root["_aws"].as_object().unwrap();
        assert!(metadata["Timestamp"].as_i64().unwrap() > 1_500_000_000_000, "milliseconds");
        let directives = metadata["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1);
        let directive = directives[0].as_object().unwrap();
        assert!(!directive["Namespace"].as_str().unwrap().is_empty());
        for set in directive["Dimensions"].as_array().unwrap() {
            let set = set.as_array().unwrap();
            assert!(set.len() <= 30);
            for name in set {
                let target = root[name.as_str().unwrap()].as_str().expect("a dimension's target is a string");
                assert!((1..=1024).contains(&target.len()) && target.is_ascii());
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=1024).contains(&name.len()));
            assert!(["Seconds", "Bytes", "Count"].contains(&metric["Unit"].as_str().unwrap()));
            assert!(root[name].is_number(), "{name} has no value at the root");
        }
        root
    }

    #[test]
    fn a_line_is_as_cloudwatch_takes_it() {
        let values: Vec<_> = ALL.into_iter().zip([0.0, 1.0, 2.0, 3.5, 1e15].into_iter().cycle()).collect();
        let root = conforms(&line(NAMESPACE, at(), &database(), &values).unwrap());
        assert_eq!(root["_aws"]["Timestamp"], at().as_millisecond());
        assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Namespace"], "pgbaton");
        assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Database"], []]));
        assert_eq!(root["Database"], "shop");
        assert_eq!(root["BackupFailed"], 1.0);
        assert_eq!(root.as_object().unwrap().len(), ALL.len() + 2);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let values = [(Metric::BackupBytes, f64::NAN), (Metric::BackupFailed, 1.0)];
        let root = conforms(&line(NAMESPACE, at(), &database(), &values).unwrap());
        assert!(root.get("BackupBytes").is_none());
        assert_eq!(line(NAMESPACE, at(), &database(), &values[..1]), None);
        assert_eq!(line(NAMESPACE, at(), &database(), &[]), None);
    }
}
