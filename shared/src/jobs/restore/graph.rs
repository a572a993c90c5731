//! Which entry of the data and post-data sections may run next: the order of their dependencies, and no two at once that would wait for
//! each other's table locks. Pure: the jobs' runner asks it for work and tells it what is done.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// What a step does to a table while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// Others may share it: COPY into it, or CREATE INDEX beside CREATE INDEX.
    Shared,
    /// Nobody else at the same time.
    Exclusive,
}

/// One step: a node of the graph.
#[derive(Debug, Clone)]
pub struct Step {
    /// Dump id.
    pub id: i32,
    /// Dump ids that must be done before; ids of no step in the graph count as done.
    pub after: Vec<i32>,
    /// Tables (by dump id) it locks.
    pub locks: Vec<(i32, Lock)>,
    /// Larger ones first among those that are ready.
    pub weight: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Held {
    shared: usize,
    exclusive: bool,
}

impl Held {
    fn admits(self, lock: Lock) -> bool {
        match lock {
            Lock::Shared => !self.exclusive,
            Lock::Exclusive => !self.exclusive && self.shared == 0,
        }
    }
}

/// All steps and how far they have come.
#[derive(Debug)]
pub struct Graph {
    steps: Vec<Step>,
    waiting_for: Vec<usize>,
    followers: Vec<Vec<usize>>,
    /// Heaviest first, then as in the archive.
    ready: BinaryHeap<(u64, Reverse<usize>)>,
    held: HashMap<i32, Held>,
    running: usize,
    left: usize,
}

impl Graph {
    /// A graph of these steps, in the order of the archive.
    pub fn new(steps: Vec<Step>) -> Self {
        let place: HashMap<i32, usize> = steps.iter().enumerate().map(|(n, s)| (s.id, n)).collect();
        let mut waiting_for = vec![0; steps.len()];
        let mut followers = vec![Vec::new(); steps.len()];
        for (n, step) in steps.iter().enumerate() {
            let mut before: Vec<usize> = step.after.iter().filter_map(|id| place.get(id).copied()).collect();
            before.sort_unstable();
            before.dedup();
            before.retain(|&b| b != n);
            waiting_for[n] = before.len();
            for b in before {
                followers[b].push(n);
            }
        }
        let ready = steps
            .iter()
            .enumerate()
            .filter(|(n, _)| waiting_for[*n] == 0)
            .map(|(n, s)| (s.weight, Reverse(n)))
            .collect();
        Self { left: steps.len(), steps, waiting_for, followers, ready, held: HashMap::new(), running: 0 }
    }

    /// The number of the next step to run, none when all that are ready would wait for a lock.
    pub fn take(&mut self) -> Option<usize> {
        let mut passed_over = Vec::new();
        let mut found = None;
        while let Some((weight, Reverse(n))) = self.ready.pop() {
            if self.steps[n]
                .locks
                .iter()
                .all(|(t, l)| self.held.get(t).copied().unwrap_or_default().admits(*l))
            {
                found = Some(n);
                break;
            }
            passed_over.push((weight, Reverse(n)));
        }
        self.ready.extend(passed_over);
        let n = found?;
        for &(table, lock) in &self.steps[n].locks {
            let held = self.held.entry(table).or_default();
            match lock {
                Lock::Shared => held.shared += 1,
                Lock::Exclusive => held.exclusive = true,
            }
        }
        self.running += 1;
        Some(n)
    }

    /// Says that step `n`, taken before, is done.
    pub fn done(&mut self, n: usize) {
        for &(table, lock) in &self.steps[n].locks {
            if let Some(held) = self.held.get_mut(&table) {
                match lock {
                    Lock::Shared => held.shared = held.shared.saturating_sub(1),
                    Lock::Exclusive => held.exclusive = false,
                }
            }
        }
        for &follower in &self.followers[n] {
            self.waiting_for[follower] -= 1;
            if self.waiting_for[follower] == 0 {
                self.ready.push((self.steps[follower].weight, Reverse(follower)));
            }
        }
        self.running -= 1;
        self.left -= 1;
    }

