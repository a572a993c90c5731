//! The registry of databases, in `STATE_TABLE`: an item `database#<name>` for each registration, its attributes as in [`Registration`], and one item
//! `databases` whose string set `names` lists them all (the table has no index to find them by). Both are written in one transaction, and neither
//! expires.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, Delete, KeysAndAttributes, Put,
        ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    KeepRules,
    fault::fault,
    item::{self, Item},
    table::Ledger,
};
use crate::base::{Error, IamLogin, Kind, Result, id::DatabaseName};

/// The item that lists the names.
const DIRECTORY: &str = "databases";
/// Most registrations; the list must fit into one item.
const MOST: usize = 1_000;
/// Keys of one BatchGetItem (DynamoDB developer guide, "Quotas").
const READS: usize = 100;
/// Tries of a write that other writers are in the way of.
const TRIES: u64 = 8;

/// How a registered database is reached. No secret: only where one is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DatabaseSource {
    /// ARN or name of a Secrets Manager secret or SSM parameter with the connection string.
    Secret(String),
    /// RDS IAM authentication.
    Iam(IamLogin),
}

/// What an admin says of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The database to back up; none for the configured one, whose connection the deployment's settings give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main: Option<DatabaseSource>,
    /// A second database: the restore target `BACKUP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<DatabaseSource>,
    /// What retention keeps of its backups; none for `BACKUP_RETENTION_DAYS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<KeepRules>,
    /// Options of `POST /backup` that hold where a request says nothing, checked by the parser of requests.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub defaults: Map<String, Value>,
}

/// A registration as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The name it is registered under.
    pub name: DatabaseName,
    /// What was said of it.
    #[serde(flatten)]
    pub said: Registered,
    /// From 1, one more with each change.
    pub version: u64,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

/// Why a transaction was not done.
enum Refused {
    /// The item is not of the version that was read.
    Changed,
    /// Another writer's transaction is under way.
    InTheWay,
    /// The directory has no room.
    Full,
}

impl Ledger {
    /// The registration of this name, if there is one; read consistently.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the item is none; otherwise as [`Ledger::ping`].
    pub async fn registration(&self, name: &DatabaseName) -> Result<Option<Registration>> {
        self.state_item(&key(name)).await?.map(parse).transpose()
    }

