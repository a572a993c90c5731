//! The S3 client, with the settings that long streams need.

use std::time::Duration;

use aws_config::{
    SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_s3::{
    Client,
    config::{Builder, ResponseChecksumValidation},
};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest wait for the first byte of an answer to a small request.
const ANSWER: Duration = Duration::from_secs(60);

/// Slowest upload that is waited for, bytes per second.
const SLOWEST: u64 = 256 << 10;

/// A client for S3 from the environment's configuration.
///
/// * Attempts: five, with the SDK's standard backoff.
/// * Stalled-stream protection watches downloads, with 20 s of grace; for uploads it is off, since it breaks slow but living ones
///   (aws-sdk-rust issues 1146 and 1166). Uploads have a time limit by their size instead.
/// * The SDK checks no checksum of downloads: it could not for objects uploaded in parts, and [`Reading`](super::Reading) checks the SHA-256.
/// * Buckets are addressed by path when an endpoint is configured (`AWS_ENDPOINT_URL`), as stand-ins for S3 want it.
pub fn client(config: &SdkConfig) -> Client {
    let endpoint = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    let protection = StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .grace_period(Duration::from_secs(20))
        .build();
    let config = Builder::from(config)
        .force_path_style(endpoint)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .stalled_stream_protection(protection)
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .read_timeout(ANSWER)
                .disable_operation_attempt_timeout()
                .disable_operation_timeout()
                .build(),
        )
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(config)
}

/// Settings for one request that sends `bytes`, or makes S3 work on as many: each attempt may take a minute and what the slowest
/// upload takes.
pub(super) fn patience(bytes: u64) -> Builder {
    let limit = ANSWER + Duration::from_secs(bytes / SLOWEST);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(limit)
        .operation_attempt_timeout(limit)
        .build();
    aws_sdk_s3::Config::builder().timeout_config(timeouts)
}
