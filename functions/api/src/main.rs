//! The Lambda function behind API Gateway.

use std::time::Duration;

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use pgbaton::{
    base::{config::Config, telemetry},
    jobs::schedules,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let config = Config::from_env().and_then(schedules::checked).inspect_err(|error| {
        telemetry::start("error");
        tracing::error!(%error, "the configuration is wrong");
    })?;
    telemetry::start(&config.log_level);
    // API Gateway gives up after 30 s: every AWS call must end before.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(9))
        .build();
    let aws = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
    let lambda = aws_sdk_lambda::Client::new(&aws);
    pgbaton_api::serve(pgbaton_api::router(pgbaton_api::App::new(config, aws, lambda))).await
}
