//! Whether every registered database can be reached and read in full, all at once and within seconds.
//!
//! The backup function does it, by the event `{"testConnections": true}`: it stands where the databases are (the VPC) and may read their secrets; the
//! API's function, which talks to the world, does neither.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Invocation, Platform, databases};
use crate::{
    base::{Error, Kind, Result, ResultExt, id::DatabaseName},
    catalog::{self, Missing},
    pg::{self, ConnInfo, pooler, session},
};

/// Databases at once.
const AT_ONCE: usize = 16;
/// For one database, from reading its secret to its last answer.
const EACH: Duration = Duration::from_secs(5);
/// For all of them. The API's caller has an answer within ten seconds, the start of the function included.
const ALL: Duration = Duration::from_millis(6_500);
/// Most databases that one call tests.
const MOST: usize = 200;

/// What the test found.
#[derive(Debug, Serialize)]
pub struct Tested {
    /// Each database and second database, by name.
    pub databases: Vec<Connection>,
    /// How many of them a full backup, or for second databases a connection, is possible with.
    pub good: usize,
    /// How many were not looked at: there are more than one call tests.
    pub left_out: usize,
}

/// One connection.
#[derive(Debug, Serialize)]
pub struct Connection {
    /// The database.
    pub database: DatabaseName,
    /// `MAIN`, or `BACKUP` for its second database.
    pub target: &'static str,
    /// Whether the deployment's settings say how it is reached.
    pub configured: bool,
    /// Whether a session could be opened.
    pub reachable: bool,
    /// `server_version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// One round trip of an open session, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Opening the session, name lookup, TLS and login included, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<f64>,
    /// How the session is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What a full backup would fail of; only of main databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privileges_missing: Option<Missing>,
    /// What to know of the connection string.
    pub warnings: Vec<String>,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failed>,
}

/// TLS of a session.
#[derive(Debug, Serialize)]
pub struct Tls {
    /// `sslmode`.
    pub mode: &'static str,
    /// Whether the session is encrypted.
    pub encrypted: bool,
    /// Whether the server's certificate was verified.
    pub certificate_verified: bool,
    /// Whether it was found to name the host as well.
    pub host_verified: bool,
}

/// A failure as the API tells it.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// `Kind::code`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What a person can do about it; empty where the message says all.
    pub advice: &'static str,
}

/// Whether an event asks for the test.
///
/// # Errors
/// [`Kind::InvalidInput`] for one that asks for something else as well.
pub fn asked(event: &Value) -> Result<bool> {
    let Some(fields) = event.as_object() else { return Ok(false) };
    let names = ["testConnections", "test_connections"];
    if !names.iter().any(|name| fields.contains_key(*name)) {
        return Ok(false);
    }
    match fields.values().next() {
        Some(Value::Bool(true)) if fields.len() == 1 => Ok(true),
        _ => {
            let why = "the event of a test is {\"testConnections\": true} and nothing more";
            Err(Error::new(Kind::InvalidInput, why).at_field("testConnections"))
        }
    }
}

/// Tests all databases. One that fails does not fail the test.
///
/// # Errors
/// Those of reading the registry.
pub async fn test(platform: &Platform, invocation: &Invocation) -> Result<Tested> {
    platform.require_enabled()?;
    let Platform { config, ledger, .. } = platform;
    let until = Instant::now() + ALL.min(invocation.budget.work_left());
    let page = databases::list(ledger, config, None, MOST).await.context("reading the registry")?;
    let left_out = match page.next_cursor {
        Some(last) => ledger.registered_names().await?.iter().filter(|name| **name > last).count(),
        None => 0,
    };
    let mut all = Vec::new();
    for entry in page.databases {
        let name = entry.name.clone();
        let second = match entry.configured {
            true => config.backup.is_some(),
            false => entry.backup.is_some(),
        };
        all.push((name.clone(), entry.clone(), false));
        if second {
            all.push((name, entry, true));
        }
    }
    let tested = stream::iter(all).map(|(name, entry, second)| async move {
        let info = async {
            let source = if second { &entry.backup } else { &entry.main };
            match source {
                _ if entry.configured => platform.configured(second).await,
                Some(source) => platform.registered(source).await,
                None => Err(Error::new(
                    Kind::Config,
                    format!("the registration of {name} does not say how it is reached: put a \"main\""),
                )),
            }
        };
        let mut found = Connection::new(name.clone(), second, entry.configured);
        let limit = until.min(Instant::now() + EACH);
        let looked = timeout_at(limit, found.look(info)).await.unwrap_or_else(|_| {
            Err(Error::new(Kind::Unreachable, "the test was not done in its time of a few seconds"))
        });
        if let Err(e) = looked {
            found.error =
                Some(Failed { code: e.kind().code(), message: e.to_string(), advice: e.kind().advice() });
        }
        found
    });
    let mut databases: Vec<Connection> = tested.buffer_unordered(AT_ONCE).collect().await;
    databases.sort_by(|a, b| (&a.database, b.target).cmp(&(&b.database, a.target)));
    let good = databases.iter().filter(|c| c.is_good()).count();
    Ok(Tested { databases, good, left_out })
}

impl Connection {
    fn new(database: DatabaseName, second: bool, configured: bool) -> Self {
        Self {
            database,
            target: if second { "BACKUP" } else { "MAIN" },
            configured,
            reachable: false,
            version: None,
            latency_ms: None,
            connect_ms: None,
            tls: None,
            privileges_missing: None,
            warnings: Vec::new(),
            error: None,
        }
    }

    fn is_good(&self) -> bool {
        let complete = self.privileges_missing.as_ref().is_none_or(Missing::is_empty);
        self.reachable && self.error.is_none() && complete
    }

    /// Notes what is found until something fails.
    async fn look(&mut self, info: impl Future<Output = Result<ConnInfo>>) -> Result<()> {
        let info = info.await?.with_application_name("pgbaton test");
        self.warnings = info.warnings();
        let begun = Instant::now();
        let session = pg::connect(&info).await?;
        self.connect_ms = Some(milliseconds(begun));
        self.reachable = true;
        self.version = Some(session.version().to_string());
        let p = session.protection();
        self.tls = Some(Tls {
            mode: p.mode.name(),
            encrypted: p.encrypted,
            certificate_verified: p.certificate_verified,
            host_verified: p.host_verified,
        });
        let begun = Instant::now();
        session.simple_query("").await.map_err(|e| session.error(e)).context("waiting for an answer")?;
        self.latency_ms = Some(milliseconds(begun));
        if self.target == "MAIN" {
            pooler::refuse_transaction_pooling(&session).await?;
            session::pin_for_dump(session.client(), session.version()).await?;
            self.privileges_missing = Some(catalog::missing_privileges(session.client()).await?);
        }
        session.close().await;
        Ok(())
    }
}

/// Since an instant, to the microsecond.
fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_of_the_test_says_nothing_else() {
        assert!(asked(&json!({"testConnections": true})).unwrap());
        assert!(asked(&json!({"test_connections": true})).unwrap());
        for other in [json!({}), json!({"planOnly": true}), json!(null), json!([])] {
            assert!(!asked(&other).unwrap(), "{other}");
        }
        for wrong in [
            json!({"testConnections": false}),
            json!({"testConnections": "yes"}),
            json!({"testConnections": true, "label": "x"}),
            json!({"testConnections": true, "test_connections": true}),
        ] {
            assert_eq!(asked(&wrong).unwrap_err().kind(), Kind::InvalidInput, "{wrong}");
        }
    }
}
