//! Databases of another encoding or locale: a restore creates its target alike.

use pgbaton_tests::{database::Database, deployment::Deployment};
use serde_json::json;

use super::{backed_up, picture, restored, same, stock_restored};

const PROPERTIES: &str = "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || datctype || ' ' || datlocprovider::text || ' ' || \
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', '') FROM pg_database d WHERE datname = current_database()";

const SQL: &str = "CREATE TABLE \"Größe\" (\"ä\" text PRIMARY KEY, b varchar(3)); COMMENT ON TABLE \"Größe\" IS 'ß'; \
    INSERT INTO \"Größe\" SELECT 'é' || i, 'üß£' FROM generate_series(1, 200) i; INSERT INTO \"Größe\" VALUES ('\\.', NULL); CREATE INDEX ON \"Größe\" (lower(b))";

async fn create(options: &str) -> Result<Database, String> {
    let database = Database::absent("happy_encoding");
    let sql = format!("CREATE DATABASE {} TEMPLATE template0 {options}", database.name);
    let output = pgbaton_tests::database::program(
        "psql",
        &["-qX", "-d", &pgbaton_tests::variable("PGBATON_TEST_PG_URL"), "-c", &sql],
    );
    if output.status.success() {
        Ok(database)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_other_encodings_and_locales_are_created_alike() {
    let deployment = Deployment::start().await;
    let mut tried = 0;
    for options in [
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'POSIX'",
        "ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'",
        "ENCODING 'UTF8' LC_COLLATE 'C.utf8' LC_CTYPE 'C'",
        "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
        "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LOCALE 'C'",
    ] {
        let source = match create(options).await {
            Ok(source) => source,
            Err(why) => {
                println!("{options}: not tried, {why}");
                continue;
            }
        };
        // EUC_JP has none of the letters.
        let sql = if options.contains("EUC_JP") {
            SQL.replace(['ä', 'ö', 'ü', 'ß', 'é', '£'], "漢")
        } else {
            SQL.to_owned()
        };
        source.run(&sql).await;
        let expected = (source.column(PROPERTIES).await, picture(&source).await);
        let backup = backed_up(&deployment, &source.url, json!({"compression": "gzip"})).await;
        let copy = Database::absent("happy_encoding");
        restored(&deployment, &backup, &copy).await;
        assert_eq!(copy.column(PROPERTIES).await, expected.0, "{options}");
        same(&picture(&copy).await, &expected.1, options);
        let stock = create(options).await.unwrap();
        assert!(stock_restored(&deployment, &backup, &stock).await);
        same(&picture(&stock).await, &expected.1, options);
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
}

/// The server of such a database knows bytes, not letters.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_an_encoding_keeps_its_bytes() {
    let deployment = Deployment::start().await;
    let source = create("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'").await.unwrap();
    source.run("SET standard_conforming_strings = on; CREATE TABLE t (a text); INSERT INTO t VALUES (E'\\xe9\\xff'), (E'\\xc3\\xa9'), (E'\\x80\\\\.')").await;
    let bytes =
        "SELECT encode(a::bytea, 'hex') FROM (SELECT replace(a, '\\', '\\\\') AS a FROM t) x ORDER BY 1";
    let expected = source.column(bytes).await;
    assert_eq!(expected.len(), 3);
    let backup = backed_up(&deployment, &source.url, json!({})).await;
    let copy = Database::absent("happy_encoding");
    restored(&deployment, &backup, &copy).await;
    assert_eq!(copy.column(bytes).await, expected);
    assert_eq!(copy.column(PROPERTIES).await, source.column(PROPERTIES).await);
}
