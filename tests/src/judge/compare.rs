//! Two tables of contents of one database, entry by entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pgbaton::archive::{Toc, toc::Entry};

/// What names an entry: kind, schema, tag, and the catalog row's oid (0 where there is none).
type Name = (String, String, String, u32);

/// Every difference, one line each; none when ours is as pg_dump's.
///
/// Not compared: the layout of large objects (ours is that of pg_dump 16 and before, which older programs read).
pub fn differences(ours: &Toc, theirs: &Toc) -> Vec<String> {
    let (ours, theirs) = (Side::new(ours), Side::new(theirs));
    let mut found = Vec::new();
    for (name, their) in &theirs.entries {
        match ours.entries.get(name) {
            None if of_nothing(their, &theirs) => {}
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
        // Grants on the languages that are in every database: pg_dump knows of none but procedural ones.
        let language =
            name.0 == "ACL" && ["LANGUAGE sql", "LANGUAGE c", "LANGUAGE internal"].contains(&name.2.as_str());
        // pg_dump loses comments on constraints that a partition inherits, and on the rules that views are made of.
        let lost = name.0 == "COMMENT"
            && (name.2.starts_with("CONSTRAINT ") || name.2.starts_with("RULE \"_RETURN\" ON "));
        if language || lost || guards_public(name, our.defn.as_deref().unwrap_or_default(), "") {
            continue;
        }
        found.push(format!("surplus: {name:?}\n    {}", our.defn.as_deref().unwrap_or_default().trim_end()));
    }
    let of = |side: &Side<'_>, other: &Side<'_>| -> Vec<Name> {
        let compared = |n: &&Name| {
            other.entries.contains_key(*n)
                && theirs
                    .entries
                    .get(*n)
                    .is_some_and(|e| !moved(n, theirs.needs(e).iter().all(|n| n.0 == "ACL")))
        };
        side.order.iter().filter(compared).cloned().collect()
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
        // A default that calls a function made after the rows comes after it: pg_dump puts it among what goes before them.
        if what == "section" && name.0 == "DEFAULT" && our == "PostData" {
            continue;
        }
        if plain(name, &our) != plain(name, &their)
            && !(what == "definition"
                && (same_not_nulls(&our, &their)
                    || guards_public(name, &our, &their)
                    || knows_no_logged(name, &our, &their)))
        {
            found.push(format!("{what} of {name:?}\n  ours: {our}\n  pg_dump's: {their}"));
        }
    }
}

/// pg_dump 18 writes NOT NULL of an inherited column as an element of CREATE TABLE from every server; ours sets it with ALTER TABLE when it
/// comes from a server before 18, which would not take the element.
fn same_not_nulls(ours: &str, theirs: &str) -> bool {
    let split = |sql: &str| -> (BTreeSet<String>, Vec<String>) {
        let (mut columns, mut rest) = (BTreeSet::new(), Vec::new());
        for line in sql.lines().map(|l| l.trim().trim_end_matches(',')) {
            let altered =
                line.split_once(" ALTER COLUMN ").and_then(|(_, l)| l.strip_suffix(" SET NOT NULL;"));
            match line.strip_prefix("NOT NULL ").or(altered) {
                Some(column) => _ = columns.insert(column.to_owned()),
                None if !line.is_empty() => rest.push(line.replace("(\n)", "()")),
                None => {}
            }
        }
        (columns, rest)
    };
    split(ours) == split(theirs)
}

/// From a server before 15 ours also says that PUBLIC may not create in `public`, as it may in a new database of such a server.
fn guards_public(name: &Name, ours: &str, theirs: &str) -> bool {
    name.0 == "ACL"
        && name.2 == "SCHEMA public"
        && ours.strip_prefix(GUARD).is_some_and(|ours| ours == theirs)
}

/// pg_dump 18 says LOGGED of an identity column's sequence in an unlogged table to servers before 15, too, which know no such word.
fn knows_no_logged(name: &Name, ours: &str, theirs: &str) -> bool {
    name.0 == "SEQUENCE" && !ours.contains("LOGGED\n") && theirs.replacen("    LOGGED\n", "", 1) == ours
}

const GUARD: &str = "REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n";

/// pg_dump writes the statistics of an index whose extension brings it: nothing in the archive makes that index.
fn of_nothing(entry: &Entry, side: &Side<'_>) -> bool {
    entry.desc == "STATISTICS DATA" && side.needs(entry).is_empty()
}

/// White space between words does not matter; that inside quotes is compared by the dumps of both databases. Nor does the order of the
/// roles a policy is for: pg_dump takes it as pg_authid happens to lie.
fn plain(name: &Name, sql: &str) -> String {
    let mut words: Vec<&str> = sql.split_whitespace().collect();
    if name.0 == "POLICY" {
        words = sql.split([' ', ',', '\n']).filter(|w| !w.is_empty()).collect();
        words.sort_unstable();
    }
    words.join(" ")
}

/// pg_dump repeats what is needed through others anyway: the schema of an extension whose type is used, and for the attachment of a
/// partition's key the key of the parent's parent.
fn implied(name: &Name, need: &Name) -> bool {
    name.0 == "INDEX ATTACH" || need.0 == "SCHEMA"
}

/// Ours names the partitions and the rows that a foreign key reaches, so that nothing touches them meanwhile; and what the index of a
/// constraint needs, which pg_dump says of that index alone, for which there is no entry. Where pg_dump leaves it to the order, ours also
/// names the server of a user mapping, the extension whose member an entry is for or a key's index needs, the range type whose constructor a domain's constraint calls, the refresh that statistics of a view's index come after, the schema of a range's multirange,
/// among the rows of an extension's tables those that a foreign key wants first, and for grants that others than the owner made the schema's,
/// through which they reach the object.
fn surplus(name: &Name, need: &Name) -> bool {
    matches!(
        (name.0.as_str(), need.0.as_str()),
        ("FK CONSTRAINT", "TABLE DATA" | "TABLE")
            | ("CONSTRAINT", "COLLATION" | "FUNCTION" | "OPERATOR" | "OPERATOR CLASS" | "TYPE")
            | ("USER MAPPING", "SERVER")
            | ("DOMAIN", "TYPE")
            | ("STATISTICS DATA", "MATERIALIZED VIEW DATA")
            | ("TYPE", "SCHEMA")
            | ("ACL" | "TABLE DATA" | "SEQUENCE SET" | "MATERIALIZED VIEW DATA" | "CONSTRAINT", "EXTENSION")
            | ("TABLE DATA", "TABLE DATA")
            | ("ACL", "ACL")
            | ("DATABASE PROPERTIES", "DATABASE")
    )
}

/// What belongs to an object without an entry stands in pg_dump's archive where the object would. Ours has the comment on a constraint's
/// index after the constraint, grants on a member of an extension after the extension, and what belongs to objects of every database first.
///
/// pg_dump lets statistics of a view without rows wait for the refreshes of what the view reads, which do not concern them.
fn moved(name: &Name, needs_nothing: bool) -> bool {
    let of_index = name.0 == "COMMENT" && name.2.starts_with("INDEX ");
    let refreshed = ["STATISTICS DATA", "MATERIALIZED VIEW DATA"].contains(&name.0.as_str());
    of_index
        || refreshed
        || (needs_nothing && ["ACL", "COMMENT", "SECURITY LABEL"].contains(&name.0.as_str()))
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
    !kind.starts_with("BLOB") && !entry.tag.starts_with("LARGE OBJECT")
}
