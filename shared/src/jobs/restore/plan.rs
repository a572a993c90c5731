//! What a restore will do, as a value: which entries run when. Made from the table of contents alone; nothing is touched.
//!
//! ```text
//! settings    ENCODING                                  each session is told; STDSTRINGS must be on, search_path is pinned
//! pre-data    definitions, in the archive's order, one session
//! parallel    rows, then indexes, constraints, triggers as their tables are filled: a graph for many sessions
//! privileges  grants, one session
//! last        REFRESH MATERIALIZED VIEW, event triggers, which must see everything else
//! ```
//!
//! Rules: `restore_toc_entries_*`, `repoint_table_dependencies`, `identify_locking_dependencies`, `_tocEntryRestorePass` in PostgreSQL's
//! pg_backup_archiver.c.

use std::collections::{HashMap, HashSet};

use super::{
    graph::{Lock, Step},
    statement::is_privilege,
};
use crate::{
    archive::toc::{Entry, Section, Toc},
    base::{Error, Kind, Result},
};

/// Places of entries in the table of contents, by when they run.
#[derive(Debug, Default)]
pub struct Plan {
    /// In order.
    pub pre_data: Vec<usize>,
    /// Steps with the dump ids of entries, for the graph.
    pub parallel: Vec<Step>,
    /// In order.
    pub privileges: Vec<usize>,
    /// In order.
    pub last: Vec<usize>,
}

/// Which parts are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// Definitions without rows.
    pub schema_only: bool,
}

/// Makes the plan. `weight` is the stored size of an entry's file.
///
/// # Errors
/// [`Kind::Unsupported`] for entries that hold INSERT statements in place of COPY text.
pub fn plan(toc: &Toc, parts: Parts, weight: impl Fn(&Entry) -> u64) -> Result<Plan> {
    let by_id: HashMap<i32, &Entry> = toc.entries.iter().map(|e| (e.dump_id, e)).collect();
    // A post-data entry names the table; what it waits for is the table's rows, all files of them.
    let mut rows_of: HashMap<i32, Vec<i32>> = HashMap::new();
    for e in toc.entries.iter().filter(|e| e.desc == "TABLE DATA" && !parts.schema_only) {
        for table in e.dependencies.iter().filter(|d| by_id.get(d).is_some_and(|t| is_relation(t))) {
            rows_of.entry(*table).or_default().push(e.dump_id);
        }
    }
    let leaves = Descendants::of(toc, &by_id);
    let own = rows_of.clone();
    for root in leaves.roots() {
        let below = leaves.below(root).into_iter().filter_map(|leaf| own.get(&leaf)).flatten().copied();
        rows_of.entry(root).or_default().extend(below);
    }
    let mut plan = Plan::default();
    let mut parallel_ids: HashSet<i32> = HashSet::new();
    let mut last_ids: HashSet<i32> = HashSet::new();
    for (place, e) in toc.entries.iter().enumerate() {
        match e.desc.as_str() {
            // What ENCODING says, each session is told (see `target`); the other two are pinned in each session already.
            "ENCODING" | "STDSTRINGS" | "SEARCHPATH" => continue,
            _ if is_of_database(e) => continue,
            "MATERIALIZED VIEW DATA" if parts.schema_only => continue,
            _ if parts.schema_only && is_of_large_objects(e) => continue,
            "MATERIALIZED VIEW DATA" | "EVENT TRIGGER" => {
                last_ids.insert(e.dump_id);
                plan.last.push(place);
                continue;
            }
            _ if is_privilege(e) => {
                plan.privileges.push(place);
                continue;
            }
            _ => {}
        }
        let data = e.section == Section::Data;
        if data && parts.schema_only {
            continue;
        }
        if e.had_dumper && e.copy_stmt.as_deref().is_none_or(str::is_empty) && !is_large_objects(e) {
            return Err(Error::new(
                Kind::Unsupported,
                format!(
                    "the rows of {} are INSERT statements (pg_dump --inserts or --rows-per-insert); make the archive without these options",
                    named(e)
                ),
            ));
        }
        if e.section == Section::None && e.dependencies.iter().any(|d| last_ids.contains(d)) {
            plan.last.push(place);
        } else if data
            || e.section == Section::PostData
            || (e.section == Section::None && e.dependencies.iter().any(|d| parallel_ids.contains(d)))
        {
            parallel_ids.insert(e.dump_id);
            plan.parallel.push(step(e, &by_id, &rows_of, &leaves, weight(e)));
        } else {
            plan.pre_data.push(place);
        }
    }
    Ok(plan)
}

