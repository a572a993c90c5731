//! From drafts and their order to numbered entries.

use std::collections::{BTreeSet, HashMap};

use super::{
    Entry,
    census::Archived,
    draft::{CatalogId, Draft, Drafts, Fragment, Key, Part, Section},
    graph::{Graph, Role, follows},
};

/// What no row stands behind.
const NO_ROW: CatalogId = CatalogId { class: 0, oid: 0 };

/// A draft's place: its node, or the node it follows.
struct Placed {
    key: Key,
    node: Option<usize>,
    after: Option<usize>,
}

/// The entries, and what is known of them beyond their text.
pub(crate) struct Assembled {
    pub entries: Vec<Entry>,
    pub warnings: Vec<String>,
    pub archived: Archived,
}

/// Numbers the drafts in the order given, each followed by what belongs right after it (ownership of sequences, comments, grants), and
/// resolves dependencies to numbers.
pub(crate) fn entries(mut drafts: Drafts, graph: &Graph, order: &[usize], encoding: &str) -> Assembled {
    let followers = followers(&drafts, graph, order);
    let mut placed: Vec<Placed> = Vec::new();
    // What stands under no node is for objects of the database, not for the one in which `pg_restore --create` begins.
    let of_database = order.iter().take_while(|n| graph.nodes[**n].desc.starts_with("DATABASE")).count();
    let (first, others) = order.split_at(of_database);
    let nodes = |part: &[usize]| part.iter().copied().map(Some).collect::<Vec<_>>();
    for node in nodes(first).into_iter().chain([None]).chain(nodes(others)) {
        if let Some(node) = node.filter(|node| has_draft(&drafts, graph, *node)) {
            placed.push(Placed { key: graph.nodes[node].key, node: Some(node), after: None });
        }
        for key in followers.get(&node).into_iter().flatten() {
            placed.push(Placed { key: *key, node: None, after: node });
        }
    }
    let mut entries = header(encoding);
    let offset = entries.len();
    let numbers: HashMap<Key, i32> =
        placed.iter().enumerate().map(|(position, placed)| (placed.key, number(offset + position))).collect();
    // Each draft goes when its entry is made: a database may have hundreds of thousands.
    for (position, Placed { key, node, after }) in placed.into_iter().enumerate() {
        let Some(mut draft) = take(&mut drafts, key) else { continue };
        let mut dependencies = BTreeSet::new();
        match node {
            Some(node) => dependencies_of(graph, node, &numbers, &mut dependencies, &mut BTreeSet::new()),
            None => follower_dependencies(graph, after, &draft, &numbers, &mut dependencies),
        }
        let dump_id = number(offset + position);
        dependencies.remove(&dump_id);
        let section = node.map_or(draft.section, |n| graph.nodes[n].section);
        let definition = render(std::mem::take(&mut draft.definition), &drafts, graph);
        entries.push(entry(draft, dump_id, section, definition, dependencies));
    }
    // A draft that found no place would be lost without a word.
    let lost = drafts.entries.values().map(|d| format!("{} {} found no place in the archive", d.desc, d.tag));
    drafts.warnings.extend(lost);
    let fragments = drafts.fragments.iter().map(|(id, fragment)| (*id, fragment.owner));
    let inside = fragments.chain(drafts.aliases).collect();
    let archived = Archived { keys: numbers.into_keys().collect(), inside, told: drafts.left_out };
    Assembled { entries, warnings: drafts.warnings, archived }
}

fn number(position: usize) -> i32 {
    // More entries than 2^31 do not fit the archive format.
    i32::try_from(position + 1).unwrap_or(i32::MAX)
}

fn has_draft(drafts: &Drafts, graph: &Graph, node: usize) -> bool {
    let key = graph.nodes[node].key;
    drafts.entries.contains_key(&key) || drafts.fragments.get(&key.id).is_some_and(|f| f.apart.is_some())
}

fn take(drafts: &mut Drafts, key: Key) -> Option<Draft> {
    drafts.entries.remove(&key).or_else(|| drafts.fragments.get_mut(&key.id)?.apart.take())
}

/// Entries that are not sorted: each is written right after the last of the entries it needs. Those that need none (grants on what every
/// database has) come under no node, at the start.
fn followers(drafts: &Drafts, graph: &Graph, order: &[usize]) -> HashMap<Option<usize>, Vec<Key>> {
    let place: HashMap<usize, usize> = order.iter().enumerate().map(|(place, node)| (*node, place)).collect();
    let mut followers: HashMap<Option<usize>, Vec<Key>> = HashMap::new();
    for (key, draft) in drafts.entries.iter().filter(|(key, _)| follows(key.part)) {
        let last = needed(graph, draft).into_iter().max_by_key(|node| place.get(node));
        followers.entry(last).or_default().push(*key);
    }
    for (node, keys) in &mut followers {
        let of_other = |k: &Key| node.is_none_or(|node| graph.nodes[node].key.id != k.id);
        // What changes the object, then comments, labels, grants; its own first, then what is inside it; by column. Comments on a
        // type's columns and a domain's constraints come after the grants.
        let of_type = node.is_some_and(|node| matches!(graph.nodes[node].desc, "TYPE" | "DOMAIN"));
        keys.sort_by_key(|k| {
            let inside_type = of_type && of_other(k) && matches!(k.part, Part::Comment(_));
            (inside_type, rank(k.part), of_other(k), *k)
        });
    }
    followers
}

