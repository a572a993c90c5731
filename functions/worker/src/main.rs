//! `worker`: one item of a run that the state machine spreads over many functions.

use std::fmt;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use pgbaton::{
    base::Kind,
    jobs::{Invocation, Platform, worker},
};
use serde_json::Value;

/// Why an item was not done. The runtime logs it as `Debug` shows it: the whole chain.
struct Failed(pgbaton::base::Error);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<Failed> for Diagnostic {
    /// `Retry` and `Final` are the error names that infra/workers.asl.json knows.
    fn from(Failed(error): Failed) -> Self {
        let again = error.kind().retryable() || error.kind() == Kind::Budget;
        Self { error_type: if again { "Retry" } else { "Final" }.into(), error_message: error.to_string() }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let platform = &Platform::start().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let invocation = Invocation::new(event.context.request_id.clone(), event.context.deadline());
        worker::run(platform, &invocation, event.payload).await.map_err(Failed)
    }))
    .await
}
