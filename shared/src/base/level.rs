//! How thoroughly a backup is verified.

use serde::{Deserialize, Serialize};

use super::error::{Error, Kind, Result};

/// A level of verification; each proves more than the one before, and takes longer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyLevel {
    /// Every object of the manifest is there with its size and the checksum that S3 keeps. Nothing is downloaded but the manifest.
    Objects,
    /// Every object is downloaded: SHA-256, compression, rows and their hash.
    #[default]
    Read,
    /// The backup is restored into a scratch database, whose rows are counted and hashed.
    Restore,
}

impl VerifyLevel {
    /// `objects`, `read`, `restore`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        [Self::Objects, Self::Read, Self::Restore]
            .into_iter()
            .find(|l| l.name() == text)
            .ok_or_else(|| Error::new(Kind::InvalidInput, "it must be objects, read or restore"))
    }

    /// The name that [`VerifyLevel::parse`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Read => "read",
            Self::Restore => "restore",
        }
    }
}
