//! Harness of the end-to-end tests: real servers, real functions run through the Lambda runtime API, real (stand-in) AWS services.
//!
//! Addresses come from the environment that `infra/local test` sets: `PGBATON_TEST_PG_URL`, `PGBATON_TEST_PG_BIN`, `PGBATON_TEST_AWS_ENDPOINT`,
//! `PGBATON_TEST_HOST_BIN`, `PGBATON_TEST_FUNCTIONS`; servers of every version from `PGBATON_TEST_PG_SERVERS`, and pg_dump and pg_restore of
//! other versions from `PGBATON_TEST_PG_DUMPS`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking, with what it expected"
)]

pub mod database;
pub mod deployment;
pub mod gate;
pub mod host;
pub mod judge;
pub mod load;
pub mod roles;
pub mod servers;
pub mod tables;

/// A variable of the environment that `infra/local test` sets.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the stack with infra/local test"))
}

/// `prefix_` and twelve random hex digits.
pub fn unique(prefix: &str) -> String {
    let mut bytes = [0u8; 6];
    getrandom::fill(&mut bytes).expect("randomness");
    format!("{prefix}_{}", hex::encode(bytes))
}
