//! The choice itself: a pure function from facts and selection to what stays.
//!
//! ```text
//! excluded ── what belongs to them ── what cannot be without them ─▶ gone
//! tables ── what belongs to them ── what they need ── …            ─▶ kept (without `tables`, or with the structure of all: all that is not gone)
//! kept ── rows? ── foreign keys whose other side is whole          ─▶ choice
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    Pattern, Selection,
    facts::{Belongs, Facts, ForeignKey, Relation},
    near,
};
use crate::{
    base::{Error, Kind, Result},
    catalog::{
        class::{
            FIRST_USER_OID, PG_CAST, PG_CLASS, PG_DATABASE, PG_LARGEOBJECT, PG_LARGEOBJECT_METADATA,
            PG_PUBLICATION_REL, PG_TYPE,
        },
        draft::{CatalogId, Key, Part},
    },
};

/// Longest chain of belongings that is followed (array type, row type, table).
const DEPTH: usize = 8;

/// What of a database a backup holds.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Nothing but these; none for all that is not gone.
    only: Option<HashSet<CatalogId>>,
    gone: HashSet<CatalogId>,
    member_of: HashMap<CatalogId, CatalogId>,
    /// Tables with their rows, sequences with their value, materialized views that are filled.
    full: HashSet<u32>,
    /// Relations, indexes among them, whose planner statistics fit what the copy will hold.
    statistics: HashSet<u32>,
    /// Sequence to the table that owns it.
    owners: HashMap<u32, u32>,
    large_objects: bool,
    /// What is left out although nobody asked for that, and why.
    pub(crate) omitted: Vec<Omitted>,
    /// What else is to be told.
    pub(crate) warnings: Vec<String>,
}

/// An object that cannot be in the archive because of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Omitted {
    pub id: CatalogId,
    /// What follows "is left out, ".
    pub why: String,
}

/// Rows of one catalog.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// Nothing but these; none for all.
    pub only: Option<Vec<u32>>,
    /// Not these.
    pub but: Vec<u32>,
}

impl Choice {
    /// Whether an object is in the archive.
    pub(crate) fn keeps(&self, id: CatalogId) -> bool {
        match id.class {
            PG_DATABASE => return true,
            PG_LARGEOBJECT | PG_LARGEOBJECT_METADATA => return self.large_objects,
            _ => {}
        }
        // The shell of a type stands under no catalog.
        let id = if id.class == 0 { CatalogId { class: PG_TYPE, ..id } } else { id };
        let id = self.member_of.get(&id).copied().unwrap_or(id);
        match &self.only {
            Some(only) => only.contains(&id),
            None => !self.gone.contains(&id),
        }
    }

    /// Whether a relation is in the archive with its rows, its value or filled.
    pub(crate) fn is_full(&self, relation: u32) -> bool {
        self.full.contains(&relation)
    }

    /// Which rows of a catalog to read, as parameters of [`within`](super::within).
    pub(crate) fn limits(&self, class: u32) -> Limits {
        let of = |ids: &HashSet<CatalogId>| -> Vec<u32> {
            ids.iter().filter(|id| id.class == class).map(|id| id.oid).collect()
        };
        Limits { only: self.only.as_ref().map(of), but: of(&self.gone) }
    }

    /// Whether an entry is in the archive.
    pub(crate) fn keeps_part(&self, key: Key) -> bool {
        match key.part {
            Part::Data if key.id.class == PG_LARGEOBJECT => self.large_objects,
            Part::Data | Part::Set => self.is_full(key.id.oid),
            Part::Statistics => self.statistics.contains(&key.id.oid),
            Part::OwnedBy => {
                let owner = self.owners.get(&key.id.oid);
                self.keeps(key.id) && owner.is_none_or(|table| self.keeps(CatalogId::relation(*table)))
            }
            _ => self.keeps(key.id),
        }
    }
}

