//! A restore of some of an archive's relations: which entries that takes.
//!
//! ```text
//! chosen     what the patterns match, and the partitions below it: whole
//! needed     what these depend on, and so on: schemas, types, functions, sequences, parents, what views read. Definitions only
//!            and, of tables, their defaults, identity sequences and checks: what a row that comes later must find
//! belonging  what hangs on the chosen: rows, indexes, constraints, triggers, policies; and grants, comments of all that is kept
//! ```
//!
//! A foreign key is kept where what it refers to is chosen as well: without rows there, no row here would satisfy it.

use std::collections::{HashMap, HashSet};

use super::{
    choices::{Choices, is_of_database},
    plan::{Descendants, is_large_objects, named, shown},
};
use crate::{
    archive::toc::{Entry, Toc},
    base::{Error, Kind, Result},
    catalog::select::{Pattern, misses},
};

/// The entries of a choice.
#[derive(Debug)]
pub(super) struct Picked {
    /// Dump ids.
    pub ids: HashSet<i32>,
    /// Of these the chosen, with what hangs on them alone.
    pub own: HashSet<i32>,
    /// What a person should know of what was left out.
    pub warnings: Vec<String>,
}

/// Picks what the patterns of the request's `tables` mean.
///
/// # Errors
/// [`Kind::InvalidInput`] at the pattern that matches nothing, with what may have been meant.
pub(super) fn pick(toc: &Toc, patterns: &[Pattern], choices: Choices) -> Result<Picked> {
    let by_id: HashMap<i32, &Entry> = toc.entries.iter().map(|e| (e.dump_id, e)).collect();
    let chosen = chosen(toc, patterns, &by_id)?;
    let mut picker = Picker { by_id: &by_id, ids: HashSet::new() };
    for id in &chosen {
        picker.need(*id);
    }
    for e in &toc.entries {
        if matches!(e.desc.as_str(), "ENCODING" | "STDSTRINGS" | "SEARCHPATH") || is_of_database(e) {
            picker.ids.insert(e.dump_id);
        }
    }
    picker.gather(toc, |picker, e| picker.belongs(e, &chosen));
    // Sequences that come now start anew: their table has no rows.
    picker.gather(toc, |picker, e| {
        picker.is_structure(e) || (e.desc != "SEQUENCE SET" && picker.belongs(e, &chosen))
    });
    // Attached is the table that bears the entry's name.
    let attaches = |e: &Entry, id: &i32| {
        e.desc == "TABLE ATTACH"
            && by_id.get(id).is_some_and(|t| t.tag == e.tag && t.namespace == e.namespace)
    };
    let hangs =
        |e: &&Entry| e.dependencies.iter().any(|id| chosen.contains(id) && (hangs_on(e) || attaches(e, id)));
    let belonging = toc.entries.iter().filter(hangs).map(|e| e.dump_id).filter(|id| picker.ids.contains(id));
    let own = belonging.chain(chosen.iter().copied()).collect();
    let warnings = warnings(toc, &picker.ids, &chosen, choices);
    Ok(Picked { ids: picker.ids, own, warnings })
}

/// Whether an entry is nothing without its table or view.
fn hangs_on(e: &Entry) -> bool {
    matches!(
        e.desc.as_str(),
        "TABLE DATA"
            | "MATERIALIZED VIEW DATA"
            | "INDEX"
            | "CONSTRAINT"
            | "CHECK CONSTRAINT"
            | "FK CONSTRAINT"
            | "TRIGGER"
            | "RULE"
            | "POLICY"
            | "ROW SECURITY"
            | "DEFAULT"
            | "STATISTICS"
            | "SEQUENCE"
    )
}

