//! A worker: `pgbaton::fanout::do_once` for each task, between steps of the kind that `jobs::backup::worker` takes. Whatever takes time is a step, at which the
//! function may be killed; whatever is done elsewhere is done between two steps.

use std::sync::Arc;

use pgbaton::{
    base::{Error, Kind, Result},
    fanout::{Board, do_once},
    jobs::backup::plan::Task,
};

use crate::{
    faults::Flaw,
    lambda::{Invocation, WHOLE},
    world::{Outcome, Reading, Status, World},
};

/// Seconds that a worker keeps back, as `Budget` does.
const LAST_WORDS: f64 = 15.0;

/// How much COPY text becomes one part of an upload: 8 MiB of what compresses to a fifth.
const PART: f64 = 40e6;

/// Rough number of steps of an item, to draw one of them.
pub fn steps(item: &[Task]) -> u32 {
    4 + item.iter().map(|task| 7 + 2 * parts(task)).sum::<u32>()
}

fn parts(task: &Task) -> u32 {
    (task.expected_bytes() as f64 / PART).ceil().max(1.0) as u32
}

/// The notes in DynamoDB.
pub struct Notes<'a>(pub &'a Invocation);

impl Board<Outcome> for Notes<'_> {
    async fn find(&self, key: &str) -> Result<Option<Outcome>> {
        self.0.step("before it looks at the board", 0.005).await;
        self.0.world.may_fail(self.0.world.faults.request, Kind::Aws)?;
        Ok(self.0.world.state().notes.get(key).cloned())
    }

    async fn put(&self, key: &str, outcome: Outcome) -> Result<()> {
        let world = &self.0.world;
        self.0.step("before the outcome is put", 0.005).await;
        world.may_fail(world.faults.request / 2.0, Kind::Aws)?;
        world.note(key, outcome);
        self.0.step("after the outcome was put", 0.005).await;
        world.may_fail(world.faults.request / 2.0, Kind::Aws)
    }
}

/// Does what is open of an item.
pub async fn work(at: &Invocation, item: &[Task]) -> Result<()> {
    let clock = &at.world.clock;
    let ended = tokio::select! {
        biased;
        done = read(at, item) => done,
        e = over(at) => return Err(e),
        () = clock.sleep(WHOLE - LAST_WORDS) => Err(Error::new(Kind::Budget, "the time is up")),
    };
    if let Err(e) = &ended
        && e.kind() == Kind::SnapshotBroken
    {
        at.world.fail(Kind::SnapshotBroken);
    }
    ended
}

async fn read(at: &Invocation, item: &[Task]) -> Result<()> {
    let world = &at.world;
    at.step("before it looks at the run", 0.01).await;
    world.may_fail(world.faults.request, Kind::Aws)?;
    if world.state().status != Status::InProgress {
        return Err(ended());
    }
    let known = |task: &&Task| !world.state().notes.contains_key(&task.key());
    let open: Vec<&Task> = item.iter().filter(known).collect();
    world.state().counts.found_done += (item.len() - open.len()) as u64;
    if open.is_empty() {
        return Ok(());
    }
    import(at).await?;
    for task in open {
        let key = task.key();
        if world.flaw == Some(Flaw::OutcomeFirst) {
            if Notes(at).find(&key).await?.is_none() {
                Notes(at).put(&key, Outcome::Saved(World::content(&key))).await?;
                save(at, task).await?;
            }
            continue;
        }
        let work = async {
            at.step("before it locks the table", 0.005).await;
            if world.chance(world.faults.contested) {
                world.state().counts.contested += 1;
                return Ok(Outcome::Contested);
            }
            save(at, task).await.map(Outcome::Saved)
        };
        if !do_once(&Notes(at), &key, work).await? {
            world.state().counts.found_done += 1;
        }
    }
    Ok(())
}

/// Imports the snapshot of whoever holds it, as `jobs::backup::join::import` does.
async fn import(at: &Invocation) -> Result<()> {
    let world = &at.world;
    let mut tried = None;
    loop {
        let holder = world.state().holder;
        at.step("before it imports the snapshot", 0.05).await;
        world.may_fail(world.faults.server, Kind::Unreachable)?;
        if world.state().snapshots.contains(&holder) {
            return Ok(());
        }
        if tried == Some(holder) {
            return Err(Error::new(Kind::SnapshotBroken, "nobody holds the snapshot"));
        }
        tried = Some(holder);
        at.step("before it looks for the holder again", 0.5).await;
    }
}

/// Reads a task and writes its object, which is there only when it is whole.
async fn save(at: &Invocation, task: &Task) -> Result<u64> {
    let world = &at.world;
    let key = task.key();
    if let Some((broken, kind)) = &world.broken
        && *broken == key
    {
        return Err(Error::new(*kind, "a fault of the simulation that stays"));
    }
    let content = match world.flaw {
        Some(Flaw::RowsOfNow) => World::content_of(&key, (world.clock.now() * 1e6) as u64),
        _ => World::content(&key),
    };
    let parts = parts(task);
    {
        let reading = Reading::begin(world);
        for _ in 0..parts {
            let seconds = reading.seconds(task.expected_bytes() as f64 / f64::from(parts));
            at.step("while it reads", seconds).await;
            world.may_fail(world.faults.server, Kind::ServerLost)?;
            at.step("while it sends a part", 0.1).await;
            world.may_fail(world.faults.request, Kind::Aws)?;
        }
    }
    at.step("before the object is whole", 0.05).await;
    world.may_fail(world.faults.request / 2.0, Kind::Aws)?;
    world.store(&World::file(task), content)?;
    at.step("between object and outcome", 0.02).await;
    world.may_fail(world.faults.request / 2.0, Kind::Aws)?;
    Ok(content)
}

/// Waits until the run has ended, and until the worker sees it, which looks every five seconds.
async fn over(at: &Invocation) -> Error {
    let told = at.world.over.notified();
    if at.world.state().status == Status::InProgress {
        told.await;
    }
    let until_it_looks = at.world.between(0.0, 5.0);
    at.world.clock.sleep(until_it_looks).await;
    ended()
}

fn ended() -> Error {
    Error::new(Kind::Fenced, "the run has ended")
}

/// Reads a task in the holder's own session, which has every lock.
pub async fn read_by_holder(world: &Arc<World>, task: &Task) -> Result<()> {
    let seconds = Reading::begin(world).seconds(task.expected_bytes() as f64);
    world.clock.sleep(seconds).await;
    let content = World::content(&task.key());
    world.store(&World::file(task), content)?;
    world.note(&task.key(), Outcome::Saved(content));
    Ok(())
}
