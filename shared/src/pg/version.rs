//! Server versions as `server_version_num` gives them.

use std::fmt;

/// `server_version_num`: 150018 is 15.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion(u32);

impl ServerVersion {
    /// From `server_version_num`.
    pub fn from_num(num: u32) -> Self {
        Self(num)
    }

    /// The number, as `server_version_num` gives it.
    pub fn num(self) -> u32 {
        self.0
    }

    /// The major version: 15 for 15.18.
    pub fn major(self) -> u32 {
        self.0 / 10_000
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10_000, self.0 % 10_000)
    }
}
