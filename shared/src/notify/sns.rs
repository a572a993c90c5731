//! The channel SNS: one topic, whose subscribers get what suits their protocol.

use std::time::Duration;

use aws_sdk_sns::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::MessageAttributeValue,
};
use futures_util::future::BoxFuture;
use serde_json::json;

use super::{Channel, Event};
use crate::base::{Error, Kind, Result};

/// The SDK's own retries are within it.
const LIMIT: Duration = Duration::from_secs(8);

/// An SNS topic.
pub struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    /// The topic with this ARN.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into() }
    }

    async fn publish(&self, event: &Event) -> Result<()> {
        let attribute = |value: &str| {
            let built =
                MessageAttributeValue::builder().data_type("String").string_value(value.to_owned()).build();
            built.map_err(|e| Error::with_source(Kind::Internal, "an attribute cannot be written", e))
        };
        let publish = self
            .client
            .publish()
            .topic_arn(&self.arn)
            .subject(event.subject())
            .message(message(event))
            .message_structure("json")
            // For subscriptions that filter.
            .message_attributes("event", attribute(event.kind.name())?)
            .message_attributes("database", attribute(event.database.as_str())?)
            .message_attributes("event_id", attribute(&event.id)?)
            .send();
        match tokio::time::timeout(LIMIT, publish).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => Err(fault(e, &self.arn)),
            Err(_) => Err(Error::new(
                Kind::Unreachable,
                format!("SNS did not answer within {} s; check the VPC's endpoints", LIMIT.as_secs()),
            )),
        }
    }
}

impl Channel for Topic {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn send<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.publish(event))
    }
}

/// What each protocol gets (Amazon SNS API Reference, "Publish": MessageStructure); those not named get the JSON.
fn message(event: &Event) -> String {
    let (json, text) = (event.json(), event.text());
    json!({"default": json, "email": text, "sms": event.subject()}).to_string()
}

fn fault<E, R>(error: SdkError<E, R>, arn: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let (kind, message) = match &error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("no code");
            let text = service.err().message().unwrap_or("");
            match code {
                "NotFound" | "NotFoundException" => {
                    (Kind::NotFound, format!("the SNS topic {arn} does not exist"))
                }
                "AuthorizationError"
                | "AuthorizationErrorException"
                | "AccessDeniedException"
                | "KMSAccessDenied" => (
                    Kind::Permission,
                    format!(
                        "the function's role may not publish to {arn}, or not use the topic's key ({code})"
                    ),
                ),
                _ => (Kind::Aws, format!("sns:Publish to {arn} failed: {code} {text}")),
            }
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => (
            Kind::Unreachable,
            format!("SNS cannot be reached to publish to {arn}; check the VPC's endpoints"),
        ),
        _ => (Kind::Aws, format!("sns:Publish to {arn} failed")),
    };
    Error::with_source(kind, message, error)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::event::tests::event, *};
    use crate::base::event::EventKind;

    #[test]
    fn each_protocol_gets_what_suits_it() {
        for kind in EventKind::ALL {
            let event = event(kind);
            let message: Value = serde_json::from_str(&message(&event)).unwrap();
            let default: Value = serde_json::from_str(message["default"].as_str().unwrap()).unwrap();
            assert_eq!(default["event"], kind.name());
            assert_eq!(message["email"], event.text());
            assert!(message["sms"].as_str().unwrap().len() <= 140);
        }
    }
}
