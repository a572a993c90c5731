//! What has been done: looked at before an item is done, written after it.

use crate::base::Result;

/// Where outcomes stand, for every worker to see. An outcome, once put, stays.
pub trait Board<O> {
    /// The outcome of the item with this key, if there is one.
    ///
    /// # Errors
    /// Those of the place where outcomes are kept.
    fn find(&self, key: &str) -> impl Future<Output = Result<Option<O>>> + Send;

    /// Puts down an outcome. Another worker may have put the same one before: that is no error.
    ///
    /// # Errors
    /// As [`Board::find`].
    fn put(&self, key: &str, outcome: O) -> impl Future<Output = Result<()>> + Send;
}

/// Does what `key` stands for, unless its outcome is on the board; tells whether it was done now. Two workers at the same item both do it: what they
/// do must come out the same.
///
/// # Errors
/// Those of `work` and of the board. An item whose outcome could not be put counts as not done.
pub async fn do_once<O, B, F>(board: &B, key: &str, work: F) -> Result<bool>
where
    B: Board<O>,
    F: Future<Output = Result<O>>,
{
    if board.find(key).await?.is_some() {
        return Ok(false);
    }
    let outcome = work.await?;
    board.put(key, outcome).await?;
    Ok(true)
}
