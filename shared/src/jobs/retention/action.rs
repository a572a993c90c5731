//! What an event asks the function for.

use serde_json::Value;

use super::Wish;
use crate::{
    base::{Error, Kind, Result},
    jobs::request::Fields,
};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Close stuck runs and abort orphaned uploads.
    Reap,
    /// The same, and remove what the rules do not keep.
    Remove {
        /// Only say what would be removed.
        dry_run: bool,
    },
    /// Look for databases without a good backup in the expected time, and tell of them.
    Watch,
    /// Remove one record, with its objects or without.
    Delete(Wish),
}

impl Action {
    /// From `{"action": "reap"}`, `{"action": "watch"}`, `{"action": "retention", "dryRun": false}` (false when absent) or
    /// `{"action": "delete", "id": …, "objects": false, "force": false, "by": …}`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] naming the field.
    pub fn from_event(event: &Value) -> Result<Self> {
        if !event.is_object() {
            return Err(Error::new(Kind::InvalidInput, "the event must be a JSON object"));
        }
        let mut fields = Fields::of_value(event.clone())?;
        let action = match fields.text("action", 20)?.as_deref() {
            Some("reap") => Self::Reap,
            Some("watch") => Self::Watch,
            Some("retention") => Self::Remove { dry_run: fields.flag("dryRun")?.unwrap_or(false) },
            Some("delete") => Self::Delete(Wish {
                id: fields.id("id")?.ok_or_else(|| {
                    Error::new(Kind::InvalidInput, "the field \"id\" is missing").at_field("id")
                })?,
                objects: fields.flag("objects")?.unwrap_or(false),
                force: fields.flag("force")?.unwrap_or(false),
                by: fields.text("by", 300)?,
            }),
            _ => {
                let why = "the field \"action\" must be reap, watch, retention or delete";
                return Err(Error::new(Kind::InvalidInput, why).at_field("action"));
            }
        };
        fields.end()?;
        Ok(action)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events() {
        let of = |event| Action::from_event(&event).unwrap();
        assert_eq!(of(json!({"action": "reap"})), Action::Reap);
        assert_eq!(of(json!({"action": "watch"})), Action::Watch);
        assert_eq!(of(json!({"action": "retention", "dryRun": true})), Action::Remove { dry_run: true });
        let delete = of(json!({"action": "delete", "id": "20261121T020000Z-9f86d081", "force": true}));
        assert!(matches!(delete, Action::Delete(Wish { force: true, objects: false, .. })));
        for bad in [
            json!({}),
            json!([]),
            json!(null),
            json!({"action": "burn"}),
            json!({"action": "reap", "x": 1}),
            json!({"action": "reap", "dryRun": true}),
            json!({"action": "retention", "dryRun": 1}),
            json!({"action": "delete"}),
            json!({"action": "delete", "id": "../x"}),
        ] {
            assert_eq!(Action::from_event(&bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }
}
