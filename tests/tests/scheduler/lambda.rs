//! Lambda: starts functions where there is place, kills them, loses their answers, delivers twice.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use pgbaton::{base::Kind, jobs::backup::plan::Task};
use tokio::sync::{Notify, oneshot};

use crate::{worker, world::World};

/// Seconds that a function has.
pub const WHOLE: f64 = 900.0;

/// What Step Functions calls a function that ended without an answer.
pub const KILLED: &[&str] =
    &["Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown", "Sandbox.Timedout"];
/// What it calls an invoke that Lambda did not take.
pub const REFUSED: &[&str] =
    &["Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException"];
/// What it calls an answer that did not arrive, and what workers say themselves.
pub const OTHERS: &[&str] = &["Lambda.SdkClientException", "States.Timeout", "Retry"];

/// How an invocation is to end before its time.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Killed,
    /// It waits for what never comes; its own time limit still works.
    Stuck,
    /// Nothing of it works any more.
    Frozen,
}

/// One run of the worker function.
pub struct Invocation {
    pub world: Arc<World>,
    /// When it began.
    pub began: f64,
    /// How it ends, and after how many further steps.
    end: Option<(End, AtomicU32)>,
    ended: Notify,
}

impl Invocation {
    /// Whether it ends early, and where, is drawn now.
    fn new(world: &Arc<World>, item: &[Task]) -> Self {
        let faults = world.faults;
        let mut state = world.state();
        state.counts.started += 1;
        let first = state.counts.started == 1;
        let ends = [(End::Killed, faults.killed), (End::Stuck, faults.stuck), (End::Frozen, faults.frozen)];
        let mut end = None;
        for (how, probability) in ends {
            if state.dice.chance(probability) {
                let steps = worker::steps(item);
                end = Some((how, AtomicU32::new(state.dice.between(0.0, f64::from(steps)) as u32)));
            }
        }
        if let (true, Some(step)) = (first, world.dies_at) {
            end = Some((End::Killed, AtomicU32::new(step)));
        }
        drop(state);
        Self { world: Arc::clone(world), began: world.clock.now(), end, ended: Notify::new() }
    }

    /// A step, which takes time; here the function may end. Nothing that follows is done then.
    pub async fn step(&self, name: &'static str, seconds: f64) {
        if let Some((how, left)) = &self.end {
            let n = left.load(Relaxed);
            left.store(n.wrapping_sub(1), Relaxed);
            if n == 0 {
                *self.world.state().counts.ended_at.entry(name).or_default() += 1;
                if *how != End::Stuck {
                    self.ended.notify_one();
                }
                std::future::pending::<()>().await;
            }
        }
        self.world.clock.sleep(seconds).await;
    }

    /// Runs the function; gives its error's name.
    async fn run(&self, item: &[Task]) -> Result<(), &'static str> {
        let clock = &self.world.clock;
        tokio::select! {
            biased;
            () = self.ended.notified() => {
                let frozen = matches!(self.end, Some((End::Frozen, _)));
                if frozen {
                    clock.sleep(self.began + WHOLE - clock.now()).await;
                    return Err("Sandbox.Timedout");
                }
                Err(KILLED[self.world.between(0.0, 3.0) as usize])
            }
            done = worker::work(self, item) => done.map_err(|e| {
                // As functions/worker names it.
                if e.kind().retryable() || e.kind() == Kind::Budget { "Retry" } else { "Final" }
            }),
            () = clock.sleep(WHOLE) => Err("Sandbox.Timedout"),
        }
    }
}

/// One of the account's places, while a function runs there.
struct Place(Arc<World>);

impl Place {
    fn take(world: &Arc<World>) -> Option<Self> {
        let mut state = world.state();
        // Other functions of the account come and go.
        let others = state.dice.between(0.0, 50.0) as usize;
        let counts = &mut state.counts;
        if counts.functions + others >= world.account {
            return None;
        }
        counts.functions += 1;
        counts.most_functions = counts.most_functions.max(counts.functions);
        drop(state);
        Some(Self(Arc::clone(world)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().counts.functions -= 1;
    }
}

/// Starts a function, which goes on whether or not somebody waits for its answer.
fn start(world: &Arc<World>, item: &Arc<Vec<Task>>) -> Option<oneshot::Receiver<Result<(), &'static str>>> {
    let place = Place::take(world)?;
    let (tell, answer) = oneshot::channel();
    let (world, item) = (Arc::clone(world), Arc::clone(item));
    world.clock.clone().spawn(async move {
        let wait = world.between(0.02, 1.5);
        world.clock.sleep(wait).await;
        let invocation = Invocation::new(&world, &item);
        let ended = invocation.run(&item).await;
        world.state().counts.worker_seconds += world.clock.now() - invocation.began;
        drop(place);
        let _ = tell.send(ended);
    });
    Some(answer)
}

/// Invokes the worker function and waits for its answer, as Step Functions does; gives the error's name.
pub async fn invoke(world: &Arc<World>, item: &Arc<Vec<Task>>) -> Result<(), &'static str> {
    let faults = world.faults;
    let way = world.between(0.01, 0.05);
    world.clock.sleep(way).await;
    let busy = |name| {
        world.state().counts.refused += 1;
        Err(name)
    };
    if world.chance(faults.refused) {
        return busy(REFUSED[world.between(1.0, 3.0) as usize]);
    }
    let Some(answer) = start(world, item) else { return busy(REFUSED[0]) };
    if world.chance(faults.twice) {
        start(world, item);
    }
    if world.chance(faults.silent) {
        std::future::pending::<()>().await;
    }
    if world.chance(faults.cut) {
        let after = world.between(0.0, 120.0);
        world.clock.sleep(after).await;
        return Err("Lambda.SdkClientException");
    }
    let ended = answer.await.unwrap_or(Err("Lambda.Unknown"));
    if world.chance(faults.answer_lost) { Err("Lambda.SdkClientException") } else { ended }
}
