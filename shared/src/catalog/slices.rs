//! Slices: one large table as several data entries with a file each, so that many workers write it, and `pg_restore -j` loads it, at once.
//!
//! pg_restore knows one data entry for a table. It takes more when it neither truncates the table before each of them, which it does not where
//! their definition begins with `-- load via partition root`, nor builds indexes, constraints and triggers before all of them are loaded, which
//! it does not where those entries name them all.

use std::collections::{HashMap, HashSet};

use super::{Catalog, DataSource, Entry, Section, Sizes, Slice, TableSource};
use crate::pg::qualified;

impl Catalog {
    /// Sets the expected size of every table, and cuts those that are larger than `target` bytes of COPY text into slices of about that
    /// size. Entries are numbered anew.
    pub fn slice(&mut self, sizes: &Sizes, target: u64) {
        self.entries = sliced(std::mem::take(&mut self.entries), sizes, target);
    }
}

fn sliced(mut entries: Vec<Entry>, sizes: &Sizes, target: u64) -> Vec<Entry> {
    let mut cuts: HashMap<usize, Vec<TableSource>> = HashMap::new();
    for (place, entry) in entries.iter_mut().enumerate() {
        let Some(DataSource::Table(source)) = &mut entry.data else { continue };
        let Some(size) = sizes.of(source.oid) else { continue };
        source.bytes = size.bytes;
        let count = u32::try_from(size.bytes / target.max(1) + 1).unwrap_or(u32::MAX).min(size.pages);
        let whole = source.condition.is_empty() && !source.columns.is_empty();
        if count > 1 && size.by_pages && whole {
            cuts.insert(place, pieces(source, size.pages, count));
        }
    }
    if cuts.is_empty() { entries } else { renumbered(entries, cuts) }
}

fn pieces(source: &TableSource, pages: u32, count: u32) -> Vec<TableSource> {
    let first = |n: u32| u32::try_from(u64::from(pages) * u64::from(n) / u64::from(count)).unwrap_or(pages);
    let slice = |n: u32| Slice { from: first(n), to: (n + 1 < count).then(|| first(n + 1)) };
    let bytes = source.bytes / u64::from(count);
    (0..count).map(|n| TableSource { slice: Some(slice(n)), bytes, ..source.clone() }).collect()
}

/// The entries with the cut ones replaced by their pieces, and whatever waits for a cut table or its rows waiting for all pieces.
fn renumbered(entries: Vec<Entry>, mut cuts: HashMap<usize, Vec<TableSource>>) -> Vec<Entry> {
    let mut numbers: HashMap<i32, Vec<i32>> = HashMap::new();
    let mut next = 0;
    for (place, entry) in entries.iter().enumerate() {
        let count = cuts.get(&place).map_or(1, Vec::len);
        let new = (0..count).map(|_| {
            next += 1;
            next
        });
        numbers.insert(entry.dump_id, new.collect());
    }
    let mut rows_of: HashMap<i32, Vec<i32>> = HashMap::new();
    for (place, pieces) in &cuts {
        let oid = pieces.first().map(|p| p.oid);
        let table = entries.iter().find(|e| Some(e.catalog_id.oid) == oid && e.desc == "TABLE");
        if let Some(table) = table {
            rows_of.insert(table.dump_id, numbers[&entries[*place].dump_id].clone());
        }
    }
    let mut all = Vec::with_capacity(entries.len() + next as usize);
    for (place, entry) in entries.into_iter().enumerate() {
        let mut needed: HashSet<i32> = HashSet::new();
        for id in &entry.dependencies {
            needed.extend(numbers.get(id).into_iter().flatten());
            if entry.section == Section::PostData {
                needed.extend(rows_of.get(id).into_iter().flatten());
            }
        }
        let mut dependencies: Vec<i32> = needed.into_iter().collect();
        dependencies.sort_unstable();
        let ids = &numbers[&entry.dump_id];
        let entry = Entry { dependencies, ..entry };
        match cuts.remove(&place) {
            None => all.push(Entry { dump_id: ids[0], ..entry }),
            Some(pieces) => {
                all.extend(ids.iter().zip(pieces).map(|(id, piece)| piece_of(&entry, *id, piece)));
            }
        }
    }
    all
}

fn piece_of(entry: &Entry, dump_id: i32, source: TableSource) -> Entry {
    let mut piece = Entry { dump_id, ..entry.clone() };
    if piece.definition.is_empty() {
        piece.definition = format!("-- load via partition root {}", qualified(&source.schema, &source.name));
    }
    piece.data = Some(DataSource::Table(source));
    piece
}

