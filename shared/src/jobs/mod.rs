//! What a user asks for: jobs put the rooms together. Only functions and other jobs call them.

pub mod backup;
pub mod connections;
mod convert;
pub mod databases;
mod decoded;
pub mod download;
mod iam;
mod opened;
pub mod overview;
mod pipe;
pub mod platform;
mod progress;
pub mod request;
pub mod restore;
pub mod retention;
mod run;
pub mod schedules;
mod seals;
pub mod secrets;
mod successor;
pub mod tell;
pub mod validate;
pub mod verify;
pub mod worker;
mod workers;

pub use platform::{Invocation, Platform};
