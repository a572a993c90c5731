//! Records as DynamoDB items, attribute by attribute, so that the console shows them as they are.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Number, Value};

use super::record::Record;
use crate::base::{Error, Kind, Result};

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The item of a record. A record that is not final carries `open`, which puts it into the index `by_open`.
pub(super) fn of_record(record: &Record) -> Result<Item> {
    let value = serde_json::to_value(record)
        .map_err(|e| Error::with_source(Kind::Internal, "the record cannot be written as an item", e))?;
    let Value::Object(map) = value else {
        return Err(Error::new(Kind::Internal, "the record is not an object"));
    };
    let mut item = of_value(Value::Object(map));
    if !record.status.is_final() {
        item.insert("open".into(), text("yes"));
    }
    Ok(item)
}

/// The record of an item; attributes that it does not know are left alone.
///
/// # Errors
/// `Kind::Corrupt` naming the id when an attribute is missing or has another type.
pub(super) fn to_record(item: Item) -> Result<Record> {
    let id = item.get("id").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    serde_json::from_value(to_value(item))
        .map_err(|e| Error::new(Kind::Corrupt, format!("the record {id} in the table cannot be read: {e}")))
}

/// The attributes of a JSON object, without those that are null; none for any other value.
pub(super) fn of_value(value: Value) -> Item {
    let Value::Object(map) = value else { return Item::new() };
    map.into_iter().filter_map(|(k, v)| Some((k, to_attribute(v)?))).collect()
}

/// The JSON object of an item.
pub(super) fn to_value(item: Item) -> Value {
    Value::Object(object(item))
}

/// An item's attributes as JSON.
pub(super) fn object(item: Item) -> Map<String, Value> {
    item.into_iter().filter_map(|(k, v)| Some((k, to_json(v)?))).collect()
}

/// A string attribute.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Any serializable value; none for null.
pub(super) fn attribute(value: &impl serde::Serialize) -> Result<Option<AttributeValue>> {
    let value = serde_json::to_value(value)
        .map_err(|e| Error::with_source(Kind::Internal, "a value cannot be written as an attribute", e))?;
    Ok(to_attribute(value))
}

fn to_attribute(value: Value) -> Option<AttributeValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(b) => AttributeValue::Bool(b),
        Value::Number(n) => AttributeValue::N(n.to_string()),
        Value::String(s) => AttributeValue::S(s),
        Value::Array(list) => AttributeValue::L(list.into_iter().filter_map(to_attribute).collect()),
        Value::Object(map) => {
            AttributeValue::M(map.into_iter().filter_map(|(k, v)| Some((k, to_attribute(v)?))).collect())
        }
    })
}

fn to_json(value: AttributeValue) -> Option<Value> {
    Some(match value {
        AttributeValue::Bool(b) => Value::Bool(b),
        AttributeValue::N(n) => Value::Number(to_number(&n)?),
        AttributeValue::S(s) => Value::String(s),
        AttributeValue::L(list) => Value::Array(list.into_iter().filter_map(to_json).collect()),
        AttributeValue::M(map) => {
            Value::Object(map.into_iter().filter_map(|(k, v)| Some((k, to_json(v)?))).collect())
        }
        AttributeValue::Ss(set) => Value::Array(set.into_iter().map(Value::String).collect()),
        _ => return None,
    })
}

fn to_number(text: &str) -> Option<Number> {
    let whole = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    whole.ok().or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{DatabaseName, RunId};
    use crate::ledger::{BackupType, Progress, RunKind, Status, TableLine};

    fn record() -> Record {
        let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let database = DatabaseName::parse("shop").unwrap();
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        Record::pending(id, RunKind::Backup, database, BackupType::Manual, at)
    }

    #[test]
    fn a_record_comes_back_from_its_item() {
        let mut r = record();
        r.tables = vec![TableLine { name: "public.orders".into(), rows: u64::MAX, bytes: 7 }];
        r.warnings = vec!["a".into()];
        r.progress = Some(Progress { tables: 3, tables_done: 1, bytes_done: 9, percent: 33 });
        r.encrypted = Some(false);
        r.lease_until = Some(-1);
        r.started_at = Some("2026-11-21T02:00:00.12Z".parse().unwrap());
        let item = of_record(&r).unwrap();
        assert_eq!(to_record(item).unwrap(), r);
    }

    #[test]
    fn instants_sort_as_text_and_open_marks_what_is_not_final() {
        let mut r = record();
        let item = of_record(&r).unwrap();
        assert_eq!(item["created_at"], text("2026-11-21T02:00:00.000Z"));
        assert_eq!(item["open"], text("yes"));
        assert_eq!(item["fence"], number(0));
        assert!(!item.contains_key("message"));
        r.status = Status::Failed;
        assert!(!of_record(&r).unwrap().contains_key("open"));
    }

    #[test]
    fn a_spoilt_item_is_named() {
        let mut item = of_record(&record()).unwrap();
        item.insert("status".into(), text("lost"));
        let e = to_record(item).unwrap_err();
        assert_eq!(e.kind(), Kind::Corrupt);
        assert!(e.to_string().contains("20261121T020000Z-9f86d081"), "{e}");
    }
}