/// The encoding that the archive's SQL and rows are in: what its ENCODING entry says, UTF8 without one.
///
/// # Errors
/// [`Kind::Unsupported`] for entries that say something else than pg_dump writes, and for `standard_conforming_strings` off.
pub fn encoding(toc: &Toc) -> Result<String> {
    let unknown = |e: &Entry| {
        let shown: String =
            e.defn.as_deref().unwrap_or_default().chars().take(80).flat_map(char::escape_debug).collect();
        Error::new(
            Kind::Unsupported,
            format!("the entry {} says \"{shown}\", which pg_dump does not write", e.desc),
        )
    };
    let value = |e: &Entry, name: &str| -> Option<String> {
        let rest =
            e.defn.as_deref()?.trim().strip_prefix("SET ")?.strip_prefix(name)?.strip_prefix(" = '")?;
        let value = rest.strip_suffix("';")?;
        value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).then(|| value.to_owned())
    };
    for e in toc.entries.iter().filter(|e| e.desc == "STDSTRINGS") {
        if value(e, "standard_conforming_strings").as_deref() != Some("on") {
            return Err(unknown(e));
        }
    }
    match toc.entries.iter().find(|e| e.desc == "ENCODING") {
        None => Ok("UTF8".to_owned()),
        Some(e) => value(e, "client_encoding").ok_or_else(|| unknown(e)),
    }
}

/// `TABLE public.users`, for errors and logs.
pub fn named(e: &Entry) -> String {
    match e.namespace.as_deref().filter(|n| !n.is_empty()) {
        Some(schema) => format!("{} {schema}.{}", e.desc, e.tag),
        None => format!("{} {}", e.desc, e.tag),
    }
}

/// Whether the entry's file lists large objects.
pub fn is_large_objects(e: &Entry) -> bool {
    e.desc == "BLOBS"
}

/// Large objects count as rows, with what hangs on them (`_tocEntryRequired` in pg_backup_archiver.c).
fn is_of_large_objects(e: &Entry) -> bool {
    match e.desc.as_str() {
        "BLOB" | "BLOB METADATA" | "BLOBS" => true,
        "ACL" | "COMMENT" | "SECURITY LABEL" => {
            e.tag.starts_with("LARGE OBJECT ") || e.tag.starts_with("LARGE OBJECTS ")
        }
        _ => false,
    }
}

/// What belongs to the database as a whole: its name is that of the source, so none of it is for the target (pg_restore takes it with
/// `--create` only).
pub fn is_of_database(e: &Entry) -> bool {
    match e.desc.as_str() {
        "DATABASE" | "DATABASE PROPERTIES" => true,
        "ACL" | "COMMENT" | "SECURITY LABEL" => e.tag.starts_with("DATABASE "),
        _ => false,
    }
}

fn is_relation(e: &Entry) -> bool {
    matches!(e.desc.as_str(), "TABLE" | "FOREIGN TABLE" | "MATERIALIZED VIEW")
}

/// Partitions by the dump id of their parent, from the TABLE ATTACH entries: what is done to a partitioned table is done to them.
struct Descendants {
    children: HashMap<i32, Vec<i32>>,
}

