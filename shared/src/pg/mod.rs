//! Room: PostgreSQL on the wire: connecting, session settings, snapshots, COPY, quoting, server versions.

pub mod conn_info;
mod conn_names;
mod conn_params;
pub mod conn_redact;
mod conn_syntax;
mod conn_write;
pub mod connect;
pub mod copy;
mod dial;
pub mod failure;
pub mod large_object;
mod passwords;
pub mod pooler;
pub mod quote;
pub mod session;
pub mod snapshot;
mod tls;
mod tls_layer;
mod verifier;
pub mod version;
mod wire;

pub use conn_info::{ConnInfo, ServerPlace};
pub use connect::{Protection, Session, connect};
pub use copy::{CopyIn, CopyOut, copy_in, copy_out};
pub use failure::{error, read_error};
pub use passwords::Passwords;
pub use quote::{ident, literal, qualified};
pub use snapshot::{LockWait, Snapshot};
pub use version::ServerVersion;
