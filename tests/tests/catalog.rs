//! The catalog room against a real server: whatever a database holds, the entries in their order make it again on an empty one.
//!
//! The judges are `pg_dump -s` of both, the table of contents of pg_dump's own archive, and stock `pg_restore -j` on an archive of the
//! entries. Needs `PGBATON_TEST_PG_URL` and `PGBATON_TEST_PG_BIN` (the folder of `pg_dump` and `pg_restore`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "catalog/judge.rs"]
mod judge;
#[path = "catalog/pair.rs"]
mod pair;
#[path = "catalog/stock.rs"]
mod stock;

use pair::{Pair, connect, read, roles, version};
use pgbaton::catalog::{self, Catalog, Entry, Section};

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

#[tokio::test]
async fn mixed() {
    let catalog = Pair::copies("mixed", include_str!("catalog/mixed.sql")).await;
    assert_eq!(catalog.warnings, Vec::<String>::new());
}

/// Whether the server under test has what a newer version brought.
async fn since(major: u32) -> bool {
    version(&connect("postgres").await).await.major() >= major
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

/// Tablespaces without a folder of their own came with 15.
#[tokio::test]
async fn tablespaces() {
    if since(15).await {
        let server = connect("postgres").await;
        server.batch_execute("SET allow_in_place_tablespaces = on").await.unwrap();
        let _ = server.batch_execute("CREATE TABLESPACE \"Catalog Space\" LOCATION ''").await;
        let sql = "CREATE TABLE there (a int PRIMARY KEY USING INDEX TABLESPACE \"Catalog Space\", b int) TABLESPACE \"Catalog Space\"; \
             CREATE TABLE here (a int); CREATE INDEX i_there ON here (a) TABLESPACE \"Catalog Space\"; CREATE INDEX i_here ON there (b); \
             CREATE TABLE p (a int) PARTITION BY LIST (a) TABLESPACE \"Catalog Space\"; CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); \
             CREATE MATERIALIZED VIEW m TABLESPACE \"Catalog Space\" AS SELECT 1 AS a";
        let catalog = Pair::copies("tablespaces", sql).await;
        assert_eq!(find(&catalog, "TABLE", "there").tablespace.as_deref(), Some("Catalog Space"));
        assert_eq!(find(&catalog, "INDEX", "i_here").tablespace.as_deref(), Some(""));
        assert_eq!(find(&catalog, "TABLE", "here").table_am.as_deref(), Some("heap"));
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

/// Whatever type an extension of this server brings.
#[tokio::test]
async fn extensions_and_what_uses_them() {
    let server = connect("postgres").await;
    let mut tried = false;
    for (extension, value) in [("hstore", "'a=>1'"), ("vector", "'[1,2]'"), ("citext", "'x'")] {
        let known = "SELECT FROM pg_available_extensions WHERE name = $1";
        if server.query(known, &[&extension]).await.unwrap().is_empty() {
            continue;
        }
        tried = true;
        let sql = include_str!("catalog/extension.sql")
            .replace("{extension}", extension)
            .replace("{type}", extension)
            .replace("{value}", value);
        let catalog = Pair::copies(&format!("extension_{extension}"), &sql).await;
        assert_eq!(catalog.warnings, Vec::<String>::new());
        let extension = find(&catalog, "EXTENSION", extension).dump_id;
        assert!(find(&catalog, "TABLE", "t").dependencies.contains(&extension));
        assert!(!catalog.entries.iter().any(|e| e.desc == "TYPE" && e.namespace.as_deref() == Some("ext")));
    }
    assert!(tried, "the server has none of the extensions that this test knows");
}

#[tokio::test]
async fn what_is_not_archived_yet_is_said() {
    let pair = Pair::new("unsupported").await;
    let source = connect(&pair.source).await;
    source.batch_execute(include_str!("catalog/unsupported.sql")).await.unwrap();
    let catalog = read(&source).await;
    let warnings = catalog.warnings;
    for expected in [
        "cast from public.t to text",
        "operator public.+(public.t,public.t)",
        "collation public.coll",
        "text search configuration public.ts",
        "type public.shell",
    ] {
        let said =
            warnings.iter().filter(|w| w.starts_with(&format!("{expected} is not in the backup: "))).count();
        assert_eq!(said, 1, "a warning for {expected} in {warnings:#?}");
    }
    assert_eq!(warnings.len(), 5, "{warnings:#?}");
    drop(source);
    pair.drop().await;
}

#[tokio::test]
async fn database_properties_and_locks() {
    let pair = Pair::new("properties").await;
    let source = connect(&pair.source).await;
    roles().await;
    source
        .batch_execute(&format!(
            "ALTER DATABASE {0} OWNER TO catalog_owner; ALTER DATABASE {0} SET work_mem = '5MB'; \
             ALTER ROLE catalog_reader IN DATABASE {0} SET search_path = 'a', 'B c'; \
             COMMENT ON DATABASE {0} IS 'its comment'; ALTER DATABASE {0} CONNECTION LIMIT 7; \
             CREATE TABLE b (a int); CREATE TABLE a (a int) PARTITION BY LIST (a); CREATE VIEW v AS SELECT 1; \
             CREATE TEMP TABLE passing (a int)",
            pair.source
        ))
        .await
        .unwrap();
    let catalog = read(&source).await;
    let database = &catalog.database;
    assert_eq!(database.name, pair.source);
    assert_eq!(database.owner, "catalog_owner");
    assert_eq!(database.encoding, "UTF8");
    assert_eq!(database.comment.as_deref(), Some("its comment"));
    assert_eq!(database.connection_limit, 7);
    let settings: Vec<_> = database.settings.iter().map(|s| (s.role.as_deref(), s.name.as_str())).collect();
    assert_eq!(settings, [(None, "work_mem"), (Some("catalog_reader"), "search_path")]);
    assert!(!catalog.entries.iter().any(|e| e.tag == "passing"));

    let targets = catalog::tables_to_lock(&source, version(&source).await).await.unwrap();
    let targets: Vec<_> = targets.iter().map(|t| (t.name.as_str(), t.relkind, t.relfilenode != 0)).collect();
    assert_eq!(targets, [("a", 'p', false), ("b", 'r', true)]);
    drop(source);
    pair.drop().await;
}

/// An owner who is no superuser can back up what is theirs.
#[tokio::test]
async fn read_by_an_ordinary_role() {
    let pair = Pair::new("ordinary").await;
    let source = connect(&pair.source).await;
    roles().await;
    source
        .batch_execute(
            "CREATE SCHEMA mine AUTHORIZATION catalog_owner; SET ROLE catalog_owner; \
             CREATE TABLE mine.t (id serial PRIMARY KEY, a int CHECK (a > 0)); CREATE VIEW mine.v AS SELECT * FROM mine.t",
        )
        .await
        .unwrap();
    let catalog = read(&source).await;
    assert_eq!(find(&catalog, "SEQUENCE SET", "t_id_seq").section, Section::Data);

    source.batch_execute("RESET ROLE; CREATE SEQUENCE mine.others; SET ROLE catalog_owner").await.unwrap();
    let version = version(&source).await;
    let error = catalog::read(&source, version).await.unwrap_err();
    assert_eq!(error.kind(), pgbaton::base::Kind::Permission);
    assert!(error.message().contains("others"), "{error}");
    drop(source);
    pair.drop().await;
}