/// What becomes of a database under a selection.
///
/// # Errors
/// [`Kind::InvalidInput`] at the field whose pattern matches no relation.
pub(super) fn choose(facts: &Facts, selection: &Selection) -> Result<Choice> {
    let matched = |field, patterns: &[Pattern]| matched(facts, field, patterns);
    let wanted = matched("tables", &selection.tables)?;
    let excluded = matched("excludeTables", &selection.exclude_tables)?;
    let without_rows = matched("excludeData", &selection.exclude_data)?;

    let gone = gone(facts, &excluded);
    let mut choice = Choice {
        member_of: facts.member_of.clone(),
        owners: facts.owned.iter().map(|(sequence, (table, _))| (*sequence, *table)).collect(),
        large_objects: selection.tables.is_empty() && !selection.include_schema_only,
        ..Choice::default()
    };
    choice.omitted = omitted(facts, &gone);
    choice.gone = gone.into_keys().collect();
    if !selection.tables.is_empty() && !selection.include_schema_only {
        choice.only = Some(closure(facts, &wanted, &choice.gone));
    }
    let asked = |oid: &u32| match selection.tables.is_empty() {
        true => !selection.include_schema_only,
        false => wanted.contains(oid),
    };
    Rows { facts, asked: &asked, excluded: &excluded, without_rows: &without_rows }.decide(&mut choice);
    foreign_keys(facts, &mut choice);
    if !selection.tables.is_empty() && facts.large_objects > 0 {
        let what = if facts.large_objects == 1 { "large object is" } else { "large objects are" };
        let count = facts.large_objects;
        choice.warnings.push(format!("{count} {what} not in the backup: with \"tables\" none are archived"));
    }
    Ok(choice)
}

/// The relations that a list of patterns means, partitions of those that are partitioned among them.
fn matched(facts: &Facts, field: &str, patterns: &[Pattern]) -> Result<HashSet<u32>> {
    let known = || facts.relations.iter().filter(|(_, r)| !r.member || r.configured);
    let mut found = HashSet::new();
    for (number, pattern) in patterns.iter().enumerate() {
        let mut any = false;
        for (oid, _) in known().filter(|(_, r)| pattern.matches(&r.schema, &r.name)) {
            any = true;
            found.insert(*oid);
            found.extend(facts.partitions_below(*oid));
        }
        if !any {
            let near = near::misses(pattern, known().map(|(_, r)| (r.schema.as_str(), r.name.as_str())));
            let near = match near.as_slice() {
                [] => "no name comes near it".to_owned(),
                [only] => format!("near it is {only}"),
                several => format!("near it are {}", several.join(", ")),
            };
            let place = format!("{field}[{number}]");
            let why = format!("{place}: no table, view or sequence matches {pattern}; {near}");
            return Err(Error::new(Kind::InvalidInput, why).at_field(place));
        }
    }
    Ok(found)
}

/// Why something is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// It was excluded.
    Asked,
    /// It belongs to something that is gone.
    Belongs,
    /// It cannot be without this relation, which was excluded.
    Needs(CatalogId),
}

/// What was excluded, with all that is gone with it.
fn gone(facts: &Facts, excluded: &HashSet<u32>) -> BTreeMap<CatalogId, Because> {
    let of_extension = |id: &CatalogId| facts.member_of.contains_key(id);
    let (belongings, needed_by) = (facts.belongings(), facts.needed_by());
    let mut gone: BTreeMap<CatalogId, Because> = BTreeMap::new();
    // With the relation that all began with.
    let mut open: Vec<(CatalogId, CatalogId)> = Vec::new();
    for oid in excluded.iter().collect::<BTreeSet<_>>() {
        let id = CatalogId::relation(*oid);
        // An extension makes its tables whatever is excluded, and a column its identity's sequence.
        let identity = facts.owned.get(oid).is_some_and(|(_, identity)| *identity);
        if !of_extension(&id) && !identity {
            gone.insert(id, Because::Asked);
            open.push((id, id));
        }
    }
    while let Some((id, root)) = open.pop() {
        let mut lose = |other: CatalogId, because: Because| {
            if other.oid >= FIRST_USER_OID && !of_extension(&other) && !gone.contains_key(&other) {
                gone.insert(other, because);
                open.push((other, root));
            }
        };
        for belonging in belongings.get(&id).into_iter().flatten() {
            lose(*belonging, Because::Belongs);
        }
        for dependent in needed_by.get(&id).into_iter().flatten() {
            lose(*dependent, Because::Needs(root));
            if let Some(Belongs { to, vital: true }) = facts.belongs.get(dependent) {
                lose(*to, Because::Needs(root));
            }
        }
    }
    gone
}

