//! Notes in `STATE_TABLE`: what functions that work on one run tell each other. An item has a key as its id, a JSON document as its `body`, and goes by
//! itself after two weeks.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{
        AttributeValue, KeysAndAttributes, PutRequest, ReturnValuesOnConditionCheckFailure as OnFailure,
        WriteRequest,
    },
};
use jiff::ToSpan;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    fault::fault,
    item::{self, Item},
    table::Ledger,
};
use crate::base::{Error, Kind, Result, clock};

/// How long a note is kept.
const DAYS: i64 = 14;
/// Keys of one BatchGetItem, and requests of one BatchWriteItem (DynamoDB developer guide, "Quotas").
const READS: usize = 100;
/// See [`READS`].
const WRITES: usize = 25;
/// Rounds for what DynamoDB leaves unprocessed of a batch.
const ROUNDS: u64 = 10;

impl Ledger {
    /// Puts a note down, in the place of one with the same key.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn note(&self, key: &str, body: &impl Serialize) -> Result<()> {
        let put = self.client.put_item().table_name(&self.state_table).set_item(Some(item_of(key, body)?));
        put.send().await.map(drop).map_err(|e| fault(e, "PutItem", &self.state_table))
    }

    /// Puts a note down unless there is one with that key; tells whether this one stands there now. Of many at once one wins.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn note_first(&self, key: &str, body: &impl Serialize) -> Result<bool> {
        let item = item_of(key, body)?;
        let own = item.get("body").cloned();
        let put = self
            .client
            .put_item()
            .table_name(&self.state_table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(true) };
        match error.as_service_error() {
            // The SDK sends a write again when its answer was lost: the same body is our own.
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(failed.item.as_ref().and_then(|i| i.get("body")) == own.as_ref())
            }
            _ => Err(fault(error, "PutItem", &self.state_table)),
        }
    }

    /// The note with this key; read consistently.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is not what was asked for; otherwise as [`Ledger::ping`].
    pub async fn noted<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let got = self
            .client
            .get_item()
            .table_name(&self.state_table)
            .key("id", item::text(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| fault(e, "GetItem", &self.state_table))?;
        got.item.map(|i| body_of(&i).map(|(_, body)| body)).transpose()
    }

    /// Puts many notes down.
    ///
    /// # Errors
    /// As [`Ledger::ping`]; some may stand there then.
    pub async fn note_all<T: Serialize>(&self, notes: impl IntoIterator<Item = (String, T)>) -> Result<()> {
        let mut left: Vec<WriteRequest> = Vec::new();
        for (key, body) in notes {
            let put = PutRequest::builder().set_item(Some(item_of(&key, &body)?)).build();
            let put = put.map_err(|e| Error::with_source(Kind::Internal, "a note cannot be written", e))?;
            left.push(WriteRequest::builder().put_request(put).build());
        }
        let mut round = 0;
        while !left.is_empty() {
            pause(&mut round, "BatchWriteItem", &self.state_table).await?;
            let mut again = Vec::new();
            for batch in left.chunks(WRITES) {
                let sent = self
                    .client
                    .batch_write_item()
                    .request_items(&self.state_table, batch.to_vec())
                    .send()
                    .await
                    .map_err(|e| fault(e, "BatchWriteItem", &self.state_table))?;
                again.extend(sent.unprocessed_items.into_iter().flat_map(HashMap::into_values).flatten());
            }
            left = again;
        }
        Ok(())
    }

    /// The notes with these keys, as far as there are any; read consistently.
    ///
    /// # Errors
    /// As [`Ledger::noted`].
    pub async fn noted_all<T: DeserializeOwned>(&self, keys: &[String]) -> Result<HashMap<String, T>> {
        let mut found = HashMap::new();
        let key = |k: &String| HashMap::from([("id".to_owned(), item::text(k))]);
        let mut left: Vec<HashMap<String, AttributeValue>> = keys.iter().map(key).collect();
        let mut round = 0;
        while !left.is_empty() {
            pause(&mut round, "BatchGetItem", &self.state_table).await?;
            let mut again = Vec::new();
            for batch in left.chunks(READS) {
                let asked =
                    KeysAndAttributes::builder().set_keys(Some(batch.to_vec())).consistent_read(true).build();
                let asked =
                    asked.map_err(|e| Error::with_source(Kind::Internal, "notes cannot be asked for", e))?;
                let got = self
                    .client
                    .batch_get_item()
                    .request_items(&self.state_table, asked)
                    .send()
                    .await
                    .map_err(|e| fault(e, "BatchGetItem", &self.state_table))?;
                for item in got.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                    let (key, body) = body_of(&item)?;
                    found.insert(key, body);
                }
                let unprocessed = got.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
                again.extend(unprocessed.flat_map(|u| u.keys));
            }
            // Answers end at 16 MB: as long as they bring something, it is no fault that some is left.
            if again.len() < left.len() {
                round = 0;
            }
            left = again;
        }
        Ok(found)
    }
}

/// Waits longer before each round that follows the first.
async fn pause(round: &mut u64, action: &str, table: &str) -> Result<()> {
    if *round > 0 {
        tokio::time::sleep(Duration::from_millis(50 << (*round).min(6))).await;
    }
    *round += 1;
    if *round > ROUNDS {
        return Err(Error::new(
            Kind::Aws,
            format!("{action} on DynamoDB table {table} leaves items unprocessed"),
        ));
    }
    Ok(())
}

fn item_of(key: &str, body: &impl Serialize) -> Result<Item> {
    let body = serde_json::to_string(body)
        .map_err(|e| Error::with_source(Kind::Internal, "a note cannot be written as JSON", e))?;
    let now = clock::now();
    let expires = now.checked_add((DAYS * 24).hours()).unwrap_or(now).as_second();
    Ok(HashMap::from([
        ("id".to_owned(), item::text(key)),
        ("body".to_owned(), item::text(body)),
        ("created_at".to_owned(), item::text(clock::text(now))),
        ("expires_epoch".to_owned(), item::number(expires)),
    ]))
}

fn body_of<T: DeserializeOwned>(item: &Item) -> Result<(String, T)> {
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).map_or("", String::as_str);
    let key = text("id");
    let body = serde_json::from_str(text("body")).map_err(|e| {
        Error::with_source(Kind::Corrupt, format!("the item {key} in the state table cannot be read: {e}"), e)
    })?;
    Ok((key.to_owned(), body))
}
