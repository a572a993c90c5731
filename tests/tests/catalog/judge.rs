//! Who says whether a copy is right: `pg_dump -s`, the table of contents of pg_dump's archive, and the rows themselves.

use std::{
    collections::{BTreeSet, HashMap},
    env,
    process::{Command, Stdio},
};

use pgbaton::{
    catalog::{Catalog, DataSource, Entry},
    pg::qualified,
};
use tokio_postgres::Client;

use crate::pair::{Pair, variable};

pub fn url(database: &str) -> String {
    let mut url = variable("PGBATON_TEST_PG_URL");
    let end = url.rfind('/').expect("a database in the URL");
    url.replace_range(end + 1.., database);
    url
}

pub fn dump(database: &str) -> String {
    let output = Command::new(format!("{}/pg_dump", variable("PGBATON_TEST_PG_BIN")))
        .args(["-s", "-d", &url(database)])
        .stderr(Stdio::inherit())
        .output()
        .expect("pg_dump");
    assert!(output.status.success(), "pg_dump failed");
    let text = String::from_utf8(output.stdout).unwrap();
    // A random key, new in every dump.
    let fixed = text.lines().filter(|l| !l.starts_with("\\restrict") && !l.starts_with("\\unrestrict"));
    fixed.collect::<Vec<_>>().join("\n")
}

pub fn compare(pair: &Pair) {
    let (source, copy) = (dump(&pair.source), dump(&pair.copy));
    if source != copy {
        let mut counts: HashMap<&str, i32> = HashMap::new();
        source.lines().for_each(|l| *counts.entry(l).or_default() += 1);
        copy.lines().for_each(|l| *counts.entry(l).or_default() -= 1);
        let differ = |sign: i32, text: &str| -> Vec<String> {
            text.lines().filter(|l| counts[l] * sign > 0).map(str::to_owned).collect()
        };
        panic!(
            "pg_dump -s differs.\nonly in the source: {:#?}\nonly in the copy: {:#?}\n(both empty: the order differs)",
            differ(1, &source),
            differ(-1, &copy)
        );
    }
}

/// An entry as `pg_restore -l` lists it, without its number, with what it depends on listed the same way.
pub type Listed = (String, BTreeSet<String>);

/// `pg_restore -l` of pg_dump's own archive: the same entries, of the same catalog rows, in the same order, with the same dependencies.
pub fn compare_listing(pair: &Pair, catalog: &Catalog) {
    // Large objects are laid out as pg_dump 16 did, for archives that 12 to 16 can read.
    let same_layout = |(entry, _): &Listed| !entry.contains("BLOB") && !entry.contains("LARGE OBJECT");
    let theirs: Vec<Listed> = pg_dump_listing(&pair.source).into_iter().filter(same_layout).collect();
    let ours: Vec<Listed> = listing(catalog).into_iter().filter(same_layout).collect();
    let missing: Vec<_> = theirs.iter().filter(|t| !ours.iter().any(|o| same(t, o))).collect();
    let surplus: Vec<_> = ours.iter().filter(|o| !theirs.iter().any(|t| same(t, o))).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "the table of contents differs.\nonly in pg_dump's: {missing:#?}\nonly in ours: {surplus:#?}"
    );
    // pg_dump sorts the comment on a constraint's index as the index, which has no entry; ours follows the constraint.
    let order =
        |list: Vec<Listed>| list.into_iter().filter(|(entry, _)| !entry.contains("COMMENT shop INDEX"));
    for (theirs, ours) in order(theirs).zip(order(ours)) {
        assert_eq!(theirs.0, ours.0, "the order differs");
    }
}

/// Equal, except that pg_dump repeats what is needed through others anyway: the schema of an extension whose type is used, and for the
/// attachment of a partition's key the key of the parent's parent.
pub fn same(theirs: &Listed, ours: &Listed) -> bool {
    let mut more = theirs.1.difference(&ours.1);
    // Ours names the partitions that a foreign key reaches, so that pg_restore -j does not touch them meanwhile.
    let ours_may = |needed: &String| theirs.0.contains(" FK CONSTRAINT ") && needed.contains(" TABLE ");
    theirs.0 == ours.0
        && ours.1.difference(&theirs.1).all(ours_may)
        && more.all(|needed| theirs.0.contains(" INDEX ATTACH ") || needed.contains(" SCHEMA "))
}