    /// The dump id of step `n`.
    pub fn id(&self, n: usize) -> i32 {
        self.steps[n].id
    }

    /// Whether all steps are done.
    pub fn finished(&self) -> bool {
        self.left == 0
    }

    /// Dump ids of which each waits, over others perhaps, for itself; or that wait for such ones. Takes the whole graph through without running it.
    pub fn circle(mut self) -> Option<Vec<i32>> {
        while let Some(n) = self.take() {
            self.done(n);
        }
        self.stalled()
    }

    /// Dump ids that wait for each other in a circle: what is left when nothing runs and nothing can be taken.
    pub fn stalled(&self) -> Option<Vec<i32>> {
        (self.left > 0 && self.running == 0 && self.ready.is_empty()).then(|| {
            self.steps
                .iter()
                .enumerate()
                .filter(|(n, _)| self.waiting_for[*n] > 0)
                .map(|(_, s)| s.id)
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(id: i32, after: &[i32], locks: &[(i32, Lock)], weight: u64) -> Step {
        Step { id, after: after.to_vec(), locks: locks.to_vec(), weight }
    }

    #[test]
    fn heavy_first_and_locks_keep_apart() {
        let mut g = Graph::new(vec![
            step(1, &[], &[(100, Lock::Exclusive)], 1),
            step(2, &[], &[(100, Lock::Exclusive)], 5),
            step(3, &[], &[(101, Lock::Shared)], 0),
            step(4, &[], &[(101, Lock::Shared)], 0),
            step(5, &[1, 2], &[], 0),
        ]);
        let first = g.take().unwrap();
        assert_eq!(g.id(first), 2);
        assert_eq!(g.take().map(|n| g.id(n)), Some(3));
        assert_eq!(g.take().map(|n| g.id(n)), Some(4));
        assert_eq!(g.take(), None, "1 waits for the lock of 2, 5 for both");
        g.done(first);
        let one = g.take().unwrap();
        assert_eq!(g.id(one), 1);
        g.done(one);
        assert_eq!(g.take().map(|n| g.id(n)), Some(5));
    }

    #[test]
    fn circles_are_told() {
        let g = Graph::new(vec![step(1, &[2], &[], 0), step(2, &[1], &[], 0)]);
        assert_eq!(g.stalled(), Some(vec![1, 2]));
        assert_eq!(g.circle(), Some(vec![1, 2]));
    }

    proptest! {
        /// Random graphs, random finishing order: every step runs once, after what it depends on, and locks are never violated.
        #[test]
        fn every_step_once_in_order(
            edges in prop::collection::vec((0usize..40, 0usize..40), 0..120),
            locks in prop::collection::vec((0i32..6, any::<bool>()), 40),
            picks in prop::collection::vec(any::<usize>(), 200),
        ) {
            let steps: Vec<Step> = (0..40usize)
                .map(|n| Step {
                    id: n as i32,
                    after: edges.iter().filter(|(a, b)| *b == n && a < b).map(|(a, _)| *a as i32).collect(),
                    locks: vec![(locks[n].0, if locks[n].1 { Lock::Exclusive } else { Lock::Shared })],
                    weight: (n * 7 % 5) as u64,
                })
                .collect();
            let mut g = Graph::new(steps.clone());
            let mut running: Vec<usize> = Vec::new();
            let mut finished: Vec<i32> = Vec::new();
            let mut picks = picks.into_iter().cycle();
            while !g.finished() {
                while let Some(n) = g.take() {
                    prop_assert!(steps[n].after.iter().all(|a| finished.contains(a)));
                    for &r in &running {
                        let (a, b) = (steps[r].locks[0], steps[n].locks[0]);
                        prop_assert!(a.0 != b.0 || (a.1 == Lock::Shared && b.1 == Lock::Shared));
                    }
                    running.push(n);
                }
                prop_assert!(!running.is_empty());
                let n = running.swap_remove(picks.next().unwrap() % running.len());
                finished.push(steps[n].id);
                g.done(n);
            }
            prop_assert_eq!(finished.len(), 40);
        }
    }
}
