//! Runs of every kind in one list, newest first.

use jiff::Timestamp;

use super::{
    list::{ListQuery, Page, Place},
    record::{Record, RunKind},
    table::Ledger,
};
use crate::base::{Result, id::DatabaseName};

/// What to list.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// Of this database only.
    pub database: Option<DatabaseName>,
    /// Created at this time or later.
    pub since: Option<Timestamp>,
    /// Created at this time or earlier.
    pub until: Option<Timestamp>,
    /// Records in a page, at least 1.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl Ledger {
    /// One page of backups, restores, deletions and whatever else has a record.
    ///
    /// # Errors
    /// As [`Ledger::list`].
    pub async fn history(&self, query: &HistoryQuery) -> Result<Page> {
        let limit = query.limit.max(1);
        let of = |kind| ListQuery {
            database: query.database.clone(),
            since: query.since,
            until: query.until,
            ..ListQuery::of(kind)
        };
        let place = query.cursor.as_deref().map(|c| Place::decode(c, &of(RunKind::Backup))).transpose()?;
        let mut all = Vec::new();
        for kind in RunKind::ALL {
            let mut pages = of(kind);
            pages.until = place.as_ref().map(|p| p.created_at).or(query.until);
            // One more than asked for, to know whether a next page has anything.
            pages.limit = limit + 1;
            let mut found = 0;
            loop {
                let page = self.list(&pages).await?;
                // Records of the same millisecond as the place stand on either side of it.
                let rest = page.records.into_iter().filter(|r| place.as_ref().is_none_or(|p| p.is_before(r)));
                let before = all.len();
                all.extend(rest);
                found += all.len() - before;
                pages.cursor = page.next_cursor;
                if found > limit || pages.cursor.is_none() {
                    break;
                }
            }
        }
        all.sort_by(|a: &Record, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        let more = all.len() > limit;
        all.truncate(limit);
        let next_cursor = all.last().filter(|_| more).map(|r| Place::of(r).encode());
        Ok(Page { records: all, next_cursor })
    }
}
