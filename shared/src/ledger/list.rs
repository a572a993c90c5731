//! Lists of records: newest first, in pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

use super::{
    fault::fault,
    item::{self, Item},
    record::{BackupType, Record, RunKind, Status},
    table::Ledger,
};
use crate::base::{
    Error, Kind, Result, clock,
    id::{DatabaseName, RunId},
};

/// Pages of DynamoDB that one call reads at most before it answers with what it has and a cursor.
const PAGES: usize = 40;

/// What to list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Backups, restores, verifications or validations.
    pub kind: RunKind,
    /// Of this database only.
    pub database: Option<DatabaseName>,
    /// With this status only.
    pub status: Option<Status>,
    /// Of this type only.
    pub backup_type: Option<BackupType>,
    /// Created at this time or later.
    pub since: Option<Timestamp>,
    /// Created at this time or earlier.
    pub until: Option<Timestamp>,
    /// Records in a page, at least 1.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl ListQuery {
    /// All of one kind, fifty a page.
    pub fn of(kind: RunKind) -> Self {
        Self {
            kind,
            database: None,
            status: None,
            backup_type: None,
            since: None,
            until: None,
            limit: 50,
            cursor: None,
        }
    }
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub records: Vec<Record>,
    /// For the next page; none when this is the last.
    pub next_cursor: Option<String>,
}

/// A place in a list: behind the record with this id. An index's key names its place fully.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) created_at: Timestamp,
    id: RunId,
}

impl Place {
    pub(super) fn of(record: &Record) -> Self {
        Self { created_at: record.created_at, id: record.id.clone() }
    }

    /// Whether a record comes later in a list that begins with the newest.
    pub(super) fn is_before(&self, record: &Record) -> bool {
        (record.created_at, &record.id) < (self.created_at, &self.id)
    }

    pub(super) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("1 {} {}", clock::text(self.created_at), self.id))
    }

    /// Reads a cursor; one outside of the query's time range would be refused by DynamoDB, so it is refused here.
    pub(super) fn decode(text: &str, query: &ListQuery) -> Result<Self> {
        let wrong =
            || Error::new(Kind::InvalidInput, "the cursor is not one that this list gave").at_field("cursor");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let mut parts = text.split(' ');
        let (Some("1"), Some(time), Some(id), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let created_at: Timestamp = time.parse().map_err(|_| wrong())?;
        let id = RunId::parse(id).map_err(|_| wrong())?;
        let before = query.since.is_some_and(|since| created_at < since);
        let after = query.until.is_some_and(|until| created_at > until);
        if clock::text(created_at) != time || before || after {
            return Err(wrong());
        }
        Ok(Self { created_at, id })
    }
}

impl Ledger {
    /// One page. The indexes lag behind the table by a moment. A page may have fewer records than asked for and still a
    /// cursor, when filters let few through.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a cursor that no such list gave; [`Kind::Config`] when the table lacks its index; otherwise
    /// as [`Ledger::ping`].
    pub async fn list(&self, query: &ListQuery) -> Result<Page> {
        let limit = query.limit.max(1);
        let mut records = Vec::new();
        if query.since.zip(query.until).is_some_and(|(since, until)| since > until) {
            return Ok(Page { records, next_cursor: None });
        }
        let place = query.cursor.as_deref().map(|c| Place::decode(c, query)).transpose()?;
        let mut start = place.map(|p| query.index_key(&p));
        for _ in 0..PAGES {
            // One more than asked for, to know whether a next page has anything.
            let most = if query.filter().is_some() { 200 } else { limit + 1 - records.len() };
            let (items, next) = self.list_page(query, start, most).await?;
            for found in items {
                records.push(item::to_record(found)?);
            }
            if records.len() > limit {
                records.truncate(limit);
                return Ok(Page { next_cursor: place_of(records.last()).map(|p| p.encode()), records });
            }
            let Some(next) = next else { return Ok(Page { records, next_cursor: None }) };
            start = Some(next);
        }
        let next_cursor = start.and_then(|key| place_in(&key)).map(|p| p.encode());
        Ok(Page { records, next_cursor })
    }

    /// The newest backup with this status that is not being removed, of one database or of any.
    ///
    /// # Errors
    /// As [`Ledger::list`].
    pub async fn latest(&self, database: Option<&DatabaseName>, status: Status) -> Result<Option<Record>> {
        let mut query = ListQuery { database: database.cloned(), ..ListQuery::of(RunKind::Backup) };
        query.status = Some(status);
        loop {
            let page = self.list(&query).await?;
            let newest = page.records.into_iter().find(|r| r.deleting_at.is_none());
            if newest.is_some() || page.next_cursor.is_none() {
                return Ok(newest);
            }
            query.cursor = page.next_cursor;
        }
    }

