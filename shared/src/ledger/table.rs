//! The two tables: creating, reading and removing records.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure},
};
use jiff::Timestamp;

use super::{
    fault::fault,
    item,
    record::{Record, Status},
};
use crate::base::{Error, Kind, Result, clock, id::RunId};

/// The ledger: a DynamoDB client and the names of the two tables. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) state_table: String,
}

impl Ledger {
    /// A ledger over `BACKUP_TABLE` and `STATE_TABLE`; touches neither.
    pub fn new(client: Client, table: impl Into<String>, state_table: impl Into<String>) -> Self {
        Self { client, table: table.into(), state_table: state_table.into() }
    }

    /// Reads one item of each table that is never there: shows that both tables exist and answer.
    ///
    /// # Errors
    /// As any call: [`Kind::NotFound`] naming a missing table, [`Kind::Permission`], [`Kind::Unreachable`], [`Kind::Aws`].
    pub async fn ping(&self) -> Result<()> {
        for table in [&self.table, &self.state_table] {
            let asked = self.client.get_item().table_name(table).key("id", item::text("ping")).send().await;
            asked.map_err(|e| fault(e, "GetItem", table))?;
        }
        Ok(())
    }

    /// Writes a new record, which must be pending.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when another record has its id; the same record twice is no error (an answer may get lost).
    pub async fn create(&self, record: &Record) -> Result<()> {
        if record.status != Status::Pending {
            return Err(Error::new(Kind::Internal, format!("the new record {} is not pending", record.id)));
        }
        let new = item::of_record(record)?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(new.clone()))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed))
                if failed.item.as_ref() == Some(&new) =>
            {
                Ok(())
            }
            Some(PutItemError::ConditionalCheckFailedException(_)) => {
                Err(Error::new(Kind::Conflict, format!("a record with the id {} exists", record.id)))
            }
            _ => Err(fault(error, "PutItem", &self.table)),
        }
    }

    /// The record with this id, if there is one; read consistently.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the item is not a record; otherwise as [`Ledger::ping`].
    pub async fn find(&self, id: &RunId) -> Result<Option<Record>> {
        let got = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", item::text(id.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| fault(e, "GetItem", &self.table))?;
        got.item.map(item::to_record).transpose()
    }

    /// The record with this id.
    ///
    /// # Errors
    /// [`Kind::NotFound`] naming the id; otherwise as [`Ledger::find`].
    pub async fn get(&self, id: &RunId) -> Result<Record> {
        self.find(id).await?.ok_or_else(|| missing(id))
    }

    /// Marks a final record as being removed, before its manifest and objects go; again is no error. Gives the time of the first mark.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Conflict`] while the run is not final.
    pub async fn mark_deleting(&self, id: &RunId, now: Timestamp) -> Result<Timestamp> {
        let values = [
            (":now", item::text(clock::text(now))),
            (":completed", item::text(Status::Completed.name())),
            (":failed", item::text(Status::Failed.name())),
        ];
        let update = "SET deleting_at = if_not_exists(deleting_at, :now)";
        match self.update(id, update, "#status IN (:completed, :failed)", values).await? {
            Ok(marked) => Ok(marked.deleting_at.unwrap_or(now)),
            Err(Some(there)) => Err(Error::new(
                Kind::Conflict,
                format!("the run {id} is {}; it can be removed once it has ended", there.status.name()),
            )),
            Err(None) => Err(missing(id)),
        }
    }

    /// Removes a record that [`Ledger::mark_deleting`] marked; one that is gone is no error.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it was not marked.
    pub async fn delete(&self, id: &RunId) -> Result<()> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", item::text(id.as_str()))
            .condition_expression("attribute_not_exists(id) OR attribute_exists(deleting_at)")
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|s| s.is_conditional_check_failed_exception()) => {
                Err(Error::new(Kind::Conflict, format!("the record {id} is not marked as being removed")))
            }
            Err(e) => Err(fault(e, "DeleteItem", &self.table)),
        }
    }

    /// One conditional update. `#status` stands for the attribute `status`, `#open` for `open`. Inside: the record after it,
    /// or the record that the condition did not fit (none when there is none).
    pub(super) async fn update<'v>(
        &self,
        id: &RunId,
        update: &str,
        condition: &str,
        values: impl IntoIterator<Item = (&'v str, AttributeValue)>,
    ) -> Result<Result<Record, Option<Box<Record>>>> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", item::text(id.as_str()))
            .update_expression(update)
            .condition_expression(condition)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        for (name, attribute) in [("#status", "status"), ("#open", "open")] {
            if update.contains(name) || condition.contains(name) {
                request = request.expression_attribute_names(name, attribute);
            }
        }
        for (name, value) in values {
            request = request.expression_attribute_values(name, value);
        }
        match request.send().await {
            Ok(out) => item::to_record(out.attributes.unwrap_or_default()).map(Ok),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                    Some(there) if !there.is_empty() => {
                        Ok(Err(Some(Box::new(item::to_record(there.clone())?))))
                    }
                    _ => Ok(Err(None)),
                },
                _ => Err(fault(error, "UpdateItem", &self.table)),
            },
        }
    }
}

/// The error for an id without a record.
pub(super) fn missing(id: &RunId) -> Error {
    Error::new(Kind::NotFound, format!("there is no record with the id {id}"))
}
