//! Keys that callers choose so that asking again does nothing twice (`Idempotency-Key`).
//!
//! # The item, `intent#<key>` in `STATE_TABLE`
//!
//! | attribute | what |
//! |---|---|
//! | `fingerprint` | of what was asked: the same key must not ask for something else |
//! | `run_id`, `created_at` | the id of the run that the key stands for: whoever goes on after a crash begins that run and no other; when that was |
//! | `holder`, `held_until` | who works on it (a random text), and until when it counts as alive, epoch milliseconds |
//! | `status`, `answer`, `scope` | the answer, once there is one, and what its caller had to be allowed |
//! | `expires_epoch` | epoch seconds; 24 hours after the first time. An item that DynamoDB has not removed yet counts as gone |
//!
//! It is written before any work begins, so a crash leaves an item that names the run and no answer.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::ReturnValuesOnConditionCheckFailure as OnFailure,
};
use jiff::{Timestamp, ToSpan};

use super::{
    fault::fault,
    item::{self, Item},
    table::Ledger,
};
use crate::base::{Error, Kind, Result, clock, id::RunId};

/// How long a key is remembered.
const HOURS: i64 = 24;

/// The right to do what a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The run to begin.
    pub run: RunId,
    /// Somebody held it before and did not come to an answer: the run may have been begun.
    pub resumed: bool,
    key: String,
    holder: String,
}

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What a caller had to be allowed to get it.
    pub scope: Option<String>,
}

/// What a key stands for at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// Nothing yet, or an unfinished attempt: the caller may go on.
    Mine(Intent),
    /// This answer of the run, given before.
    Answered(RunId, Answer),
    /// Somebody is at it.
    UnderWay,
    /// Something else was asked for with this key.
    Other,
}

impl Ledger {
    /// Takes a key for what has this fingerprint, and holds it for as long as `hold`. `offered` becomes the run's id when the key is new.
    ///
    /// # Errors
    /// As [`Ledger::ping`]; [`Kind::Corrupt`] when the item cannot be read.
    pub async fn intend(
        &self,
        key: &str,
        fingerprint: &str,
        offered: &RunId,
        now: Timestamp,
        hold: Duration,
    ) -> Result<KeyState> {
        let id = format!("intent#{key}");
        let holder = random()?;
        let until = millis(now, hold);
        let expires = now.checked_add(HOURS.hours()).unwrap_or(now).as_second();
        let put = self
            .client
            .put_item()
            .table_name(&self.state_table)
            .item("id", item::text(&id))
            .item("fingerprint", item::text(fingerprint))
            .item("run_id", item::text(offered.as_str()))
            .item("created_at", item::text(clock::text(now)))
            .item("holder", item::text(&holder))
            .item("held_until", item::number(until))
            .item("expires_epoch", item::number(expires))
            .condition_expression("attribute_not_exists(id) OR expires_epoch <= :now")
            .expression_attribute_values(":now", item::number(now.as_second()))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let mine = |run: RunId, resumed| {
            KeyState::Mine(Intent { run, resumed, key: id.clone(), holder: holder.clone() })
        };
        let Err(error) = put else { return Ok(mine(offered.clone(), false)) };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() else {
            return Err(fault(error, "PutItem", &self.state_table));
        };
        let there = Found::read(&id, failed.item.as_ref())?;
        // The SDK sends a write again when its answer was lost.
        if there.holder == holder {
            return Ok(mine(there.run, false));
        }
        if there.fingerprint != fingerprint {
            return Ok(KeyState::Other);
        }
        if let Some(answer) = there.answer {
            return Ok(KeyState::Answered(there.run, answer));
        }
        if there.held_until > now.as_millisecond() {
            return Ok(KeyState::UnderWay);
        }
        let taken = self
            .client
            .update_item()
            .table_name(&self.state_table)
            .key("id", item::text(&id))
            .update_expression("SET holder = :mine, held_until = :until")
            .condition_expression("holder IN (:theirs, :mine) AND attribute_not_exists(answer)")
            .expression_attribute_values(":mine", item::text(&holder))
            .expression_attribute_values(":theirs", item::text(&there.holder))
            .expression_attribute_values(":until", item::number(until))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(mine(there.run, true)),
            Err(e) if lost(e.as_service_error()) => Ok(KeyState::UnderWay),
            Err(e) => Err(fault(e, "UpdateItem", &self.state_table)),
        }
    }

    /// Keeps the answer for everybody who asks again. Nothing happens when somebody else has taken the key since.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn answered(&self, intent: &Intent, answer: &Answer) -> Result<()> {
        let update = self
            .client
            .update_item()
            .update_expression("SET #status = :status, answer = :answer, #scope = :scope")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#scope", "scope")
            .expression_attribute_values(":scope", item::text(answer.scope.as_deref().unwrap_or("none")))
            .expression_attribute_values(":status", item::number(answer.status))
            .expression_attribute_values(":answer", item::text(&answer.body));
        self.as_holder(intent, update).await
    }

    /// Lets go of a key without an answer: whoever asks again goes on with the same run.
    ///
    /// # Errors
    /// As [`Ledger::ping`].
    pub async fn let_go(&self, intent: &Intent) -> Result<()> {
        let update = self
            .client
            .update_item()
            .update_expression("SET held_until = :none")
            .expression_attribute_values(":none", item::number(0));
        self.as_holder(intent, update).await
    }

    async fn as_holder(
        &self,
        intent: &Intent,
        update: aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder,
    ) -> Result<()> {
        let update = update
            .table_name(&self.state_table)
            .key("id", item::text(&intent.key))
            .condition_expression("holder = :mine")
            .expression_attribute_values(":mine", item::text(&intent.holder));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(e) if lost(e.as_service_error()) => Ok(()),
            Err(e) => Err(fault(e, "UpdateItem", &self.state_table)),
        }
    }
}

/// An item as it stands.
struct Found {
    fingerprint: String,
    run: RunId,
    holder: String,
    held_until: i64,
    answer: Option<Answer>,
}

impl Found {
    fn read(id: &str, item: Option<&Item>) -> Result<Self> {
        let none = HashMap::new();
        let item = item.unwrap_or(&none);
        let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).map(String::as_str);
        let number = |name: &str| item.get(name).and_then(|v| v.as_n().ok()).map(String::as_str);
        let read = || {
            let answer = match (number("status"), text("answer")) {
                (Some(status), Some(body)) => {
                    let scope = text("scope").map(str::to_owned);
                    Some(Answer { status: status.parse().ok()?, body: body.to_owned(), scope })
                }
                _ => None,
            };
            Some(Self {
                fingerprint: text("fingerprint")?.to_owned(),
                run: RunId::parse(text("run_id")?).ok()?,
                holder: text("holder")?.to_owned(),
                held_until: number("held_until")?.parse().ok()?,
                answer,
            })
        };
        read().ok_or_else(|| {
            Error::new(Kind::Corrupt, format!("the item {id} in the state table cannot be read"))
        })
    }
}

fn lost(error: Option<&UpdateItemError>) -> bool {
    error.is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

fn millis(now: Timestamp, hold: Duration) -> i64 {
    now.as_millisecond().saturating_add(i64::try_from(hold.as_millis()).unwrap_or(i64::MAX))
}

fn random() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(Kind::Internal, format!("no randomness for a holder: {e}")))?;
    Ok(hex::encode(bytes))
}
