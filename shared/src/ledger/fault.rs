//! DynamoDB's errors as ours.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::base::{Error, Kind};

/// Turns an SDK error of `action` (`PutItem` and the like) on `table` into one that names both.
pub(super) fn fault<E, R>(error: SdkError<E, R>, action: &str, table: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let (kind, message) = match &error {
        SdkError::ServiceError(service) => {
            let (code, text) =
                (service.err().code().unwrap_or("no code"), service.err().message().unwrap_or(""));
            describe(code, text, action, table)
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => (
            Kind::Unreachable,
            format!("DynamoDB cannot be reached for {action} on table {table}{}", chain(&error)),
        ),
        SdkError::TimeoutError(_) => {
            (Kind::Unreachable, format!("DynamoDB did not answer {action} on table {table} in time"))
        }
        _ => (Kind::Aws, format!("{action} on DynamoDB table {table} failed{}", chain(&error))),
    };
    Error::with_source(kind, message, error)
}

fn describe(code: &str, text: &str, action: &str, table: &str) -> (Kind, String) {
    match code {
        "ResourceNotFoundException" => {
            (Kind::NotFound, format!("the DynamoDB table {table}, or an index of it, does not exist"))
        }
        "AccessDeniedException" | "UnrecognizedClientException" | "InvalidSignatureException" => (
            Kind::Permission,
            format!("the function's role may not do {action} on DynamoDB table {table} ({code})"),
        ),
        "ValidationException" if text.contains("index") => {
            (Kind::Config, format!("DynamoDB table {table} lacks an index: {text}"))
        }
        "ValidationException" => {
            (Kind::Internal, format!("DynamoDB refused {action} on table {table}: {text}"))
        }
        _ => (Kind::Aws, format!("{action} on DynamoDB table {table} failed: {code} {text}")),
    }
}

/// The causes, outermost first: the SDK's own text is only "dispatch failure".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}
