//! The function that goes on when this one's time is up: the same one, invoked anew.
//!
//! Lambda stops a function that invokes itself after some 16 times, unless it is told otherwise (Lambda developer guide, "Use Lambda recursive loop
//! detection"): template.yaml says `RecursiveLoop: Allow`, and `BACKUP_MAX_HOPS` ends what would not end by itself.

use std::time::Duration;

use aws_sdk_lambda::{Client, error::SdkError, primitives::Blob, types::InvocationType};
use serde_json::Value;

use super::Platform;
use crate::base::{Error, Kind, Result};

/// How long before its deadline a function with `time` to run looks for its successor: enough for a cold start, a connection and many locks, or
/// half of its time where that is less.
pub(super) fn early(time: Duration) -> Duration {
    (time / 2).min(Duration::from_secs(240))
}

/// Invokes this function again with `event`; Lambda queues it and answers at once.
///
/// # Errors
/// [`Kind::Config`] outside of Lambda; [`Kind::Permission`], [`Kind::Aws`], [`Kind::Unreachable`].
pub(super) async fn invoke(platform: &Platform, event: &Value) -> Result<()> {
    let name = std::env::var("AWS_LAMBDA_FUNCTION_NAME").map_err(|_| {
        Error::new(Kind::Config, "AWS_LAMBDA_FUNCTION_NAME is not set, so this function cannot call itself")
    })?;
    start(platform, &name, event).await
}

/// Invokes the function `name` with `event`; Lambda queues it and answers at once.
///
/// # Errors
/// [`Kind::Permission`], [`Kind::Aws`], [`Kind::Unreachable`].
pub(super) async fn start(platform: &Platform, name: &str, event: &Value) -> Result<()> {
    let sent = Client::new(&platform.sdk)
        .invoke()
        .function_name(name)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(event.to_string()))
        .send()
        .await;
    sent.map(drop).map_err(|e| {
        let kind = match &e {
            SdkError::ServiceError(s) if s.raw().status().as_u16() == 403 => Kind::Permission,
            SdkError::ServiceError(_) | SdkError::ResponseError(_) => Kind::Aws,
            _ => Kind::Unreachable,
        };
        let why = match kind {
            Kind::Permission => format!("the function's role may not do lambda:InvokeFunction on {name}"),
            _ => format!("the function {name} could not be invoked"),
        };
        Error::with_source(kind, why, e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_enough_and_not_too_early() {
        assert_eq!(early(Duration::from_secs(900)), Duration::from_secs(240));
        assert_eq!(early(Duration::from_secs(30)), Duration::from_secs(15));
    }
}
