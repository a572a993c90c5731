//! The scheduler of many workers, simulated: 10,000 slices, 1,000 workers, and every fault that passes.
//!
//! Real are the items (`pgbaton::fanout::pack` of the plan's tasks, in their order), each task (`pgbaton::fanout::do_once` on a board) and the retries (read from
//! infra/workers.asl.json). Step Functions, Lambda, S3, DynamoDB, the server and the functions that hand the snapshot on are models, on a clock of their own.
//!
//! `cargo test -p pgbaton-tests --test scheduler -- --nocapture` shows what the runs took.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod check;
mod clock;
mod faults;
mod holder;
mod lambda;
mod map;
mod retry;
mod worker;
mod world;

use std::sync::Arc;

use clock::Dice;
use faults::{Faults, Flaw};
use pgbaton::{
    base::Kind,
    fanout::pack,
    jobs::backup::plan::{Part, Plan, Task},
};
use world::{Outcome, Status, World};

/// `BACKUP_SLICE_MB`, and most tasks of an item, as `jobs::backup::many` packs them.
const SLICE: u64 = 256 << 20;
const TASKS: usize = 50;

/// So many slices of large tables, and small tables, the largest first.
fn plan(seed: u64, slices: usize, small: usize) -> Plan {
    let mut dice = Dice::new(seed);
    let of_slices = (0..slices).map(|_| dice.log_normal(SLICE as f64, 0.3) as u64);
    let mut sizes: Vec<u64> = of_slices.collect();
    sizes.extend((0..small).map(|_| dice.log_normal(1e6, 1.5) as u64));
    sizes.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
    let part = |(n, bytes): (usize, u64)| {
        Task::Part(Part {
            entry: n as i32,
            file: format!("{n}.dat.zst"),
            schema: "public".into(),
            table: format!("t{n}"),
            pages: None,
            expected_bytes: bytes,
            copy: String::new(),
        })
    };
    Plan { tasks: sizes.into_iter().enumerate().map(part).collect(), has_list: false }
}

fn items(plan: &Plan) -> Vec<Vec<Task>> {
    pack(plan.tasks.clone(), SLICE, TASKS, Task::expected_bytes)
}

/// Runs to the end of everything, also of workers that nobody waits for any more.
fn run(world: World) -> Arc<World> {
    let world = Arc::new(world);
    holder::begin(&world, items(&world.plan));
    world.clock.run();
    world
}

fn large(seed: u64) -> World {
    let mut world = World::new(seed, plan(seed, 10_000, 5_000), Faults::MANY);
    world.workers = 1_000;
    world
}

/// A run small enough to be repeated often.
fn small(seed: u64, faults: Faults) -> World {
    let mut world = World::new(seed, plan(seed, 300, 300), faults);
    world.workers = 8;
    world.account = 1_000;
    world
}

#[test]
fn ten_thousand_slices_nothing_lost_and_nothing_done_twice() {
    println!("{}", check::heading());
    // Other functions leave too few places; just enough; more than the workers need.
    for (seed, account) in [(2, 900), (3, 1_000), (4, 3_000), (5, 3_000)] {
        let mut world = large(seed);
        world.account = account;
        let world = run(world);
        println!(
            "{}",
            check::row(&format!("seed {seed}, {account} places"), items(&world.plan).len(), &world)
        );
        let wrong = check::violations(&world);
        assert_eq!(wrong, [""; 0], "seed {seed}");
        let state = world.state();
        assert_eq!(state.status, Status::Completed, "seed {seed}: {:?}", state.execution);
        assert_eq!(state.counts.most_items, 1_000, "seed {seed}: all workers had work");
        assert!(state.counts.hops >= 2 && state.counts.contested > 0, "seed {seed}");
        assert!(state.counts.written_again > 0, "seed {seed}: work was repeated, and came out the same");
        let again = state.counts.written_again as f64 / world.plan.tasks.len() as f64;
        assert!(again < 0.05, "seed {seed}: {again} of all tasks were done twice");
        assert!(state.counts.found_done > 0, "seed {seed}: work was not repeated where it was known");
        assert!(state.counts.most_functions <= account, "seed {seed}");
        assert_eq!(state.counts.ended_at.len(), STEPS, "seed {seed}: {:?}", state.counts.ended_at);
    }
    let mut world = large(2);
    world.faults = Faults::default();
    world.account = 3_000;
    let world = run(world);
    println!("{}", check::row("no fault", items(&world.plan).len(), &world));
    assert_eq!(check::violations(&world), [""; 0]);
    assert_eq!(world.state().counts.started as usize, items(&world.plan).len());
    assert_eq!(world.state().counts.written_again, 0);
}

