//! Names of an archive's members: what may stand in a table of contents or a manifest that came from outside.

use crate::base::{Error, Kind, Result};

/// Longest name accepted, in bytes.
pub const MAX_NAME: usize = 255;

/// Checks that `name` is a plain file name inside the archive's folder: not empty, at most [`MAX_NAME`] bytes, no path, no `..`, no control
/// character.
///
/// # Errors
/// [`Kind::Corrupt`], since such a name is never written by pgbaton or pg_dump.
pub fn check(name: &str) -> Result<()> {
    let safe = !name.is_empty()
        && name.len() <= MAX_NAME
        && name != "."
        && !name.contains("..")
        && !name.contains(|c: char| c == '/' || c == '\\' || c == ':' || c.is_control());
    if safe {
        Ok(())
    } else {
        Err(Error::new(
            Kind::Corrupt,
            format!("\"{}\" is not a safe name for an archive's file", shown(name)),
        ))
    }
}

/// `text` as an error message may show it: escaped and cut after 64 characters.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    if text.chars().nth(64).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names() {
        for good in ["toc.dat", "4711.dat.zst", "blobs_12.toc", "blob_1.dat"] {
            check(good).unwrap();
        }
        for bad in
            ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "C:x", "a\0", "a\nb", &"x".repeat(256)]
        {
            assert_eq!(check(bad).unwrap_err().kind(), Kind::Corrupt, "{bad:?}");
        }
    }
}
