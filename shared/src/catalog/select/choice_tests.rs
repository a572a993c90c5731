//! Choices among objects made up for a test.

use proptest::prelude::*;

use super::*;
use crate::catalog::class::{PG_ATTRDEF, PG_CONSTRAINT, PG_EXTENSION, PG_POLICY, PG_PROC, PG_REWRITE};

fn id(class: u32, oid: u32) -> CatalogId {
    CatalogId { class, oid }
}

fn table(oid: u32) -> CatalogId {
    CatalogId::relation(oid)
}

/// Relations are named after their number: `public.r20001`.
#[derive(Default)]
struct Made(Facts);

impl Made {
    fn relation(&mut self, oid: u32, kind: char) -> &mut Self {
        let name = format!("r{oid}");
        let relation = Relation { schema: "public".into(), name, kind, member: false, configured: false };
        self.0.relations.insert(oid, relation);
        self
    }

    fn need(&mut self, from: CatalogId, to: CatalogId) -> &mut Self {
        self.0.needs.entry(from).or_default().push(to);
        self
    }

    fn belong(&mut self, what: CatalogId, to: u32, vital: bool) -> &mut Self {
        self.0.belongs.insert(what, Belongs { to: table(to), vital });
        self.need(what, table(to))
    }

    fn partition(&mut self, of: u32, oid: u32, kind: char) -> &mut Self {
        self.relation(oid, kind).0.children.entry(of).or_default().push(oid);
        self.need(table(oid), table(of))
    }

    /// A view and its query, whose oid is the view's with 10,000 more.
    fn view(&mut self, oid: u32, kind: char, reads: &[u32]) -> &mut Self {
        let query = id(PG_REWRITE, oid + 10_000);
        self.relation(oid, kind).belong(query, oid, true);
        for read in reads {
            self.need(query, table(*read));
        }
        self
    }

    fn key(&mut self, oid: u32, of: u32, to: u32) -> &mut Self {
        let id = id(PG_CONSTRAINT, oid);
        self.0.belongs.insert(id, Belongs { to: table(of), vital: false });
        self.0.foreign_keys.push(ForeignKey { id, table: of, referenced: to, validated: true });
        self
    }

    fn choose(&self, selection: &[(&str, &str)]) -> Choice {
        choose(&self.0, &selected(selection)).unwrap()
    }
}

/// Pairs of a list's name and a pattern; `("all", "")` for the structure of all.
fn selected(pairs: &[(&str, &str)]) -> Selection {
    let mut selection = Selection::default();
    for (list, pattern) in pairs {
        let parsed = || Pattern::parse(pattern).unwrap();
        match *list {
            "tables" => selection.tables.push(parsed()),
            "without" => selection.exclude_tables.push(parsed()),
            "empty" => selection.exclude_data.push(parsed()),
            _ => selection.include_schema_only = true,
        }
    }
    selection
}

fn kept(choice: &Choice, facts: &Facts) -> Vec<u32> {
    facts.relations.keys().copied().filter(|oid| choice.keeps(table(*oid))).collect()
}

fn full(choice: &Choice) -> Vec<u32> {
    let mut full: Vec<u32> = choice.full.iter().copied().collect();
    full.sort_unstable();
    full
}

/// Two tables with a key between them, a view on both, a function that a default calls, a sequence that one owns, and an unrelated table.
fn shop() -> Made {
    let mut made = Made::default();
    made.relation(20_001, 'r').relation(20_002, 'r').relation(20_003, 'r').view(
        20_004,
        'v',
        &[20_001, 20_002],
    );
    made.relation(20_005, 'S').key(25_001, 20_002, 20_001);
    let default = id(PG_ATTRDEF, 26_001);
    made.belong(default, 20_002, false).need(default, id(PG_PROC, 27_001)).need(default, table(20_005));
    made.0.owned.insert(20_005, (20_002, false));
    made.0.belongs.insert(table(20_005), Belongs { to: table(20_002), vital: false });
    made
}