/// Place among what follows an entry.
fn rank(part: Part) -> u8 {
    match part {
        Part::Comment(_) => 1,
        Part::SecurityLabel => 2,
        Part::Acl(_) => 3,
        Part::UserMapping(_) => 4,
        _ => 0,
    }
}

/// The nodes whose entries a follower needs: of its object, and what it says it needs.
fn needed(graph: &Graph, draft: &Draft) -> BTreeSet<usize> {
    let own = graph.resolve(draft.key.id);
    let said = draft.depends.iter().filter_map(|key| graph.find(*key));
    own.into_iter().chain(said).map(|node| graph.holder(node)).collect()
}

/// What an entry needs, looking through pieces that are written inside others.
fn dependencies_of(
    graph: &Graph,
    node: usize,
    numbers: &HashMap<Key, i32>,
    into: &mut BTreeSet<i32>,
    seen: &mut BTreeSet<usize>,
) {
    for needed in &graph.nodes[node].after {
        let inside = matches!(graph.nodes[*needed].role, Role::Inside { .. });
        match numbers.get(&graph.nodes[*needed].key) {
            Some(number) if !inside => {
                into.insert(*number);
            }
            _ if seen.insert(*needed) => dependencies_of(graph, *needed, numbers, into, seen),
            _ => {}
        }
    }
}

fn follower_dependencies(
    graph: &Graph,
    after: Option<usize>,
    draft: &Draft,
    numbers: &HashMap<Key, i32>,
    into: &mut BTreeSet<i32>,
) {
    into.extend(after.and_then(|node| numbers.get(&graph.nodes[node].key)));
    // A column's grants come after the table's.
    into.extend(draft.depends.iter().filter(|key| follows(key.part)).filter_map(|key| numbers.get(key)));
}

/// Fills the slots of a definition. A piece that comes first in a list loses its comma.
fn render(definition: String, drafts: &Drafts, graph: &Graph) -> String {
    if !definition.contains('\0') {
        return definition;
    }
    let mut sql = String::with_capacity(definition.len());
    for (index, part) in definition.split('\0').enumerate() {
        let piece = if index % 2 == 1 { slot(part, drafts, graph) } else { Some(part) };
        let mut piece = piece.unwrap_or_default();
        if index % 2 == 1 && sql.ends_with(" (") {
            piece = piece.strip_prefix(',').unwrap_or(piece);
        }
        sql.push_str(piece);
    }
    sql
}

fn slot<'a>(mark: &str, drafts: &'a Drafts, graph: &Graph) -> Option<&'a str> {
    let (class, oid) = mark.split_once('.')?;
    let id = CatalogId { class: class.parse().ok()?, oid: oid.parse().ok()? };
    let fragment: &Fragment = drafts.fragments.get(&id)?;
    let inside = graph.resolve(id).is_none_or(|n| matches!(graph.nodes[n].role, Role::Inside { .. }));
    Some(if inside { &fragment.inline } else { &fragment.without })
}

/// The settings that every archive begins with, as pg_dump writes them.
fn header(encoding: &str) -> Vec<Entry> {
    let settings = [
        ("ENCODING", format!("SET client_encoding = '{encoding}';\n")),
        ("STDSTRINGS", "SET standard_conforming_strings = 'on';\n".to_owned()),
        ("SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n".to_owned()),
    ];
    settings
        .into_iter()
        .enumerate()
        .map(|(position, (name, definition))| Entry {
            dump_id: number(position),
            catalog_id: NO_ROW,
            desc: name,
            section: Section::PreData,
            tag: name.to_owned(),
            namespace: None,
            owner: String::new(),
            tablespace: None,
            table_am: None,
            relkind: None,
            definition,
            drop: String::new(),
            copy: None,
            data: None,
            dependencies: Vec::new(),
        })
        .collect()
}

fn entry(
    draft: Draft,
    dump_id: i32,
    section: Section,
    definition: String,
    dependencies: BTreeSet<i32>,
) -> Entry {
    let catalog_id = match draft.key.part {
        // A shell type stands under its type's oid, which is not its own.
        _ if draft.key.id.class == 0 => NO_ROW,
        Part::Completion if draft.desc == "DATABASE PROPERTIES" => NO_ROW,
        Part::Definition | Part::Completion => draft.key.id,
        // Rows, refreshes and row security stand for a table without being its entry.
        Part::Data | Part::RowSecurity => CatalogId { class: 0, ..draft.key.id },
        Part::Set if draft.section == Section::PostData => CatalogId { class: 0, ..draft.key.id },
        _ => NO_ROW,
    };
    Entry {
        dump_id,
        catalog_id,
        desc: draft.desc,
        section,
        tag: draft.tag,
        namespace: draft.namespace,
        owner: draft.owner,
        tablespace: draft.tablespace,
        table_am: draft.table_am,
        relkind: draft.relkind,
        definition,
        drop: draft.drop,
        copy: draft.copy,
        data: draft.data,
        dependencies: dependencies.into_iter().collect(),
    }
}
