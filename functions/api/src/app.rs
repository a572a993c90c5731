//! What every call has at hand.

use std::sync::Arc;

use aws_config::SdkConfig;
use pgbaton::{
    base::config::Config,
    jobs::{Platform, schedules::Desk},
    ledger::Ledger,
    store::{self, Store},
};

use crate::{auth::Verifier, health::Health};

/// Configuration and clients, made once at cold start. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) ledger: Ledger,
    pub(crate) desk: Arc<Desk>,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) region: Option<String>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) health: Arc<Health>,
}

impl App {
    /// Clients over one AWS configuration, and the one that starts functions; asks nothing of AWS yet.
    pub fn new(config: Config, aws: SdkConfig, lambda: aws_sdk_lambda::Client) -> Self {
        // Stand-ins have no host name per bucket.
        let s3 =
            aws_sdk_s3::config::Builder::from(&aws).force_path_style(aws.endpoint_url().is_some()).build();
        let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&aws), &config.table, &config.state_table);
        let platform = Platform {
            config: config.clone(),
            sdk: aws.clone(),
            store: Store::new(store::client(&aws), config.bucket.clone()),
            ledger: ledger.clone(),
        };
        Self {
            desk: Arc::new(Desk::new(&config, &aws, ledger.clone())),
            ledger,
            platform: Arc::new(platform),
            lambda,
            s3: aws_sdk_s3::Client::from_conf(s3),
            region: aws.region().map(ToString::to_string),
            verifier: Arc::new(Verifier::new(&config, aws)),
            health: Arc::default(),
            config: Arc::new(config),
        }
    }
}
