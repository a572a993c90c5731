//! Room: PostgreSQL on the wire: connecting, session settings, snapshots, COPY, quoting, server versions.

pub mod conn_info;
mod conn_params;
mod conn_syntax;
pub mod quote;
mod tls;
mod verifier;
pub mod version;

pub use conn_info::ConnInfo;
pub use quote::{ident, literal, qualified};
pub use version::ServerVersion;