/// What of it is to be told: not what was asked for, nor what belongs to something that is told or asked for.
fn omitted(facts: &Facts, gone: &BTreeMap<CatalogId, Because>) -> Vec<Omitted> {
    let with_another = |id: &CatalogId| {
        let mut id = *id;
        for _ in 0..DEPTH {
            match facts.belongs.get(&id) {
                Some(belongs) if gone.contains_key(&belongs.to) => return true,
                Some(belongs) => id = belongs.to,
                None => return false,
            }
        }
        false
    };
    let told = gone.iter().filter_map(|(id, because)| match because {
        Because::Needs(root) if !with_another(id) => {
            let why = format!("as it cannot be without {}, which is excluded", facts.name(root.oid));
            Some(Omitted { id: *id, why })
        }
        _ => None,
    });
    told.collect()
}

/// What is wanted, with what belongs to it and what that needs, and so on.
fn closure(facts: &Facts, wanted: &HashSet<u32>, gone: &HashSet<CatalogId>) -> HashSet<CatalogId> {
    let belongings = facts.belongings();
    // These are decided on when it is known which rows stay.
    let foreign: HashSet<CatalogId> = facts.foreign_keys.iter().map(|k| k.id).collect();
    let mut kept: HashSet<CatalogId> = HashSet::new();
    let mut open: Vec<CatalogId> = wanted.iter().map(|oid| CatalogId::relation(*oid)).collect();
    while let Some(id) = open.pop() {
        if gone.contains(&id) || !kept.insert(id) {
            continue;
        }
        if let Some(extension) = facts.member_of.get(&id) {
            // It brings all that its members need.
            open.push(*extension);
            continue;
        }
        open.extend(facts.needs.get(&id).into_iter().flatten());
        let of_tables = belongings.get(&id).into_iter().flatten();
        open.extend(of_tables.filter(|b| b.class != PG_PUBLICATION_REL && !foreign.contains(b)));
    }
    let of_users = |id: &&CatalogId| id.oid >= FIRST_USER_OID;
    let there = |id: &CatalogId| kept.contains(facts.member_of.get(id).unwrap_or(id));
    // Nothing names the casts that it uses.
    let casts: Vec<CatalogId> = facts
        .needs
        .iter()
        .filter(|(id, _)| id.class == PG_CAST && !facts.member_of.contains_key(id))
        .filter(|(_, needs)| needs.iter().any(|n| of_users(&n)) && needs.iter().filter(of_users).all(there))
        .map(|(id, _)| *id)
        .collect();
    kept.extend(casts);
    kept
}

/// Which relations stay with their rows.
struct Rows<'a> {
    facts: &'a Facts,
    /// Whether the rows of this relation were asked for.
    asked: &'a dyn Fn(&u32) -> bool,
    excluded: &'a HashSet<u32>,
    without_rows: &'a HashSet<u32>,
}

