//! What S3 answers, as errors that name the bucket, the key and the action an administrator would have to allow.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ConnectorError, ProvideErrorMetadata, SdkError},
};

use super::{ObjectKey, Store};
use crate::base::{Error, Kind};

/// What a failed request means for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// `If-None-Match: *` met an object: someone's, or our own from an attempt whose answer was lost.
    Exists,
    /// The upload is completed or aborted.
    NoSuchUpload,
    /// It may have been done or not, and may be asked again.
    Unsure,
    /// Refused.
    Refused,
}

pub(super) fn verdict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Verdict {
    let status = error.raw_response().map(|r| r.status().as_u16());
    match (error.code(), status) {
        (Some("PreconditionFailed"), _) | (_, Some(412)) => Verdict::Exists,
        (Some("NoSuchUpload"), _) => Verdict::NoSuchUpload,
        (
            Some(
                "ConditionalRequestConflict"
                | "OperationAborted"
                | "InternalError"
                | "SlowDown"
                | "RequestTimeout",
            ),
            _,
        ) => Verdict::Unsure,
        (_, None | Some(429 | 500..)) => Verdict::Unsure,
        _ => Verdict::Refused,
    }
}

/// Whether a request was not sent for want of credentials or a region; a connection that broke says neither.
fn lacks_credentials(error: Option<&ConnectorError>) -> bool {
    let mut cause = error.map(|e| e as &dyn std::error::Error);
    while let Some(e) = cause {
        let text = e.to_string().to_ascii_lowercase();
        if ["credential", "identity", "region", "sign"].iter().any(|word| text.contains(word)) {
            return true;
        }
        cause = e.source();
    }
    false
}

impl Store {
    /// The error of a failed request: `action` as IAM names it, such as `s3:PutObject`.
    pub(super) fn failed<E>(
        &self,
        action: &str,
        key: Option<&ObjectKey>,
        error: SdkError<E, HttpResponse>,
    ) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let bucket = &self.bucket;
        let object = key.map_or_else(|| format!("bucket {bucket}"), |k| self.url(k));
        let status = error.raw_response().map(|r| r.status().as_u16());
        let code = error.code().unwrap_or_default();
        let (kind, message) = match &error {
            SdkError::TimeoutError(_) => {
                (Kind::Unreachable, format!("S3 did not answer {action} on {object} in time"))
            }
            SdkError::DispatchFailure(e)
                if e.is_io() || e.is_timeout() || !lacks_credentials(e.as_connector_error()) =>
            {
                (Kind::Unreachable, format!("S3 could not be reached for {action} on {object}"))
            }
            SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => (
                Kind::Aws,
                format!("{action} on {object} could not be sent: credentials or region may be missing"),
            ),
            _ => match (code, status) {
                ("NoSuchBucket", _) => (Kind::NotFound, format!("bucket {bucket} does not exist")),
                ("NotFound" | "", Some(404)) if key.is_none() => {
                    (Kind::NotFound, format!("bucket {bucket} does not exist"))
                }
                ("NoSuchKey" | "NotFound" | "", Some(404)) => {
                    (Kind::NotFound, format!("{object} does not exist"))
                }
                ("NoSuchUpload", _) => {
                    (Kind::Aws, format!("the upload of {object} was ended by someone else"))
                }
                ("AccessDenied" | "AllAccessDisabled" | "Forbidden", _) | ("", Some(403)) => {
                    (Kind::Permission, format!("the function's role is not allowed {action} on {object}"))
                }
                (
                    "InvalidAccessKeyId"
                    | "SignatureDoesNotMatch"
                    | "ExpiredToken"
                    | "InvalidToken"
                    | "TokenRefreshRequired",
                    _,
                ) => (
                    Kind::Permission,
                    format!("AWS refused the credentials of {action} on {object} ({code})"),
                ),
                ("PreconditionFailed", _) | (_, Some(412)) => {
                    (Kind::Conflict, format!("{object} exists already"))
                }
                (
                    "PermanentRedirect"
                    | "AuthorizationHeaderMalformed"
                    | "IllegalLocationConstraintException",
                    _,
                )
                | (_, Some(301)) => (Kind::Config, format!("bucket {bucket} is in another region")),
                (
                    "BadDigest"
                    | "InvalidDigest"
                    | "XAmzContentSHA256Mismatch"
                    | "XAmzContentChecksumMismatch",
                    _,
                ) => (Kind::Corrupt, format!("the bytes of {object} arrived changed at S3 ({code})")),
                (code, status) => {
                    let code = if code.is_empty() { "an unknown error" } else { code };
                    let status = status.map(|s| format!(" (HTTP {s})")).unwrap_or_default();
                    let says = error.message().map(|m| format!(": {m}")).unwrap_or_default();
                    (Kind::Aws, format!("S3 answered {action} on {object} with {code}{status}{says}"))
                }
            },
        };
        Error::with_source(kind, message, error)
    }
}
