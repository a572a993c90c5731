//! What must hold of a run that has ended, and what it took.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{Outcome, Status, World};

/// Everything that is wrong.
pub fn violations(world: &World) -> Vec<String> {
    let state = world.state();
    let mut wrong = state.wrong.clone();
    if state.counts.most_items > world.workers {
        wrong.push(format!("{} items at once", state.counts.most_items));
    }
    if state.counts.functions + state.readers + state.items > 0 {
        wrong.push("something still runs".into());
    }
    let files: BTreeMap<String, u64> =
        world.plan.tasks.iter().map(|t| (World::file(t), World::content(&t.key()))).collect();
    for (file, content) in &state.objects {
        if files.get(file) != Some(content) {
            wrong.push(format!("the object {file} is not what the plan says"));
        }
    }
    match (state.status, &state.manifest) {
        (Status::InProgress, _) => wrong.push("the run has no end".into()),
        (Status::Failed(..), None) => {}
        (Status::Failed(..), Some(_)) => wrong.push("a failed run has a manifest".into()),
        (Status::Completed, None) => wrong.push("a completed run has no manifest".into()),
        (Status::Completed, Some(listed)) => {
            for task in &world.plan.tasks {
                let (key, file) = (task.key(), World::file(task));
                if state.notes.get(&key) != Some(&Outcome::Saved(World::content(&key))) {
                    wrong.push(format!("the board does not tell what became of {key}"));
                }
                if !state.objects.contains_key(&file) {
                    wrong.push(format!("the object {file} is lost"));
                }
            }
            let names: BTreeSet<&str> = listed.iter().map(|(file, _)| file.as_str()).collect();
            if names.len() != listed.len() || listed.iter().cloned().collect::<BTreeMap<_, _>>() != files {
                wrong.push("the manifest does not list the plan".into());
            }
        }
    }
    wrong
}

/// One row of [`heading`]'s table.
pub fn row(name: &str, items: usize, world: &World) -> String {
    let state = world.state();
    let c = &state.counts;
    let bytes: u64 = world.plan.expected_bytes();
    format!(
        "| {name} | {} | {items} | {} | {} | {} | {:.0} | {:.0} | {} | {} | {} | {} | {:.2} % | {:.2} % |",
        world.plan.tasks.len(),
        c.started,
        c.refused,
        c.retries,
        world.clock.now(),
        c.worker_seconds,
        c.hops,
        c.most_items,
        c.most_functions,
        c.most_readers,
        c.written_again as f64 / world.plan.tasks.len() as f64 * 100.0,
        (c.bytes_read / bytes as f64 - 1.0).max(0.0) * 100.0,
    )
}

/// The head of the table of [`row`]s.
pub fn heading() -> String {
    let columns = [
        "run",
        "tasks",
        "items",
        "invocations",
        "refused",
        "retries",
        "seconds",
        "worker-seconds",
        "hand-overs",
        "items at once",
        "functions",
        "readers",
        "objects written twice",
        "bytes read twice",
    ];
    format!("| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()))
}
