//! Map Runs: the children of a distributed map, counted as DescribeMapRun tells.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    execution::{Run, seconds},
    items::Child,
};
use crate::ids;

/// What the Map state allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// MaxConcurrency; 0 when it says nothing.
    pub at_once: usize,
    /// ToleratedFailureCount.
    pub count: Option<f64>,
    /// ToleratedFailurePercentage.
    pub percentage: Option<f64>,
}

/// The record of a Map Run.
pub struct Record {
    arn: String,
    execution_arn: String,
    machine_arn: String,
    label: String,
    limits: Limits,
    started: Timestamp,
    state: Mutex<State>,
}

/// A Map Run that goes on; when it is dropped before its end, its execution was stopped.
pub struct MapRun(Arc<Record>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    ended: Option<(&'static str, Timestamp)>,
    items: Counts,
    children: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    total: usize,
    running: usize,
    succeeded: usize,
    failed: usize,
}

impl MapRun {
    /// Records the start.
    pub fn start(run: &Run, label: Option<&str>, limits: Limits, children: &[Child]) -> Self {
        let label = label.map_or_else(ids::uuid, str::to_owned);
        let arn = run.machine_arn.replacen(":stateMachine:", ":mapRun:", 1);
        let items = children.iter().map(|c| c.items).sum();
        let record = Arc::new(Record {
            arn: format!("{arn}/{label}:{}", ids::uuid()),
            execution_arn: run.arn.clone(),
            machine_arn: run.machine_arn.clone(),
            label,
            limits,
            started: Timestamp::now(),
            state: Mutex::new(State {
                ended: None,
                items: Counts { total: items, ..Counts::default() },
                children: Counts { total: children.len(), ..Counts::default() },
            }),
        });
        run.log(&format!("map run {} of {} children started", record.arn, children.len()));
        run.platform.note(record.clone());
        Self(record)
    }

    /// The label of its children.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// A child of `items` items starts.
    pub fn child_starts(&self, items: usize) {
        self.0.change(|state| {
            state.items.running += items;
            state.children.running += 1;
        });
    }

    /// A child ends; tells whether more have failed than is tolerated.
    pub fn child_ends(&self, items: usize, well: bool) -> bool {
        self.0.change(|state| {
            for (counts, n) in [(&mut state.items, items), (&mut state.children, 1)] {
                counts.running -= n;
                *(if well { &mut counts.succeeded } else { &mut counts.failed }) += n;
            }
        });
        self.0.limits.exceeded(self.0.change(|state| state.items))
    }

    /// Records the end.
    pub fn end(&self, status: &'static str) {
        self.0.change(|state| {
            state.ended.get_or_insert((status, Timestamp::now()));
        });
    }
}

impl Drop for MapRun {
    fn drop(&mut self) {
        self.end("ABORTED");
    }
}

impl Limits {
    fn exceeded(&self, counts: Counts) -> bool {
        let (failed, total) = (counts.failed as f64, counts.total.max(1) as f64);
        let over_count = self.count.is_some_and(|most| failed > most);
        let over_percentage = self.percentage.is_some_and(|most| failed * 100.0 / total > most);
        over_count || over_percentage || self.count.or(self.percentage).is_none() && failed > 0.0
    }
}

impl Record {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The ARN of the execution that it belongs to.
    pub fn execution_arn(&self) -> &str {
        &self.execution_arn
    }

    /// As ListMapRuns has it.
    pub fn item(&self) -> Value {
        let mut item = json!({
            "executionArn": self.execution_arn,
            "mapRunArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "startDate": seconds(self.started),
        });
        if let Some((_, at)) = self.change(|state| state.ended) {
            item["stopDate"] = seconds(at);
        }
        item
    }

    /// As DescribeMapRun has it.
    pub fn describe(&self) -> Value {
        let state = self.change(|state| *state);
        let ended = state.ended.is_some();
        let mut answer = json!({
            "mapRunArn": self.arn,
            "executionArn": self.execution_arn,
            "status": state.ended.map_or("RUNNING", |(status, _)| status),
            "startDate": seconds(self.started),
            "maxConcurrency": self.limits.at_once,
            "toleratedFailurePercentage": self.limits.percentage.unwrap_or(0.0),
            "toleratedFailureCount": self.limits.count.unwrap_or(0.0) as u64,
            "itemCounts": state.items.describe(ended),
            "executionCounts": state.children.describe(ended),
            "redriveCount": 0,
        });
        if let Some((_, at)) = state.ended {
            answer["stopDate"] = seconds(at);
        }
        answer
    }

    /// A lock whose holder panicked still holds whole values here.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counts {
    /// What had not ended when the Map Run did was aborted.
    fn describe(self, ended: bool) -> Value {
        let left = self.total - self.succeeded - self.failed;
        json!({
            "total": self.total,
            "pending": if ended { 0 } else { left - self.running },
            "running": if ended { 0 } else { self.running },
            "succeeded": self.succeeded,
            "failed": self.failed,
            "timedOut": 0,
            "aborted": if ended { left } else { 0 },
            "resultsWritten": 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerance() {
        let exceeded = |count, percentage, failed| {
            Limits { at_once: 0, count, percentage }.exceeded(Counts {
                total: 50,
                failed,
                ..Counts::default()
            })
        };
        assert!(!exceeded(None, None, 0) && exceeded(None, None, 1));
        assert!(!exceeded(Some(2.0), None, 2) && exceeded(Some(2.0), None, 3));
        assert!(!exceeded(None, Some(10.0), 5) && exceeded(None, Some(10.0), 6));
        assert!(exceeded(Some(1.0), Some(100.0), 2) && exceeded(Some(50.0), Some(2.0), 2));
    }
}