#[test]
fn tables_bring_what_they_need_and_no_others() {
    let made = shop();
    let choice = made.choose(&[("tables", "r20002")]);
    assert_eq!(kept(&choice, &made.0), [20_002, 20_005]);
    assert_eq!(full(&choice), [20_002, 20_005], "its rows, and the value of its sequence");
    assert!(choice.keeps(id(PG_PROC, 27_001)) && choice.keeps(id(PG_ATTRDEF, 26_001)));
    assert!(!choice.keeps(id(PG_CONSTRAINT, 25_001)), "the table that the key refers to is not there");
    assert_eq!(choice.omitted.len(), 1);
    assert!(choice.omitted[0].why.contains("table and rows of public.r20001"), "{:?}", choice.omitted);

    let both = made.choose(&[("tables", "r20002"), ("tables", "public.r20001")]);
    assert!(both.keeps(id(PG_CONSTRAINT, 25_001)) && both.omitted.is_empty());

    // The sequence alone needs no table; the other way round it does.
    let alone = made.choose(&[("tables", "r20005")]);
    assert_eq!((kept(&alone, &made.0), full(&alone)), (vec![20_005], vec![20_005]));
    assert!(!alone.keeps_part(table(20_005).part(Part::OwnedBy)));
    assert!(choice.keeps_part(table(20_005).part(Part::OwnedBy)));
}

#[test]
fn a_selected_view_brings_the_tables_that_it_reads_without_their_rows() {
    let made = shop();
    let choice = made.choose(&[("tables", "r20004")]);
    assert_eq!(kept(&choice, &made.0), [20_001, 20_002, 20_004, 20_005]);
    assert_eq!(full(&choice), Vec::<u32>::new());
    assert!(choice.keeps(id(PG_CONSTRAINT, 25_001)), "neither side has rows");
    assert!(
        choice.keeps_part(table(20_001).definition()) && !choice.keeps_part(table(20_001).part(Part::Data))
    );
}

#[test]
fn what_cannot_be_without_an_excluded_table_goes_with_it_and_is_told() {
    let mut made = shop();
    made.view(20_006, 'v', &[20_004]);
    let choice = made.choose(&[("without", "r20001")]);
    assert_eq!(kept(&choice, &made.0), [20_002, 20_003, 20_005]);
    let told: Vec<CatalogId> = choice.omitted.iter().map(|o| o.id).collect();
    assert_eq!(told, [table(20_004), table(20_006), id(PG_CONSTRAINT, 25_001)]);
    assert!(
        choice.omitted[1].why.contains("public.r20001"),
        "the table, not the view between: {:?}",
        choice.omitted
    );
    assert!(choice.large_objects);

    // A default that calls an excluded sequence goes, its table stays; an identity's sequence is a part of its column.
    let choice = made.choose(&[("without", "r20005")]);
    assert_eq!(choice.omitted.iter().map(|o| o.id).collect::<Vec<_>>(), [id(PG_ATTRDEF, 26_001)]);
    assert!(choice.keeps(table(20_002)) && !choice.keeps(table(20_005)));
    made.0.owned.insert(20_005, (20_002, true));
    assert!(made.choose(&[("without", "r20005")]).keeps(table(20_005)));
}

#[test]
fn excludes_win() {
    let made = shop();
    let choice = made.choose(&[("tables", "r2000*"), ("without", "r20001"), ("empty", "r20003")]);
    assert_eq!(kept(&choice, &made.0), [20_002, 20_003, 20_005]);
    assert_eq!(full(&choice), [20_002, 20_005]);
}

#[test]
fn keys_to_tables_without_rows_stay_where_nothing_could_break_them() {
    let mut made = shop();
    let key = id(PG_CONSTRAINT, 25_001);
    let choice = made.choose(&[("empty", "r20001")]);
    assert!(!choice.keeps(key) && choice.omitted[0].why.contains("the rows of public.r20001"));
    assert!(choice.keeps(table(20_001)));
    let both = made.choose(&[("empty", "r20001"), ("empty", "r20002")]);
    assert!(both.keeps(key) && both.is_full(20_005), "values of sequences stay");
    assert!(made.choose(&[("empty", "r20002")]).keeps(key));
    made.0.foreign_keys[0].validated = false;
    assert!(made.choose(&[("empty", "r20001")]).keeps(key), "a restore does not look at the rows");
}