impl Descendants {
    fn of(toc: &Toc, by_id: &HashMap<i32, &Entry>) -> Self {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for attach in toc.entries.iter().filter(|e| e.desc == "TABLE ATTACH") {
            let mut tables =
                attach.dependencies.iter().filter(|d| by_id.get(d).is_some_and(|t| is_relation(t))).copied();
            // The entry's tag and schema are the partition's; the other table that it depends on is the parent.
            let (Some(a), Some(b)) = (tables.next(), tables.next()) else { continue };
            let is_child = |id: i32| {
                by_id.get(&id).is_some_and(|t| t.tag == attach.tag && t.namespace == attach.namespace)
            };
            let (child, parent) = if is_child(a) && !is_child(b) { (a, b) } else { (b, a) };
            children.entry(parent).or_default().push(child);
        }
        Self { children }
    }

    fn roots(&self) -> Vec<i32> {
        self.children.keys().copied().collect()
    }

    /// All tables below `root`, itself left out.
    fn below(&self, root: i32) -> Vec<i32> {
        let mut seen = HashSet::from([root]);
        let mut todo = vec![root];
        let mut all = Vec::new();
        while let Some(table) = todo.pop() {
            for child in self.children.get(&table).into_iter().flatten() {
                if seen.insert(*child) {
                    all.push(*child);
                    todo.push(*child);
                }
            }
        }
        all
    }
}