    async fn list_page(
        &self,
        query: &ListQuery,
        start: Option<Item>,
        most: usize,
    ) -> Result<(Vec<Item>, Option<Item>)> {
        let (index, key, value) = query.index();
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .scan_index_forward(false)
            .key_condition_expression("#key = :key AND created_at BETWEEN :since AND :until")
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":key", item::text(value))
            .expression_attribute_values(":since", item::text(query.since.map_or("0".into(), clock::text)))
            .expression_attribute_values(":until", item::text(query.until.map_or("9999".into(), clock::text)))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        if let Some(filter) = query.filter() {
            request = request.filter_expression(filter.expression);
            for (name, attribute) in filter.names {
                request = request.expression_attribute_names(name, attribute);
            }
            for (name, value) in filter.values {
                request = request.expression_attribute_values(name, item::text(value));
            }
        }
        let page = request.send().await.map_err(|e| fault(e, "Query", &self.table))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}

/// A filter on what an index gives.
struct Filter {
    expression: String,
    names: Vec<(&'static str, &'static str)>,
    values: Vec<(&'static str, &'static str)>,
}

impl ListQuery {
    /// The index, its hash attribute and the value of that.
    fn index(&self) -> (&'static str, &'static str, &str) {
        match &self.database {
            Some(database) => ("by_database", "database", database.as_str()),
            None => ("by_kind", "kind", self.kind.name()),
        }
    }

    /// The key of a place in that index.
    fn index_key(&self, place: &Place) -> Item {
        let (_, key, value) = self.index();
        [(key, value), ("created_at", &clock::text(place.created_at)), ("id", place.id.as_str())]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), item::text(value)))
            .collect()
    }

    fn filter(&self) -> Option<Filter> {
        let mut filter = Filter { expression: String::new(), names: Vec::new(), values: Vec::new() };
        let mut term = |name, placeholder, attribute, value| {
            if !filter.expression.is_empty() {
                filter.expression.push_str(" AND ");
            }
            filter.expression.push_str(&format!("{name} = {placeholder}"));
            filter.names.push((name, attribute));
            filter.values.push((placeholder, value));
        };
        if self.database.is_some() {
            term("#kind", ":kind", "kind", self.kind.name());
        }
        if let Some(status) = self.status {
            term("#status", ":status", "status", status.name());
        }
        if let Some(backup_type) = self.backup_type {
            term("#type", ":type", "backup_type", backup_type.name());
        }
        (!filter.expression.is_empty()).then_some(filter)
    }
}

fn place_of(record: Option<&Record>) -> Option<Place> {
    record.map(Place::of)
}

fn place_in(key: &Item) -> Option<Place> {
    let text = |name: &str| key.get(name).and_then(|v| v.as_s().ok());
    Some(Place { created_at: text("created_at")?.parse().ok()?, id: RunId::parse(text("id")?).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            created_at: "2026-11-21T02:00:00.5Z".parse().unwrap(),
            id: RunId::parse("20261121T020000Z-9f86d081").unwrap(),
        }
    }

    #[test]
    fn a_cursor_comes_back() {
        let query = ListQuery::of(RunKind::Backup);
        assert_eq!(Place::decode(&place().encode(), &query).unwrap(), place());
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in [
            "",
            "%%%",
            "{}",
            &encode("1 2026-11-21T02:00:00.500Z"),
            &encode("1 2026-11-21T02:00:00.500Z ../../x"),
            &encode("2 2026-11-21T02:00:00.500Z 20261121T020000Z-9f86d081"),
            &encode("1 2026-11-21T02:00:00.5Z 20261121T020000Z-9f86d081"),
            &encode("1 2026-11-21T02:00:00.500Z 20261121T020000Z-9f86d081 x"),
        ] {
            let e = Place::decode(bad, &ListQuery::of(RunKind::Backup)).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some("cursor")), "{bad}");
        }
    }

    #[test]
    fn a_cursor_of_another_time_range_is_refused() {
        let after = Some("2026-11-21T02:00:00.501Z".parse().unwrap());
        let query = ListQuery { since: after, ..ListQuery::of(RunKind::Backup) };
        assert!(Place::decode(&place().encode(), &query).is_err());
        let query = ListQuery { until: after, ..ListQuery::of(RunKind::Backup) };
        assert!(Place::decode(&place().encode(), &query).is_ok());
    }
}