#[test]
fn the_structure_of_all() {
    let made = shop();
    let choice = made.choose(&[("all", "")]);
    assert_eq!(kept(&choice, &made.0).len(), 5);
    assert_eq!(full(&choice), Vec::<u32>::new());
    assert!(choice.omitted.is_empty() && !choice.large_objects);
    let choice = made.choose(&[("all", ""), ("tables", "r20002")]);
    assert_eq!((kept(&choice, &made.0).len(), full(&choice)), (5, vec![20_002, 20_005]));
    assert!(choice.omitted[0].why.contains("the rows of public.r20001"));
}

#[test]
fn partitioned_tables_stand_for_their_partitions() {
    let mut made = Made::default();
    made.relation(20_001, 'p').partition(20_001, 20_002, 'p').partition(20_002, 20_003, 'r');
    made.partition(20_001, 20_004, 'r').relation(20_005, 'r').key(25_001, 20_005, 20_001);
    let key = id(PG_CONSTRAINT, 25_001);
    let choice = made.choose(&[("tables", "r20001"), ("tables", "r20005")]);
    assert_eq!(full(&choice), [20_003, 20_004, 20_005]);
    assert!(choice.keeps(key) && choice.keeps_part(table(20_001).part(Part::Statistics)));
    let one = made.choose(&[("tables", "r20003"), ("tables", "r20005")]);
    assert_eq!(
        (kept(&one, &made.0), full(&one)),
        (vec![20_001, 20_002, 20_003, 20_005], vec![20_003, 20_005])
    );
    assert!(!one.keeps(key), "rows of the other partition are missing");
    let without = made.choose(&[("without", "r20004")]);
    assert_eq!(kept(&without, &made.0), [20_001, 20_002, 20_003, 20_005]);
    assert!(!without.keeps(key) && !without.keeps_part(table(20_001).part(Part::Statistics)));
    assert_eq!(kept(&made.choose(&[("without", "r20001")]), &made.0), [20_005]);
    assert_eq!(full(&made.choose(&[("empty", "r20002")])), [20_004, 20_005]);
}

#[test]
fn a_materialized_view_is_filled_only_from_rows_that_are_there() {
    let mut made = Made::default();
    made.relation(20_001, 'r').view(20_002, 'v', &[20_001]).view(20_003, 'm', &[20_002]).view(
        20_004,
        'm',
        &[20_003],
    );
    assert_eq!(full(&made.choose(&[("tables", "*")])), [20_001, 20_003, 20_004]);
    let choice = made.choose(&[("empty", "r20001")]);
    assert_eq!(full(&choice), Vec::<u32>::new());
    assert!(choice.warnings[0].contains("public.r20003") && choice.warnings[0].contains("public.r20001"));
    assert_eq!(full(&made.choose(&[("empty", "r20003")])), [20_001]);
    assert!(made.choose(&[("all", "")]).warnings.is_empty());
}

#[test]
fn members_of_extensions_bring_their_extension() {
    let mut made = shop();
    let (function, extension) = (id(PG_PROC, 27_001), id(PG_EXTENSION, 28_001));
    made.0.member_of.insert(function, extension);
    let choice = made.choose(&[("tables", "r20002")]);
    assert!(choice.keeps(extension) && choice.keeps(function));
    let choice = made.choose(&[("tables", "r20001")]);
    assert!(!choice.keeps(extension) && !choice.keeps(function));
}

#[test]
fn large_objects_are_left_out_and_counted() {
    let mut made = shop();
    made.0.large_objects = 2;
    let choice = made.choose(&[("tables", "r20001")]);
    assert_eq!(choice.warnings, ["2 large objects are not in the backup: with \"tables\" none are archived"]);
    assert!(made.choose(&[("without", "r20001")]).warnings.is_empty());
}

#[test]
fn a_pattern_that_means_nothing_is_an_error_with_near_misses() {
    let made = shop();
    for (selection, field) in [
        (&[("tables", "r20001"), ("tables", "r2000x")][..], "tables[1]"),
        (&[("without", "R20001x")], "excludeTables[0]"),
        (&[("empty", "public.r2")], "excludeData[0]"),
    ] {
        let e = choose(&made.0, &selected(selection)).unwrap_err();
        assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(field)));
        assert!(e.message().starts_with(field), "{e}");
    }
    let e = choose(&made.0, &selected(&[("tables", "r2000x")])).unwrap_err();
    assert!(e.message().contains("public.r20001, public.r20002, public.r20003"), "{e}");
}

