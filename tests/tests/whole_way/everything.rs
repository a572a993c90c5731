//! Databases of every kind of object with odd names, of odd values, and of nothing.

use pgbaton_tests::{database::Database, deployment::Deployment, roles::Roles};

use super::{fill, round_trip};

/// What the tests of the catalog hold, put into one database.
const OBJECTS: [&str; 13] = [
    include_str!("../catalog/tables.sql"),
    include_str!("../catalog/partitions.sql"),
    include_str!("../catalog/views.sql"),
    include_str!("../catalog/names.sql"),
    include_str!("../catalog/mixed.sql"),
    include_str!("../catalog/since_14.sql"),
    include_str!("../catalog/since_15.sql"),
    include_str!("../catalog_kinds/objects.sql"),
    include_str!("../catalog_kinds/since_14.sql"),
    include_str!("../catalog_kinds/relations.sql"),
    include_str!("../catalog_kinds/large_objects.sql"),
    include_str!("../catalog_kinds/on_relations.sql"),
    include_str!("types.sql"),
];

const ROLES: [&str; 6] = ["_owner", "_reader", "_alice", "_bob", "_carol", " \"Odd\" ; -- é' Role"];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_and_value_comes_back() {
    let deployment = Deployment::start().await;
    let roles = Roles::create(&ROLES, "");
    let source = Database::empty("happy_everything").await;
    for sql in OBJECTS {
        let sql = roles.put_into(
            sql,
            &[
                ("catalog_owner", "_owner"),
                ("catalog_reader", "_reader"),
                ("Catalog \"\"Odd\"\" Role", ROLES[5]),
                ("kinds_alice", "_alice"),
                ("kinds_bob", "_bob"),
                ("kinds_carol", "_carol"),
                ("kinds \"\"Odd", ROLES[5]),
            ],
        );
        // Transforms are a kind that is not saved yet.
        let sql: Vec<&str> = sql.lines().filter(|l| !l.contains("TRANSFORM FOR TYPE")).collect();
        fill(&source, &sql.join("\n"));
    }
    if source.column("SHOW server_version_num").await[0].as_str() >= "180000" {
        fill(&source, include_str!("../catalog/since_18.sql"));
    }
    // Some were filled before their tables: a restore refreshes them, as pg_restore does.
    let stale = "SELECT format('REFRESH MATERIALIZED VIEW %s', oid::regclass) FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY oid";
    for refresh in source.column(stale).await {
        source.run(&refresh).await;
    }
    for compression in ["gzip", "zstd"] {
        round_trip(&deployment, &source, compression).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_comes_back_empty() {
    let deployment = Deployment::start().await;
    let source = Database::empty("happy_empty").await;
    let backup = round_trip(&deployment, &source, "zstd").await;
    assert_eq!((backup.table_count, backup.record_count), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_public_may_have_changed_or_gone() {
    let deployment = Deployment::start().await;
    let roles = Roles::create(&["_owner", "_user"], "");
    let (owner, user) = (roles.name("_owner"), roles.name("_user"));
    let gone = Database::of(
        "happy_public",
        "DROP SCHEMA public; CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS a",
    )
    .await;
    round_trip(&deployment, &gone, "gzip").await;
    let changed = format!(
        "ALTER SCHEMA public OWNER TO {owner}; COMMENT ON SCHEMA public IS 'ours'; GRANT ALL ON SCHEMA public TO {user} WITH GRANT OPTION; \
         REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE TABLE public.t AS SELECT 1 AS a"
    );
    let changed = Database::of("happy_public", &changed).await;
    round_trip(&deployment, &changed, "gzip").await;
    let again = format!(
        "DROP SCHEMA public; CREATE SCHEMA public AUTHORIZATION {user}; CREATE TABLE public.t AS SELECT 1 AS a"
    );
    let again = Database::of("happy_public", &again).await;
    round_trip(&deployment, &again, "gzip").await;
}