impl Rows<'_> {
    fn decide(&self, choice: &mut Choice) {
        let Self { facts, asked, .. } = self;
        let kept = |choice: &Choice, oid: &u32| choice.keeps(CatalogId::relation(*oid));
        let refused = |oid: &u32| self.without_rows.contains(oid) || self.excluded.contains(oid);
        for (oid, relation) in &facts.relations {
            // An extension brings the rows of its own tables.
            let theirs = relation.member && !relation.configured;
            if relation.kind == 'r' && !theirs && asked(oid) && !refused(oid) && kept(choice, oid) {
                choice.full.insert(*oid);
            }
        }
        self.sequences(choice);
        self.views(choice);
        for (oid, relation) in &facts.relations {
            let fits = match relation.kind {
                'p' => asked(oid) && !refused(oid) && facts.is_whole(*oid, &choice.full),
                'f' => asked(oid) && !refused(oid),
                kind => matches!(kind, 'r' | 'm') && choice.full.contains(oid),
            };
            if fits && kept(choice, oid) {
                choice.statistics.insert(*oid);
            }
        }
        let indexes = facts.belongs.iter().filter(|(id, belongs)| {
            id.class == PG_CLASS
                && belongs.to.class == PG_CLASS
                && !facts.relations.contains_key(&id.oid)
                && choice.statistics.contains(&belongs.to.oid)
        });
        let indexes: Vec<u32> = indexes.map(|(id, _)| id.oid).collect();
        choice.statistics.extend(indexes);
    }

    /// A sequence has its value where it was asked for, or a table that was asked for draws from it: the rows that come later need it, whether those
    /// that are there are saved or not.
    fn sequences(&self, choice: &mut Choice) {
        let Self { facts, asked, .. } = self;
        let mut drawn: HashSet<u32> = HashSet::new();
        for (sequence, (table, _)) in &facts.owned {
            if asked(table) {
                drawn.insert(*sequence);
            }
        }
        for (id, needs) in &facts.needs {
            if facts.belongs.get(id).is_some_and(|b| b.to.class == PG_CLASS && asked(&b.to.oid)) {
                drawn.extend(needs.iter().filter(|n| n.class == PG_CLASS).map(|n| n.oid));
            }
        }
        for (oid, relation) in facts.relations.iter().filter(|(_, r)| r.kind == 'S') {
            let theirs = relation.member && !relation.configured;
            let value = asked(oid) || drawn.contains(oid);
            if value && !theirs && choice.keeps(CatalogId::relation(*oid)) {
                choice.full.insert(*oid);
            }
        }
    }

    /// A materialized view is filled from what the archive holds, so all that it reads must be there.
    fn views(&self, choice: &mut Choice) {
        let Self { facts, asked, .. } = self;
        let belongings = facts.belongings();
        for (oid, relation) in facts.relations.iter().filter(|(_, r)| r.kind == 'm') {
            let theirs = relation.member && !relation.configured;
            let refused = self.without_rows.contains(oid) || self.excluded.contains(oid);
            if theirs || refused || !asked(oid) || !choice.keeps(CatalogId::relation(*oid)) {
                continue;
            }
            match self.first_lacking(*oid, &belongings, choice) {
                None => {
                    choice.full.insert(*oid);
                }
                Some(lacking) => choice.warnings.push(format!(
                    "materialized view {} is not filled by a restore, as the rows of {}, which it reads, are not in the backup",
                    facts.name(*oid),
                    facts.name(lacking)
                )),
            }
        }
    }

    /// A relation that this view reads, itself or through others, and whose rows a restore will not have.
    fn first_lacking(
        &self,
        view: u32,
        belongings: &HashMap<CatalogId, Vec<CatalogId>>,
        choice: &Choice,
    ) -> Option<u32> {
        let facts = self.facts;
        let mut seen = BTreeSet::from([view]);
        let mut open = vec![view];
        while let Some(reader) = open.pop() {
            let parts = belongings.get(&CatalogId::relation(reader)).into_iter().flatten();
            let reads = parts.flat_map(|part| facts.needs.get(part).into_iter().flatten());
            let reads: BTreeSet<u32> = reads.filter(|n| n.class == PG_CLASS).map(|n| n.oid).collect();
            for read in reads {
                let Some(relation) = facts.relations.get(&read).filter(|r| !r.member) else { continue };
                match relation.kind {
                    'r' | 'p' => {
                        let all = std::iter::once(read).chain(facts.descendants(read));
                        let rows = |oid: &u32| facts.relations.get(oid).is_some_and(|r| r.kind == 'r');
                        let lacks = |oid: &u32| rows(oid) && !choice.full.contains(oid);
                        if let Some(lacking) = all.into_iter().find(lacks) {
                            return Some(lacking);
                        }
                    }
                    'm' if self.without_rows.contains(&read) || !(self.asked)(&read) => return Some(read),
                    'v' | 'm' if seen.insert(read) => open.push(read),
                    _ => {}
                }
            }
        }
        None
    }
}

