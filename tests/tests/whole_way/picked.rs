//! Restores of some tables out of a whole backup.

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
};
use serde_json::json;

const SHOP: &str = "
    CREATE SCHEMA shop; CREATE SCHEMA \"Odd schema\"; CREATE TYPE shop.mood AS ENUM ('good', 'bad');
    CREATE FUNCTION shop.price() RETURNS int LANGUAGE sql AS 'SELECT 7';
    CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE FUNCTION unused() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE shop.customer (id serial PRIMARY KEY, feels shop.mood, code text UNIQUE);
    INSERT INTO shop.customer (feels, code) SELECT 'good', 'c' || g FROM generate_series(1, 300) g;
    CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES shop.customer, price int DEFAULT shop.price());
    INSERT INTO shop.orders (customer) SELECT g % 300 + 1 FROM generate_series(1, 2000) g;
    CREATE TABLE shop.item (n int REFERENCES shop.orders, what text); INSERT INTO shop.item SELECT g, 'x' FROM generate_series(1, 500) g;
    CREATE INDEX item_what ON shop.item (lower(what)); CREATE TRIGGER noted BEFORE INSERT ON shop.item FOR EACH ROW EXECUTE FUNCTION shop.noted();
    COMMENT ON TABLE shop.item IS 'positions'; CREATE VIEW shop.dear AS SELECT * FROM shop.orders WHERE price > 5;
    CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01'); CREATE INDEX ON parts (id);
    INSERT INTO parts SELECT g, date '2026-01-01' + g % 59 FROM generate_series(1, 400) g;
    CREATE TABLE \"Odd schema\".\"a.b\" (id int); INSERT INTO \"Odd schema\".\"a.b\" VALUES (1);
    SELECT lo_from_bytea(0, 'object');
";

/// Tables, sequences and views of the copy.
async fn relations(of: &Database) -> Vec<String> {
    of.column("SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn some_tables_come_back_with_what_they_need() {
    let d = Deployment::with(Wishes::default().with("BACKUP_SLICE_MB", "1")).await;
    let source = Database::of("picked", SHOP).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let all = source.contents().await;
    for (tables, there, left_out) in [
        (
            json!(["shop.*"]),
            vec![
                "shop.customer",
                "shop.customer_id_seq",
                "shop.dear",
                "shop.item",
                "shop.orders",
                "shop.orders_id_seq",
            ],
            vec!["large objects"],
        ),
        (json!(["item"]), vec!["shop.item"], vec!["item_n_fkey", "large objects"]),
        (json!(["shop.dear"]), vec!["shop.dear", "shop.orders"], vec!["large objects"]),
        (json!(["parts"]), vec!["public.parts", "public.parts_1", "public.parts_2"], vec!["large objects"]),
        (json!(["parts_2"]), vec!["public.parts", "public.parts_2"], vec!["large objects"]),
        (json!(["\"Odd schema\".\"a.b\""]), vec!["Odd schema.a.b"], vec!["large objects"]),
    ] {
        let copy = Database::absent("picked_copy");
        let asked = json!({"backupId": backup.id, "createDatabase": true, "tables": tables});
        let record = d.restore(&copy.url, asked).await.unwrap_or_else(|e| panic!("{tables}: {e}"));
        let mut found = relations(&copy).await;
        found.retain(|name| there.contains(&name.as_str()) || !name.ends_with("_id_seq"));
        assert_eq!(found, there, "{tables}");
        for warning in &left_out {
            assert!(record.warnings.iter().any(|w| w.contains(warning)), "{tables}: {:?}", record.warnings);
        }
        assert_eq!(record.warnings.len(), left_out.len(), "{tables}: {:?}", record.warnings);
        let contents = copy.contents().await;
        // What a view reads has its definition and no rows.
        let whole: Vec<&String> = contents
            .iter()
            .filter(|line| !(tables == json!(["shop.dear"]) && line.contains("shop.orders")))
            .collect();
        assert!(whole.iter().all(|line| all.contains(line)), "{tables}: {contents:#?} {all:#?}");
        assert_eq!(copy.column("SELECT count(*)::text FROM pg_proc WHERE proname = 'unused'").await, ["0"]);
    }
    let copy = Database::absent("picked_index");
    d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true, "tables": ["shop.item"]}))
        .await
        .unwrap();
    assert_eq!(
        copy.column("SELECT indexname FROM pg_indexes WHERE schemaname = 'shop' UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT obj_description('shop.item'::regclass)").await,
        ["item_what", "noted", "positions"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_there_is_told_before_anything_is_made() {
    let d = Deployment::start().await;
    let source = Database::of("picked_wrong", SHOP).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let copy = Database::absent("picked_nothing");
    let asked =
        json!({"backupId": backup.id, "createDatabase": true, "tables": ["shop.item", "shop.custoner"]});
    let why = d.restore(&copy.url, asked).await.unwrap_err();
    assert!(why.contains("shop.custoner") && why.contains("did you mean shop.customer"), "{why}");
    assert_eq!(
        source
            .column(&format!("SELECT count(*)::text FROM pg_database WHERE datname = '{}'", copy.name))
            .await,
        ["0"]
    );
    let failed = d.records().await.into_iter().find(|r| r.status == Status::Failed).unwrap();
    assert_eq!(failed.error_code.as_deref(), Some("invalid_input"));
}
