//! How a state or an execution fails: an Error Name of the language and a cause in words.

use serde_json::{Value, json};

/// An error of a state, as Retry, Catch and DescribeExecution see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The Error Name.
    pub error: String,
    /// What happened.
    pub cause: String,
}

impl Failure {
    /// A failure of any name.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: error.into(), cause: cause.into() }
    }

    /// `States.Runtime`: no Retry and no Catch takes it.
    pub fn runtime(cause: impl Into<String>) -> Self {
        Self::new("States.Runtime", cause)
    }

    /// `States.Timeout`.
    pub fn timeout(cause: impl Into<String>) -> Self {
        Self::new("States.Timeout", cause)
    }

    /// `States.DataLimitExceeded` when `value` is larger than a state may take or give.
    ///
    /// # Errors
    /// That failure.
    pub fn if_too_large(value: &Value, what: &str) -> Result<(), Self> {
        if value.to_string().len() <= DATA_LIMIT {
            return Ok(());
        }
        let cause = format!("{what} has a size exceeding the maximum number of bytes service limit.");
        Err(Self::new("States.DataLimitExceeded", cause))
    }

    /// The error output that a Catch hands on.
    pub fn output(&self) -> Value {
        json!({"Error": self.error, "Cause": self.cause})
    }
}

/// Largest input or output of a state or an execution, bytes (Step Functions quotas: 256 KiB).
pub const DATA_LIMIT: usize = 262_144;
