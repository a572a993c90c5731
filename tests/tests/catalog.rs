//! The catalog room against a real server: whatever a database holds, the entries in their order make it again on an empty one.
//!
//! The judge is `pg_dump -s` of both. Needs `PGBATON_TEST_PG_URL` and `PGBATON_TEST_PG_BIN` (the folder of `pg_dump` and `pg_restore`).

use std::{
    collections::{BTreeSet, HashMap},
    env,
    process::{Command, Stdio},
};

use futures_util::{SinkExt, StreamExt};
use pgbaton::{
    catalog::{self, Catalog, DataSource, Entry, Section},
    pg::{ServerVersion, ident, qualified},
};
use tokio_postgres::{Client, Config, NoTls};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the stack with infra/local test"))
}

async fn connect(database: &str) -> Client {
    let mut config: Config = variable("PGBATON_TEST_PG_URL").parse().expect("PGBATON_TEST_PG_URL");
    config.dbname(database);
    let (client, connection) = config.connect(NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

/// Two databases of their own for one test, dropped at its end.
struct Pair {
    source: String,
    copy: String,
}

impl Pair {
    async fn new(name: &str) -> Self {
        let pair = Self { source: format!("catalog_{name}_source"), copy: format!("catalog_{name}_copy") };
        pair.drop().await;
        let server = connect("postgres").await;
        for database in [&pair.source, &pair.copy] {
            server.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0")).await.unwrap();
        }
        pair
    }

    async fn drop(&self) {
        let server = connect("postgres").await;
        for database in [&self.source, &self.copy] {
            server.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await.unwrap();
        }
    }

    /// Fills the source, makes the copy from the catalog's entries, and compares. Returns the catalog for what else a test looks at.
    async fn copies(name: &str, sql: &str) -> Catalog {
        let pair = Self::new(name).await;
        let source = connect(&pair.source).await;
        roles().await;
        source.batch_execute(sql).await.unwrap_or_else(|e| panic!("filling the source: {e:?}"));
        let catalog = read(&source).await;
        let copy = connect(&pair.copy).await;
        restore(&source, &copy, &catalog).await;
        compare(&pair);
        compare_listing(&pair, &catalog);
        compare_rows(&source, &copy, &catalog).await;
        drop((source, copy));
        pair.drop().await;
        catalog
    }
}

/// Roles are the server's, not the database's.
async fn roles() {
    let server = connect("postgres").await;
    for role in ["catalog_owner", "catalog_reader", "\"Catalog \"\"Odd\"\" Role\""] {
        // Tests run side by side: another may have made it in the meantime.
        let _ = server.batch_execute(&format!("CREATE ROLE {role}")).await;
    }
}

async fn version(client: &Client) -> ServerVersion {
    let row = client.query_one("SELECT current_setting('server_version_num')::int4", &[]).await.unwrap();
    ServerVersion::from_num(row.get::<_, i32>(0).unsigned_abs())
}

async fn read(source: &Client) -> Catalog {
    source
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''")
        .await
        .unwrap();
    let version = version(source).await;
    let targets = catalog::tables_to_lock(source, version).await.unwrap();
    for target in targets {
        let table = qualified(&target.schema, &target.name);
        source.batch_execute(&format!("LOCK TABLE {table} IN ACCESS SHARE MODE")).await.unwrap();
    }
    let catalog = catalog::read(source, version).await.unwrap();
    source.batch_execute("COMMIT").await.unwrap();
    check_numbers(&catalog.entries);
    catalog
}

/// Numbers run from 1 without gaps, nothing needs what comes later, and no section comes back.
fn check_numbers(entries: &[Entry]) {
    let mut last = Section::PreData;
    for (position, entry) in entries.iter().enumerate() {
        assert_eq!(entry.dump_id, i32::try_from(position + 1).unwrap());
        for needed in &entry.dependencies {
            assert!(*needed < entry.dump_id, "{} {} needs {needed}", entry.desc, entry.tag);
        }
        if entry.section != Section::None {
            assert!(entry.section >= last, "{} {} is out of its section", entry.desc, entry.tag);
            last = entry.section;
        }
    }
}

/// As pg_restore does: settings, definition, owner; rows by COPY.
async fn restore(source: &Client, copy: &Client, catalog: &Catalog) {
    copy.batch_execute("SET check_function_bodies = false").await.unwrap();
    for entry in &catalog.entries {
        let what = format!("{} {}", entry.desc, entry.tag);
        match &entry.data {
            Some(DataSource::Table(table)) => {
                let into = entry.copy.clone().expect("copy");
                let rows = source.copy_out(&table.copy_out).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
                let sink = copy.copy_in(&into).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
                let (mut rows, mut sink) = (Box::pin(rows), Box::pin(sink));
                while let Some(bytes) = rows.next().await {
                    sink.send(bytes.unwrap()).await.unwrap();
                }
                sink.close().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
            }
            Some(DataSource::LargeObjects(_)) => {}
            None => {
                let sql = &entry.definition;
                copy.batch_execute(sql).await.unwrap_or_else(|e| panic!("{what}: {e:?}\n{sql}"));
                if let Some(sql) = owner_statement(entry) {
                    copy.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{what}: {e:?}\n{sql}"));
                }
            }
        }
    }
}

fn owner_statement(entry: &Entry) -> Option<String> {
    if entry.owner.is_empty() {
        return None;
    }
    let object = match entry.desc {
        "SEQUENCE" if entry.drop.is_empty() => return None,
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "TYPE" | "DOMAIN" => {
            qualified(entry.namespace.as_deref()?, &entry.tag)
        }
        "SCHEMA" => ident(&entry.tag),
        // The statement that drops it names it as ALTER wants it.
        "FUNCTION" | "PROCEDURE" | "AGGREGATE" => {
            let drop = entry.drop.strip_prefix("DROP ")?.strip_prefix(entry.desc)?;
            drop.trim().trim_end_matches(';').to_owned()
        }
        "BLOB" => return Some(format!("ALTER LARGE OBJECT {} OWNER TO {}", entry.tag, ident(&entry.owner))),
        _ => return None,
    };
    Some(format!("ALTER {} {object} OWNER TO {}", entry.desc, ident(&entry.owner)))
}

fn url(database: &str) -> String {
    let mut url = variable("PGBATON_TEST_PG_URL");
    let end = url.rfind('/').expect("a database in the URL");
    url.replace_range(end + 1.., database);
    url
}

fn dump(database: &str) -> String {
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

fn compare(pair: &Pair) {
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
type Listed = (String, BTreeSet<String>);

/// `pg_restore -l` of pg_dump's own archive: the same entries, of the same catalog rows, in the same order, with the same dependencies.
fn compare_listing(pair: &Pair, catalog: &Catalog) {
    let theirs = pg_dump_listing(&pair.source);
    let ours = listing(catalog);
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

/// Equal, except that pg_dump makes the attachment of a partition's key wait for the key of the parent's parent as well.
fn same(theirs: &Listed, ours: &Listed) -> bool {
    let needs =
        if theirs.0.contains(" INDEX ATTACH ") { theirs.1.is_superset(&ours.1) } else { theirs.1 == ours.1 };
    theirs.0 == ours.0 && needs
}

fn listing(catalog: &Catalog) -> Vec<Listed> {
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
        .collect()
}

/// pg_restore adds the data of both tables to what a foreign key depends on; ours says so itself.
fn foreign_key_data(entry: &Entry, needed: &Entry) -> bool {
    entry.desc == "FK CONSTRAINT" && needed.desc == "TABLE DATA"
}

fn pg_dump_listing(database: &str) -> Vec<Listed> {
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

async fn compare_rows(source: &Client, copy: &Client, catalog: &Catalog) {
    for entry in &catalog.entries {
        if let Some(DataSource::Table(table)) = &entry.data {
            let name = qualified(&table.schema, &table.name);
            let sql = format!(
                "SELECT count(*), coalesce(sum(hashtext(t::text)::int8), 0)::int8 FROM ONLY {name} t"
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

fn find<'a>(catalog: &'a Catalog, desc: &str, tag: &str) -> &'a Entry {
    catalog
        .entries
        .iter()
        .find(|e| e.desc == desc && e.tag == tag)
        .unwrap_or_else(|| panic!("no entry {desc} {tag}"))
}

#[tokio::test]
async fn tables_sequences_indexes_constraints() {
    let catalog = Pair::copies("tables", include_str!("catalog/tables.sql")).await;
    assert_eq!(catalog.warnings, Vec::<String>::new());
    assert_eq!(catalog.entries[0].desc, "ENCODING");
    assert_eq!(catalog.entries[2].definition, "SELECT pg_catalog.set_config('search_path', '', false);\n");

    let key = find(&catalog, "FK CONSTRAINT", "orders orders_customer_fkey");
    for (desc, tag) in [
        ("TABLE", "orders"),
        ("TABLE", "customers"),
        ("CONSTRAINT", "customers customers_pkey"),
        ("TABLE DATA", "orders"),
        ("TABLE DATA", "customers"),
    ] {
        let needed = find(&catalog, desc, tag).dump_id;
        assert!(key.dependencies.contains(&needed), "the foreign key needs {desc} {tag}");
    }
    let data = find(&catalog, "TABLE DATA", "nothing");
    assert_eq!(data.copy.as_deref(), Some("COPY shop.nothing  FROM stdin;\n"));
    assert_eq!(data.dependencies, [find(&catalog, "TABLE", "nothing").dump_id]);
    assert_eq!(find(&catalog, "DEFAULT", "customers id").section, Section::PreData);
    assert_eq!(
        find(&catalog, "COMMENT", "CONSTRAINT positive ON customers").dependencies,
        [find(&catalog, "TABLE", "customers").dump_id]
    );
}

#[tokio::test]
async fn partitions() {
    let catalog = Pair::copies("partitions", include_str!("catalog/partitions.sql")).await;
    assert_eq!(catalog.warnings, Vec::<String>::new());
    let data = find(&catalog, "TABLE DATA", "by_enum_0");
    assert_eq!(data.definition, "-- load via partition root parts.by_enum");
    assert_eq!(data.copy.as_deref(), Some("COPY parts.by_enum (c, n) FROM stdin;\n"));
    let key = find(&catalog, "FK CONSTRAINT", "reading reading_event_at_kind_fkey");
    let attach = find(&catalog, "INDEX ATTACH", "events_2025_a_pkey").dump_id;
    assert!(key.dependencies.contains(&attach), "the foreign key waits for all of the key's partitions");
}

#[tokio::test]
async fn views_rules_triggers_policies_and_cycles() {
    let catalog = Pair::copies("views", include_str!("catalog/views.sql")).await;
    assert_eq!(catalog.warnings, Vec::<String>::new());
    assert_eq!(find(&catalog, "RULE", "grouped _RETURN").section, Section::PostData);
    assert_eq!(find(&catalog, "RULE", "loop _RETURN").section, Section::PostData);
    assert_eq!(find(&catalog, "MATERIALIZED VIEW", "by_key").section, Section::PostData);
    assert_eq!(find(&catalog, "CHECK CONSTRAINT", "self by_function").section, Section::PostData);
    let refresh = |tag| find(&catalog, "MATERIALIZED VIEW DATA", tag).dump_id;
    assert!(refresh("a_third") > refresh("on_mat") && refresh("on_mat") > refresh("mat"));
    assert!(!catalog.entries.iter().any(|e| e.desc == "MATERIALIZED VIEW DATA" && e.tag == "empty"));
}

#[tokio::test]
async fn hostile_names() {
    let catalog = Pair::copies("names", include_str!("catalog/names.sql")).await;
    assert_eq!(catalog.warnings, Vec::<String>::new());
}

/// Whether the server under test has what a newer version brought.
async fn since(version: u32) -> bool {
    self::version(&connect("postgres").await).await.major() >= version
}

#[tokio::test]
async fn parsed_function_bodies_and_multiranges_of_14() {
    if since(14).await {
        let catalog = Pair::copies("since_14", include_str!("catalog/since_14.sql")).await;
        assert_eq!(catalog.warnings, Vec::<String>::new());
        assert_eq!(find(&catalog, "FUNCTION", "needs_key()").section, Section::PostData);
        assert_eq!(find(&catalog, "RULE", "over_needs_key _RETURN").section, Section::PostData);
        assert_eq!(find(&catalog, "FUNCTION", "reads_table(integer)").section, Section::PreData);
    }
}

#[tokio::test]
async fn what_15_brought() {
    if since(15).await {
        let catalog = Pair::copies("since_15", include_str!("catalog/since_15.sql")).await;
        assert_eq!(catalog.warnings, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_18_brought() {
    if since(18).await {
        let catalog = Pair::copies("since_18", include_str!("catalog/since_18.sql")).await;
        assert_eq!(catalog.warnings, Vec::<String>::new());
        assert_eq!(find(&catalog, "CONSTRAINT", "nn d_later").section, Section::PostData);
    }
}
