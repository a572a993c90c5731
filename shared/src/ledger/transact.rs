//! The transaction at a run's end: its record and its database's standing, both or neither.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, TransactWriteItem, Update},
};

use super::{
    fault::fault,
    item,
    standing::{Ended, overtaken},
    table::Ledger,
};
use crate::base::{Error, Kind, Result, id::DatabaseName};

/// What became of it.
pub(super) enum Transacted {
    /// Both are written.
    Done,
    /// The record was not in the state that the condition asks for.
    Refused,
    /// Another write came in between: read again.
    Overtaken,
}

impl Ledger {
    /// Updates the record of `ended` under `condition`, and counts it in the standing of `database`.
    ///
    /// When the answer of a transaction that went through is lost, the SDK sends it again under the same token, which DynamoDB answers as the first.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub(super) async fn transact_end<'v>(
        &self,
        database: &DatabaseName,
        ended: &Ended,
        update: &str,
        condition: &str,
        values: impl Iterator<Item = (&'v str, AttributeValue)>,
    ) -> Result<Transacted> {
        let read = self.read_standing(database).await?;
        let mut standing = read.standing.clone();
        standing.end(ended);
        let put = self.put_standing(database, &read, &standing)?;
        let mut record = Update::builder()
            .table_name(&self.table)
            .key("id", item::text(ended.id.as_str()))
            .update_expression(update)
            .condition_expression(condition);
        for (name, attribute) in [("#status", "status"), ("#open", "open")] {
            if update.contains(name) || condition.contains(name) {
                record = record.expression_attribute_names(name, attribute);
            }
        }
        for (name, value) in values {
            record = record.expression_attribute_values(name, value);
        }
        let record = record.build();
        let record =
            record.map_err(|e| Error::with_source(Kind::Internal, "a record's end cannot be written", e))?;
        let sent = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(record).build())
            .transact_items(TransactWriteItem::builder().put(put).build())
            .send()
            .await;
        let Err(error) = sent else { return Ok(Transacted::Done) };
        let reasons: Vec<&str> = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons().iter().map(|r| r.code().unwrap_or_default()).collect()
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                return Ok(Transacted::Overtaken);
            }
            _ => Vec::new(),
        };
        // In the order of the items.
        if reasons.first() == Some(&"ConditionalCheckFailed") {
            return Ok(Transacted::Refused);
        }
        if reasons.iter().any(|code| overtaken(Some(code))) {
            return Ok(Transacted::Overtaken);
        }
        Err(fault(error, "TransactWriteItems", &format!("{} and {}", self.table, self.state_table)))
    }
}
