//! The order of the entries: by kind and name, then by what needs what, as pg_dump_sort.c has it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{
    draft::Section,
    graph::{Graph, Node, Role},
};

/// Between pre-data and data.
const PRE_DATA_BOUNDARY: u8 = 26;
/// Between data and post-data.
const POST_DATA_BOUNDARY: u8 = 40;

/// Place of a kind among the kinds (`dbObjectTypePriority` of pg_dump_sort.c; large objects' definitions as in pg_dump 16 and before).
fn priority(desc: &str, section: Section) -> u8 {
    let priority = match desc {
        // Before all: pg_restore --create continues in the new database.
        "DATABASE" | "DATABASE PROPERTIES" => return 0,
        "SCHEMA" => 1,
        "PROCEDURAL LANGUAGE" => 2,
        "COLLATION" => 3,
        "TRANSFORM" => 4,
        "EXTENSION" => 5,
        "TYPE" | "DOMAIN" | "SHELL TYPE" => 6,
        "CAST" => 7,
        "FUNCTION" | "PROCEDURE" => 8,
        "AGGREGATE" => 9,
        "ACCESS METHOD" => 10,
        "OPERATOR" => 11,
        "OPERATOR FAMILY" | "OPERATOR CLASS" => 12,
        "CONVERSION" => 13,
        "TEXT SEARCH PARSER" => 14,
        "TEXT SEARCH TEMPLATE" => 15,
        "TEXT SEARCH DICTIONARY" => 16,
        "TEXT SEARCH CONFIGURATION" => 17,
        "FOREIGN DATA WRAPPER" => 18,
        "SERVER" => 19,
        "TABLE" | "FOREIGN TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" => 20,
        "TABLE ATTACH" => 21,
        "DEFAULT" => 23,
        "BLOB" => 24,
        "TABLE DATA" => 30,
        "SEQUENCE SET" => 31,
        "BLOBS" => 32,
        "STATISTICS DATA" => 33,
        "CONSTRAINT" | "CHECK CONSTRAINT" => 41,
        "INDEX" => 42,
        "INDEX ATTACH" => 43,
        "STATISTICS" => 44,
        "RULE" => 45,
        "TRIGGER" => 46,
        "FK CONSTRAINT" => 47,
        "POLICY" | "ROW SECURITY" => 48,
        "PUBLICATION" => 49,
        "PUBLICATION TABLE" => 50,
        "PUBLICATION TABLES IN SCHEMA" => 51,
        "SUBSCRIPTION" => 52,
        "DEFAULT ACL" => 60,
        "EVENT TRIGGER" => 61,
        "MATERIALIZED VIEW DATA" => 62,
        _ => 0,
    };
    match (priority, section) {
        (0, Section::PostData) => 59,
        (0, Section::Data) => 34,
        (0, _) => 22,
        (known, _) => known,
    }
}

/// The numbers of the nodes that are entries, in the order of the archive.
pub(crate) fn order(graph: &Graph) -> Vec<usize> {
    // The two boundaries are nodes numbered after the graph's own.
    let count = graph.nodes.len();
    let (pre, post) = (count, count + 1);
    let mut after: Vec<Vec<usize>> = graph.nodes.iter().map(|n| n.after.iter().copied().collect()).collect();
    after.push(Vec::new());
    after.push(vec![pre]);
    for (number, node) in graph.nodes.iter().enumerate().filter(|(_, n)| n.role == Role::Entry) {
        match node.section {
            Section::PreData => after[pre].push(number),
            Section::Data => {
                after[number].push(pre);
                after[post].push(number);
            }
            Section::PostData => after[number].push(post),
            Section::None => {}
        }
    }
    let sorted = by_kind_and_name(graph, pre, post);
    stable_topological(&sorted, &after)
        .into_iter()
        .filter(|n| *n < count && graph.nodes[*n].role == Role::Entry && graph.nodes[*n].written)
        .collect()
}

fn by_kind_and_name(graph: &Graph, pre: usize, post: usize) -> Vec<usize> {
    let place = |number: usize| match number {
        n if n == pre => PRE_DATA_BOUNDARY,
        n if n == post => POST_DATA_BOUNDARY,
        n => priority(graph.nodes[n].desc, graph.nodes[n].section),
    };
    let mut sorted: Vec<(u8, usize)> = (0..graph.nodes.len() + 2).map(|n| (place(n), n)).collect();
    sorted.sort_by(|(place_a, a), (place_b, b)| {
        place_a.cmp(place_b).then_with(|| match (graph.nodes.get(*a), graph.nodes.get(*b)) {
            (Some(a), Some(b)) => compare(a, b),
            _ => a.cmp(b),
        })
    });
    sorted.into_iter().map(|(_, n)| n).collect()
}

