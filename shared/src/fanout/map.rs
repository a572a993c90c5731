//! On many functions: a distributed map of Step Functions, which invokes a worker for each item and does the retrying.

use std::time::Duration;

use aws_sdk_sfn::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::ExecutionStatus,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Executor;
use crate::base::{Error, Kind, Result};

/// How often an execution is looked at; each look is one request.
const LOOK: Duration = Duration::from_secs(2);

/// Looks that may fail one after the other, for a network that is away for a moment.
const BLIND: u32 = 15;

/// Where items are laid out for the workers of an execution.
pub trait Shelf<I> {
    /// Lays them out, and gives the input of the execution: where they stand, and what each worker is told. The same items again give the same.
    ///
    /// # Errors
    /// Those of the place.
    fn lay_out(&self, items: Vec<I>) -> impl Future<Output = Result<Value>> + Send;
}

/// Runs items by one execution of a state machine.
#[derive(Debug, Clone)]
pub struct Map<S> {
    client: Client,
    machine: String,
    name: String,
    shelf: S,
}

impl<I: Send, S: Shelf<I> + Send + Sync> Executor<I> for Map<S> {
    /// Where an execution of the same name runs, or has run, it is that one's outcome: so the function that goes on with a run finds its workers again.
    async fn run(self, items: Vec<I>, drain: &CancellationToken) -> Result<()> {
        let input = self.shelf.lay_out(items).await?;
        self.start(&input).await?;
        self.wait(drain).await
    }
}

impl<S> Map<S> {
    /// With the state machine of this ARN; `name` is the execution's.
    pub fn new(client: Client, machine: impl Into<String>, name: impl Into<String>, shelf: S) -> Self {
        Self { client, machine: machine.into(), name: name.into(), shelf }
    }

    /// ARN of the execution (Step Functions developer guide, "Viewing execution details").
    fn execution(&self) -> String {
        format!("{}:{}", self.machine.replacen(":stateMachine:", ":execution:", 1), self.name)
    }

    /// Starts the execution, or finds the one of that name: StartExecution with the name and input of one that runs succeeds, too.
    async fn start(&self, input: &Value) -> Result<()> {
        let sent = self
            .client
            .start_execution()
            .state_machine_arn(&self.machine)
            .name(&self.name)
            .input(input.to_string())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            // It has ended by now.
            Err(e) if e.code() == Some("ExecutionAlreadyExists") => Ok(()),
            Err(e) => Err(self.failed("states:StartExecution", e)),
        }
    }

    /// Ends the execution; one that has ended, or was never started, is no error.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Permission`], [`Kind::Unreachable`], [`Kind::Aws`].
    pub async fn stop(&self, cause: &str) -> Result<()> {
        let cause: String = cause.chars().take(1_000).collect();
        let sent = self
            .client
            .stop_execution()
            .execution_arn(self.execution())
            .error("pgbaton")
            .cause(cause)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(e) if e.code() == Some("ExecutionDoesNotExist") => Ok(()),
            Err(e) => Err(self.failed("states:StopExecution", e)),
        }
    }

    /// Waits until the execution has succeeded, or `drain` is cancelled: it goes on then.
    async fn wait(&self, drain: &CancellationToken) -> Result<()> {
        let execution = self.execution();
        let mut blind = 0;
        loop {
            match self.client.describe_execution().execution_arn(&execution).send().await {
                Ok(there) => match there.status {
                    ExecutionStatus::Running | ExecutionStatus::PendingRedrive => blind = 0,
                    ExecutionStatus::Succeeded => return Ok(()),
                    ended => {
                        let (error, cause) =
                            (there.error.unwrap_or_default(), there.cause.unwrap_or_default());
                        let cause: String = cause.chars().take(500).collect();
                        return Err(Error::new(
                            Kind::Internal,
                            format!(
                                "the workers' execution {execution} is {}: {error} {cause}",
                                ended.as_str()
                            ),
                        ));
                    }
                },
                Err(e) => {
                    blind += 1;
                    let e = self.failed("states:DescribeExecution", e);
                    if blind >= BLIND || matches!(e.kind(), Kind::Permission | Kind::NotFound) {
                        return Err(e);
                    }
                    tracing::warn!(error = %e, "looking at the workers' execution");
                }
            }
            tokio::select! {
                () = drain.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn failed<E, R>(&self, action: &str, error: SdkError<E, R>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let machine = &self.machine;
        let (kind, why) = match &error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some("AccessDeniedException") => {
                    (Kind::Permission, format!("the function's role may not do {action} on {machine}"))
                }
                Some("StateMachineDoesNotExist" | "ExecutionDoesNotExist") => {
                    (Kind::NotFound, format!("the state machine {machine}, or its execution, does not exist"))
                }
                code => {
                    let text = service.err().message().unwrap_or_default();
                    (Kind::Aws, format!("{action} on {machine} failed: {} {text}", code.unwrap_or("no code")))
                }
            },
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                (Kind::Unreachable, format!("Step Functions cannot be reached for {action} on {machine}"))
            }
            _ => (Kind::Aws, format!("{action} on {machine} failed")),
        };
        Error::with_source(kind, why, error)
    }
}
