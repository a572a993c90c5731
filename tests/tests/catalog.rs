//! The catalog room against a real server: where entries go, what they wait for, and what else is read of a database.
//!
//! Whether entries are what pg_dump writes is judged in tests/fidelity; the databases read here are areas of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::HashSet;

use pgbaton::{
    base::Kind,
    catalog::{self, Catalog, Entry, Section},
};
use pgbaton_tests::{
    database::{Database, connect},
    judge::archive::{read, version},
    roles::Roles,
    variable,
};

fn find<'a>(catalog: &'a Catalog, desc: &str, tag: &str) -> &'a Entry {
    let entry = catalog.entries.iter().find(|e| e.desc == desc && e.tag == tag);
    entry.unwrap_or_else(|| panic!("no entry {desc} {tag}"))
}

/// What is read of a new database filled by this SQL.
async fn catalog_of(sql: &str) -> (Database, Catalog) {
    let database = Database::of("catalog", sql).await;
    let catalog = read(&connect(&database.url).await).await;
    (database, catalog)
}

/// Whether the server under test has what a newer version brought.
async fn since(major: u32) -> bool {
    version(&connect(&variable("PGBATON_TEST_PG_URL")).await).await.major() >= major
}

#[tokio::test]
async fn a_foreign_key_waits_for_both_tables_their_rows_and_the_key() {
    let (_database, catalog) = catalog_of(include_str!("fidelity/areas/mixture_shop.sql")).await;
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
    let comment = find(&catalog, "COMMENT", "CONSTRAINT positive ON customers");
    assert_eq!(comment.dependencies, [find(&catalog, "TABLE", "customers").dump_id]);
}

#[tokio::test]
async fn rows_of_hashed_enums_go_through_the_root_and_keys_wait_for_all_partitions() {
    let (_database, catalog) = catalog_of(include_str!("fidelity/areas/mixture_partitions.sql")).await;
    let data = find(&catalog, "TABLE DATA", "by_enum_0");
    assert_eq!(data.definition, "-- load via partition root parts.by_enum");
    assert_eq!(data.copy.as_deref(), Some("COPY parts.by_enum (c, n) FROM stdin;\n"));
    let key = find(&catalog, "FK CONSTRAINT", "reading reading_event_at_kind_fkey");
    let attach = find(&catalog, "INDEX ATTACH", "events_2025_a_pkey").dump_id;
    assert!(key.dependencies.contains(&attach), "the foreign key waits for all of the key's partitions");
}

#[tokio::test]
async fn what_needs_keys_or_goes_in_circles_comes_after_the_rows() {
    let (_database, catalog) = catalog_of(include_str!("fidelity/areas/mixture_views.sql")).await;
    for (desc, tag) in [
        ("RULE", "grouped _RETURN"),
        ("RULE", "loop _RETURN"),
        ("MATERIALIZED VIEW", "by_key"),
        ("CHECK CONSTRAINT", "self by_function"),
    ] {
        assert_eq!(find(&catalog, desc, tag).section, Section::PostData, "{desc} {tag}");
    }
    let refresh = |tag| find(&catalog, "MATERIALIZED VIEW DATA", tag).dump_id;
    assert!(refresh("a_third") > refresh("on_mat") && refresh("on_mat") > refresh("mat"));
    assert!(!catalog.entries.iter().any(|e| e.desc == "MATERIALIZED VIEW DATA" && e.tag == "empty"));
}

#[tokio::test]
async fn a_parsed_function_body_that_needs_a_key_comes_after_it() {
    if since(14).await {
        let (_database, catalog) = catalog_of(include_str!("fidelity/areas/mixture_14.sql")).await;
        assert_eq!(find(&catalog, "FUNCTION", "needs_key()").section, Section::PostData);
        assert_eq!(find(&catalog, "RULE", "over_needs_key _RETURN").section, Section::PostData);
        assert_eq!(find(&catalog, "FUNCTION", "reads_table(integer)").section, Section::PreData);
    }
}

#[tokio::test]
async fn a_not_null_that_is_not_valid_comes_after_the_rows() {
    if since(18).await {
        let (_database, catalog) = catalog_of(include_str!("fidelity/areas/mixture_18.sql")).await;
        assert_eq!(find(&catalog, "CONSTRAINT", "nn d_later").section, Section::PostData);
    }
}

#[tokio::test]
async fn tables_wait_for_the_extension_of_their_type_and_its_members_have_no_entries() {
    // Not every build of the server has hstore.
    let known = "SELECT name FROM pg_available_extensions WHERE name IN ('hstore', 'vector') ORDER BY name";
    let server = Database::of("catalog", "SELECT").await;
    let name = server.column(known).await.remove(0);
    let sql = include_str!("fidelity/areas/mixture_extension.sql").replace("hstore", &name);
    let sql = if name == "vector" { sql.replace("'a=>1'", "'[1,2]'") } else { sql };
    let (_database, catalog) = catalog_of(&sql).await;
    let extension = find(&catalog, "EXTENSION", &name).dump_id;
    assert!(find(&catalog, "TABLE", "t").dependencies.contains(&extension));
    assert!(!catalog.entries.iter().any(|e| e.desc == "TYPE" && e.namespace.as_deref() == Some("ext")));
}