/// Within a kind: schema (none last), name, then what makes it unique.
fn compare(a: &Node, b: &Node) -> Ordering {
    let schema = |n: &Node| (n.namespace.is_none(), n.namespace.clone());
    schema(a)
        .cmp(&schema(b))
        .then_with(|| a.sort_name.cmp(&b.sort_name))
        .then_with(|| a.desc.cmp(b.desc))
        .then_with(|| a.key.cmp(&b.key))
}

/// Sorts such that each comes after those it needs, moving as little as possible: from the end, always the last that nothing left needs
/// (`TopoSort` of pg_dump_sort.c).
fn stable_topological(sorted: &[usize], after: &[Vec<usize>]) -> Vec<usize> {
    let mut position = vec![0; after.len()];
    for (place, node) in sorted.iter().enumerate() {
        position[*node] = place;
    }
    let mut needed_by = vec![0_usize; after.len()];
    for needed in after.iter().flatten() {
        needed_by[*needed] += 1;
    }
    let mut ready: BinaryHeap<usize> =
        sorted.iter().filter(|n| needed_by[**n] == 0).map(|n| position[*n]).collect();
    let mut reversed = Vec::with_capacity(sorted.len());
    while let Some(place) = ready.pop() {
        let node = sorted[place];
        reversed.push(node);
        for needed in &after[node] {
            needed_by[*needed] -= 1;
            if needed_by[*needed] == 0 {
                ready.push(position[*needed]);
            }
        }
    }
    reversed.reverse();
    reversed
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::{
        class::PG_CLASS,
        cycles,
        draft::{CatalogId, Draft, Drafts, Fragment, FragmentKind},
        graph::Dependency,
        sections,
    };

    pub(crate) fn id(oid: u32) -> CatalogId {
        CatalogId { class: PG_CLASS, oid }
    }

    pub(crate) fn entry(graph: &Graph, oid: u32) -> usize {
        graph.resolve(id(oid)).unwrap()
    }

    /// Drafts made up for a test.
    #[derive(Default)]
    pub(crate) struct Made {
        pub drafts: Drafts,
        dependencies: Vec<Dependency>,
    }

    impl Made {
        fn draft(oid: u32, desc: &'static str, section: Section) -> Draft {
            Draft {
                namespace: Some("public".to_owned()),
                sort_name: format!("o{oid:05}"),
                ..Draft::blank(id(oid).definition(), desc, section, format!("o{oid}"))
            }
        }

        pub fn entry(&mut self, oid: u32, desc: &'static str, section: Section) {
            self.drafts.add(Self::draft(oid, desc, section));
        }

        pub fn fragment(&mut self, oid: u32, owner: u32, kind: FragmentKind) {
            let (desc, section) = match kind {
                FragmentKind::ViewQuery => ("RULE", Section::PostData),
                FragmentKind::Default | FragmentKind::Generation => ("DEFAULT", Section::PreData),
                _ => ("CHECK CONSTRAINT", Section::PostData),
            };
            let apart = (kind != FragmentKind::Generation).then(|| Self::draft(oid, desc, section));
            let fragment = Fragment {
                owner: id(owner),
                kind,
                inline: format!("[{oid}]"),
                without: String::new(),
                apart,
            };
            self.drafts.fragments.insert(id(oid), fragment);
        }

        pub fn need(&mut self, from: u32, to: u32) {
            self.dependencies.push((id(from), id(to)));
        }

        pub fn graph(&self) -> Graph {
            Graph::build(&self.drafts, &self.dependencies, &HashMap::new())
        }

        fn ordered(&mut self) -> (Graph, Vec<u32>) {
            let mut graph = self.graph();
            cycles::break_all(&mut graph, &mut self.drafts);
            sections::settle(&mut graph, &mut self.drafts);
            let order = order(&graph).into_iter().map(|n| graph.nodes[n].key.id.oid).collect();
            (graph, order)
        }
    }

    #[test]
    fn kinds_then_names_then_needs() {
        let mut made = Made::default();
        made.entry(5, "TABLE", Section::PreData);
        made.entry(4, "TABLE", Section::PreData);
        made.entry(3, "FUNCTION", Section::PreData);
        made.entry(2, "INDEX", Section::PostData);
        made.entry(1, "TABLE DATA", Section::Data);
        made.need(3, 5);
        let (_, order) = made.ordered();
        assert_eq!(order, [5, 3, 4, 1, 2]);
    }

    #[test]
    fn a_serial_columns_default_becomes_an_entry() {
        let mut made = Made::default();
        made.entry(1, "TABLE", Section::PreData);
        made.entry(2, "SEQUENCE", Section::PreData);
        made.fragment(11, 1, FragmentKind::Default);
        made.need(11, 2);
        made.need(2, 1);
        let (_, order) = made.ordered();
        assert_eq!(order, [1, 2, 11]);
        assert!(made.drafts.warnings.is_empty());
    }

    #[test]
    fn views_that_read_each_other_through_functions_are_completed_after_the_data() {
        let mut made = Made::default();
        made.entry(1, "VIEW", Section::PreData);
        made.fragment(11, 1, FragmentKind::ViewQuery);
        made.entry(2, "FUNCTION", Section::PreData);
        made.entry(3, "TABLE DATA", Section::Data);
        made.need(11, 2);
        made.need(2, 1);
        let (_, order) = made.ordered();
        assert_eq!(order, [1, 2, 3, 11]);
    }

    #[test]
    fn a_cycle_without_a_way_out_is_said() {
        let mut made = Made::default();
        made.entry(1, "TABLE", Section::PreData);
        made.entry(2, "TABLE", Section::PreData);
        made.need(1, 2);
        made.need(2, 1);
        let (_, order) = made.ordered();
        assert_eq!(order.len(), 2);
        assert!(made.drafts.warnings[0].contains("TABLE public.o00001, TABLE public.o00002"));
    }

    const DESCS: [(&str, Section); 6] = [
        ("TABLE", Section::PreData),
        ("FUNCTION", Section::PreData),
        ("TYPE", Section::PreData),
        ("TABLE DATA", Section::Data),
        ("INDEX", Section::PostData),
        ("TRIGGER", Section::PostData),
    ];
    const KINDS: [FragmentKind; 4] =
        [FragmentKind::ViewQuery, FragmentKind::TableCheck, FragmentKind::Default, FragmentKind::Generation];

    proptest! {
        /// Whatever needs whatever, every entry is there once, after all that it still needs, and in its section.
        #[test]
        fn order_is_topological(
            kinds in prop::collection::vec((0..DESCS.len(), prop::option::of(0..KINDS.len())), 1..24),
            needs in prop::collection::vec((0_u32..48, 0_u32..48), 0..60),
        ) {
            let mut made = Made::default();
            for (oid, (desc, fragment)) in (0_u32..).zip(&kinds) {
                made.entry(oid, DESCS[*desc].0, DESCS[*desc].1);
                if let Some(kind) = fragment {
                    made.fragment(100 + oid, oid, KINDS[*kind]);
                }
            }
            // Data depends on its table alone; pg_depend never names it.
            let data = |oid: u32| kinds.get(oid as usize).is_some_and(|(d, _)| DESCS[*d].1 == Section::Data);
            for (from, to) in needs {
                if !data(from % 24) && !data(to % 24) {
                    let of = |n: u32| if n < 24 { n } else { 100 + n - 24 };
                    made.need(of(from), of(to));
                }
            }
            let (graph, order) = made.ordered();
            let place: HashMap<u32, usize> = order.iter().enumerate().map(|(p, oid)| (*oid, p)).collect();
            prop_assert_eq!(place.len(), order.len(), "an entry is there twice");
            let mut sections = Vec::new();
            for node in graph.nodes.iter().filter(|n| n.role == Role::Entry) {
                let own = place[&node.key.id.oid];
                sections.push((own, node.section));
                for needed in &node.after {
                    let needed = &graph.nodes[graph.holder(*needed)];
                    if needed.key != node.key {
                        prop_assert!(place[&needed.key.id.oid] < own);
                    }
                }
            }
            sections.sort_unstable();
            prop_assert!(sections.is_sorted_by_key(|(_, section)| *section));
        }
    }
}
