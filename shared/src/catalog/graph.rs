//! Drafts and fragments as nodes, what must come before what as edges.
//!
//! Every catalog row that has an entry, or may get one, is a node. `pg_depend` gives the edges between rows; rows without a node stand for
//! another (aliases), and members of extensions stand for their extension. Columns are not told apart from their tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    class::{PG_CLASS, PG_TYPE},
    draft::{CatalogId, Drafts, FragmentKind, Key, Part, Section},
};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An entry of the archive.
    Entry,
    /// A piece written inside the entry `owner`.
    Inside {
        owner: usize,
        kind: FragmentKind,
        /// Whether it can become an entry (or be left to another that brings it).
        can_split: bool,
    },
}

/// One node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub key: Key,
    pub desc: &'static str,
    pub namespace: Option<String>,
    pub sort_name: String,
    pub section: Section,
    pub role: Role,
    /// Nodes that must come before.
    pub after: BTreeSet<usize>,
    /// False for a piece that was taken out and that another entry brings: it has no entry of its own.
    pub written: bool,
}

/// A row of `pg_depend`: the first needs the second.
pub(crate) type Dependency = (CatalogId, CatalogId);

/// All nodes.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub nodes: Vec<Node>,
    by_key: HashMap<Key, usize>,
    aliases: HashMap<CatalogId, CatalogId>,
}

/// Longest chain of aliases that is followed (array type, element type, row type, table).
const ALIAS_DEPTH: usize = 8;

impl Graph {
    /// `extension_of` tells for members of extensions which extension they belong to.
    pub fn build(
        drafts: &Drafts,
        dependencies: &[Dependency],
        extension_of: &HashMap<CatalogId, CatalogId>,
    ) -> Self {
        let mut graph = Self { aliases: drafts.aliases.clone(), ..Self::default() };
        for (key, draft) in drafts.entries.iter().filter(|(key, _)| !follows(key.part)) {
            graph.push(Node {
                key: *key,
                desc: draft.desc,
                namespace: draft.namespace.clone(),
                sort_name: draft.sort_name.clone(),
                section: draft.section,
                role: Role::Entry,
                after: BTreeSet::new(),
                written: true,
            });
        }
        graph.add_fragments(drafts);
        for (key, draft) in &drafts.entries {
            if let Some(node) = graph.by_key.get(key).copied() {
                for needed in &draft.depends {
                    graph.need(node, graph.find(*needed));
                }
            }
        }
        // What a row without a node needs, whoever needs the row needs as well: an array type has its element type's typmod functions, a
        // composite type's columns hang on its `pg_class` row.
        let mut through: HashMap<CatalogId, Vec<CatalogId>> = HashMap::new();
        for (from, to) in dependencies.iter().filter(|(from, _)| graph.stands_for_other(*from)) {
            through.entry(*from).or_default().push(*to);
        }
        for (from, to) in dependencies {
            if let Some(node) = graph.resolve(*from) {
                for to in std::iter::once(to).chain(through.get(to).into_iter().flatten()) {
                    let target = graph
                        .resolve(*to)
                        .or_else(|| extension_of.get(to).and_then(|extension| graph.resolve(*extension)));
                    graph.need(node, target);
                }
            }
        }
        graph
    }

    fn add_fragments(&mut self, drafts: &Drafts) {
        let fragments: BTreeMap<_, _> =
            drafts.fragments.iter().filter(|(_, f)| self.resolve(f.owner).is_some()).collect();
        for (id, fragment) in fragments {
            let Some(owner) = self.resolve(fragment.owner) else { continue };
            let can_split = !matches!(fragment.kind, FragmentKind::Generation);
            let apart = fragment.apart.as_ref();
            let node = self.push(Node {
                key: id.definition(),
                desc: apart.map_or("", |d| d.desc),
                namespace: apart.and_then(|d| d.namespace.clone()),
                sort_name: apart.map(|d| d.sort_name.clone()).unwrap_or_default(),
                section: apart.map_or(Section::PostData, |d| d.section),
                role: Role::Inside { owner, kind: fragment.kind, can_split },
                after: BTreeSet::new(),
                written: apart.is_some(),
            });
            self.nodes[owner].after.insert(node);
        }
    }

