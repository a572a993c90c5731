//! What every room stands on and that knows none of them.

pub mod budget;
pub mod clock;
pub mod config;
pub mod encryption;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod format;
pub mod iam;
pub mod id;
pub mod level;
pub mod metrics;
pub mod secret;
pub mod telemetry;

pub use encryption::{Encryption, EncryptionSettings};
pub use error::{Error, Kind, Result, ResultExt};
pub use format::Format;
pub use iam::IamLogin;
pub use level::VerifyLevel;
pub use secret::Secret;
