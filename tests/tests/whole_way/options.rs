//! What a restore can be asked for; the judge is stock pg_restore with the same wish.

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::{Database, beside, successful},
    deployment::Deployment,
    roles::{Roles, quoted, url_as},
};
use serde_json::json;

use super::{SHOP, backed_up, fill, filled, pg_restore, picture, same};

const MORE: &str = "
    CREATE SCHEMA own AUTHORIZATION role_owner; CREATE TABLE own.t (a int PRIMARY KEY, b text); ALTER TABLE own.t OWNER TO role_owner;
    INSERT INTO own.t SELECT i, md5(i::text) FROM generate_series(1, 1000) i;
    GRANT SELECT ON own.t TO role_reader; CREATE VIEW own.v AS SELECT * FROM own.t; GRANT SELECT ON own.v TO role_reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE role_owner GRANT SELECT ON TABLES TO role_reader;
    CREATE FUNCTION own.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION own.f(int) OWNER TO role_owner;
    CREATE MATERIALIZED VIEW own.m AS SELECT count(*) FROM own.t;
    SELECT lo_from_bytea(600001, 'abc'); ALTER LARGE OBJECT 600001 OWNER TO role_owner; GRANT SELECT ON LARGE OBJECT 600001 TO role_reader;
    CREATE SEQUENCE own.s; SELECT setval('own.s', 77);";

#[tokio::test(flavor = "multi_thread")]
async fn parts_can_be_left_out_as_pg_restore_leaves_them_out() {
    let deployment = Deployment::start().await;
    let roles = Roles::create(&["_owner", "_reader"], "");
    let source = filled("happy_options", SHOP).await;
    fill(&source, &roles.put_into(MORE, &[("role_owner", "_owner"), ("role_reader", "_reader")]));
    let backup = backed_up(&deployment, &source.url, json!({"compression": "gzip"})).await;
    let folder = std::env::temp_dir().join(pgbaton_tests::unique("happy_options"));
    deployment.download(&deployment.folder(&backup), &folder).await;
    for (wish, options) in [
        (json!({"noOwner": true}), &["--no-owner"][..]),
        (json!({"noPrivileges": true}), &["--no-privileges"]),
        (json!({"noOwner": true, "noPrivileges": true, "jobs": 1}), &["--no-owner", "--no-privileges"]),
        (json!({"jobs": 8}), &[]),
    ] {
        let copy = Database::empty("happy_copy").await;
        let mut event = wish.clone();
        event["backupId"] = json!(backup.id);
        let record = deployment.restore(&copy.url, event).await.unwrap_or_else(|e| panic!("{wish}: {e}"));
        assert_eq!(record.status, Status::Completed);
        let stock = Database::empty("happy_stock").await;
        pg_restore(&folder, &stock, options, false);
        same(&picture(&copy).await, &picture(&stock).await, &wish.to_string());
    }
    std::fs::remove_dir_all(&folder).unwrap();

    // pg_restore --schema-only would fill materialized views and so differ from what pg_dump --schema-only gives.
    let copy = Database::empty("happy_copy").await;
    deployment.restore(&copy.url, json!({"backupId": backup.id, "schemaOnly": true})).await.unwrap();
    successful("pg_dump", &["-Fd", "--schema-only", "-f", folder.to_str().unwrap(), &source.url]);
    let stock = Database::empty("happy_stock").await;
    pg_restore(&folder, &stock, &[], false);
    same(&picture(&copy).await, &picture(&stock).await, "schemaOnly");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_of_an_odd_name_is_created_beside_the_target() {
    let deployment = Deployment::start().await;
    let source = Database::of("happy_as", "CREATE TABLE t AS SELECT generate_series(1, 10) AS a").await;
    let backup = backed_up(&deployment, &source.url, json!({})).await;
    let name = pgbaton_tests::unique("Odd \"Data\"; -- é'%/");
    let encoded: String = name.bytes().map(|b| format!("%{b:02X}")).collect();
    let copy = Database { name: quoted(&name), url: beside(&source.url, &encoded) };
    let record = deployment.restore(&source.url, json!({"backupId": backup.id, "as": name})).await.unwrap();
    assert!(record.message.as_deref().unwrap_or_default().contains(&name), "{:?}", record.message);
    same(&picture(&copy).await, &picture(&source).await, &name);
    let again =
        deployment.restore(&source.url, json!({"backupId": backup.id, "as": name})).await.unwrap_err();
    assert!(again.contains("is not empty") && again.contains("table public.t"), "{again}");
}

/// As on a managed server: the role owns the database and is nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_role_restores_into_its_own_database() {
    let deployment = Deployment::start().await;
    let roles = Roles::create(&["_owner", "_reader"], "");
    let ordinary = Roles::create(&[""], "LOGIN PASSWORD 'not-used-elsewhere'");
    let source = filled("happy_ordinary", SHOP).await;
    fill(&source, &roles.put_into(MORE, &[("role_owner", "_owner"), ("role_reader", "_reader")]));
    let backup = backed_up(&deployment, &source.url, json!({})).await;
    let copy = Database::empty("happy_ordinary").await;
    copy.run(&format!("ALTER DATABASE {} OWNER TO {}", copy.name, ordinary.name(""))).await;
    let url = url_as(&ordinary.name(""), "not-used-elsewhere", &copy.name);
    let refused = deployment.restore(&url, json!({"backupId": backup.id})).await.unwrap_err();
    let foreign = roles.name("_owner");
    assert!(
        refused.contains("nothing in it was touched")
            && refused.contains(&foreign)
            && refused.contains("noOwner"),
        "{refused}"
    );
    assert!(!refused.contains("pg_database_owner"), "{refused}");
    let standing = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')";
    assert_eq!(copy.column(standing).await, Vec::<String>::new());
    let wish = json!({"backupId": backup.id, "noOwner": true, "noPrivileges": true});
    let record = deployment.restore(&url, wish).await.unwrap();
    assert_eq!(record.record_count, backup.record_count);
    assert_eq!(copy.contents().await, source.contents().await);
    let owners = copy
        .column("SELECT DISTINCT relowner::regrole FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('shop', 'own')")
        .await;
    assert_eq!(owners, [ordinary.name("")]);
}