/// Decides on the foreign keys of what is kept.
fn foreign_keys(facts: &Facts, choice: &mut Choice) {
    let kept = |choice: &Choice, oid| choice.keeps(CatalogId::relation(oid));
    let of_users = |key: &&ForeignKey| facts.relations.get(&key.table).is_some_and(|r| !r.member);
    for key in facts.foreign_keys.iter().filter(of_users) {
        if !kept(choice, key.table) {
            continue;
        }
        let why = broken(facts, choice, key).map(|what| {
            format!("as {what} {}, to which it refers, are not in the backup", facts.name(key.referenced))
        });
        match (why, &mut choice.only) {
            (None, Some(only)) => {
                only.insert(key.id);
            }
            (None, None) => {}
            (Some(why), only) => {
                if only.is_none() {
                    choice.gone.insert(key.id);
                }
                choice.omitted.push(Omitted { id: key.id, why });
            }
        }
    }
}

/// Whether a restore could not make the key, or rows would break it.
fn broken(facts: &Facts, choice: &Choice, key: &ForeignKey) -> Option<&'static str> {
    if !choice.keeps(CatalogId::relation(key.referenced)) {
        return Some("table and rows of");
    }
    let has_rows = || {
        let of_table = std::iter::once(key.table).chain(facts.partitions_below(key.table));
        of_table.into_iter().any(|oid| choice.full.contains(&oid))
    };
    let theirs = facts.relations.get(&key.referenced).is_some_and(|r| r.member && !r.configured);
    let whole = theirs || facts.is_whole(key.referenced, &choice.full);
    (key.validated && !whole && has_rows()).then_some("the rows of")
}

impl Facts {
    /// Every object with what belongs to it, in order.
    pub(super) fn belongings(&self) -> HashMap<CatalogId, Vec<CatalogId>> {
        let mut belongings: HashMap<CatalogId, Vec<CatalogId>> = HashMap::new();
        for (id, belongs) in &self.belongs {
            belongings.entry(belongs.to).or_default().push(*id);
        }
        belongings.values_mut().for_each(|list| list.sort_unstable());
        belongings
    }

    fn needed_by(&self) -> HashMap<CatalogId, Vec<CatalogId>> {
        let mut needed_by: HashMap<CatalogId, Vec<CatalogId>> = HashMap::new();
        for (id, needs) in &self.needs {
            for needed in needs {
                needed_by.entry(*needed).or_default().push(*id);
            }
        }
        needed_by.values_mut().for_each(|list| list.sort_unstable());
        needed_by
    }

    fn children_below(&self, of: u32, follow: impl Fn(&Relation) -> bool) -> Vec<u32> {
        let mut below = Vec::new();
        let mut seen = HashSet::from([of]);
        let mut open = vec![of];
        while let Some(parent) = open.pop() {
            if !self.relations.get(&parent).is_some_and(&follow) {
                continue;
            }
            for child in self.children.get(&parent).into_iter().flatten() {
                if seen.insert(*child) {
                    below.push(*child);
                    open.push(*child);
                }
            }
        }
        below
    }

    /// All partitions of a partitioned table, on every level.
    pub(super) fn partitions_below(&self, table: u32) -> Vec<u32> {
        self.children_below(table, |parent| parent.kind == 'p')
    }

    /// All tables that a query of this one reads beside it.
    fn descendants(&self, table: u32) -> Vec<u32> {
        self.children_below(table, |_| true)
    }

    /// Whether all rows of a table, those of its partitions among them, are there.
    fn is_whole(&self, table: u32, full: &HashSet<u32>) -> bool {
        let mut all = std::iter::once(table).chain(self.partitions_below(table));
        all.all(|oid| self.relations.get(&oid).is_none_or(|r| r.kind != 'r' || full.contains(&oid)))
    }

    /// A relation's name for people.
    pub(super) fn name(&self, relation: u32) -> String {
        match self.relations.get(&relation) {
            Some(Relation { schema, name, .. }) => format!("{schema}.{name}"),
            None => format!("relation {relation}"),
        }
    }
}

#[cfg(test)]
#[path = "choice_tests.rs"]
mod tests;
