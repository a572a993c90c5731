//! Restores that first drop what they make.

use pgbaton::{
    archive::{Manifest, Toc},
    ledger::{Record, Status},
    store::{ObjectKey, Put},
};
use pgbaton_tests::{database::Database, deployment::Deployment};
use serde_json::json;

use super::{SHOP, backed_up, fill, filled, picture, same};

const STORE: &str = "
    CREATE SCHEMA store; CREATE TYPE store.mood AS ENUM ('good', 'bad');
    CREATE FUNCTION store.price() RETURNS int LANGUAGE sql AS 'SELECT 7';
    CREATE TABLE store.customer (id serial PRIMARY KEY, feels store.mood);
    INSERT INTO store.customer (feels) SELECT 'good' FROM generate_series(1, 100);
    CREATE TABLE store.item (id int PRIMARY KEY, customer int REFERENCES store.customer, price int DEFAULT store.price(), feels store.mood);
    INSERT INTO store.item SELECT g, g, g, 'bad' FROM generate_series(1, 50) g; CREATE INDEX of_price ON store.item (price);
    CREATE VIEW store.dear AS SELECT id, sum(price) FROM store.item GROUP BY id;
    CREATE TABLE store.part (id int, at date) PARTITION BY RANGE (at);
    CREATE INDEX of_part ON store.part (id);
    CREATE TABLE store.part_1 PARTITION OF store.part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    INSERT INTO store.part SELECT g, date '2026-01-01' + g FROM generate_series(1, 20) g;
    ALTER TABLE store.customer ADD COLUMN favourite int REFERENCES store.item;
";

