//! What a run may still use: time until the function is killed, and memory.

use std::time::{Duration, SystemTime};

/// When this invocation ends at the latest, and how much memory the function has.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    deadline: SystemTime,
    /// From when it was handed over to the deadline.
    whole: Duration,
    memory_bytes: u64,
}

const LAST_WORDS: Duration = Duration::from_secs(15);

/// Time kept back before the deadline of a function that has so much, for cleaning up and closing the record: 15 s, or a quarter of its time where that
/// is less.
pub fn reserve(time: Duration) -> Duration {
    LAST_WORDS.min(time / 4)
}

impl Budget {
    /// From the deadline that the Lambda runtime hands over; memory from `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` (MiB), 512 MiB without it.
    pub fn until(deadline: SystemTime) -> Self {
        let mib = std::env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok().and_then(|v| v.parse::<u64>().ok());
        let whole = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Self { deadline, whole, memory_bytes: mib.unwrap_or(512) << 20 }
    }

    /// A budget of so much time from now, for callers that have no deadline.
    pub fn of(time: Duration) -> Self {
        Self::until(SystemTime::now() + time)
    }

    /// Time left before the deadline; zero when it has passed.
    pub fn time_left(&self) -> Duration {
        self.deadline.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// Time that there was in the beginning.
    pub fn whole(&self) -> Duration {
        self.whole
    }

    /// Time kept back for the end.
    pub fn reserve(&self) -> Duration {
        reserve(self.whole)
    }

    /// Time left for work: until the reserve is touched.
    pub fn work_left(&self) -> Duration {
        self.time_left().saturating_sub(self.reserve())
    }

    /// The function's memory, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}
