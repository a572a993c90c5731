//! Which section each entry belongs to, once it is known what it needs.
//!
//! Something of pre-data may need something of post-data: a view that groups by a primary key needs the constraint, so does a function with
//! an SQL body that does. pg_dump finds these as cycles through its section boundaries; as nothing else can make such a cycle, following
//! the dependencies once from the bottom up finds them all.

use super::{
    draft::{Drafts, FragmentKind, Section},
    graph::{Graph, Role},
};

/// Moves what must come after the data to post-data, splitting pieces off their entries where that suffices.
pub(crate) fn settle(graph: &mut Graph, drafts: &mut Drafts) {
    let mut late = vec![false; graph.nodes.len()];
    for node in graph.topological() {
        let needed: Vec<usize> = graph.nodes[node].after.iter().copied().filter(|n| late[*n]).collect();
        if matches!(graph.nodes[node].role, Role::Inside { .. }) {
            late[node] = !needed.is_empty();
            continue;
        }
        let mut moved = false;
        for needed in needed {
            match graph.nodes[needed].role {
                Role::Inside { owner, kind, can_split: true } if owner == node => {
                    graph.split(needed);
                    if kind == FragmentKind::Default {
                        graph.nodes[needed].section = Section::PostData;
                    }
                }
                _ => moved = true,
            }
        }
        if moved && graph.nodes[node].section != Section::PostData {
            graph.nodes[node].section = Section::PostData;
            // These restore well after the data; of others it cannot be said.
            let expected =
                ["MATERIALIZED VIEW", "FUNCTION", "PROCEDURE", "AGGREGATE", "DEFAULT", "TABLE DATA"];
            if !expected.contains(&graph.nodes[node].desc) {
                drafts.warnings.push(format!(
                    "{} needs something that is restored after the data, so it comes after the data as well",
                    graph.describe(node)
                ));
            }
        }
        late[node] = graph.nodes[node].section == Section::PostData;
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::tests::{Made, entry, id};
    use super::*;

    #[test]
    fn a_view_that_needs_a_primary_key_is_split_and_its_readers_are_not() {
        let mut made = Made::default();
        made.entry(1, "TABLE", Section::PreData);
        made.entry(2, "CONSTRAINT", Section::PostData);
        made.entry(3, "VIEW", Section::PreData);
        made.fragment(13, 3, FragmentKind::ViewQuery);
        made.entry(4, "VIEW", Section::PreData);
        made.fragment(14, 4, FragmentKind::ViewQuery);
        made.need(2, 1);
        made.need(13, 2);
        made.need(14, 3);
        let mut graph = made.graph();
        settle(&mut graph, &mut made.drafts);
        let section = |oid| graph.nodes[entry(&graph, oid)].section;
        assert_eq!(section(3), Section::PreData);
        assert_eq!(section(4), Section::PreData);
        assert_eq!(graph.nodes[entry(&graph, 13)].role, Role::Entry);
        assert!(matches!(graph.nodes[entry(&graph, 14)].role, Role::Inside { .. }));
        assert!(made.drafts.warnings.is_empty());
        assert!(graph.resolve(id(13)).is_some());
    }

    #[test]
    fn a_function_that_needs_a_primary_key_and_a_materialized_view_on_it_move() {
        let mut made = Made::default();
        made.entry(1, "CONSTRAINT", Section::PostData);
        made.entry(2, "FUNCTION", Section::PreData);
        made.entry(3, "MATERIALIZED VIEW", Section::PreData);
        made.entry(4, "FUNCTION", Section::PreData);
        made.need(2, 1);
        made.need(3, 2);
        let mut graph = made.graph();
        settle(&mut graph, &mut made.drafts);
        for (oid, expected) in [(2, Section::PostData), (3, Section::PostData), (4, Section::PreData)] {
            assert_eq!(graph.nodes[entry(&graph, oid)].section, expected);
        }
    }
}
