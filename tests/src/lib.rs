//! Harness.

pub mod tables;
