//! Two tables of contents of one database, entry by entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pgbaton::archive::{Toc, toc::Entry};

/// What names an entry: kind, schema, tag, and the catalog row's oid (0 where there is none).
type Name = (String, String, String, u32);

/// Every difference, one line each; none when ours is as pg_dump's.
///
/// Not compared: the layout of large objects (ours is that of pg_dump 16 and before, which older programs read), what stands for the
/// database as a whole, and what pg_dump says of no entry in particular.
pub fn differences(ours: &Toc, theirs: &Toc) -> Vec<String> {
    let (ours, theirs) = (Side::new(ours), Side::new(theirs));
    let mut found = Vec::new();
    for (name, their) in &theirs.entries {
        match ours.entries.get(name) {
            None => found.push(format!(
                "missing: {name:?}\n    {}",
                their.defn.as_deref().unwrap_or_default().trim_end()
            )),
            Some(our) => {
                fields(name, our, their, &mut found);
                let (needed, wanted) = (ours.needs(our), theirs.needs(their));
                for need in wanted.difference(&needed).filter(|n| !implied(name, n)) {
                    found.push(format!("{name:?} does not wait for {need:?}"));
                }
                for need in needed.difference(&wanted).filter(|n| !surplus(name, n)) {
                    found.push(format!("{name:?} waits needlessly for {need:?}"));
                }
            }
        }
    }
    for (name, our) in ours.entries.iter().filter(|(name, _)| !theirs.entries.contains_key(*name)) {
        found.push(format!("surplus: {name:?}\n    {}", our.defn.as_deref().unwrap_or_default().trim_end()));
    }
    let of = |side: &Side<'_>, other: &Side<'_>| -> Vec<Name> {
        side.order.iter().filter(|n| other.entries.contains_key(*n) && !moved(n)).cloned().collect()
    };
    let (our_order, their_order) = (of(&ours, &theirs), of(&theirs, &ours));
    if let Some((our, their)) = our_order.iter().zip(&their_order).find(|(a, b)| a != b) {
        found.push(format!("order: ours has {our:?} where pg_dump has {their:?}"));
    }
    found
}

fn fields(name: &Name, our: &Entry, their: &Entry, found: &mut Vec<String>) {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let texts = [
        ("definition", some(&our.defn), some(&their.defn)),
        ("drop statement", some(&our.drop_stmt), some(&their.drop_stmt)),
        ("copy statement", some(&our.copy_stmt), some(&their.copy_stmt)),
        ("owner", some(&our.owner), some(&their.owner)),
        ("tablespace", some(&our.tablespace), some(&their.tablespace)),
        ("access method", some(&our.table_am), some(&their.table_am)),
        ("section", format!("{:?}", our.section), format!("{:?}", their.section)),
        ("catalog", our.table_oid.to_string(), their.table_oid.to_string()),
    ];
    for (what, our, their) in texts {
        if plain(&our) != plain(&their) {
            found.push(format!("{what} of {name:?}\n  ours: {our}\n  pg_dump's: {their}"));
        }
    }
}

/// White space between words does not matter; that inside quotes is compared by the dumps of both databases.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// pg_dump repeats what is needed through others anyway: the schema of an extension whose type is used, and for the attachment of a
/// partition's key the key of the parent's parent.
fn implied(name: &Name, need: &Name) -> bool {
    name.0 == "INDEX ATTACH" || need.0 == "SCHEMA"
}

/// Ours names the partitions and the rows that a foreign key reaches, so that nothing touches them meanwhile.
fn surplus(name: &Name, need: &Name) -> bool {
    name.0 == "FK CONSTRAINT" && (need.0 == "TABLE DATA" || need.0 == "TABLE")
}

/// pg_dump sorts the comment on a constraint's index as the index, which has no entry; ours follows the constraint.
fn moved(name: &Name) -> bool {
    name.0 == "COMMENT" && name.2.starts_with("INDEX ")
}

struct Side<'a> {
    entries: BTreeMap<Name, &'a Entry>,
    order: Vec<Name>,
    by_id: HashMap<i32, Name>,
}

impl<'a> Side<'a> {
    fn new(toc: &'a Toc) -> Self {
        let mut side = Self { entries: BTreeMap::new(), order: Vec::new(), by_id: HashMap::new() };
        for entry in toc.entries.iter().filter(|e| compared(e)) {
            let name = (
                entry.desc.clone(),
                entry.namespace.clone().unwrap_or_default(),
                entry.tag.clone(),
                entry.oid,
            );
            side.by_id.insert(entry.dump_id, name.clone());
            side.order.push(name.clone());
            side.entries.insert(name, entry);
        }
        side
    }

    fn needs(&self, entry: &Entry) -> BTreeSet<Name> {
        entry.dependencies.iter().filter_map(|id| self.by_id.get(id).cloned()).collect()
    }
}

fn compared(entry: &Entry) -> bool {
    let kind = entry.desc.as_str();
    let large_object = kind.starts_with("BLOB") || entry.tag.starts_with("LARGE OBJECT");
    let whole = kind.starts_with("DATABASE") || entry.tag.starts_with("DATABASE ");
    !large_object && !whole
}
