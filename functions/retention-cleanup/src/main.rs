//! `retention-cleanup`: closes stuck runs, aborts orphaned uploads, removes backups that are too old, tells of silence and of what could not be told.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use pgbaton::jobs::{
    Platform,
    retention::{self, Action},
};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let platform = &Platform::start().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let action = Action::from_event(&event.payload)?;
        let outcome = retention::run(platform, action).await?;
        Ok::<Value, Error>(serde_json::to_value(outcome)?)
    }))
    .await
}
