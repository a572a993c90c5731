//! Archives that stock pg_dump made, uploaded to S3 and restored from there; the judge is stock pg_restore of the same files.

use std::path::{Path, PathBuf};

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::{Database, successful},
    deployment::Deployment,
    roles::Roles,
};
use serde_json::json;

use super::{SHOP, fill, filled, pg_restore, picture, same};

/// Large objects with owners, grants and comments: enough that pg_dump puts them into more than one list.
pub const LARGE_OBJECTS: &str = "
    SELECT lo_from_bytea(730000 + i, decode(repeat(md5(i::text), i), 'hex')) FROM generate_series(1, 9) i;
    ALTER LARGE OBJECT 730002 OWNER TO role_owner; ALTER LARGE OBJECT 730003 OWNER TO role_owner;
    GRANT SELECT ON LARGE OBJECT 730004 TO role_reader; GRANT SELECT ON LARGE OBJECT 730005 TO role_reader;
    GRANT SELECT ON LARGE OBJECT 730006 TO role_reader; GRANT ALL ON LARGE OBJECT 730006 TO role_owner WITH GRANT OPTION;
    COMMENT ON LARGE OBJECT 730007 IS 'it''s; a comment'; COMMENT ON LARGE OBJECT 730008 IS 'LARGE OBJECT 1 TO';
    SELECT lo_from_bytea(710000 + i, ''::bytea) FROM generate_series(1, 1100) i;
    DO $$ BEGIN FOR i IN 710001..711100 LOOP EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO role_reader', i); END LOOP; END $$;";

/// A folder for an archive that is not there yet.
pub fn folder() -> PathBuf {
    std::env::temp_dir().join(pgbaton_tests::unique("happy_dump"))
}

/// Uploads the archive in `files`, restores it by the function and by pg_restore, and compares both with each other.
async fn restores_alike(deployment: &Deployment, files: &Path, what: &str) -> Database {
    let path = format!("by/others/{}", files.file_name().unwrap().to_str().unwrap());
    deployment.upload(files, &format!("{path}/")).await;
    let ours = Database::empty("happy_foreign").await;
    let record = deployment
        .restore(&ours.url, json!({"filepath": path}))
        .await
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(record.status, Status::Completed);
    assert!(record.warnings.is_empty(), "{what}: {:?}", record.warnings);
    let stock = Database::empty("happy_stock").await;
    pg_restore(files, &stock, &[], false);
    same(&picture(&ours).await, &picture(&stock).await, what);
    std::fs::remove_dir_all(files).unwrap();
    ours
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_of_the_stock_pg_dump_are_restored_from_a_folder() {
    let deployment = Deployment::start().await;
    let roles = Roles::create(&["_owner", "_reader"], "");
    let source = filled("happy_shop", SHOP).await;
    fill(&source, &roles.put_into(LARGE_OBJECTS, &[("role_owner", "_owner"), ("role_reader", "_reader")]));
    let expected = picture(&source).await;
    for options in
        [&["-Z6"][..], &["-Z0", "-j4"], &["--load-via-partition-root", "--strict-names", "-Zgzip:1"]]
    {
        let files = folder();
        let arguments = [&["-Fd", "-f", files.to_str().unwrap()], options, &[&source.url]].concat();
        successful("pg_dump", &arguments);
        let ours = restores_alike(&deployment, &files, &format!("{options:?}")).await;
        same(&picture(&ours).await, &expected, &format!("{options:?} and the source"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_in_another_encoding_is_read_in_it() {
    let deployment = Deployment::start().await;
    let source = Database::absent("happy_latin");
    let server = Database { name: source.name.clone(), url: pgbaton_tests::variable("PGBATON_TEST_PG_URL") };
    server
        .run(&format!(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
            source.name
        ))
        .await;
    source.run("CREATE TABLE t (a text); INSERT INTO t VALUES ('é ü ß £'), ('Ã©')").await;
    let expected = source.contents().await;
    for encoding in ["LATIN1", "UTF8"] {
        let files = folder();
        successful("pg_dump", &["-Fd", "-E", encoding, "-f", files.to_str().unwrap(), &source.url]);
        let ours = restores_alike(&deployment, &files, encoding).await;
        // The hash is of the database's own bytes: read here as UTF-8.
        assert_eq!(ours.column("SELECT a FROM t ORDER BY length(a)").await, ["Ã©", "é ü ß £"], "{encoding}");
        let back = Database::absent("happy_latin");
        server
            .run(&format!(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
                back.name
            ))
            .await;
        deployment
            .restore(
                &back.url,
                json!({"filepath": format!("by/others/{}", files.file_name().unwrap().to_str().unwrap())}),
            )
            .await
            .unwrap();
        assert_eq!(back.contents().await, expected, "{encoding}");
    }
}
