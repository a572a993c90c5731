//! `verify`: one backup proven, or one live database looked through.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use pgbaton::jobs::{Invocation, Platform, request::Asked, validate, verify};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let platform = &Platform::start().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let invocation = Invocation::new(event.context.request_id.clone(), event.context.deadline());
        let record = match Asked::from_event(event.payload)? {
            Asked::Verify(request) => verify::run(platform, &invocation, &request).await?,
            Asked::Validate(request) => validate::run(platform, &invocation, &request).await?,
            Asked::CleanUp(id) => verify::clean_up(platform, &id).await?,
        };
        Ok::<Value, Error>(serde_json::to_value(record)?)
    }))
    .await
}