#[cfg(test)]
mod tests {
    use super::{super::draft::CatalogId, *};
    use crate::catalog::sizes::Size;

    fn entry(dump_id: i32, desc: &'static str, oid: u32, section: Section, needs: &[i32]) -> Entry {
        Entry {
            dump_id,
            catalog_id: CatalogId { class: 1259, oid },
            desc,
            section,
            tag: format!("t{oid}"),
            namespace: Some("public".into()),
            owner: String::new(),
            tablespace: None,
            table_am: None,
            relkind: None,
            definition: String::new(),
            drop: String::new(),
            copy: None,
            data: None,
            dependencies: needs.to_vec(),
        }
    }

    fn rows(dump_id: i32, oid: u32, table: i32) -> Entry {
        let source = TableSource {
            oid,
            schema: "public".into(),
            name: format!("t{oid}"),
            relfilenode: 1,
            columns: "a".into(),
            typed: Vec::new(),
            condition: String::new(),
            slice: None,
            bytes: 0,
        };
        Entry {
            data: Some(DataSource::Table(source)),
            ..entry(dump_id, "TABLE DATA", oid, Section::Data, &[table])
        }
    }

    /// Two tables of ten pages, of which the first has 1,000 bytes for each page.
    fn catalog() -> (Vec<Entry>, Sizes) {
        let entries = vec![
            entry(1, "TABLE", 100, Section::PreData, &[]),
            entry(2, "TABLE", 200, Section::PreData, &[]),
            rows(3, 100, 1),
            rows(4, 200, 2),
            entry(5, "INDEX", 101, Section::PostData, &[1]),
            entry(6, "INDEX", 201, Section::PostData, &[2]),
            entry(7, "FK CONSTRAINT", 300, Section::PostData, &[2, 3, 5]),
        ];
        let size = |bytes| Size { pages: 10, bytes, by_pages: true };
        let sizes = Sizes::from_map(HashMap::from([(100, size(10_000)), (200, size(100))]));
        (entries, sizes)
    }

    #[test]
    fn a_large_table_becomes_several_entries_that_all_wait_for() {
        let (entries, sizes) = catalog();
        let entries = sliced(entries, &sizes, 4_000);
        let found: Vec<_> = entries.iter().map(|e| (e.dump_id, e.desc, e.dependencies.clone())).collect();
        let expected = [
            (1, "TABLE", vec![]),
            (2, "TABLE", vec![]),
            (3, "TABLE DATA", vec![1]),
            (4, "TABLE DATA", vec![1]),
            (5, "TABLE DATA", vec![1]),
            (6, "TABLE DATA", vec![2]),
            (7, "INDEX", vec![1, 3, 4, 5]),
            (8, "INDEX", vec![2]),
            (9, "FK CONSTRAINT", vec![2, 3, 4, 5, 7]),
        ];
        assert_eq!(found, expected);
        assert!(entries[2].definition.starts_with("-- load via partition root public.t100"));
        assert_eq!(entries[5].definition, "");
    }

    #[test]
    fn slices_cover_every_page_once_and_the_last_has_no_end() {
        let (entries, sizes) = catalog();
        let entries = sliced(entries, &sizes, 4_000);
        let slices: Vec<_> = entries[2..5]
            .iter()
            .map(|e| match &e.data {
                Some(DataSource::Table(source)) => (source.copy_out(), source.bytes),
                other => panic!("{other:?}"),
            })
            .collect();
        let copy =
            |condition: &str| format!("COPY (SELECT a FROM ONLY public.t100 WHERE {condition}) TO stdout");
        assert_eq!(
            slices,
            [
                (copy("ctid >= '(0,0)'::pg_catalog.tid AND ctid < '(3,0)'::pg_catalog.tid"), 3_333),
                (copy("ctid >= '(3,0)'::pg_catalog.tid AND ctid < '(6,0)'::pg_catalog.tid"), 3_333),
                (copy("ctid >= '(6,0)'::pg_catalog.tid"), 3_333),
            ]
        );
    }

    #[test]
    fn small_tables_and_those_that_are_only_read_whole_stay_whole() {
        let (entries, _) = catalog();
        let size = Size { pages: 10, bytes: 10_000, by_pages: false };
        let of = |size| Sizes::from_map(HashMap::from([(100, size)]));
        assert_eq!(sliced(entries.clone(), &of(size), 4_000).len(), entries.len());
        let by_pages = Size { by_pages: true, ..size };
        assert_eq!(sliced(entries.clone(), &of(by_pages), 10_001).len(), entries.len());
        assert_eq!(sliced(entries.clone(), &of(by_pages), 10_000).len(), entries.len() + 1);
    }
}
