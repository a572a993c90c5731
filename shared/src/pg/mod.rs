//! Room: PostgreSQL on the wire: connecting, session settings, snapshots, COPY, quoting, server versions.

pub mod quote;
pub mod version;

pub use quote::{ident, literal, qualified};
pub use version::ServerVersion;
