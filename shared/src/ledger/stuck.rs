//! Runs that nobody works on any more: found and closed as failed, so that no record stays in progress for ever.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    fault::fault,
    finish::{Closing, Failure},
    item,
    record::{Record, Status},
    table::Ledger,
};
use crate::base::{Error, Kind, Result, clock, id::RunId};

/// How long a record may stay pending: a function that has not claimed it by then never started.
pub const START_LIMIT: Duration = Duration::from_secs(3_600);

/// Codes of the ledger's own in `error_code`.
const NEVER_STARTED: &str = "never_started";
const FUNCTION_STOPPED: &str = "function_stopped";

/// Whether a run with this `error_code` was closed because nobody worked on it.
pub(super) fn is_code_of_abandoned(code: &str) -> bool {
    matches!(code, NEVER_STARTED | FUNCTION_STOPPED)
}

impl Record {
    /// Whether nobody works on it: its lease ran out, or it was never claimed within [`START_LIMIT`].
    pub fn is_stuck(&self, now: Timestamp) -> bool {
        match self.status {
            Status::Pending => {
                now.duration_since(self.created_at).unsigned_abs() > START_LIMIT && now > self.created_at
            }
            Status::InProgress => self.lease_until.is_none_or(|until| until < now.as_millisecond()),
            Status::Completed | Status::Failed => false,
        }
    }

    /// Whether it was closed because nobody worked on it: its event may be served again, by a new run.
    pub fn was_abandoned(&self) -> bool {
        self.status == Status::Failed && self.error_code.as_deref().is_some_and(is_code_of_abandoned)
    }

    fn why_stuck(&self) -> Failure {
        match (self.status, self.lease_until.and_then(|ms| Timestamp::from_millisecond(ms).ok())) {
            (Status::Pending, _) => Failure::closed(
                NEVER_STARTED,
                format!("no function started this run within {} minutes", START_LIMIT.as_secs() / 60),
            ),
            (_, Some(until)) => Failure::closed(
                FUNCTION_STOPPED,
                format!(
                    "the function was stopped before it finished (its lease ran out at {})",
                    clock::text(until)
                ),
            ),
            (_, None) => Failure::closed(
                FUNCTION_STOPPED,
                "the function was stopped before it finished (its record holds no lease)".into(),
            ),
        }
    }
}

impl Ledger {
    /// The ids of all runs that are not final, oldest first.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn open(&self) -> Result<Vec<RunId>> {
        let mut ids = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_open")
            .key_condition_expression("#open = :yes")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":yes", item::text("yes"))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| fault(e, "Query", &self.table))?.items.unwrap_or_default() {
                let id = item.get("id").and_then(|v| v.as_s().ok());
                ids.push(RunId::parse(id.map_or("", String::as_str))?);
            }
        }
        Ok(ids)
    }

    /// The runs that nobody works on at `now`. For the reaper, which then calls [`Ledger::close_if_stuck`].
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn stuck(&self, now: Timestamp) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        for id in self.open().await? {
            // The index lags behind the table, so the record itself decides.
            found.extend(self.find(&id).await?.filter(|record| record.is_stuck(now)));
        }
        Ok(found)
    }

    /// Closes the run as failed when nobody works on it, and answers the record as it then stands.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was removed meanwhile; otherwise as [`Ledger::ping`].
    pub async fn close_if_stuck(&self, record: Record, now: Timestamp) -> Result<Record> {
        if !record.is_stuck(now) {
            return Ok(record);
        }
        let close = Closing::new(Status::Failed, record.started_at, now, record.why_stuck().fields()?)
            .raising_the_fence();
        let state = (":state", item::text(record.status.name()));
        let fence = (":fence", item::number(record.fence));
        let closed = match record.lease_until {
            // A renewal between our reading and this write changes lease_until and so wins.
            Some(until) => {
                let condition = "#status = :state AND fence = :fence AND lease_until = :until";
                self.close(&record.id, close, condition, [state, fence, (":until", item::number(until))])
                    .await?
            }
            None => {
                let condition = "#status = :state AND fence = :fence AND attribute_not_exists(lease_until)";
                self.close(&record.id, close, condition, [state, fence]).await?
            }
        };
        match closed {
            Ok(closed) => {
                tracing::warn!(id = %closed.id, database = %closed.database, reason = closed.message, "closed a stuck run");
                Ok(closed)
            }
            Err(Some(there)) => Ok(*there),
            Err(None) => Err(Error::new(Kind::NotFound, format!("the record {} was removed", record.id))),
        }
    }

    /// Closes a run that cannot go on although its holder may not know, and raises the fence, so that the holder stops; tells whether it was closed now.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn break_off(&self, record: &Record, failure: &Failure) -> Result<bool> {
        let close = Closing::new(Status::Failed, record.started_at, clock::now(), failure.fields()?)
            .raising_the_fence();
        let state = (":state", item::text(Status::InProgress.name()));
        let fence = (":fence", item::number(record.fence));
        let closed =
            self.close(&record.id, close, "#status = :state AND fence = :fence", [state, fence]).await?;
        Ok(closed.is_ok())
    }

    /// The record with this id, closed first when nobody works on it.
    ///
    /// # Errors
    /// As [`Ledger::get`].
    pub async fn get_closing_stuck(&self, id: &RunId) -> Result<Record> {
        let record = self.get(id).await?;
        self.close_if_stuck(record, clock::now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::DatabaseName;
    use crate::ledger::{BackupType, RunKind};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn record(status: Status, lease_until: Option<&str>) -> Record {
        let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let database = DatabaseName::parse("shop").unwrap();
        let created = at("2026-11-21T02:00:00Z");
        let mut r = Record::pending(id, RunKind::Backup, database, BackupType::Manual, created);
        r.status = status;
        r.lease_until = lease_until.map(|t| at(t).as_millisecond());
        r
    }

    #[test]
    fn pending_waits_an_hour_and_clocks_may_differ() {
        let r = record(Status::Pending, None);
        assert!(!r.is_stuck(at("2026-11-21T03:00:00Z")));
        assert!(r.is_stuck(at("2026-11-21T03:00:01Z")));
        assert!(!r.is_stuck(at("2026-11-20T02:00:00Z")), "a clock that is a day behind");
    }

    #[test]
    fn in_progress_ends_with_its_lease_and_final_never() {
        let until = Some("2026-11-21T02:10:00Z");
        assert!(!record(Status::InProgress, until).is_stuck(at("2026-11-21T02:10:00Z")));
        assert!(record(Status::InProgress, until).is_stuck(at("2026-11-21T02:10:01Z")));
        assert!(record(Status::InProgress, None).is_stuck(at("2026-11-21T02:00:00Z")));
        for done in [Status::Completed, Status::Failed] {
            assert!(!record(done, until).is_stuck(at("2027-11-21T02:00:00Z")));
        }
    }
}