#[tokio::test]
async fn dependencies_name_entries_that_come_before() {
    for sql in [
        include_str!("fidelity/areas/mixture_kinds.sql"),
        include_str!("fidelity/areas/mixture_schemas.sql"),
        include_str!("fidelity/areas/mixture_views.sql"),
        include_str!("fidelity/areas/cycles.sql"),
    ] {
        let (_database, catalog) = catalog_of(sql).await;
        let mut before = HashSet::new();
        for entry in &catalog.entries {
            for needed in &entry.dependencies {
                assert!(before.contains(needed), "{} {} comes before what it needs", entry.desc, entry.tag);
            }
            assert!(before.insert(entry.dump_id));
        }
    }
}

#[tokio::test]
async fn a_database_is_read_with_its_properties_and_what_must_be_locked() {
    let roles = Roles::create(&["owner", "reader"], "");
    let (owner, reader) = (roles.name("owner"), roles.name("reader"));
    let database = Database::of("catalog", "SELECT").await;
    database
        .run(&format!(
            "ALTER DATABASE {0} OWNER TO {owner}; ALTER DATABASE {0} SET work_mem = '5MB'; \
             ALTER ROLE {reader} IN DATABASE {0} SET search_path = 'a', 'B c'; \
             COMMENT ON DATABASE {0} IS 'its comment'; ALTER DATABASE {0} CONNECTION LIMIT 7; \
             CREATE TABLE b (a int); CREATE TABLE a (a int) PARTITION BY LIST (a); CREATE VIEW v AS SELECT 1",
            database.name
        ))
        .await;
    let client = connect(&database.url).await;
    client.batch_execute("CREATE TEMP TABLE passing (a int)").await.unwrap();
    let catalog = read(&client).await;
    let read = &catalog.database;
    assert_eq!(read.name, database.name);
    assert_eq!(read.owner, owner);
    assert_eq!(read.encoding, "UTF8");
    assert_eq!(read.comment.as_deref(), Some("its comment"));
    assert_eq!(read.connection_limit, 7);
    let settings: Vec<_> = read.settings.iter().map(|s| (s.role.as_deref(), s.name.as_str())).collect();
    assert_eq!(settings, [(None, "work_mem"), (Some(reader.as_str()), "search_path")]);
    assert!(!catalog.entries.iter().any(|e| e.tag == "passing"));

    let targets = catalog::tables_to_lock(&client, version(&client).await, None).await.unwrap();
    let targets: Vec<_> = targets.iter().map(|t| (t.name.as_str(), t.relkind, t.relfilenode != 0)).collect();
    assert_eq!(targets, [("a", 'p', false), ("b", 'r', true)]);
}

/// An owner who is no superuser can back up what is theirs.
#[tokio::test]
async fn an_ordinary_role_reads_what_it_owns() {
    let roles = Roles::create(&["owner"], "");
    let owner = roles.name("owner");
    let database = Database::of(
        "catalog",
        &format!(
            "CREATE SCHEMA mine AUTHORIZATION {owner}; SET ROLE {owner}; \
             CREATE TABLE mine.t (id serial PRIMARY KEY, a int CHECK (a > 0)); CREATE VIEW mine.v AS SELECT * FROM mine.t"
        ),
    )
    .await;
    let client = connect(&database.url).await;
    client.batch_execute(&format!("SET ROLE {owner}")).await.unwrap();
    let catalog = read(&client).await;
    assert_eq!(find(&catalog, "SEQUENCE SET", "t_id_seq").section, Section::Data);

    client.batch_execute("COMMIT").await.unwrap();
    database.run("CREATE SEQUENCE mine.others").await;
    let error = catalog::read(&client, version(&client).await, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permission);
    assert!(error.message().contains("others"), "{error}");
}

/// A role that is gone stays in grants as a number when its dependencies were lost (as an old pg_upgrade left them).
#[tokio::test]
async fn grants_of_a_dropped_role_are_left_out_and_said() {
    let roles = Roles::create(&["stays", "goes"], "");
    let (stays, goes) = (roles.name("stays"), roles.name("goes"));
    let (_database, catalog) = catalog_of(&format!(
        "CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO {goes}, {stays}; \
         DELETE FROM pg_shdepend WHERE refobjid = '{goes}'::regrole; DROP ROLE {goes}"
    ))
    .await;
    assert_eq!(catalog.warnings, ["grants on SCHEMA app to or by a role that was dropped are not archived"]);
    let grants = find(&catalog, "ACL", "SCHEMA app");
    assert_eq!(grants.definition, format!("GRANT USAGE ON SCHEMA app TO {stays};\n"));
}
