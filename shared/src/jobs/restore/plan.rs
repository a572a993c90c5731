//! What a restore will do, as a value: which entries run when. Made from the table of contents alone; nothing is touched.
//!
//! ```text
//! settings    ENCODING                                  each session is told; STDSTRINGS must be on, search_path is pinned
//! pre-data    definitions, in the archive's order, one session
//! parallel    rows, then indexes, constraints, triggers as their tables are filled: a graph for many sessions
//! privileges  grants, one session
//! last        event triggers and REFRESH MATERIALIZED VIEW, which must see everything else
//! statistics  the planner's statistics, which indexes and REFRESH would change: any order, many sessions
//! database    the database's own settings, comment, grants, when they are asked for
//! ```
//!
//! Rules: `restore_toc_entries_*`, `repoint_table_dependencies`, `identify_locking_dependencies`, `_tocEntryRestorePass` in PostgreSQL's
//! pg_backup_archiver.c.

use std::collections::{HashMap, HashSet};

use super::{
    choices::{Choices, is_of_database},
    graph::{Graph, Lock, Step},
    sql::{Kind as Token, tokens},
    statement::{check, is_privilege},
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
    /// Steps of a graph without dependencies.
    pub statistics: Vec<Step>,
    /// In order.
    pub database: Vec<usize>,
}

impl Plan {
    /// Leaves these entries out, by dump id: what they make stands in the target. A partition of such a table is attached last, with the indexes that it
    /// is to have there.
    pub(super) fn leave_out(&mut self, ids: &[i32], toc: &Toc) {
        let ids: HashSet<i32> = ids.iter().copied().collect();
        let attached = |place: &usize| {
            toc.entries
                .get(*place)
                .is_some_and(|e| e.desc == "TABLE ATTACH" && e.dependencies.iter().any(|id| ids.contains(id)))
        };
        let late: Vec<usize> = self.pre_data.iter().copied().filter(attached).collect();
        self.pre_data.retain(|place| !late.contains(place));
        self.last.splice(0..0, late);
        let stays = |place: &usize| toc.entries.get(*place).is_none_or(|e| !ids.contains(&e.dump_id));
        for places in [&mut self.pre_data, &mut self.privileges, &mut self.last, &mut self.database] {
            places.retain(stays);
        }
        for steps in [&mut self.parallel, &mut self.statistics] {
            steps.retain(|s| !ids.contains(&s.id));
        }
    }
}