    /// All names that are registered, sorted.
    ///
    /// # Errors
    /// As [`Ledger::registration`].
    pub async fn registered_names(&self) -> Result<Vec<DatabaseName>> {
        let item = self.state_item(DIRECTORY).await?.unwrap_or_default();
        let names = item.get("names").and_then(|v| v.as_ss().ok()).cloned().unwrap_or_default();
        let mut names = names.iter().map(|n| DatabaseName::parse(n)).collect::<Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    /// The registrations of these names, sorted by name; those that are gone are left out.
    ///
    /// # Errors
    /// As [`Ledger::registration`].
    pub async fn registrations(&self, names: &[DatabaseName]) -> Result<Vec<Registration>> {
        let mut left: Vec<Item> =
            names.iter().map(|n| HashMap::from([("id".to_owned(), item::text(key(n)))])).collect();
        let mut found = Vec::new();
        let mut round = 0;
        while !left.is_empty() {
            pause(&mut round, "BatchGetItem", &self.state_table).await?;
            let mut again = Vec::new();
            for batch in left.chunks(READS) {
                let asked = KeysAndAttributes::builder().set_keys(Some(batch.to_vec())).consistent_read(true);
                let got = self
                    .client
                    .batch_get_item()
                    .request_items(&self.state_table, asked.build().map_err(malformed)?)
                    .send()
                    .await
                    .map_err(|e| fault(e, "BatchGetItem", &self.state_table))?;
                for item in got.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                    found.push(parse(item)?);
                }
                again.extend(
                    got.unprocessed_keys.into_iter().flat_map(HashMap::into_values).flat_map(|k| k.keys),
                );
            }
            left = again;
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Registers a database, or changes its registration. `expected` is the version that the caller has read, 0 for none there; without it whatever
    /// stands there is replaced. What stands there already is left as it is.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when another version stands there, or there are 1,000 registrations.
    pub async fn register(
        &self,
        name: &DatabaseName,
        said: &Registered,
        expected: Option<u64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Registration> {
        for round in 0..TRIES {
            wait(round).await;
            let there = self.registration(name).await?;
            let version = there.as_ref().map_or(0, |r| r.version);
            if let Some(same) = there.as_ref().filter(|r| r.said == *said)
                && expected.is_none_or(|e| e == version || e + 1 == version)
            {
                return Ok(same.clone());
            }
            if let Some(expected) = expected.filter(|e| *e != version) {
                return Err(outdated(name, version, expected));
            }
            let new = Registration {
                name: name.clone(),
                said: said.clone(),
                version: version + 1,
                created_by: there.as_ref().map_or_else(|| by.to_owned(), |r| r.created_by.clone()),
                created_at: there.as_ref().map_or(now, |r| r.created_at),
                updated_by: by.to_owned(),
                updated_at: now,
            };
            match self.change(name, Some(&new), version).await? {
                Ok(()) => return Ok(new),
                Err(Refused::Full) => {
                    let why = format!("{MOST} databases are registered, and there is no room for more");
                    return Err(Error::new(Kind::Conflict, why));
                }
                Err(Refused::Changed | Refused::InTheWay) => {}
            }
        }
        Err(busy(name))
    }

    /// Removes a registration; gives what it was, none where there is none. `expected` as in [`Ledger::register`].
    ///
    /// # Errors
    /// [`Kind::Conflict`] when another version stands there.
    pub async fn unregister(
        &self,
        name: &DatabaseName,
        expected: Option<u64>,
    ) -> Result<Option<Registration>> {
        for round in 0..TRIES {
            wait(round).await;
            let Some(there) = self.registration(name).await? else { return Ok(None) };
            if let Some(expected) = expected.filter(|e| *e != there.version) {
                return Err(outdated(name, there.version, expected));
            }
            if self.change(name, None, there.version).await?.is_ok() {
                return Ok(Some(there));
            }
        }
        Err(busy(name))
    }

    pub(super) async fn state_item(&self, id: &str) -> Result<Option<Item>> {
        let got = self
            .client
            .get_item()
            .table_name(&self.state_table)
            .key("id", item::text(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| fault(e, "GetItem", &self.state_table))?;
        Ok(got.item)
    }

    /// Puts `new` in the place of the registration of `version` (0: of none), or removes that; item and directory at once. The SDK sends a token along, by
    /// which DynamoDB knows a request that is sent again.
    async fn change(
        &self,
        name: &DatabaseName,
        new: Option<&Registration>,
        version: u64,
    ) -> Result<std::result::Result<(), Refused>> {
        let table = &self.state_table;
        let condition = if version == 0 { "attribute_not_exists(id)" } else { "version = :version" };
        let values = (version > 0).then(|| HashMap::from([(":version".to_owned(), item::number(version))]));
        let mut own = None;
        let item = match new {
            Some(new) => {
                let item = of(new)?;
                own = Some(item.clone());
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item))
                    .condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(OnFailure::AllOld);
                TransactWriteItem::builder().put(put.build().map_err(malformed)?)
            }
            None => {
                let delete = Delete::builder()
                    .table_name(table)
                    .key("id", item::text(key(name)))
                    .condition_expression(condition)
                    .set_expression_attribute_values(values);
                TransactWriteItem::builder().delete(delete.build().map_err(malformed)?)
            }
        };
        let listed = AttributeValue::Ss(vec![name.as_str().to_owned()]);
        let directory = Update::builder()
            .table_name(table)
            .key("id", item::text(DIRECTORY))
            .expression_attribute_names("#names", "names")
            .expression_attribute_values(":listed", listed);
        let directory = match new {
            Some(_) => directory
                .update_expression("ADD #names :listed")
                .condition_expression(
                    "attribute_not_exists(#names) OR contains(#names, :name) OR size(#names) < :most",
                )
                .expression_attribute_values(":name", item::text(name.as_str()))
                .expression_attribute_values(":most", item::number(MOST)),
            None => directory.update_expression("DELETE #names :listed"),
        };
        let directory = TransactWriteItem::builder().update(directory.build().map_err(malformed)?).build();
        let sent = self
            .client
            .transact_write_items()
            .transact_items(item.build())
            .transact_items(directory)
            .send()
            .await;
        let Err(error) = sent else { return Ok(Ok(())) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    Ok(Err(Refused::InTheWay))
                }
                _ => Err(fault(error, "TransactWriteItems", table)),
            };
        };
        let reasons = cancelled.cancellation_reasons();
        let failed = |n: usize| {
            reasons.get(n).and_then(CancellationReason::code).is_some_and(|c| c == "ConditionalCheckFailed")
        };
        if failed(0) {
            // Sent again, after an answer that was lost, by a client without the token.
            let there = reasons.first().and_then(|r| r.item.as_ref());
            return Ok(if own.is_some() && there == own.as_ref() { Ok(()) } else { Err(Refused::Changed) });
        }
        if failed(1) {
            return Ok(Err(Refused::Full));
        }
        let in_the_way = |r: &CancellationReason| {
            matches!(
                r.code(),
                Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
            )
        };
        if reasons.iter().any(in_the_way) {
            return Ok(Err(Refused::InTheWay));
        }
        Err(fault(error, "TransactWriteItems", table))
    }
}

