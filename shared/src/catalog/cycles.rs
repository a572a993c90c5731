//! Breaking dependency cycles, by the rules of pg_dump's `repairDependencyLoop`.
//!
//! What can be taken out of a definition is taken out of it: a view's query, a table's CHECK constraint, a column's default, a domain's
//! constraint. A function that a type needs gets the type's shell to refer to. A cycle without any of these is broken anywhere, and said.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::{
    class::{PG_PROC, PG_TYPE},
    draft::{CatalogId, Drafts},
    graph::{Graph, Role},
};

/// Makes the graph free of cycles.
pub(crate) fn break_all(graph: &mut Graph, drafts: &mut Drafts) {
    let all: Vec<usize> = (0..graph.nodes.len()).collect();
    let mut open: VecDeque<Vec<usize>> = knots(graph, &all).into();
    while let Some(knot) = open.pop_front() {
        let cycle = shortest_cycle(graph, &knot);
        repair(graph, drafts, &cycle);
        open.extend(knots(graph, &knot));
    }
}

/// Strongly connected components of more than one node, each sorted (Tarjan's algorithm, without recursion).
fn knots(graph: &Graph, among: &[usize]) -> Vec<Vec<usize>> {
    struct Visit {
        node: usize,
        children: Vec<usize>,
    }
    let inside: BTreeSet<usize> = among.iter().copied().collect();
    let children =
        |node: usize| graph.nodes[node].after.iter().copied().filter(|n| inside.contains(n)).collect();
    let mut index: HashMap<usize, usize> = HashMap::new();
    let mut low: HashMap<usize, usize> = HashMap::new();
    let mut on_stack: BTreeSet<usize> = BTreeSet::new();
    let mut stack = Vec::new();
    let mut found = Vec::new();
    for start in among {
        if index.contains_key(start) {
            continue;
        }
        let mut visits = vec![Visit { node: *start, children: children(*start) }];
        index.insert(*start, index.len());
        low.insert(*start, index[start]);
        stack.push(*start);
        on_stack.insert(*start);
        while let Some(visit) = visits.last_mut() {
            let node = visit.node;
            if let Some(child) = visit.children.pop() {
                if !index.contains_key(&child) {
                    let number = index.len();
                    index.insert(child, number);
                    low.insert(child, number);
                    stack.push(child);
                    on_stack.insert(child);
                    visits.push(Visit { node: child, children: children(child) });
                } else if on_stack.contains(&child) {
                    low.insert(node, low[&node].min(index[&child]));
                }
                continue;
            }
            visits.pop();
            if let Some(parent) = visits.last() {
                low.insert(parent.node, low[&parent.node].min(low[&node]));
            }
            if low[&node] == index[&node] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack.remove(&member);
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                if component.len() > 1 {
                    component.sort_unstable();
                    found.push(component);
                }
            }
        }
    }
    found
}

/// A shortest cycle through the knot's first node: each needs the next, the last needs the first.
fn shortest_cycle(graph: &Graph, knot: &[usize]) -> Vec<usize> {
    let start = knot[0];
    let inside: BTreeSet<usize> = knot.iter().copied().collect();
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        for next in graph.nodes[node].after.iter().filter(|n| inside.contains(n)) {
            if *next == start {
                let mut cycle = vec![node];
                let mut at = node;
                while at != start {
                    at = came_from[&at];
                    cycle.push(at);
                }
                cycle.reverse();
                return cycle;
            }
            if let std::collections::hash_map::Entry::Vacant(new) = came_from.entry(*next) {
                new.insert(node);
                open.push_back(*next);
            }
        }
    }
    knot.to_vec()
}

fn repair(graph: &mut Graph, drafts: &mut Drafts, cycle: &[usize]) {
    if let [a, b] = *cycle {
        for (of_type, routine) in [(a, b), (b, a)] {
            if graph.nodes[of_type].key.id.class == PG_TYPE
                && graph.nodes[routine].key.id.class == PG_PROC
                && refer_to_shell(graph, of_type, routine)
            {
                return;
            }
        }
    }
    let piece = cycle
        .iter()
        .filter_map(|n| match graph.nodes[*n].role {
            Role::Inside { owner, kind, can_split: true } if cycle.contains(&owner) => Some((kind, *n)),
            _ => None,
        })
        .min();
    if let Some((_, piece)) = piece {
        graph.split(piece);
        return;
    }
    let members: Vec<String> = cycle.iter().map(|n| graph.describe(graph.holder(*n))).collect();
    drafts.warnings.push(format!(
        "these depend on each other and may not restore in the order they are in: {}",
        members.join(", ")
    ));
    let (first, second) = (cycle[0], cycle[1 % cycle.len()]);
    let given_up = graph.holder(second);
    let kept = graph.nodes[first]
        .after
        .iter()
        .copied()
        .filter(|n| graph.holder(*n) != given_up || given_up == first);
    graph.nodes[first].after = kept.filter(|n| *n != second).collect();
}

/// `CREATE TYPE x;` lets functions name the type before it is complete; its entry has the type's oid and no catalog. False if there is none.
fn refer_to_shell(graph: &mut Graph, of_type: usize, routine: usize) -> bool {
    let Some(shell) = graph.resolve(CatalogId { class: 0, oid: graph.nodes[of_type].key.id.oid }) else {
        return false;
    };
    graph.nodes[routine].after.remove(&of_type);
    graph.nodes[routine].after.insert(shell);
    true
}