fn step(
    e: &Entry,
    by_id: &HashMap<i32, &Entry>,
    rows_of: &HashMap<i32, Vec<i32>>,
    leaves: &Descendants,
    weight: u64,
) -> Step {
    let data = e.section == Section::Data;
    let lock = if data || e.desc == "INDEX" { Lock::Shared } else { Lock::Exclusive };
    let mut after = Vec::new();
    let mut locks = Vec::new();
    for id in &e.dependencies {
        let Some(on) = by_id.get(id) else { continue };
        let table = match on.desc.as_str() {
            "TABLE DATA" => {
                on.dependencies.iter().find(|d| by_id.get(d).is_some_and(|t| is_relation(t))).copied()
            }
            _ if is_relation(on) => Some(*id),
            _ => None,
        };
        if let Some(table) = table
            && e.section != Section::None
        {
            locks.push((table, lock));
            locks.extend(leaves.below(table).into_iter().map(|leaf| (leaf, lock)));
        }
        match rows_of.get(id) {
            Some(rows) if !data => after.extend(rows),
            _ => after.push(*id),
        }
    }
    locks.sort_unstable();
    locks.dedup();
    Step { id: e.dump_id, after, locks, weight }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Codec, toc::Header};

    fn entry(dump_id: i32, desc: &str, section: Section, dependencies: &[i32]) -> Entry {
        let data = desc == "TABLE DATA";
        Entry {
            dump_id,
            desc: desc.into(),
            tag: format!("e{dump_id}"),
            section,
            dependencies: dependencies.to_vec(),
            had_dumper: data,
            copy_stmt: data.then(|| "COPY t FROM stdin;\n".into()),
            ..Entry::default()
        }
    }

    fn toc(entries: Vec<Entry>) -> Toc {
        let header = Header::new(Codec::None, jiff::Timestamp::UNIX_EPOCH, "d", "18.4");
        Toc { header, entries }
    }

    #[test]
    fn indexes_wait_for_rows_and_grants_for_everything() {
        use Section::{Data, None, PostData, PreData};
        let toc = toc(vec![
            entry(1, "ENCODING", PreData, &[]),
            entry(2, "TABLE", PreData, &[]),
            entry(3, "COMMENT", None, &[2]),
            entry(4, "ACL", None, &[2]),
            entry(5, "TABLE DATA", Data, &[2]),
            entry(6, "TABLE DATA", Data, &[2]),
            entry(7, "INDEX", PostData, &[2]),
            entry(8, "COMMENT", None, &[7]),
            entry(9, "FK CONSTRAINT", PostData, &[2, 7]),
            entry(10, "MATERIALIZED VIEW DATA", PostData, &[]),
        ]);
        let p = plan(&toc, Parts::default(), |_| 0).unwrap();
        assert_eq!(p.pre_data, [1, 2]);
        assert_eq!(p.privileges, [3]);
        assert_eq!(p.last, [9]);
        let ids: Vec<i32> = p.parallel.iter().map(|s| s.id).collect();
        assert_eq!(ids, [5, 6, 7, 8, 9]);
        assert_eq!(p.parallel[2].after, [5, 6]);
        assert_eq!(p.parallel[2].locks, [(2, Lock::Shared)]);
        assert_eq!(p.parallel[4].locks, [(2, Lock::Exclusive)]);
        let p = plan(&toc, Parts { schema_only: true }, |_| 0).unwrap();
        assert!(p.parallel.iter().all(|s| s.id != 5 && s.id != 6) && p.last.is_empty());
    }

    #[test]
    fn what_is_done_to_a_partitioned_table_waits_for_the_rows_of_its_leaves() {
        use Section::{Data, PostData, PreData};
        let named = |id, desc, section, tag: &str, dependencies: &[i32]| Entry {
            tag: tag.into(),
            ..entry(id, desc, section, dependencies)
        };
        let toc = toc(vec![
            named(1, "TABLE", PreData, "root", &[]),
            named(2, "TABLE", PreData, "branch", &[]),
            named(3, "TABLE", PreData, "leaf", &[]),
            named(4, "TABLE ATTACH", PreData, "branch", &[1, 2]),
            named(5, "TABLE ATTACH", PreData, "leaf", &[3, 2]),
            named(6, "TABLE DATA", Data, "leaf", &[3]),
            named(7, "TRIGGER", PostData, "root t", &[1]),
        ]);
        let p = plan(&toc, Parts::default(), |_| 0).unwrap();
        let trigger = p.parallel.iter().find(|s| s.id == 7).unwrap();
        assert_eq!(trigger.after, [6]);
        assert_eq!(trigger.locks, [(1, Lock::Exclusive), (2, Lock::Exclusive), (3, Lock::Exclusive)]);
    }

    #[test]
    fn nothing_is_done_to_the_database_as_a_whole() {
        use Section::{None, PreData};
        let mut entries = vec![
            entry(1, "DATABASE", PreData, &[]),
            entry(2, "COMMENT", None, &[1]),
            entry(3, "ACL", None, &[1]),
            entry(4, "SECURITY LABEL", None, &[1]),
            entry(5, "DATABASE PROPERTIES", PreData, &[1]),
            entry(6, "SCHEMA", PreData, &[]),
        ];
        entries[1..4].iter_mut().for_each(|e| e.tag = "DATABASE d".into());
        let p = plan(&toc(entries), Parts::default(), |_| 0).unwrap();
        assert_eq!(p.pre_data, [5]);
        assert!(p.parallel.is_empty() && p.privileges.is_empty() && p.last.is_empty());
    }

    #[test]
    fn the_encoding_is_read_strictly() {
        let with = |desc: &str, defn: &str| {
            let mut e = entry(1, desc, Section::PreData, &[]);
            e.defn = Some(defn.into());
            encoding(&toc(vec![e]))
        };
        assert_eq!(with("ENCODING", "SET client_encoding = 'LATIN1';\n").unwrap(), "LATIN1");
        assert_eq!(with("SEARCHPATH", "").unwrap(), "UTF8");
        for (desc, defn) in [
            ("ENCODING", "SET client_encoding = 'x'; DROP TABLE t; --';\n"),
            ("ENCODING", "SELECT 1"),
            ("STDSTRINGS", "SET standard_conforming_strings = 'off';\n"),
        ] {
            assert_eq!(with(desc, defn).unwrap_err().kind(), Kind::Unsupported, "{defn}");
        }
    }

    #[test]
    fn inserts_are_refused_by_name() {
        let mut e = entry(1, "TABLE DATA", Section::Data, &[]);
        e.copy_stmt = None;
        let error = plan(&toc(vec![e]), Parts::default(), |_| 0).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("TABLE DATA e1"), "{error}");
    }
}
