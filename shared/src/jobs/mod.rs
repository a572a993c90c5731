//! Room: jobs.

pub mod request;
pub mod secrets;
