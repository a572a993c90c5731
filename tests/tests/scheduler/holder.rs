//! The functions that hold the snapshot, one after the other, as `jobs::backup::{hop, relay, join}` do it: the last one writes the manifest.

use std::{pin::Pin, sync::Arc};

use pgbaton::{base::Kind, jobs::backup::plan::Task};

use crate::{
    faults::Flaw,
    lambda::WHOLE,
    map, worker,
    world::{Outcome, Status, World},
};

/// Seconds before its end at which a holder looks for its successor (`jobs::successor::early`).
const EARLY: f64 = 240.0;
/// And those it keeps back for handing over.
const KEPT: f64 = 60.0;
/// How often notes are looked at.
const LOOK: f64 = 0.5;
/// And the workers' execution.
const LOOK_AT_EXECUTION: f64 = 2.0;

/// Begins the run: the workers' execution, and the first function.
pub fn begin(world: &Arc<World>, items: Vec<Vec<Task>>) {
    world.state().snapshots.insert(0);
    world.clock.spawn(process(world, 0));
    let map = Arc::clone(world);
    world.clock.spawn(async move {
        let ended = map::run(&map, items).await;
        map.state().execution = Some(ended);
    });
}

/// A holder begins its successor, so the type of the one must not hold that of the other.
fn process(world: &Arc<World>, number: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let world = Arc::clone(world);
    Box::pin(async move { hold(&world, number).await })
}

/// The function after `number` hand-overs, which holds the snapshot of that number.
async fn hold(world: &Arc<World>, number: u64) {
    let now = world.clock.now();
    let dies = world.holder_dies.filter(|at| *at > now).unwrap_or(f64::from(u32::MAX));
    tokio::select! {
        biased;
        () = world.clock.sleep(dies - now) => {}
        () = share(world, number) => {}
    }
    world.state().snapshots.remove(&number);
}

async fn share(world: &Arc<World>, number: u64) {
    let began = world.clock.now();
    loop {
        let execution = world.state().execution.clone();
        match execution {
            Some(Ok(())) => return finish(world).await,
            Some(Err(_)) => return world.fail(Kind::Internal),
            None if world.state().status != Status::InProgress => return,
            None => {}
        }
        if world.flaw == Some(Flaw::ManifestEarly) && world.clock.now() > 300.0 {
            return seal(world);
        }
        if world.clock.now() - began > WHOLE - EARLY {
            return hand_over(world, number, began).await;
        }
        world.clock.sleep(LOOK_AT_EXECUTION).await;
    }
}

/// Invites successors until one holds the snapshot.
async fn hand_over(world: &Arc<World>, number: u64, began: f64) {
    loop {
        let next = Arc::new(Successor::default());
        let (there, told) = (Arc::clone(world), Arc::clone(&next));
        world.clock.spawn(async move { take_over(&there, number, &told).await });
        loop {
            world.clock.sleep(LOOK).await;
            match next.says() {
                Says::Nothing if world.clock.now() - began > WHOLE - KEPT => return world.fail(Kind::Budget),
                Says::Nothing => {}
                Says::Cannot => break,
                Says::Ready => {
                    // What is done is noted before the lease goes over.
                    world.clock.sleep(2.0).await;
                    next.give();
                    return;
                }
            }
        }
        world.clock.sleep(2.0 * LOOK).await;
    }
}

/// The next function, from its invoke on.
async fn take_over(world: &Arc<World>, number: u64, told: &Successor) {
    // Lambda tries an event twice again, after one and two minutes.
    for pause in [60.0, 120.0, 0.0] {
        let start = world.between(0.1, 2.0);
        world.clock.sleep(start).await;
        if !world.chance(world.faults.successor / 2.0) {
            break;
        }
        world.clock.sleep(pause).await;
    }
    let locks = world.between(1.0, 30.0);
    world.clock.sleep(locks).await;
    if world.chance(world.faults.successor / 2.0) || !world.state().snapshots.contains(&number) {
        return told.say(Says::Cannot);
    }
    {
        let mut state = world.state();
        state.snapshots.insert(number + 1);
        state.holder = number + 1;
    }
    told.say(Says::Ready);
    while !told.given() {
        if world.state().status != Status::InProgress {
            world.state().snapshots.remove(&(number + 1));
            return;
        }
        world.clock.sleep(LOOK).await;
    }
    world.state().counts.hops += 1;
    world.clock.spawn(process(world, number + 1));
}

/// Every item is done: what was left to the holder is read, and the manifest written.
async fn finish(world: &Arc<World>) {
    for task in &world.plan.tasks {
        let left = world.state().notes.get(&task.key()) == Some(&Outcome::Contested);
        if left && worker::read_by_holder(world, task).await.is_err() {
            return world.fail(Kind::Conflict);
        }
    }
    seal(world);
}

fn seal(world: &Arc<World>) {
    let sealed = {
        let mut state = world.state();
        if state.status != Status::InProgress {
            return;
        }
        let done = |task: &Task| match state.notes.get(&task.key()) {
            Some(Outcome::Saved(content)) => Some((World::file(task), *content)),
            _ => None,
        };
        let listed: Vec<(String, u64)> = world.plan.tasks.iter().filter_map(done).collect();
        // As `Hop::run`, unless a test breaks the rule.
        let whole = listed.len() == world.plan.tasks.len() || world.flaw.is_some();
        if whole {
            state.manifest = Some(listed);
        }
        whole
    };
    if sealed { world.end(Status::Completed) } else { world.fail(Kind::Internal) }
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Says {
    #[default]
    Nothing,
    Ready,
    Cannot,
}

/// The notes between a holder and its successor.
#[derive(Default)]
struct Successor(std::sync::Mutex<(Says, bool)>);

impl Successor {
    fn says(&self) -> Says {
        self.0.lock().unwrap().0
    }
    fn say(&self, what: Says) {
        self.0.lock().unwrap().0 = what;
    }
    fn give(&self) {
        self.0.lock().unwrap().1 = true;
    }
    fn given(&self) -> bool {
        self.0.lock().unwrap().1
    }
}
