//! Schedules in `STATE_TABLE`, without expiry: an item `schedule#<id>` for each, and the item `schedules`, which names them all (`ids`, and their
//! `count`), so that nobody has to scan the table. Both are written in one transaction, which makes the limit on their number exact.
//!
//! # Life cycle
//!
//! ```text
//!            add                apply                    change (version + 1)
//!   (absent) ───▶ version 1 ───────────▶ applied = version ──────▶ applied < version ──▶ apply …
//!                                                │ change with `removing`
//!                                                ▼
//!                                   removing ──▶ gone in EventBridge ──▶ remove ──▶ (absent)
//! ```
//!
//! The record is written first and removed last. `version` fences: a writer whose version was overtaken cannot mark it as applied, and has to apply
//! the newer one.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::{BuildError, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem, Update},
};
use serde_json::Value;

use super::{
    fault::fault,
    item::{self, Item},
    schedule::{Schedule, ScheduleId},
    table::Ledger,
};
use crate::base::{Error, Kind, Result};

/// Key of the item that names all schedules.
const ALL: &str = "schedules";
/// Before a schedule's id in the key of its item.
const PREFIX: &str = "schedule#";
/// Keys of one BatchGetItem (DynamoDB developer guide, "Quotas").
const READS: usize = 100;
/// The version that was read, of the schedule that was read: one that was removed and made anew counts from the beginning.
const STILL: &str = "version = :version AND created_at = :created";
/// How often a transaction is tried again that met another one.
const CONFLICTS: u32 = 5;

/// How adding a schedule ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It stands there now.
    Yes,
    /// One with its id was there already.
    Exists,
    /// There are as many as there may be.
    Full,
}

impl Ledger {
    /// The schedule with this id, one that is being removed included; read consistently.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the item is none; otherwise as [`Ledger::ping`].
    pub async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>> {
        let got = self
            .client
            .get_item()
            .table_name(&self.state_table)
            .key("id", item::text(key(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| fault(e, "GetItem", &self.state_table))?;
        got.item.map(of_item).transpose()
    }

    /// All schedules by id, those that are being removed included; read consistently.
    ///
    /// # Errors
    /// As [`Ledger::schedule`].
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        let got = self
            .client
            .get_item()
            .table_name(&self.state_table)
            .key("id", item::text(ALL))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| fault(e, "GetItem", &self.state_table))?;
        let ids = got.item.and_then(|mut i| i.remove("ids")).and_then(|v| v.as_ss().ok().cloned());
        let mut all = Vec::new();
        for batch in ids.unwrap_or_default().chunks(READS) {
            all.extend(self.some_schedules(batch).await?);
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    async fn some_schedules(&self, ids: &[String]) -> Result<Vec<Schedule>> {
        let key = |id: &String| HashMap::from([("id".to_owned(), item::text(format!("{PREFIX}{id}")))]);
        let mut left: Vec<Item> = ids.iter().map(key).collect();
        let mut all = Vec::new();
        // A hundred small items are one answer; what is left over was throttled.
        for _ in 0..10 {
            let asked = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let asked =
                asked.map_err(|e| Error::with_source(Kind::Internal, "schedules cannot be asked for", e))?;
            let got = self.client.batch_get_item().request_items(&self.state_table, asked).send().await;
            let got = got.map_err(|e| fault(e, "BatchGetItem", &self.state_table))?;
            for item in got.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                all.push(of_item(item)?);
            }
            left = got
                .unprocessed_keys
                .into_iter()
                .flat_map(HashMap::into_values)
                .flat_map(|k| k.keys)
                .collect();
            if left.is_empty() {
                return Ok(all);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Error::new(Kind::Aws, format!("DynamoDB table {} leaves schedules unread", self.state_table)))
    }

    /// Adds a schedule, where there are fewer than `limit`.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn add_schedule(&self, schedule: &Schedule, limit: usize) -> Result<Added> {
        let put = Put::builder()
            .table_name(&self.state_table)
            .set_item(Some(to_item(schedule)?))
            .condition_expression("attribute_not_exists(id)");
        let name = Update::builder()
            .table_name(&self.state_table)
            .key("id", item::text(ALL))
            .update_expression("ADD ids :ids, #count :one")
            .condition_expression("attribute_not_exists(#count) OR #count < :limit")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":ids", ids(schedule))
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":limit", item::number(limit));
        let put = TransactWriteItem::builder().put(built(put.build())?).build();
        let name = TransactWriteItem::builder().update(built(name.build())?).build();
        Ok(match self.both(put, name).await? {
            None => Added::Yes,
            Some([true, _]) => Added::Exists,
            Some(_) => Added::Full,
        })
    }

    /// Writes `schedule` in the place of the version before its own; tells whether that one still stood there.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn change_schedule(&self, schedule: &Schedule) -> Result<bool> {
        let put = self
            .client
            .put_item()
            .table_name(&self.state_table)
            .set_item(Some(to_item(schedule)?))
            .condition_expression(
                "version = :before AND created_at = :created AND attribute_not_exists(removing_at)",
            )
            .expression_attribute_values(":before", item::number(schedule.version.saturating_sub(1)))
            .expression_attribute_values(":created", created(schedule))
            .send()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|s| s.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(e) => Err(fault(e, "PutItem", &self.state_table)),
        }
    }

    /// Notes that EventBridge was told this version; tells whether it is still the newest.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn schedule_applied(&self, schedule: &Schedule) -> Result<bool> {
        let update = self
            .client
            .update_item()
            .table_name(&self.state_table)
            .key("id", item::text(key(&schedule.id)))
            .update_expression("SET applied = :version")
            .condition_expression(STILL)
            .expression_attribute_values(":version", item::number(schedule.version))
            .expression_attribute_values(":created", created(schedule))
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|s| s.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(e) => Err(fault(e, "UpdateItem", &self.state_table)),
        }
    }

    /// Removes the item of a schedule in this version; tells whether it is gone now.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn remove_schedule(&self, schedule: &Schedule) -> Result<bool> {
        let delete = Delete::builder()
            .table_name(&self.state_table)
            .key("id", item::text(key(&schedule.id)))
            .condition_expression(STILL)
            .expression_attribute_values(":version", item::number(schedule.version))
            .expression_attribute_values(":created", created(schedule));
        let name = Update::builder()
            .table_name(&self.state_table)
            .key("id", item::text(ALL))
            .update_expression("DELETE ids :ids ADD #count :less")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":ids", ids(schedule))
            .expression_attribute_values(":less", item::number(-1));
        let delete = TransactWriteItem::builder().delete(built(delete.build())?).build();
        let name = TransactWriteItem::builder().update(built(name.build())?).build();
        match self.both(delete, name).await? {
            None => Ok(true),
            // Another version, or gone already: as a write that the SDK sent again finds its own.
            Some(_) => Ok(self.schedule(&schedule.id).await?.is_none()),
        }
    }

    /// Writes an item and the item that names all; none when it was done, or which of the two conditions failed.
    async fn both(&self, item: TransactWriteItem, name: TransactWriteItem) -> Result<Option<[bool; 2]>> {
        let mut round = 0;
        loop {
            let items = vec![item.clone(), name.clone()];
            let write = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
            let Err(error) = write else { return Ok(None) };
            match reasons(&error) {
                Some([first, second])
                    if [&first, &second].contains(&&"ConditionalCheckFailed".to_owned()) =>
                {
                    return Ok(Some([first, second].map(|r| r == "ConditionalCheckFailed")));
                }
                // Somebody else's transaction on the same items, which the SDK does not try again.
                Some(both) if round < CONFLICTS && both.contains(&"TransactionConflict".to_owned()) => {
                    round += 1;
                    tokio::time::sleep(Duration::from_millis(50 << round)).await;
                }
                _ => return Err(fault(error, "TransactWriteItems", &self.state_table)),
            }
        }
    }
}

