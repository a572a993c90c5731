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

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        sync::{Mutex, atomic::AtomicU32, atomic::Ordering::SeqCst},
    };

    use super::*;
    use crate::base::{Error, Kind};

    #[derive(Default)]
    struct Slate {
        outcomes: Mutex<HashMap<String, u32>>,
        refuses: bool,
    }

    impl Board<u32> for Slate {
        async fn find(&self, key: &str) -> Result<Option<u32>> {
            Ok(self.outcomes.lock().unwrap().get(key).copied())
        }
        async fn put(&self, key: &str, outcome: u32) -> Result<()> {
            if self.refuses {
                return Err(Error::new(Kind::Aws, "no place"));
            }
            self.outcomes.lock().unwrap().insert(key.to_owned(), outcome);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_on_the_board_is_not_done_again() {
        let (slate, done) = (Slate::default(), AtomicU32::new(0));
        let work = || async { Ok(done.fetch_add(1, SeqCst)) };
        assert!(do_once(&slate, "a", work()).await.unwrap());
        assert!(!do_once(&slate, "a", work()).await.unwrap());
        assert!(do_once(&slate, "b", work()).await.unwrap());
        assert_eq!(done.load(SeqCst), 2);
        assert_eq!(*slate.outcomes.lock().unwrap(), HashMap::from([("a".into(), 0), ("b".into(), 1)]));
    }

    #[tokio::test]
    async fn what_failed_or_cannot_be_put_down_is_not_done() {
        let slate = Slate::default();
        let fails = async { Err(Error::new(Kind::ServerLost, "gone")) };
        assert_eq!(do_once(&slate, "a", fails).await.unwrap_err().kind(), Kind::ServerLost);
        assert!(slate.outcomes.lock().unwrap().is_empty());
        let full = Slate { refuses: true, ..Slate::default() };
        assert_eq!(do_once(&full, "a", async { Ok(1) }).await.unwrap_err().kind(), Kind::Aws);
    }
}