pub fn listing(catalog: &Catalog) -> Vec<Listed> {
    // pg_restore -l shows names on one line.
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let line = |e: &Entry| {
        let schema = e.namespace.as_deref().map_or("-".to_owned(), one_line);
        let (tag, owner) = (one_line(&e.tag), one_line(&e.owner));
        format!("{} {} {} {schema} {tag} {owner}", e.catalog_id.class, e.catalog_id.oid, e.desc)
    };
    catalog
        .entries
        .iter()
        .map(|e| {
            let data = |id: &&i32| !foreign_key_data(e, &catalog.entries[usize::try_from(**id - 1).unwrap()]);
            let needs = e.dependencies.iter().filter(data);
            (line(e), needs.map(|id| line(&catalog.entries[usize::try_from(*id - 1).unwrap()])).collect())
        })
        .filter(|(name, _): &Listed| !name.contains(" DATABASE "))
        .collect()
}

/// pg_restore adds the data of both tables to what a foreign key depends on; ours says so itself.
pub fn foreign_key_data(entry: &Entry, needed: &Entry) -> bool {
    entry.desc == "FK CONSTRAINT" && needed.desc == "TABLE DATA"
}

pub fn pg_dump_listing(database: &str) -> Vec<Listed> {
    let file = env::temp_dir().join(format!("pgbaton-{database}-{}.dump", std::process::id()));
    let bin = variable("PGBATON_TEST_PG_BIN");
    let mut command = Command::new(format!("{bin}/pg_dump"));
    command.args(["-Fc", "-Z0", "-d", &url(database), "-f"]).arg(&file);
    assert!(command.status().expect("pg_dump").success());
    let output =
        Command::new(format!("{bin}/pg_restore")).args(["-l", "-v"]).arg(&file).output().expect("pg_restore");
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut entries: Vec<(u32, String, Vec<u32>)> = Vec::new();
    for line in text.lines() {
        if let Some(needs) = line.strip_prefix(";\tdepends on:") {
            let needs = needs.split_whitespace().map(|n| n.parse().unwrap()).collect();
            entries.last_mut().expect("an entry before").2 = needs;
        } else if let Some((id, entry)) = line.split_once("; ")
            && let Ok(id) = id.parse()
        {
            entries.push((id, entry.to_owned(), Vec::new()));
        }
    }
    let names: HashMap<u32, String> = entries.iter().map(|(id, name, _)| (*id, name.clone())).collect();
    entries
        .into_iter()
        .filter(|(_, name, _)| !name.contains(" DATABASE "))
        .map(|(_, name, needs)| (name, needs.iter().filter_map(|n| names.get(n).cloned()).collect()))
        .collect()
}

/// As jsonb, whose keys are sorted: a table that inherits may get its columns in another order, as with pg_dump.
pub async fn compare_rows(source: &Client, copy: &Client, catalog: &Catalog) {
    for entry in &catalog.entries {
        if let Some(DataSource::Table(table)) = &entry.data {
            let name = qualified(&table.schema, &table.name);
            let sql = format!(
                "SELECT count(*), coalesce(sum(hashtext(to_jsonb(t)::text)::int8), 0)::int8 FROM ONLY {name} t"
            );
            let of = async |client: &Client| -> (i64, i64) {
                let row = client.query_one(&sql, &[]).await.unwrap();
                (row.get(0), row.get(1))
            };
            assert_eq!(of(source).await, of(copy).await, "rows of {name}");
        }
    }
    let sequences = catalog.entries.iter().filter(|e| e.desc == "SEQUENCE");
    for entry in sequences {
        let name = qualified(entry.namespace.as_deref().unwrap(), &entry.tag);
        let sql = format!("SELECT last_value, is_called FROM {name}");
        let of = async |client: &Client| -> (i64, bool) {
            let row = client.query_one(&sql, &[]).await.unwrap();
            (row.get(0), row.get(1))
        };
        assert_eq!(of(source).await, of(copy).await, "value of {name}");
    }
}
