//! In this process: as many items at once as there are workers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Executor;
use crate::base::{Error, Kind, Result};

/// One who does items, one after the other; it holds what they need, such as a connection.
pub trait Worker<I>: Send + 'static {
    /// Does one item.
    ///
    /// # Errors
    /// What made it fail; that ends the whole run.
    fn work(&mut self, item: I) -> impl Future<Output = Result<()>> + Send;

    /// Called once there is nothing more to do.
    ///
    /// # Errors
    /// As [`Worker::work`].
    fn end(self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs items with these workers, of which there must be one at least.
pub struct Here<W> {
    workers: Vec<W>,
}

impl<W> Here<W> {
    /// With these workers.
    pub fn new(workers: Vec<W>) -> Self {
        Self { workers }
    }
}

impl<I: Send + 'static, W: Worker<I>> Executor<I> for Here<W> {
    async fn run(self, items: Vec<I>, drain: &CancellationToken) -> Result<()> {
        if self.workers.is_empty() && !items.is_empty() {
            return Err(Error::new(Kind::Internal, "there is no worker to do the work"));
        }
        let queue = Arc::new(Mutex::new(VecDeque::from(items)));
        let mut tasks = JoinSet::new();
        for mut worker in self.workers {
            let (queue, drain) = (Arc::clone(&queue), drain.clone());
            tasks.spawn(async move {
                while !drain.is_cancelled() {
                    let Some(item) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                        break;
                    };
                    worker.work(item).await?;
                }
                worker.end().await
            });
        }
        // Dropping the set, on an error or with this future, stops the others.
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|e| Error::with_source(Kind::Internal, "a worker broke off", e))??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    use super::*;

    type AtOnce = Arc<(AtomicUsize, AtomicUsize)>;
    type Done = Arc<Mutex<Vec<u32>>>;

    struct Counts {
        at_once: AtOnce,
        done: Done,
        fails_at: Option<u32>,
    }

    impl Worker<u32> for Counts {
        async fn work(&mut self, item: u32) -> Result<()> {
            let now = self.at_once.0.fetch_add(1, SeqCst) + 1;
            self.at_once.1.fetch_max(now, SeqCst);
            tokio::time::sleep(Duration::from_millis(u64::from(item % 7))).await;
            self.at_once.0.fetch_sub(1, SeqCst);
            if self.fails_at == Some(item) {
                return Err(Error::new(Kind::Database, "item failed"));
            }
            self.done.lock().unwrap().push(item);
            Ok(())
        }
        async fn end(self) -> Result<()> {
            Ok(())
        }
    }

    fn workers(n: usize, fails_at: Option<u32>) -> (Vec<Counts>, AtOnce, Done) {
        let (at_once, done) = (Arc::default(), Arc::default());
        let one = |_| Counts { at_once: Arc::clone(&at_once), done: Arc::clone(&done), fails_at };
        ((0..n).map(one).collect(), at_once, done)
    }

    #[tokio::test]
    async fn every_item_once_and_never_more_at_once_than_workers() {
        let (all, at_once, done) = workers(5, None);
        Here::new(all).run((0..200).collect(), &CancellationToken::new()).await.unwrap();
        let mut done = std::mem::take(&mut *done.lock().unwrap());
        done.sort_unstable();
        assert_eq!(done, (0..200).collect::<Vec<_>>());
        assert_eq!(at_once.1.load(SeqCst), 5);
    }

    #[tokio::test]
    async fn draining_ends_what_is_under_way_and_begins_nothing() {
        let (all, at_once, done) = workers(3, None);
        let drain = CancellationToken::new();
        let stop = drain.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stop.cancel();
        });
        Here::new(all).run((0..200).collect(), &drain).await.unwrap();
        let count = done.lock().unwrap().len();
        assert!((3..200).contains(&count), "{count}");
        assert_eq!(at_once.0.load(SeqCst), 0, "nothing is left half done");
    }

    #[tokio::test]
    async fn a_failure_stops_the_others() {
        let (all, _, done) = workers(3, Some(10));
        let failed = Here::new(all).run((0..200).collect(), &CancellationToken::new()).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::Database);
        assert!(done.lock().unwrap().len() < 20);
        let (none, _, _) = workers(0, None);
        assert!(Here::new(none).run(vec![1], &CancellationToken::new()).await.is_err());
    }
}
