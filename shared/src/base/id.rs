//! Identifiers as parsed types: made once at the edge, safe in an object key and in a log line afterwards.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    clock,
    error::{Error, Kind, Result},
};

/// The id of one backup or restore run: `20261121T020000Z-9f86d081`, the second it was asked for and eight hex digits. Sorts by time as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// A new id with random digits.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the system has no randomness to give.
    pub fn random(at: Timestamp) -> Result<Self> {
        let mut bytes = [0u8; 4];
        getrandom::fill(&mut bytes)
            .map_err(|e| Error::new(Kind::Internal, format!("no randomness for an id: {e}")))?;
        Ok(Self(format!("{}-{}", clock::compact(at), hex::encode(bytes))))
    }

    /// Parses an id.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] unless the text has exactly the form above.
    pub fn parse(text: &str) -> Result<Self> {
        let b = text.as_bytes();
        let digits = |r: std::ops::Range<usize>| b[r].iter().all(u8::is_ascii_digit);
        let ok = b.len() == 25
            && digits(0..8)
            && b[8] == b'T'
            && digits(9..15)
            && b[15] == b'Z'
            && b[16] == b'-'
            && b[17..].iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
            Err(Error::new(
                Kind::InvalidInput,
                format!("\"{shown}\" is not an id; ids look like 20261121T020000Z-9f86d081"),
            ))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = Error;
    fn try_from(s: String) -> Result<Self> {
        Self::parse(&s)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

/// The name a database is registered under (not its name on the server): 1 to 64 of `a-z A-Z 0-9 _ . -`, beginning with a letter or
/// digit. It is part of object keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseName(String);

impl DatabaseName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self> {
        let ok = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-'));
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
            Err(Error::new(
                Kind::InvalidInput,
                format!(
                    "\"{shown}\" is not a database name: 1 to 64 letters, digits, \"_\", \".\" or \"-\", beginning with a letter or digit"
                ),
            ))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DatabaseName {
    type Error = Error;
    fn try_from(s: String) -> Result<Self> {
        Self::parse(&s)
    }
}

impl From<DatabaseName> for String {
    fn from(name: DatabaseName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_round_trip_and_refuse_paths() {
        let id = RunId::random("2026-11-21T02:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(RunId::parse(id.as_str()).unwrap(), id);
        for bad in [
            "",
            "../x",
            "20261121T020000Z-9f86d08",
            "20261121T020000Z-9f86d08G",
            "20261121T020000Z-../../..",
            "2026é121T02000",
        ] {
            assert_eq!(RunId::parse(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn database_names() {
        assert!(DatabaseName::parse("shop-1.eu").is_ok());
        for bad in ["", ".", "../x", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(DatabaseName::parse(bad).is_err(), "{bad}");
        }
    }
}