    /// Adds a node and returns its number.
    pub fn push(&mut self, node: Node) -> usize {
        let number = self.nodes.len();
        self.by_key.insert(node.key, number);
        self.nodes.push(node);
        number
    }

    /// Adds an edge, unless it would be from a node to itself or from a piece to the entry it is written in. What needs a piece needs the
    /// entry it is written in as well.
    fn need(&mut self, node: usize, target: Option<usize>) {
        let Some(target) = target else { return };
        for target in [target, self.holder(target)] {
            let own = matches!(self.nodes[node].role, Role::Inside { owner, .. } if owner == target);
            if target != node && !own {
                self.nodes[node].after.insert(target);
            }
        }
    }

    /// Whether this is the row of a type that has no entry, only one that it comes with, or the `pg_class` row of a composite type.
    fn stands_for_other(&self, id: CatalogId) -> bool {
        let composite = |whose: &CatalogId| id.class == PG_CLASS && whose.class == PG_TYPE;
        let of_type = self.aliases.get(&id).is_some_and(|whose| id.class == PG_TYPE || composite(whose));
        of_type && !self.by_key.contains_key(&id.definition())
    }

    /// The node of a catalog row's definition, following aliases.
    pub fn resolve(&self, id: CatalogId) -> Option<usize> {
        let mut id = id;
        for _ in 0..ALIAS_DEPTH {
            if let Some(node) = self.by_key.get(&id.definition()) {
                return Some(*node);
            }
            id = *self.aliases.get(&id)?;
        }
        None
    }

    /// The node of a key; aliases apply to definitions.
    pub fn find(&self, key: Key) -> Option<usize> {
        match key.part {
            Part::Definition => self.resolve(key.id),
            _ => self.by_key.get(&key).copied(),
        }
    }

    /// The node whose entry holds what this node is: itself, or for a piece its owner.
    pub fn holder(&self, node: usize) -> usize {
        match self.nodes[node].role {
            Role::Entry => node,
            Role::Inside { owner, .. } => owner,
        }
    }

    /// Makes a piece an entry of its own, which comes after the one it was in.
    pub fn split(&mut self, piece: usize) {
        if let Role::Inside { owner, .. } = self.nodes[piece].role {
            self.nodes[owner].after.remove(&piece);
            self.nodes[piece].after.insert(owner);
            self.nodes[piece].role = Role::Entry;
        }
    }

    /// For messages: `TABLE public.users`.
    pub fn describe(&self, node: usize) -> String {
        let node = &self.nodes[node];
        let name = node.sort_name.split('\0').next().unwrap_or_default();
        match &node.namespace {
            Some(namespace) => format!("{} {namespace}.{name}", node.desc),
            None => format!("{} {name}", node.desc),
        }
    }

    /// The numbers of all nodes such that each comes after those it needs; the graph has no cycles any more.
    pub fn topological(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.nodes.iter().map(|n| n.after.len()).collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            for needed in &node.after {
                needed_by[*needed].push(number);
            }
        }
        let mut order: Vec<usize> = (0..self.nodes.len()).filter(|n| waiting[*n] == 0).collect();
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            next += 1;
            for dependent in &needed_by[node] {
                waiting[*dependent] -= 1;
                if waiting[*dependent] == 0 {
                    order.push(*dependent);
                }
            }
        }
        order
    }
}

/// Entries that are not sorted but written right after the entry of their object.
pub(crate) fn follows(part: Part) -> bool {
    matches!(
        part,
        Part::OwnedBy | Part::Comment(_) | Part::SecurityLabel | Part::Acl(_) | Part::UserMapping(_)
    )
}