async fn stored() -> (Deployment, Database, Record) {
    let d = Deployment::start().await;
    let source = Database::of("drop_source", STORE).await;
    let backup = backed_up(&d, &source.url, json!({})).await;
    (d, source, backup)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_made_again_as_it_was() {
    let d = Deployment::start().await;
    let source = filled("drop_shop", SHOP).await;
    fill(&source, STORE);
    source.run("SELECT lo_from_bytea(600001, 'abc')").await;
    let expected = picture(&source).await;
    let backup = backed_up(&d, &source.url, json!({})).await;
    let asked = json!({"backupId": backup.id, "dropExisting": true});
    // An empty one needs no room.
    let copy = Database::empty("drop_copy").await;
    let record = d.restore(&copy.url, asked.clone()).await.unwrap();
    assert!(record.warnings.is_empty(), "{:?}", record.warnings);
    same(&picture(&copy).await, &expected, "into an empty database");
    copy.run(
        "DROP VIEW store.dear; DELETE FROM store.part; ALTER TABLE store.item DROP COLUMN price; DROP FUNCTION store.price(); \
         CREATE INDEX more ON store.item (id); CREATE OR REPLACE VIEW store.dear AS SELECT 1 AS one; ALTER TYPE store.mood ADD VALUE 'fair'; \
         SELECT lo_put(600001, 0, 'xyz')",
    )
    .await;
    d.restore(&copy.url, asked).await.unwrap();
    same(&picture(&copy).await, &expected, "over what stood there");
    // A restore that makes its database has nothing to drop.
    let new = Database::absent("drop_new");
    let asked = json!({"backupId": backup.id, "dropExisting": true, "createDatabase": true});
    d.restore(&new.url, asked).await.unwrap();
    same(&picture(&new).await, &expected, "into a new database");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_dropped_where_something_else_would_be_left_or_lost() {
    let (d, source, backup) = stored().await;
    for (more, says) in [
        (
            "CREATE TABLE public.own (id int)",
            &["table public.own would be left, which the archive does not have"][..],
        ),
        (
            "CREATE VIEW public.seen AS SELECT * FROM store.customer",
            &[
                "table store.customer, view public.seen, schema store, type store.mood would be left",
                "view public.seen depends on table store.customer",
            ],
        ),
        (
            "CREATE FUNCTION public.f(store.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            &["function public.f(store.mood) depends on type store.mood"],
        ),
        (
            "CREATE TABLE store.part_2 PARTITION OF store.part FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
            &["store.part_2 is a partition of store.part that the archive does not have"],
        ),
        (
            "DROP VIEW store.dear; CREATE TABLE store.dear (id int)",
            &["table store.dear, schema store would be left", "\"dear\" is not a view"],
        ),
    ] {
        let copy = Database::of("drop_refused", STORE).await;
        copy.run(more).await;
        let before = picture(&copy).await;
        let why =
            d.restore(&copy.url, json!({"backupId": backup.id, "dropExisting": true})).await.unwrap_err();
        for what in says.iter().chain(&["nothing was dropped"]) {
            assert!(why.contains(what), "{more}: not \"{what}\": {why}");
        }
        same(&picture(&copy).await, &before, more);
    }
    drop(source);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_database_in_use_some_tables_are_made_again() {
    let (d, _source, backup) = stored().await;
    let copy = Database::of("drop_tables", STORE).await;
    copy.run(
        "CREATE TABLE public.own AS SELECT 1 AS id; UPDATE store.item SET price = 0; DELETE FROM store.item WHERE id > 40; \
         DELETE FROM store.customer WHERE id > 60; CREATE PUBLICATION p FOR TABLE store.part",
    )
    .await;
    let asked =
        |tables: serde_json::Value| json!({"backupId": backup.id, "dropExisting": true, "tables": tables});
    // The other table refers to it, and a view reads it.
    let why = d.restore(&copy.url, asked(json!(["store.item"]))).await.unwrap_err();
    for what in ["store.item would be left", "depends on table store.item", "nothing was dropped"] {
        assert!(why.contains(what), "not \"{what}\": {why}");
    }
    copy.run("ALTER TABLE store.customer DROP CONSTRAINT customer_favourite_fkey").await;
    let record = d.restore(&copy.url, asked(json!(["store.item", "store.dear"]))).await.unwrap();
    assert_eq!((record.status, record.record_count), (Status::Completed, Some(50)));
    assert_eq!(copy.column("SELECT sum(price) FROM store.item").await, ["1275"]);
    assert_eq!(copy.column("SELECT count(*) FROM store.customer").await, ["60"]);
    assert_eq!(copy.column("SELECT id FROM public.own").await, ["1"]);
    assert_eq!(
        copy.column("SELECT indexname FROM pg_indexes WHERE tablename = 'item' ORDER BY 1").await,
        ["item_pkey", "of_price"]
    );
    let told = |record: &Record, what: &str| {
        assert!(record.warnings.iter().any(|w| w.contains(what)), "{:?}", record.warnings)
    };
    told(&record, "was left as it was: TYPE store.mood, FUNCTION store.price()");
    told(&record, "item_customer_fkey");
    let record = d.restore(&copy.url, asked(json!(["part"]))).await.unwrap();
    told(&record, "the publication p lost store.part");
    assert_eq!(copy.column("SELECT count(*) FROM store.part").await, ["20"]);
    assert_eq!(copy.column("SELECT 1 FROM pg_namespace WHERE nspname = 'pgbaton_restore'").await, [""; 0]);
    // A partition of a table that stays.
    copy.run("DELETE FROM store.part_1 WHERE id > 3").await;
    let record = d.restore(&copy.url, asked(json!(["part_1"]))).await.unwrap();
    told(&record, "was left as it was: TABLE store.part");
    assert_eq!(copy.column("SELECT count(*) FROM store.part").await, ["20"]);
    let indexes = "SELECT i.indexrelid::regclass || ' ' || (h.inhparent::regclass::text) FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid WHERE i.indrelid = 'store.part_1'::regclass";
    assert_eq!(copy.column(indexes).await, ["store.part_1_id_idx store.of_part"]);
    // One that is not there yet.
    copy.run("DROP TABLE store.part").await;
    d.restore(&copy.url, asked(json!(["part"]))).await.unwrap();
    assert_eq!(copy.column("SELECT count(*) FROM store.part_1").await, ["20"]);
}

/// The backup once more, with this DROP statement of a table.
async fn with_drop(d: &Deployment, backup: &Record, table: &str, drop: &str) -> String {
    let (from, to) = (d.folder(backup), format!("altered/{}/", pgbaton_tests::unique("drop")));
    let key = |folder: &str, name: &str| ObjectKey::within(folder, name).unwrap();
    let mut manifest =
        Manifest::parse(&d.store.get_all(&key(&from, "manifest.json"), 1 << 30).await.unwrap()).unwrap();
    for object in &mut manifest.objects {
        let mut bytes = d.store.get_all(&key(&from, &object.name), 1 << 30).await.unwrap();
        if object.name == "toc.dat" {
            let mut toc = Toc::parse(&bytes).unwrap();
            let entry = toc.entries.iter_mut().find(|e| e.desc == "TABLE" && e.tag == table).unwrap();
            entry.drop_stmt = Some(drop.into());
            bytes = toc.to_bytes().unwrap();
            object.raw_bytes = bytes.len() as u64;
        }
        let stored = d.store.put(&key(&to, &object.name), bytes, Put::IfAbsent).await.unwrap();
        (object.bytes, object.sha256) = (stored.bytes, stored.sha256);
    }
    d.store.put(&key(&to, "manifest.json"), manifest.to_bytes().unwrap(), Put::IfAbsent).await.unwrap();
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_drops_something_else_is_refused() {
    let d = Deployment::start().await;
    let source = Database::of("drop_foreign", "CREATE TABLE fruit AS SELECT 1 AS id").await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let standing = Database::of("drop_standing", "CREATE TABLE public.own (id int)").await;
    for drop in [
        "DROP TABLE public.own;\n",
        "DROP TABLE public.fruit; DROP TABLE public.own;\n",
        "DROP TABLE public.fruit CASCADE;\n",
    ] {
        let filepath = with_drop(&d, &backup, "fruit", drop).await;
        let why =
            d.restore(&standing.url, json!({"filepath": filepath, "dropExisting": true})).await.unwrap_err();
        assert!(why.contains("the DROP statement of TABLE public.fruit"), "{why}");
        assert_eq!(standing.column("SELECT count(*) FROM public.own").await, ["0"], "{drop}");
    }
}
