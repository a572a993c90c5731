//! Events are delivered at least once: the first delivery names the run, later ones find it.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure as OnFailure,
};
use jiff::ToSpan;

use super::{fault::fault, item, table::Ledger};
use crate::base::{Error, Kind, Result, clock, id::RunId};

/// How long a delivery is remembered; Lambda and Scheduler give up after a day at most.
const DAYS: i64 = 14;
/// Characters of an event key; DynamoDB's keys may have 2,048 bytes.
const KEY: usize = 400;

/// What a delivery of an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The first: begin the run with this id, the one offered.
    First(RunId),
    /// A later one: the run with this id was begun before.
    Again(RunId),
}

impl Ledger {
    /// Records a delivery of the event with this key and offers `id` for its run. Of many concurrent deliveries one is the
    /// first, and all learn the same id.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a key that is empty, longer than 400 characters or holds control characters.
    pub async fn begin_delivery(&self, event_key: &str, id: &RunId) -> Result<Delivery> {
        let length = event_key.chars().count();
        if !(1..=KEY).contains(&length) || event_key.chars().any(char::is_control) {
            return Err(Error::new(
                Kind::InvalidInput,
                format!("an event id has 1 to {KEY} characters and no control characters"),
            ));
        }
        let now = clock::now();
        let expires = now.checked_add((DAYS * 24).hours()).unwrap_or(now).as_second();
        let put = self
            .client
            .put_item()
            .table_name(&self.state_table)
            .item("id", item::text(format!("delivery#{event_key}")))
            .item("run_id", item::text(id.as_str()))
            .item("created_at", item::text(clock::text(now)))
            .item("expires_epoch", item::number(expires))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(Delivery::First(id.clone())) };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() else {
            return Err(fault(error, "PutItem", &self.state_table));
        };
        let there = failed.item.as_ref().and_then(|i| i.get("run_id")).and_then(|v| v.as_s().ok());
        let there = RunId::parse(there.map_or("", String::as_str)).map_err(|_| {
            Error::new(
                Kind::Corrupt,
                format!("the item delivery#{event_key} in the state table names no run"),
            )
        })?;
        // Our own id is there when the SDK sent the write again because its answer was lost.
        Ok(if there == *id { Delivery::First(there) } else { Delivery::Again(there) })
    }
}
