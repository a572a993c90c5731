//! What every way of telling can do.

use futures_util::future::BoxFuture;

use super::Event;
use crate::base::Result;

/// A way to tell an event.
pub trait Channel: Send + Sync {
    /// `sns` or `webhook`: remembered of each event that it took.
    fn name(&self) -> &'static str;

    /// Tells it; returns when the other side has taken it. Told twice, the event has the same id. Tries again by itself within a few seconds.
    ///
    /// # Errors
    /// Why it was not taken, or that it is not known; never with a secret.
    fn send<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>>;
}