fn chosen(toc: &Toc, patterns: &[Pattern], by_id: &HashMap<i32, &Entry>) -> Result<HashSet<i32>> {
    let relations: Vec<&Entry> = toc.entries.iter().filter(|e| is_relation(e)).collect();
    let name = |e: &&Entry| (e.namespace.clone().unwrap_or_default(), e.tag.clone());
    let mut chosen = HashSet::new();
    for (n, pattern) in patterns.iter().enumerate() {
        let fits = |e: &&&Entry| pattern.matches(e.namespace.as_deref().unwrap_or_default(), &e.tag);
        let before = chosen.len();
        let found: Vec<i32> = relations.iter().filter(fits).map(|e| e.dump_id).collect();
        if found.is_empty() {
            let names: Vec<(String, String)> = relations.iter().map(name).collect();
            let near = misses(pattern, names.iter().map(|(schema, name)| (schema.as_str(), name.as_str())));
            let near = match near.as_slice() {
                [] => String::new(),
                near => format!("; did you mean {}?", near.join(", ")),
            };
            let why = format!(
                "\"{}\" matches no table, view or sequence of the archive{}",
                shown(pattern.text()),
                shown(&near)
            );
            return Err(Error::new(Kind::InvalidInput, why).at_field(format!("tables[{n}]")));
        }
        chosen.extend(found);
        tracing::debug!(pattern = pattern.text(), relations = chosen.len() - before, "picked");
    }
    let leaves = Descendants::of(toc, by_id);
    let below: Vec<i32> = chosen.iter().flat_map(|id| leaves.below(*id)).collect();
    chosen.extend(below);
    Ok(chosen)
}

/// What a pattern can name. The sequence of an identity column is an entry of this kind as well.
fn is_relation(e: &Entry) -> bool {
    matches!(e.desc.as_str(), "TABLE" | "FOREIGN TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE")
}

struct Picker<'a> {
    by_id: &'a HashMap<i32, &'a Entry>,
    ids: HashSet<i32>,
}

impl Picker<'_> {
    /// Keeps an entry and all that it depends on.
    fn need(&mut self, id: i32) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if let Some(e) = self.by_id.get(&id)
                && self.ids.insert(id)
            {
                todo.extend(&e.dependencies);
            }
        }
    }

    /// Keeps what `goes` says, and again: what hangs on something may bring something on which more hangs.
    fn gather(&mut self, toc: &Toc, goes: impl Fn(&Self, &Entry) -> bool) {
        loop {
            let before = self.ids.len();
            for e in &toc.entries {
                if !self.ids.contains(&e.dump_id) && goes(self, e) {
                    self.need(e.dump_id);
                }
            }
            if self.ids.len() == before {
                break;
            }
        }
    }

    /// Whether an entry is a piece of the definition of a table or domain that is kept.
    fn is_structure(&self, e: &Entry) -> bool {
        let of = |id: &i32, kinds: &[&str]| {
            self.ids.contains(id) && self.by_id.get(id).is_some_and(|on| kinds.contains(&on.desc.as_str()))
        };
        match e.desc.as_str() {
            "DEFAULT" | "SEQUENCE" => e.dependencies.iter().any(|id| of(id, &["TABLE", "FOREIGN TABLE"])),
            "CHECK CONSTRAINT" => {
                e.dependencies.iter().any(|id| of(id, &["TABLE", "FOREIGN TABLE", "DOMAIN"]))
            }
            _ => false,
        }
    }

    /// Whether an entry goes with what is kept.
    fn belongs(&self, e: &Entry, chosen: &HashSet<i32>) -> bool {
        let mut on = e.dependencies.iter().filter(|id| self.by_id.contains_key(id)).peekable();
        if on.peek().is_none() {
            return false;
        }
        let kept = |id: &i32| self.ids.contains(id);
        match e.desc.as_str() {
            // Never pulled in by one side alone.
            "TABLE ATTACH" | "INDEX ATTACH" | "SEQUENCE OWNED BY" | "COMMENT" | "ACL" | "SECURITY LABEL"
            | "SEQUENCE SET" => on.all(kept),
            "FK CONSTRAINT" => {
                let mut own = false;
                on.inspect(|id| own |= chosen.contains(id)).all(kept) && own
            }
            _ if hangs_on(e) => on.any(|id| chosen.contains(id)),
            // Of tables, and of indexes of tables.
            "STATISTICS DATA" => on.any(|id| {
                let index = |e: &&&Entry| matches!(e.desc.as_str(), "INDEX" | "CONSTRAINT");
                chosen.contains(id) || (kept(id) && self.by_id.get(id).as_ref().is_some_and(index))
            }),
            _ => false,
        }
    }
}

