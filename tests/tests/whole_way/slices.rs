//! Large tables are read, stored and loaded in slices: by us and by stock `pg_restore -j4`, with indexes, keys and triggers after all of them.

use pgbaton::archive::{Manifest, Toc};
use pgbaton_tests::{
    database::{Database, beside},
    deployment::{Deployment, Wishes},
    servers,
};
use serde_json::{Value, json};

use super::round_trip;

/// `big` has dead rows, rows in TOAST, a child of its own, a trigger that refuses rows, and is referred to; its keys would refuse rows that come twice.
/// `hashed_0` is loaded through its root, whether sliced or not.
const SQL: &str = "
CREATE TABLE big (id int PRIMARY KEY, t text, gone int, doubled int GENERATED ALWAYS AS (id * 2) STORED, \"Odd \"\"c\" text DEFAULT 'x', CHECK (id > 0));
ALTER TABLE big DROP COLUMN gone;
INSERT INTO big (id, t) SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 60000) i;
DELETE FROM big WHERE id % 7 = 0;
UPDATE big SET t = t || 'new' WHERE id % 11 = 0;
INSERT INTO big (id, t) SELECT 100000 + i, (SELECT string_agg(md5((i * 1000 + n)::text), '') FROM generate_series(1, 300) n) FROM generate_series(1, 200) i;
CREATE TABLE child (more int) INHERITS (big);
INSERT INTO child (id, t, more) SELECT 200000 + i, 'child', i FROM generate_series(1, 100) i;
CREATE INDEX by_t ON big (md5(t), \"Odd \"\"c\");
CREATE TABLE refers (id int PRIMARY KEY, big int REFERENCES big);
INSERT INTO refers SELECT i, i FROM generate_series(1, 60000) i WHERE i % 7 <> 0;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a row after the trigger'; END $$;
CREATE TRIGGER refuses BEFORE INSERT ON big FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE RULE nothing AS ON INSERT TO refers DO INSTEAD NOTHING;
CREATE TABLE parts (id int, t text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (20000);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (20000) TO (40000);
INSERT INTO parts SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 39999) i;
CREATE UNIQUE INDEX ON parts (id);
CREATE TYPE kind AS ENUM ('a', 'b', 'c');
CREATE TABLE hashed (k kind, t text) PARTITION BY HASH (k);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO hashed SELECT (ARRAY['a', 'b', 'c'])[1 + i % 3]::kind, repeat(md5(i::text), 3) FROM generate_series(1, 30000) i;
CREATE UNLOGGED TABLE small AS SELECT 1 AS a;
CREATE TABLE nothing_in_it (a int);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM big;
";

fn sliced() -> Wishes {
    Wishes::default().with("BACKUP_SLICE_MB", "1")
}

/// Entries with rows of one table in the archive of a backup.
async fn pieces(deployment: &Deployment, folder: &str, table: &str) -> (usize, u64) {
    let read = async |file: &str| {
        let key = pgbaton::store::ObjectKey::parse(&format!("{folder}{file}")).unwrap();
        deployment.store.get_all(&key, 1 << 30).await.unwrap()
    };
    let toc = Toc::parse(&read("toc.dat").await).unwrap();
    let manifest = Manifest::parse(&read("manifest.json").await).unwrap();
    let entries = toc.entries.iter().filter(|e| e.desc == "TABLE DATA" && e.tag == table).count();
    let name = format!("public.{table}");
    let objects: Vec<_> =
        manifest.objects.iter().filter(|o| o.table.as_deref() == Some(name.as_str())).collect();
    assert_eq!(entries, objects.len(), "{table}");
    (entries, objects.iter().filter_map(|o| o.rows).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn large_tables_come_back_from_slices() {
    let deployment = Deployment::with(sliced()).await;
    let source = Database::of("happy_slices", SQL).await;
    for compression in ["gzip", "zstd"] {
        let backup = round_trip(&deployment, &source, compression).await;
        // As many as there are tables with rows of their own, not files.
        assert_eq!(backup.table_count, Some(8));
        let folder = deployment.folder(&backup);
        let (entries, rows) = pieces(&deployment, &folder, "big").await;
        assert!(entries >= 5, "{entries}");
        assert_eq!(rows, 60_000 - 8_571 + 200);
        let line = backup.tables.iter().find(|t| t.name == "public.big").unwrap();
        assert_eq!(line.rows, rows);
        assert!(pieces(&deployment, &folder, "hashed_0").await.0 >= 2);
        assert_eq!(pieces(&deployment, &folder, "small").await, (1, 1));
        assert_eq!(pieces(&deployment, &folder, "nothing_in_it").await, (1, 0));
    }
}

/// Casts of the database's own, generated columns that cannot be computed and pages without rows do not come in the way of measuring.
#[tokio::test(flavor = "multi_thread")]
async fn odd_tables_are_measured() {
    let servers = servers::all().await;
    let newest = servers.last().unwrap();
    let deployment = Deployment::with(sliced()).await;
    let name = pgbaton_tests::unique("happy_slices");
    let source = Database { url: beside(&newest.programs.url("postgres"), &name), name };
    let server = newest.connect("postgres").await;
    server.batch_execute(&format!("CREATE DATABASE {}", source.name)).await.unwrap();
    let kind = if newest.major >= 18 { "GENERATED ALWAYS AS (1 / nil) VIRTUAL" } else { "DEFAULT 1" };
    source
        .run(&format!(
            "CREATE FUNCTION refuse(text) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'a cast was called'; END $$; \
             CREATE CAST (text AS bigint) WITH FUNCTION refuse(text); \
             CREATE TABLE failing (id int, t text, nil int DEFAULT 0, g int {kind}); \
             INSERT INTO failing (id, t) SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 30000) i; \
             CREATE TABLE emptied AS SELECT i AS id, repeat(md5(i::text), 3) AS t FROM generate_series(1, 30000) i; DELETE FROM emptied"
        ))
        .await;
    let backup = deployment.backup(&source.url, json!({})).await.unwrap();
    let folder = deployment.folder(&backup);
    let (entries, rows) = pieces(&deployment, &folder, "failing").await;
    assert!(entries > 1 && rows == 30_000, "{entries} entries, {rows} rows");
    let (entries, rows) = pieces(&deployment, &folder, "emptied").await;
    assert!(entries > 1 && rows == 0, "sized by its files: {entries} entries, {rows} rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_shown_and_nothing_is_read_for_it() {
    let deployment = Deployment::with(sliced()).await;
    let source = Database::of("happy_plan", SQL).await;
    let secret = deployment.secret(&source.url).await;
    let ask = json!({"databaseSecret": secret, "database": "shop", "planOnly": true});
    let plan = deployment.host.invoke("scheduled-backup", &ask).await.unwrap();
    assert_eq!((&plan["database"], &plan["tables"]), (&json!("shop"), &json!(8)));
    let parts = plan["parts"].as_array().unwrap();
    let big: Vec<&Value> = parts.iter().filter(|p| p["table"] == "big").collect();
    assert!(big.len() >= 5, "{plan:#}");
    // Page ranges meet, and the last is open.
    let mut pages: Vec<(u64, Option<u64>)> =
        big.iter().map(|p| (p["pages"][0].as_u64().unwrap(), p["pages"][1].as_u64())).collect();
    pages.sort_unstable();
    assert_eq!(pages[0].0, 0);
    assert!(pages.windows(2).all(|w| w[0].1 == Some(w[1].0)), "{pages:?}");
    assert_eq!(pages.last().unwrap().1, None);
    // The sample is of COPY text: within a third of what it comes to.
    let text = &source.column("SELECT sum(octet_length(t::text)) FROM ONLY big t").await[0];
    let text: f64 = text.parse().unwrap();
    let expected: u64 = big.iter().map(|p| p["expected_bytes"].as_u64().unwrap()).sum();
    let off = (expected as f64 / text - 1.0).abs();
    assert!(off < 0.34, "{expected} bytes expected, {text} there");
    assert!(deployment.records().await.is_empty() && deployment.objects().await.is_empty());

    let wrong = json!({"databaseSecret": secret, "planOnly": "yes"});
    let refused = deployment.host.invoke("scheduled-backup", &wrong).await.unwrap_err();
    assert!(refused.contains("planOnly"), "{refused}");
}

/// Before 14 a range of pages cannot be read without reading all: tables stay whole.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_read_no_page_ranges_are_not_sliced() {
    let servers = servers::all().await;
    let Some(old) = servers.iter().find(|s| s.major < 14) else {
        println!("no server before 14 here: not judged");
        return;
    };
    let deployment = Deployment::with(sliced()).await;
    let name = pgbaton_tests::unique("happy_slices");
    let source = Database { url: beside(&old.programs.url("postgres"), &name), name };
    let server = old.connect("postgres").await;
    server.batch_execute(&format!("CREATE DATABASE {}", source.name)).await.unwrap();
    source.run("CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 3) AS t FROM generate_series(1, 60000) i").await;
    let backup = deployment.backup(&source.url, json!({})).await.unwrap();
    assert_eq!(pieces(&deployment, &deployment.folder(&backup), "big").await, (1, 60_000));
}
