//! What every job stands on: the configuration and the clients made from it, once at cold start.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};

use super::{iam, secrets};
use crate::{
    base::{
        Error, Kind, Result, ResultExt,
        budget::Budget,
        config::{Config, ConnectionSource},
        metrics, telemetry,
    },
    ledger::{DatabaseSource, Ledger},
    pg::ConnInfo,
    store::{self, Store},
};

/// Configuration and clients.
#[derive(Clone)]
pub struct Platform {
    /// Read from the environment.
    pub config: Config,
    /// Region, credentials, endpoint.
    pub sdk: SdkConfig,
    /// The bucket of backups.
    pub store: Store,
    /// The tables of records.
    pub ledger: Ledger,
}

/// One invocation of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id, for people reading records and logs.
    pub request_id: String,
    /// Time and memory it may use.
    pub budget: Budget,
}

impl Invocation {
    /// From what the Lambda runtime hands over with an event.
    pub fn new(request_id: String, deadline: SystemTime) -> Self {
        Self { request_id, budget: Budget::until(deadline) }
    }
}

impl Platform {
    /// Reads the environment, starts logging and makes the clients; no call goes out yet.
    ///
    /// # Errors
    /// [`Kind::Config`] with the variable at fault.
    pub async fn start() -> Result<Self> {
        let config = Config::from_env()?;
        telemetry::start(&config.log_level);
        let config = super::schedules::checked(config)?;
        super::seals::check(&config)?;
        metrics::name(&config.metrics_namespace);
        // A connection that was dropped without a word must not hold a run until Lambda kills it; S3 has limits of its own.
        let limits = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(5))
            .operation_timeout(Duration::from_secs(20))
            .build();
        let sdk = aws_config::defaults(BehaviorVersion::latest()).timeout_config(limits).load().await;
        let store = Store::new(store::client(&sdk), config.bucket.clone());
        let ledger = Ledger::new(
            aws_sdk_dynamodb::Client::new(&sdk),
            config.table.clone(),
            config.state_table.clone(),
        );
        Ok(Self { config, sdk, store, ledger })
    }

    /// Refuses to work while the service is switched off.
    ///
    /// # Errors
    /// [`Kind::Config`] when `ENABLE_BACKUP_SERVICE` is false.
    pub fn require_enabled(&self) -> Result<()> {
        match self.config.enabled {
            true => Ok(()),
            false => Err(Error::new(
                Kind::Config,
                "the backup service is switched off (ENABLE_BACKUP_SERVICE is false)",
            )),
        }
    }

    /// The AWS region, when one is configured.
    pub fn region(&self) -> Option<&str> {
        self.sdk.region().map(AsRef::as_ref)
    }

    /// The connection that `source` stands for; a secret is read anew.
    ///
    /// # Errors
    /// Those of reading the secret; [`Kind::InvalidInput`] for a string that is none, never with its text.
    pub async fn connection(&self, source: &ConnectionSource) -> Result<ConnInfo> {
        match source {
            ConnectionSource::Direct(secret) => {
                ConnInfo::parse_secret(secret).context("reading the connection string from the environment")
            }
            ConnectionSource::Reference(name) => self.secret_connection(name).await,
            ConnectionSource::Iam(login) => iam::connection(login, &self.sdk),
        }
    }

    /// The connection string kept in the secret or parameter `name`.
    ///
    /// # Errors
    /// As [`Platform::connection`].
    pub async fn secret_connection(&self, name: &str) -> Result<ConnInfo> {
        let secret = secrets::read(name, &self.sdk).await?;
        ConnInfo::parse_secret(&secret)
            .with_context(|| format!("reading the connection string in secret {name}"))
    }

    /// The connection of a registration.
    ///
    /// # Errors
    /// As [`Platform::connection`].
    pub async fn registered(&self, source: &DatabaseSource) -> Result<ConnInfo> {
        match source {
            DatabaseSource::Secret(name) => self.secret_connection(name).await,
            DatabaseSource::Iam(login) => iam::connection(login, &self.sdk),
        }
    }

    /// The configured database, or the second one.
    ///
    /// # Errors
    /// [`Kind::Config`] when none is configured; otherwise as [`Platform::connection`].
    pub async fn configured(&self, second: bool) -> Result<ConnInfo> {
        let (source, variable) = match second {
            false => (&self.config.main, "DATABASE_SECRET_ARN (or DATABASE_URL)"),
            true => (&self.config.backup, "BACKUP_DATABASE_SECRET_ARN (or BACKUP_DATABASE_URL)"),
        };
        match source {
            Some(source) => self.connection(source).await,
            None => Err(Error::new(Kind::Config, format!("no database is configured: set {variable}"))),
        }
    }
}