fn key(id: &ScheduleId) -> String {
    format!("{PREFIX}{id}")
}

/// As [`to_item`] writes it.
fn created(schedule: &Schedule) -> AttributeValue {
    item::text(schedule.created_at.to_string())
}

fn ids(schedule: &Schedule) -> AttributeValue {
    AttributeValue::Ss(vec![schedule.id.to_string()])
}

fn built<T>(result: std::result::Result<T, BuildError>) -> Result<T> {
    result.map_err(|e| Error::with_source(Kind::Internal, "a schedule cannot be written", e))
}

/// Why each of a transaction's two actions failed; none when it failed otherwise.
fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<[String; 2]> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons();
    Some([0, 1].map(|at| reasons.get(at).and_then(|r| r.code()).unwrap_or_default().to_owned()))
}

fn to_item(schedule: &Schedule) -> Result<Item> {
    let value = item::attribute(schedule)?;
    let mut item = value.as_ref().and_then(|v| v.as_m().ok()).cloned().unwrap_or_default();
    item.insert("id".into(), item::text(key(&schedule.id)));
    Ok(item)
}

fn of_item(item: Item) -> Result<Schedule> {
    let id = item.get("id").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    let mut map = item::object(item);
    map.insert("id".into(), id.trim_start_matches(PREFIX).into());
    serde_json::from_value(Value::Object(map)).map_err(|e| {
        Error::new(Kind::Corrupt, format!("the item {id} in the state table cannot be read: {e}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::ledger::KeepRules;

    #[test]
    fn a_schedule_comes_back_from_its_item() {
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let mut schedule = Schedule {
            id: ScheduleId::parse("nightly").unwrap(),
            name: "Nightly".into(),
            schedule: "0 2 * * *".into(),
            expression: "cron(0 2 * * ? *)".into(),
            timezone: "UTC".into(),
            options: Map::from_iter([("label".to_owned(), "a".into()), ("compress".to_owned(), true.into())]),
            enabled: true,
            retention: Some(KeepRules { days: Some(7), ..KeepRules::default() }),
            counts_from: at,
            deployed: None,
            version: 3,
            applied: 2,
            removing_at: None,
            created_by: "ann".into(),
            created_at: at,
            updated_by: "bob".into(),
            updated_at: at,
        };
        assert_eq!(of_item(to_item(&schedule).unwrap()).unwrap(), schedule);
        assert_eq!(to_item(&schedule).unwrap()["created_at"], created(&schedule));
        assert!(!schedule.in_effect());
        schedule.removing_at = Some(at);
        assert_eq!(of_item(to_item(&schedule).unwrap()).unwrap(), schedule);
        let mut spoilt = to_item(&schedule).unwrap();
        spoilt.remove("version");
        assert!(of_item(spoilt).unwrap_err().message().contains("schedule#nightly"));
    }
}
