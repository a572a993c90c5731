//! What a run of retention is asked for with.

use super::fields::Fields;
use crate::base::Result;

/// The body of `POST /backup/retention/run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRequest {
    /// Only say what would be removed; true when nothing is said.
    pub dry_run: bool,
}

impl RetentionRequest {
    /// From a body.
    ///
    /// # Errors
    /// [`crate::base::Kind::InvalidInput`] with the field.
    pub fn from_body(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        let dry_run = fields.flag("dryRun")?.unwrap_or(true);
        fields.end()?;
        Ok(Self { dry_run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_removed_unless_somebody_says_so() {
        let of = |body: &str| RetentionRequest::from_body(body.as_bytes());
        for trial in ["", "{}", "null", "{\"dryRun\": null}", "{\"dry_run\": true}"] {
            assert!(of(trial).unwrap().dry_run, "{trial}");
        }
        assert!(!of("{\"dryRun\": false}").unwrap().dry_run);
        for bad in ["{\"dryRun\": \"false\"}", "{\"dryrun\": false}", "[]", "false"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