/// Kinds of steps at which workers were killed, in a run with all of them.
const STEPS: usize = 10;

#[test]
fn killed_between_any_two_steps() {
    let mut ends = 0;
    for step in 0.. {
        let mut world = World::new(step.into(), plan(7, 2, 3), Faults::default());
        world.dies_at = Some(step);
        let world = run(world);
        assert_eq!(check::violations(&world), [""; 0], "killed at step {step}");
        assert_eq!(world.state().status, Status::Completed, "killed at step {step}");
        let ended: u64 = world.state().counts.ended_at.values().sum();
        if ended == 0 {
            break;
        }
        ends += ended;
    }
    assert!(ends > 20, "{ends} steps");
}

#[test]
fn whatever_happens_the_end_is_right() {
    let (mut completed, mut failed) = (0, 0);
    for seed in 0..40 {
        // Ever worse, until items give up.
        let worse = f64::from(seed as u32) / 3.0;
        let mut faults = Faults::MANY;
        faults.killed *= worse;
        faults.request *= worse;
        faults.server *= worse;
        faults.twice *= worse;
        faults.cut *= worse;
        faults.successor = (faults.successor * worse).min(0.9);
        let world = run(small(seed, faults));
        assert_eq!(check::violations(&world), [""; 0], "seed {seed}");
        match world.state().status {
            Status::Completed => completed += 1,
            _ => failed += 1,
        }
    }
    println!("{completed} completed, {failed} failed");
    assert!(completed > 10 && failed > 5, "{completed} completed, {failed} failed");
}

#[test]
fn a_fault_that_stays_fails_the_run() {
    // One that no retry helps, and one that is tried again in vain.
    for (kind, attempts) in [(Kind::Permission, 1), (Kind::ServerLost, 11)] {
        let mut world = small(9, Faults::default());
        world.broken = Some(("100".into(), kind));
        let world = run(world);
        assert_eq!(check::violations(&world), [""; 0], "{kind:?}");
        let state = world.state();
        assert!(matches!(state.status, Status::Failed(..)), "{kind:?}: {:?}", state.status);
        assert_eq!(state.manifest, None, "{kind:?}");
        assert!(!state.notes.contains_key("100"), "{kind:?}");
        assert_eq!(state.counts.retries, attempts - 1, "{kind:?}");
    }
}

#[test]
fn a_lost_holder_ends_the_run_at_once() {
    let mut world = large(11);
    world.faults = Faults::default();
    world.account = 3_000;
    world.holder_dies = Some(400.0);
    let world = run(world);
    assert_eq!(check::violations(&world), [""; 0]);
    let state = world.state();
    let Status::Failed(kind, at) = state.status else { panic!("{:?}", state.status) };
    assert_eq!(kind, Kind::SnapshotBroken);
    assert!((400.0..430.0).contains(&at), "failed at {at}");
    assert!(world.clock.now() < 460.0, "all workers had ended at {}", world.clock.now());
    assert_eq!(state.manifest, None);
}

#[test]
fn the_check_finds_what_is_wrong() {
    for (flaw, part) in [
        (Flaw::OutcomeFirst, "is lost"),
        (Flaw::RowsOfNow, "is not what the plan says"),
        (Flaw::GivesUpSilently, "does not tell what became of"),
        (Flaw::ManifestEarly, "does not list the plan"),
    ] {
        let mut found = 0;
        for seed in 0..5 {
            let mut world = small(seed, Faults { killed: 0.3, ..Faults::MANY });
            world.flaw = Some(flaw);
            if flaw == Flaw::GivesUpSilently {
                world.broken = Some(("100".into(), Kind::Permission));
            }
            let wrong = check::violations(&run(world));
            found += usize::from(wrong.iter().any(|w| w.contains(part)));
        }
        assert!(found > 0, "{flaw:?} goes unseen");
    }
}

#[test]
fn a_seed_gives_the_same_run_each_time() {
    let once = || {
        let world = run(small(21, Faults::MANY));
        let state = world.state();
        let saved = state.notes.values().filter(|o| matches!(o, Outcome::Saved(_))).count();
        (world.clock.now(), state.counts.started, state.counts.retries, saved)
    };
    assert_eq!(once(), once());
}
