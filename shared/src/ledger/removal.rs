//! Removing records, and what stays of them: the record of the deletion.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use jiff::Timestamp;

use super::{
    fault::fault,
    item,
    record::{Record, RunKind, Status},
    table::{Ledger, missing},
};
use crate::base::{Error, Kind, Result, clock, id::RunId};

impl Record {
    /// The record of this one's removal, at an instant that a repetition repeats, so that both have the same id.
    pub fn removal(&self, at: Timestamp, by: Option<&str>, message: String) -> Self {
        let text = self.id.as_str();
        // Ids are the second and eight digits: see `RunId`.
        let id = RunId::parse(&format!("{}-{}", clock::compact(at), &text[17..]))
            .unwrap_or_else(|_| self.id.clone());
        let mut removal = Self::pending(id, RunKind::Deletion, self.database.clone(), self.backup_type, at);
        removal.status = Status::Completed;
        removal.backup_id = Some(self.id.clone());
        removal.file_name.clone_from(&self.file_name);
        removal.s3_url.clone_from(&self.s3_url);
        removal.file_size = self.file_size;
        removal.created_by = by.map(str::to_owned);
        removal.finished_at = Some(at);
        removal.message = Some(message);
        removal
    }
}

impl Ledger {
    /// Puts the record of a deletion down; again is no error.
    ///
    /// # Errors
    /// [`Kind::Internal`] for a record of another kind; otherwise as [`Ledger::ping`].
    pub async fn put_removal(&self, removal: &Record) -> Result<()> {
        if removal.kind != RunKind::Deletion {
            return Err(Error::new(
                Kind::Internal,
                format!("{} is not the record of a deletion", removal.id),
            ));
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::of_record(removal)?))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|s| s.is_conditional_check_failed_exception()) => {
                Ok(())
            }
            Err(e) => Err(fault(e, "PutItem", &self.table)),
        }
    }

    /// Removes a record and nothing else; its objects stay. One that is gone is no error.
    ///
    /// # Errors
    /// [`Kind::Conflict`] while the run is not final, or when its objects are being removed.
    pub async fn forget(&self, id: &RunId) -> Result<()> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", item::text(id.as_str()))
            .condition_expression(
                "attribute_not_exists(id) OR (#status IN (:completed, :failed) AND attribute_not_exists(deleting_at))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":completed", item::text(Status::Completed.name()))
            .expression_attribute_values(":failed", item::text(Status::Failed.name()))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(e)
                if e.as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                match self.find(id).await? {
                    Some(there) if there.status.is_final() => Err(Error::new(
                        Kind::Conflict,
                        format!("the backup {id} is being removed with its objects"),
                    )),
                    Some(there) => Err(Error::new(
                        Kind::Conflict,
                        format!(
                            "the run {id} is {}; it can be removed once it has ended",
                            there.status.name()
                        ),
                    )),
                    None => Err(missing(id)),
                }
            }
            Err(e) => Err(fault(e, "DeleteItem", &self.table)),
        }
    }
}
