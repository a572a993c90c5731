//! Passwords that live shortly: made for one connect, to one host, at the time.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::conn_info::Host;
use crate::base::{Result, Secret};

/// Makes passwords.
pub trait Passwords: Send + Sync {
    /// A password for a login at `host` now.
    ///
    /// # Errors
    /// What keeps it from being made; the connect fails with it.
    fn password<'a>(&'a self, host: &'a Host) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>>;
}

/// A maker of passwords that copies of a connection string share.
#[derive(Clone)]
pub(super) struct Minted(pub(super) Arc<dyn Passwords>);

impl PartialEq for Minted {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Minted {}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[one for each connect]")
    }
}