/// Makes the plan. `weight` is the stored size of an entry's file.
///
/// # Errors
/// [`Kind::Unsupported`] for entries that hold INSERT statements in place of COPY text; [`Kind::Corrupt`] for those that [`check`] refuses, and for
/// entries that wait for each other.
pub fn plan(toc: &Toc, choices: Choices, weight: impl Fn(&Entry) -> u64) -> Result<Plan> {
    let by_id: HashMap<i32, &Entry> = toc.entries.iter().map(|e| (e.dump_id, e)).collect();
    // A post-data entry names the table; what it waits for is the table's rows, all files of them.
    let mut rows_of: HashMap<i32, Vec<i32>> = HashMap::new();
    for e in toc.entries.iter().filter(|e| e.desc == "TABLE DATA" && !choices.schema_only) {
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
        if !choices.want(e) {
            continue;
        }
        check(e)?;
        // What hangs on an event trigger waits for it, also where the archive does not say so.
        let on_event_trigger =
            matches!(e.desc.as_str(), "COMMENT" | "SECURITY LABEL") && e.tag.starts_with("EVENT TRIGGER ");
        match e.desc.as_str() {
            _ if is_of_database(e) => {
                // The database itself stands there.
                plan.database.push(place);
                continue;
            }
            "MATERIALIZED VIEW DATA" | "EVENT TRIGGER" => {
                last_ids.insert(e.dump_id);
                plan.last.push(place);
                continue;
            }
            _ if on_event_trigger => {
                plan.last.push(place);
                continue;
            }
            "STATISTICS DATA" => {
                plan.statistics.push(Step { id: e.dump_id, after: Vec::new(), locks: Vec::new(), weight: 0 });
                continue;
            }
            _ if is_privilege(e) => {
                plan.privileges.push(place);
                continue;
            }
            _ => {}
        }
        let data = e.section == Section::Data;
        if data && choices.schema_only {
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
    match Graph::new(plan.parallel.clone()).circle() {
        Some(ids) => Err(Error::new(
            Kind::Corrupt,
            format!("the archive's entries {ids:?} depend on each other in a circle"),
        )),
        None => Ok(plan),
    }
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

/// The encoding of the database that the archive was made of, where its DATABASE entry says so.
pub fn database_encoding(toc: &Toc) -> Option<String> {
    let definition = toc.entries.iter().find(|e| e.desc == "DATABASE")?.defn.as_deref()?;
    let all = tokens(definition)?;
    all.windows(3).find(|w| w[0].is("encoding") && w[1].is_symbol('=')).and_then(|w| match &w[2].kind {
        Token::Literal(encoding) => Some(encoding.clone()),
        _ => None,
    })
}

/// `TABLE public.users`, for errors and logs: in one line, whatever the names hold.
pub fn named(e: &Entry) -> String {
    let name = match e.namespace.as_deref().filter(|n| !n.is_empty()) {
        Some(schema) => format!("{} {schema}.{}", e.desc, e.tag),
        None => format!("{} {}", e.desc, e.tag),
    };
    shown(&name)
}

/// A name in one line.
pub fn shown(name: &str) -> String {
    let escaped = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if name.contains(escaped) {
        return name
            .chars()
            .flat_map(|c| if escaped(c) { c.escape_default().collect() } else { vec![c] })
            .collect();
    }
    name.to_owned()
}

/// Whether the entry's file lists large objects.
pub fn is_large_objects(e: &Entry) -> bool {
    e.desc == "BLOBS"
}

fn is_relation(e: &Entry) -> bool {
    matches!(e.desc.as_str(), "TABLE" | "FOREIGN TABLE" | "MATERIALIZED VIEW")
}

/// Partitions by the dump id of their parent, from the TABLE ATTACH entries: what is done to a partitioned table is done to them.
pub(super) struct Descendants {
    children: HashMap<i32, Vec<i32>>,
}

impl Descendants {
    pub(super) fn of(toc: &Toc, by_id: &HashMap<i32, &Entry>) -> Self {
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
    pub(super) fn below(&self, root: i32) -> Vec<i32> {
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
    // The entry of an index may go on with ALTER TABLE … CLUSTER ON or REPLICA IDENTITY.
    let index_only = e.desc == "INDEX" && !e.defn.as_deref().is_some_and(|d| d.contains("\nALTER TABLE "));
    let lock = if data || index_only { Lock::Shared } else { Lock::Exclusive };
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
        let p = plan(&toc, Choices::default(), |_| 0).unwrap();
        assert_eq!(p.pre_data, [1, 2]);
        assert_eq!(p.privileges, [3]);
        assert_eq!(p.last, [9]);
        let ids: Vec<i32> = p.parallel.iter().map(|s| s.id).collect();
        assert_eq!(ids, [5, 6, 7, 8, 9]);
        assert_eq!(p.parallel[2].after, [5, 6]);
        assert_eq!(p.parallel[2].locks, [(2, Lock::Shared)]);
        assert_eq!(p.parallel[4].locks, [(2, Lock::Exclusive)]);
        let mut identity = toc.clone();
        identity.entries[6].defn =
            Some("CREATE INDEX i …;\n\nALTER TABLE ONLY t REPLICA IDENTITY USING INDEX i;\n".into());
        let p = plan(&identity, Choices::default(), |_| 0).unwrap();
        assert_eq!(p.parallel[2].locks, [(2, Lock::Exclusive)]);
        let p = plan(&toc, Choices { schema_only: true, ..Choices::default() }, |_| 0).unwrap();
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
        let p = plan(&toc, Choices::default(), |_| 0).unwrap();
        let trigger = p.parallel.iter().find(|s| s.id == 7).unwrap();
        assert_eq!(trigger.after, [6]);
        assert_eq!(trigger.locks, [(1, Lock::Exclusive), (2, Lock::Exclusive), (3, Lock::Exclusive)]);
    }

    #[test]
    fn a_partition_of_what_stands_there_is_attached_last() {
        use Section::{Data, PostData, PreData};
        let toc = toc(vec![
            entry(1, "TABLE", PreData, &[]),
            entry(2, "TABLE", PreData, &[]),
            entry(3, "TABLE ATTACH", PreData, &[1, 2]),
            entry(4, "TABLE DATA", Data, &[2]),
            entry(5, "INDEX", PostData, &[2]),
            entry(6, "MATERIALIZED VIEW DATA", PostData, &[]),
        ]);
        let mut p = plan(&toc, Choices::default(), |_| 0).unwrap();
        p.leave_out(&[], &toc);
        assert_eq!((p.pre_data.clone(), p.last.clone()), (vec![0, 1, 2], vec![5]));
        p.leave_out(&[1], &toc);
        assert_eq!((p.pre_data, p.last, p.parallel.len()), (vec![1], vec![2, 5], 2));
    }

    #[test]
    fn event_triggers_statistics_and_the_database_have_their_own_times() {
        use Section::{Data, None, PostData, PreData};
        let tagged =
            |id, desc, section, tag: &str| Entry { tag: tag.into(), ..entry(id, desc, section, &[]) };
        let toc = toc(vec![
            tagged(1, "DATABASE", PreData, "d"),
            tagged(2, "DATABASE PROPERTIES", PreData, "d"),
            tagged(3, "COMMENT", None, "DATABASE d"),
            tagged(4, "ACL", None, "DATABASE d"),
            tagged(5, "STATISTICS DATA", Data, "t"),
            tagged(6, "STATISTICS DATA", PostData, "i"),
            tagged(7, "EVENT TRIGGER", PostData, "e"),
            tagged(8, "COMMENT", None, "EVENT TRIGGER e"),
            tagged(9, "SECURITY LABEL", None, "EVENT TRIGGER e"),
            tagged(10, "DEFAULT ACL", PostData, "DEFAULT PRIVILEGES FOR TABLES"),
            tagged(11, "PUBLICATION TABLE", PostData, "p t"),
            tagged(12, "SUBSCRIPTION", PostData, "s"),
        ]);
        let p = plan(&toc, Choices::default(), |_| 0).unwrap();
        assert!(p.pre_data.is_empty() && p.database.is_empty());
        assert_eq!(p.statistics.iter().map(|s| s.id).collect::<Vec<_>>(), [5, 6]);
        assert_eq!((p.last, p.privileges), (vec![6, 7, 8], vec![9]));
        assert_eq!(p.parallel.iter().map(|s| s.id).collect::<Vec<_>>(), [11, 12]);
        let p = plan(&toc, Choices { database_properties: true, ..Choices::default() }, |_| 0).unwrap();
        assert_eq!(p.database, [0, 1, 2, 3]);
        assert_eq!(database_encoding(&toc), Option::None);
        let mut told = toc;
        told.entries[0].defn =
            Some("CREATE DATABASE \"encoding = 'x'\" WITH ENCODING = 'LATIN1' LOCALE = 'C';\n".into());
        assert_eq!(database_encoding(&told).as_deref(), Some("LATIN1"));
    }

    #[test]
    fn a_circle_is_found_before_anything_runs() {
        use Section::PostData;
        let toc = toc(vec![entry(1, "INDEX", PostData, &[2, 77]), entry(2, "INDEX", PostData, &[1])]);
        let e = plan(&toc, Choices::default(), |_| 0).unwrap_err();
        assert_eq!(e.kind(), Kind::Corrupt);
        assert!(e.to_string().contains("[1, 2]"), "{e}");
    }

    #[test]
    fn names_are_told_in_one_line() {
        let mut e = entry(1, "TABLE", Section::PreData, &[]);
        e.namespace = Some("a\nb".into());
        e.tag = "c\r\u{2028}'é".into();
        assert_eq!(named(&e), "TABLE a\\nb.c\\r\\u{2028}'é");
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
        let error = plan(&toc(vec![e]), Choices::default(), |_| 0).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("TABLE DATA e1"), "{error}");
    }
}
