//! The API against those who should not get in, do not keep to the rules, or ask twice. The router over real tables (DynamoDB's stand-in).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod attacks;
mod audit;
mod deployment;
mod issuer;
mod once;
mod permissions;
mod published_keys;
