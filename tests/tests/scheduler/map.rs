//! Step Functions: a distributed map that begins items in their order, so many at once, and tries each again as the state machine says.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use pgbaton::jobs::backup::plan::Task;

use crate::{faults::Flaw, lambda, retry::Work, world::World};

/// Runs all items; gives the error that ended the execution, which stops the others.
pub async fn run(world: &Arc<World>, items: Vec<Vec<Task>>) -> Result<(), String> {
    let work = Work::read();
    let children = items.into_iter().map(|item| child(world, &work, Arc::new(item)));
    stream::iter(children).buffer_unordered(world.workers).try_collect::<()>().await
}

/// One child execution.
async fn child(world: &Arc<World>, work: &Work, item: Arc<Vec<Task>>) -> Result<(), String> {
    let _counted = Counted::begin(world);
    let mut attempts = work.attempts();
    loop {
        let ended = tokio::select! {
            biased;
            ended = lambda::invoke(world, &item) => ended,
            () = world.clock.sleep(work.patience) => Err("States.Timeout"),
        };
        let Err(error) = ended else { return Ok(()) };
        let pause = attempts.pause(error, &mut world.state().dice);
        match pause {
            Some(seconds) => {
                world.state().counts.retries += 1;
                world.clock.sleep(seconds).await;
            }
            None if world.flaw == Some(Flaw::GivesUpSilently) => return Ok(()),
            None => return Err(error.to_owned()),
        }
    }
}

/// A child execution that runs.
struct Counted(Arc<World>);

impl Counted {
    fn begin(world: &Arc<World>) -> Self {
        let mut state = world.state();
        state.items += 1;
        state.counts.most_items = state.counts.most_items.max(state.items);
        drop(state);
        Self(Arc::clone(world))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.state().items -= 1;
    }
}
