//! Keys of objects as a parsed type.

use std::fmt;

use crate::base::{Error, Kind, Result};

/// The key of an object: a relative path of 1 to 1,024 bytes without empty parts, `.`, `..`, backslashes or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Parses a key.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self> {
        let ok = (1..=1024).contains(&text.len())
            && !text.contains(|c: char| c == '\\' || c.is_control())
            && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
            Err(Error::new(
                Kind::InvalidInput,
                format!("\"{shown}\" is not a key of an object: a relative path without \"..\""),
            ))
        }
    }

    /// The object `name` in the folder `prefix`, which ends with a slash or is empty.
    ///
    /// # Errors
    /// As [`ObjectKey::parse`].
    pub fn within(prefix: &str, name: &str) -> Result<Self> {
        if !prefix.is_empty() && !prefix.ends_with('/') {
            return Err(Error::new(
                Kind::Internal,
                format!("the prefix \"{prefix}\" does not end with a slash"),
            ));
        }
        Self::parse(&format!("{prefix}{name}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_paths() {
        assert_eq!(ObjectKey::within("backups/main/", "toc.dat").unwrap().as_str(), "backups/main/toc.dat");
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a\nb", &"x".repeat(1025)] {
            assert_eq!(ObjectKey::parse(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad:?}");
        }
        assert!(ObjectKey::within("backups", "x").is_err());
        assert!(ObjectKey::within("backups/", "../x").is_err());
    }
}
