//! What a backup is stored as.

use serde::{Deserialize, Serialize};

use super::error::{Error, Kind, Result};

/// A form of backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A pg_dump directory archive: the default, and the only one that many functions can write and read at once.
    #[default]
    Archive,
    /// One script for psql.
    Sql,
    /// One JSON document.
    Json,
    /// A CSV file for each table.
    Csv,
}

impl Format {
    /// `archive`, `sql`, `json` or `csv`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        [Self::Archive, Self::Sql, Self::Json, Self::Csv]
            .into_iter()
            .find(|f| f.name() == text)
            .ok_or_else(|| Error::new(Kind::InvalidInput, "it must be archive, sql, json or csv"))
    }

    /// The name that [`Format::parse`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Sql => "sql",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// The format of a file of this name that holds everything: `….json`, `….sql`, compressed (`.gz`, `.zst`) and encrypted (`.age`) or not.
    pub fn of_file(name: &str) -> Option<Self> {
        let name = name.strip_suffix(".age").unwrap_or(name);
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
        [Self::Sql, Self::Json].into_iter().find(|f| {
            let stem = name.strip_suffix(f.name()).and_then(|stem| stem.strip_suffix('.'));
            stem.is_some_and(|stem| !stem.is_empty())
        })
    }

    /// Whether it is the archive.
    pub fn is_archive(&self) -> bool {
        *self == Self::Archive
    }

    /// Whether one object holds everything.
    pub fn is_one_file(self) -> bool {
        matches!(self, Self::Sql | Self::Json)
    }
}
