//! Room: running the items of a plan, in this function or on many.
//!
//! ```text
//!               ┌─ Here  workers of this process take items from a queue          (bounded by connections and memory)
//! items ─ run ──┤
//!               └─ Map   items as JSON in S3 ─ Step Functions distributed map ─ a function invoked for each item
//! ```
//!
//! Whichever way: an item may be run more than once (a worker dies after its work and before it could say so; Lambda and Step Functions deliver at
//! least once), so what it does must come out the same each time, and what was done is looked up before it is done again: see [`Board`].

mod board;
mod here;
mod map;
mod packing;

pub use board::{Board, do_once};
pub use here::{Here, Worker};
pub use map::{Map, Shelf};
pub use packing::pack;
use tokio_util::sync::CancellationToken;

use crate::base::Result;

/// A way to run items.
pub trait Executor<I> {
    /// Runs all of them, the first ones first. Once `drain` is cancelled no further item is begun, and the call returns when those under way are done.
    ///
    /// # Errors
    /// The first failure of an item that trying again does not help; the others are stopped.
    fn run(self, items: Vec<I>, drain: &CancellationToken) -> impl Future<Output = Result<()>> + Send;
}