fn warnings(toc: &Toc, ids: &HashSet<i32>, chosen: &HashSet<i32>, choices: Choices) -> Vec<String> {
    let mut all = Vec::new();
    let is_left_out = |e: &&Entry| e.desc == "FK CONSTRAINT" && !ids.contains(&e.dump_id);
    let keys: Vec<String> = toc
        .entries
        .iter()
        .filter(|e| is_left_out(e) && !choices.data_only && !choices.skip_constraints)
        .filter(|e| e.dependencies.iter().any(|id| chosen.contains(id)))
        .filter(|e| is_own(e, toc, chosen))
        .map(named)
        .collect();
    for key in keys {
        all.push(format!(
            "{key} was left out: \"tables\" does not name the table that it refers to, or not this one's"
        ));
    }
    if toc.entries.iter().any(is_large_objects) {
        all.push("large objects were left out, as always with \"tables\"".to_owned());
    }
    all
}

/// Whether a foreign key is one of a chosen table: its tag begins with the table's name.
fn is_own(key: &Entry, toc: &Toc, chosen: &HashSet<i32>) -> bool {
    let of = |e: &&Entry| chosen.contains(&e.dump_id) && key.dependencies.contains(&e.dump_id);
    toc.entries
        .iter()
        .filter(of)
        .any(|e| e.namespace == key.namespace && key.tag.starts_with(&format!("{} ", e.tag)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{
        Codec,
        toc::{Header, Section},
    };

    fn entry(dump_id: i32, desc: &str, tag: &str, dependencies: &[i32]) -> Entry {
        Entry {
            dump_id,
            desc: desc.into(),
            tag: tag.into(),
            namespace: Some("public".into()),
            section: Section::PreData,
            dependencies: dependencies.to_vec(),
            ..Entry::default()
        }
    }

    fn toc(entries: Vec<Entry>) -> Toc {
        Toc { header: Header::new(Codec::None, jiff::Timestamp::UNIX_EPOCH, "d", "18.4"), entries }
    }

    fn shop() -> Toc {
        toc(vec![
            entry(1, "ENCODING", "ENCODING", &[]),
            entry(2, "SCHEMA", "public", &[]),
            entry(3, "TYPE", "mood", &[2]),
            entry(4, "FUNCTION", "f()", &[2]),
            entry(5, "FUNCTION", "g()", &[2]),
            entry(10, "TABLE", "customer", &[2, 3]),
            entry(11, "SEQUENCE", "customer_id_seq", &[2]),
            entry(12, "SEQUENCE OWNED BY", "customer_id_seq", &[11, 10]),
            entry(13, "DEFAULT", "customer id", &[11, 10]),
            entry(14, "TABLE", "orders", &[2]),
            entry(15, "TABLE", "item", &[2]),
            entry(16, "VIEW", "v", &[2, 14]),
            entry(20, "TABLE DATA", "customer", &[10]),
            entry(21, "TABLE DATA", "orders", &[14]),
            entry(22, "TABLE DATA", "item", &[15]),
            entry(23, "SEQUENCE SET", "customer_id_seq", &[11]),
            entry(24, "BLOBS", "BLOBS", &[]),
            entry(30, "CONSTRAINT", "customer customer_pkey", &[10]),
            entry(31, "CONSTRAINT", "orders orders_pkey", &[14]),
            entry(32, "FK CONSTRAINT", "orders orders_customer_fkey", &[14, 30, 10]),
            entry(33, "FK CONSTRAINT", "item item_order_fkey", &[15, 31, 14]),
            entry(34, "TRIGGER", "orders t", &[14, 4]),
            entry(35, "COMMENT", "TABLE orders", &[14]),
            entry(36, "COMMENT", "FUNCTION f()", &[4]),
            entry(37, "COMMENT", "FUNCTION g()", &[5]),
            entry(38, "ACL", "TABLE item", &[15]),
            entry(39, "STATISTICS DATA", "orders_pkey", &[31]),
            entry(40, "DATABASE", "d", &[]),
        ])
    }

    fn picked(patterns: &[&str]) -> (Vec<i32>, Vec<String>) {
        let patterns: Vec<Pattern> = patterns.iter().map(|p| Pattern::parse(p).unwrap()).collect();
        let picked = pick(&shop(), &patterns, Choices::default()).unwrap();
        let mut ids: Vec<i32> = picked.ids.into_iter().collect();
        ids.sort_unstable();
        (ids, picked.warnings)
    }

    #[test]
    fn a_table_brings_what_it_needs_and_what_hangs_on_it() {
        let (ids, warnings) = picked(&["orders"]);
        assert_eq!(ids, [1, 2, 4, 14, 21, 31, 34, 35, 36, 39, 40]);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("orders orders_customer_fkey"), "{warnings:?}");
        let (ids, warnings) = picked(&["orders", "public.cust*"]);
        assert_eq!(ids, [1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 23, 30, 31, 32, 34, 35, 36, 39, 40]);
        assert!(!warnings.concat().contains("fkey"), "{warnings:?}");
    }

    #[test]
    fn what_a_view_reads_comes_without_rows() {
        let (ids, _) = picked(&["v"]);
        assert_eq!(ids, [1, 2, 14, 16, 35, 40]);
    }

    #[test]
    fn a_table_without_rows_has_its_defaults_and_sequences() {
        let mut toc = shop();
        toc.entries.extend([
            entry(50, "VIEW", "w", &[2, 10]),
            entry(51, "SEQUENCE", "identity", &[10]),
            entry(52, "CHECK CONSTRAINT", "customer positive", &[10]),
            entry(53, "CHECK CONSTRAINT", "mood glad", &[3]),
            entry(54, "SEQUENCE SET", "identity", &[51]),
        ]);
        toc.entries[2].desc = "DOMAIN".into();
        let picked = pick(&toc, &[Pattern::parse("w").unwrap()], Choices::default()).unwrap();
        let mut ids: Vec<i32> = picked.ids.into_iter().collect();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3, 10, 11, 12, 13, 40, 50, 51, 52, 53]);
        assert_eq!(picked.own, HashSet::from([50]));
    }

    #[test]
    fn partitions_come_with_their_root_and_alone_with_its_definition() {
        let toc = toc(vec![
            entry(1, "TABLE", "root", &[]),
            entry(2, "TABLE", "leaf", &[]),
            entry(3, "TABLE ATTACH", "leaf", &[1, 2]),
            entry(4, "TABLE DATA", "leaf", &[2]),
            entry(5, "INDEX", "root_i", &[1]),
            entry(6, "INDEX", "leaf_i", &[2]),
            entry(7, "INDEX ATTACH", "leaf_i", &[5, 6]),
        ]);
        let of = |text: &str| {
            let mut ids: Vec<i32> = pick(&toc, &[Pattern::parse(text).unwrap()], Choices::default())
                .unwrap()
                .ids
                .into_iter()
                .collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(of("root"), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(of("leaf"), [2, 4, 6], "by itself it is a table");
    }

    #[test]
    fn a_pattern_without_a_match_is_told_with_its_place() {
        let patterns: Vec<Pattern> =
            ["orders", "custoner"].iter().map(|p| Pattern::parse(p).unwrap()).collect();
        let e = pick(&shop(), &patterns, Choices::default()).unwrap_err();
        assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some("tables[1]")));
        assert!(e.to_string().contains("public.customer"), "{e}");
    }
}
