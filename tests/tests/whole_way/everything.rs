//! Databases of every kind of object with odd names, of odd values, and of nothing.

use pgbaton_tests::{database::Database, deployment::Deployment, roles::Roles};

use super::{fill, round_trip};

/// Areas of tests/fidelity that go together, put into one database.
const OBJECTS: [&str; 9] = [
    include_str!("../fidelity/areas/mixture_shop.sql"),
    include_str!("../fidelity/areas/mixture_partitions.sql"),
    include_str!("../fidelity/areas/mixture_views.sql"),
    include_str!("../fidelity/areas/mixture_names.sql"),
    include_str!("../fidelity/areas/mixture_schemas.sql"),
    include_str!("../fidelity/areas/mixture_14.sql"),
    include_str!("../fidelity/areas/mixture_15.sql"),
    include_str!("../fidelity/areas/mixture_kinds.sql"),
    include_str!("types.sql"),
];

const ROLES: [&str; 4] = ["_owner", "_reader", "_other", " \"Odd\" ; -- é' Role"];

/// A database of all of them, and the roles that own it.
pub(super) async fn source(name: &str) -> (Database, Roles) {
    let roles = Roles::create(&ROLES, "");
    let source = Database::empty(name).await;
    for sql in OBJECTS {
        let names = ["fidelity_a", "fidelity_b", "fidelity_c", "fidelity_Odd \"\"Role"];
        let pairs: Vec<(&str, &str)> = names.into_iter().zip(ROLES).collect();
        fill(&source, &roles.put_into(sql, &pairs));
    }
    if source.column("SHOW server_version_num").await[0].as_str() >= "180000" {
        fill(&source, include_str!("../fidelity/areas/mixture_18.sql"));
    }
    // Some were filled before their tables: a restore refreshes them, as pg_restore does.
    let stale = "SELECT format('REFRESH MATERIALIZED VIEW %s', oid::regclass) FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY oid";
    for refresh in source.column(stale).await {
        source.run(&refresh).await;
    }
    (source, roles)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_and_value_comes_back() {
    let deployment = Deployment::start().await;
    let (source, _roles) = source("happy_everything").await;
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
