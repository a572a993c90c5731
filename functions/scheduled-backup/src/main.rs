//! `scheduled-backup`: one backup, asked for by EventBridge Scheduler or by the API; with `planOnly` only what it would
//! read, with `testConnections` only whether every registered database can be read.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use pgbaton::jobs::{Invocation, Platform, backup, connections, request::BackupRequest};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let platform = &Platform::start().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let invocation = Invocation::new(event.context.request_id.clone(), event.context.deadline());
        if connections::asked(&event.payload)? {
            return Ok(serde_json::to_value(connections::test(platform, &invocation).await?)?);
        }
        let request = BackupRequest::from_event(event.payload)?;
        if request.plan_only {
            return Ok(serde_json::to_value(backup::plan(platform, &invocation, &request).await?)?);
        }
        let record = backup::run(platform, &invocation, &request).await?;
        Ok::<Value, Error>(serde_json::to_value(record)?)
    }))
    .await
}
