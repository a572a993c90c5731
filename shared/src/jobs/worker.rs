//! What a worker of a distributed map is asked for: an item of a run.

use serde_json::Value;

use super::{Invocation, Platform, backup, restore};
use crate::base::{Error, Kind, Result};

/// Does one item: `{"kind": "backup" or "restore", "run": …, "item": …}`, as the run's job laid it out.
///
/// # Errors
/// [`Kind::InvalidInput`] for any other event; otherwise as the job's own.
pub async fn run(platform: &Platform, invocation: &Invocation, mut event: Value) -> Result<Value> {
    platform.require_enabled()?;
    let mut take = |name: &str| event.get_mut(name).map(Value::take).unwrap_or_default();
    let (kind, run, item) = (take("kind"), take("run"), take("item"));
    match kind.as_str() {
        Some("backup") => backup::work(platform, invocation, run, item).await,
        Some("restore") => restore::work(platform, invocation, run, item).await,
        _ => Err(Error::new(Kind::InvalidInput, "the event's kind must be backup or restore")),
    }
}