proptest! {
    /// Whatever hangs on whatever: nothing that stays lacks what it needs, nothing of what is gone stays, and no key can break.
    #[test]
    fn a_choice_is_closed(
        kinds in proptest::collection::vec(proptest::sample::select(vec!['r', 'p', 'f', 'v', 'm', 'S']), 2..12),
        inherits in proptest::collection::vec((0_u32..12, 0_u32..12), 0..8),
        needs in proptest::collection::vec((0_u32..12, 0_u32..4, 0_u32..24), 0..30),
        keys in proptest::collection::vec((0_u32..12, 0_u32..12, any::<bool>()), 0..8),
        lists in proptest::collection::vec((0_usize..3, 0_u32..12), 0..6),
        all in any::<bool>(),
    ) {
        let count = u32::try_from(kinds.len()).unwrap();
        let mut made = Made::default();
        for (n, kind) in (0_u32..).zip(&kinds) {
            match kind {
                'v' | 'm' => made.view(20_000 + n, *kind, &[]),
                _ => made.relation(20_000 + n, *kind),
            };
            made.belong(id(PG_ATTRDEF, 21_000 + n), 20_000 + n, n % 5 == 0).belong(id(PG_POLICY, 22_000 + n), 20_000 + n, false);
        }
        for (parent, child) in inherits {
            let (parent, child) = (20_000 + parent % count, 20_000 + child % count);
            if parent < child {
                made.0.children.entry(parent).or_default().push(child);
                made.need(table(child), table(parent));
            }
        }
        for (from, part, to) in needs {
            let from = from % count;
            let from = match part {
                0 => table(20_000 + from),
                1 => id(PG_ATTRDEF, 21_000 + from),
                2 => id(PG_POLICY, 22_000 + from),
                _ => id(PG_PROC, 23_000 + from),
            };
            let to = if to < 12 { table(20_000 + to % count) } else { id(PG_PROC, 23_000 + to % count) };
            made.need(from, to);
        }
        for (n, (of, to, validated)) in (0_u32..).zip(keys) {
            made.key(24_000 + n, 20_000 + of % count, 20_000 + to % count);
            made.0.foreign_keys[n as usize].validated = validated;
        }
        let names: Vec<(&str, String)> =
            lists.iter().map(|(list, n)| (["tables", "without", "empty"][*list], format!("r{}", 20_000 + n % count))).collect();
        let mut pairs: Vec<(&str, &str)> = names.iter().map(|(list, name)| (*list, name.as_str())).collect();
        if all {
            pairs.push(("all", ""));
        }
        let facts = &made.0;
        let choice = made.choose(&pairs);
        for (from, needs) in &facts.needs {
            for to in needs {
                prop_assert!(!choice.keeps(*from) || choice.keeps(*to), "{from:?} stays without {to:?}");
            }
        }
        for (what, belongs) in &facts.belongs {
            prop_assert!(!choice.keeps(*what) || choice.keeps(belongs.to), "{what:?} stays of {:?}", belongs.to);
            prop_assert!(!belongs.vital || !choice.keeps(belongs.to) || choice.keeps(*what), "{:?} lacks {what:?}", belongs.to);
        }
        for oid in &choice.full {
            prop_assert!(choice.keeps(table(*oid)));
        }
        for (list, name) in &names {
            let oid = name[1..].parse().unwrap();
            prop_assert!(*list != "without" || !choice.keeps(table(oid)), "{name}");
            prop_assert!(*list != "empty" || facts.relations[&oid].kind == 'S' || !choice.is_full(oid), "{name}");
        }
        for key in facts.foreign_keys.iter().filter(|k| choice.keeps(k.id)) {
            prop_assert!(choice.keeps(table(key.table)) && choice.keeps(table(key.referenced)));
            let rows = choice.is_full(key.table) && key.validated;
            prop_assert!(!rows || facts.is_whole(key.referenced, &choice.full));
        }
        for omitted in &choice.omitted {
            prop_assert!(!choice.keeps(omitted.id));
        }
    }
}