fn key(name: &DatabaseName) -> String {
    format!("database#{name}")
}

fn of(registration: &Registration) -> Result<Item> {
    let value = serde_json::to_value(registration)
        .map_err(|e| Error::with_source(Kind::Internal, "a registration cannot be written as an item", e))?;
    let mut item = item::of_value(value);
    item.insert("id".into(), item::text(key(&registration.name)));
    Ok(item)
}

fn parse(mut item: Item) -> Result<Registration> {
    let id = item.remove("id").and_then(|v| v.as_s().ok().cloned()).unwrap_or_default();
    serde_json::from_value(item::to_value(item)).map_err(|e| {
        Error::new(Kind::Corrupt, format!("the item {id} in the state table cannot be read: {e}"))
    })
}

fn malformed(e: BuildError) -> Error {
    Error::with_source(Kind::Internal, "a request to DynamoDB is not complete", e)
}

fn outdated(name: &DatabaseName, version: u64, expected: u64) -> Error {
    let now = match version {
        0 => "it is not registered".to_owned(),
        _ => format!("its version is {version}"),
    };
    let why = format!("the registration of {name} is not of version {expected}, {now}: read it again");
    Error::new(Kind::Conflict, why).at_field("version")
}

fn busy(name: &DatabaseName) -> Error {
    Error::new(
        Kind::Busy,
        format!("others are changing the registration of {name} at this moment; try again"),
    )
}

/// Waits longer before each round that follows the first, and not as long as others do.
async fn wait(round: u64) {
    if round > 0 {
        let mut some = [0u8; 1];
        // Without randomness all wait for the same time.
        let _ = getrandom::fill(&mut some);
        let most = 20u64 << round.min(5);
        tokio::time::sleep(Duration::from_millis(most / 2 + most * u64::from(some[0]) / 510)).await;
    }
}

async fn pause(round: &mut u64, action: &str, table: &str) -> Result<()> {
    wait(*round).await;
    *round += 1;
    if *round <= TRIES {
        return Ok(());
    }
    Err(Error::new(Kind::Aws, format!("{action} on DynamoDB table {table} leaves items unprocessed")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_registration_comes_back_from_its_item() {
        let defaults = json!({"compression": "gzip", "compress": true, "label": "x"});
        let login = IamLogin::new("h", 5432, "d", "u", None).unwrap();
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let whole = Registration {
            name: DatabaseName::parse("shop").unwrap(),
            said: Registered {
                main: Some(DatabaseSource::Secret("/shop/url".into())),
                backup: Some(DatabaseSource::Iam(login)),
                retention: Some(KeepRules { weekly: Some(0), ..KeepRules::of_days(7) }),
                defaults: defaults.as_object().unwrap().clone(),
            },
            version: 3,
            created_by: "ann".into(),
            created_at: at,
            updated_by: "bob".into(),
            updated_at: at,
        };
        let bare = Registration {
            said: Registered { main: None, backup: None, retention: None, defaults: Map::new() },
            ..whole.clone()
        };
        for registration in [whole, bare] {
            let item = of(&registration).unwrap();
            assert_eq!(item["id"], item::text("database#shop"));
            assert!(!item.contains_key("expires_epoch"));
            assert_eq!(parse(item).unwrap(), registration);
        }
    }

    #[test]
    fn a_spoilt_item_is_named() {
        let e = parse(HashMap::from([("id".to_owned(), item::text("database#shop"))])).unwrap_err();
        assert!(e.kind() == Kind::Corrupt && e.to_string().contains("database#shop"), "{e}");
    }
}
