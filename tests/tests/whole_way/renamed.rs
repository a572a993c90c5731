//! Restores without foreign keys, and under other schemas.

use pgbaton_tests::{database::Database, deployment::Deployment};
use serde_json::json;

use super::{backed_up, picture, same};

const SHOP: &str = "
    CREATE SCHEMA shop; CREATE SCHEMA other; CREATE TYPE shop.mood AS ENUM ('good', 'bad'); CREATE DOMAIN shop.plus AS int CHECK (VALUE > 0);
    CREATE FUNCTION shop.price(n int) RETURNS int LANGUAGE sql AS 'SELECT n + 7'; CREATE TABLE shop.seen (tag text);
    CREATE FUNCTION shop.see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
    CREATE TABLE shop.customer (id serial PRIMARY KEY, feels shop.mood, n shop.plus CHECK (n < 1000), UNIQUE (n));
    INSERT INTO shop.customer (feels, n) SELECT 'good', g FROM generate_series(1, 200) g;
    CREATE TABLE public.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int CONSTRAINT of_customer REFERENCES shop.customer, price int DEFAULT shop.price(1));
    INSERT INTO public.orders (customer) SELECT g FROM generate_series(1, 100) g; COMMENT ON CONSTRAINT of_customer ON public.orders IS 'whose';
    ALTER TABLE public.orders ADD CONSTRAINT cheap CHECK (price < 1000) NOT VALID;
    CREATE VIEW other.v AS SELECT c.id, shop.price(o.price) FROM shop.customer c JOIN public.orders o ON o.customer = c.id;
    CREATE MATERIALIZED VIEW other.m AS SELECT count(*) FROM shop.customer;
    CREATE EVENT TRIGGER watch_renamed ON ddl_command_end EXECUTE FUNCTION shop.see();
";

#[tokio::test(flavor = "multi_thread")]
async fn everything_follows_its_schema() {
    let d = Deployment::start().await;
    let source = Database::of("renamed", SHOP).await;
    let backup = backed_up(&d, &source.url, json!({})).await;
    let copy = Database::empty("renamed_copy").await;
    let map = json!({"shop": "shop restored", "public": "old_public"});
    let asked = json!({"backupId": backup.id, "renameSchemas": map, "validate": true});
    let record = d.restore(&copy.url, asked.clone()).await.unwrap();
    assert_eq!(record.record_count, backup.record_count);
    let told = "schemas were renamed: public is now old_public, shop is now shop restored";
    assert!(matches!(record.warnings.as_slice(), [one] if one.starts_with(told)), "{:?}", record.warnings);
    assert!(record.message.unwrap().contains("all as the manifest says"));
    // The same renaming by hand.
    let expected = Database::empty("renamed_expected").await;
    d.restore(&expected.url, json!({"backupId": backup.id})).await.unwrap();
    expected
        .run("ALTER SCHEMA shop RENAME TO \"shop restored\"; ALTER SCHEMA public RENAME TO old_public")
        .await;
    same(&picture(&copy).await, &picture(&expected).await, "renamed");
    assert_eq!(copy.column("SELECT count(*) FROM other.v").await, ["100"]);

    for (target, map, says) in [
        ("CREATE SCHEMA fresh", json!({"shop": "fresh"}), "has a schema fresh already"),
        ("", json!({"shpo": "fresh"}), "no schema shpo; did you mean shop?"),
        ("", json!({"shop": "other"}), "a schema other of its own"),
    ] {
        let copy = Database::of("renamed_refused", target).await;
        let asked = json!({"backupId": backup.id, "renameSchemas": map, "dropExisting": true});
        let why = d.restore(&copy.url, asked).await.unwrap_err();
        assert!(why.contains(says), "{why}");
        assert_eq!(
            copy.column("SELECT nspname FROM pg_namespace WHERE nspname IN ('shop', 'pgbaton_restore')")
                .await,
            [""; 0]
        );
    }
    // Whatever else is in a schema would be renamed with it.
    let live = Database::of("renamed_live", SHOP).await;
    let asked = json!({"backupId": backup.id, "renameSchemas": {"shop": "fresh"}, "dropExisting": true, "tables": ["shop.seen"]});
    let why = d.restore(&live.url, asked).await.unwrap_err();
    assert!(why.contains("the schema shop of the target is in use"), "{why}");
    let whole = json!({"backupId": backup.id, "renameSchemas": {"shop": "fresh"}, "dropExisting": true});
    let why = d.restore(&live.url, whole).await.unwrap_err();
    assert!(why.contains("dropExisting would drop what it holds"), "{why}");
    assert_eq!(live.column("SELECT count(*) FROM shop.customer").await, ["200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_and_late_checks_are_left_out() {
    let d = Deployment::start().await;
    let source = Database::of("skipped", SHOP).await;
    let backup = backed_up(&d, &source.url, json!({})).await;
    let copy = Database::empty("skipped_copy").await;
    let asked = json!({"backupId": backup.id, "skipConstraints": true});
    let record = d.restore(&copy.url, asked.clone()).await.unwrap();
    assert_eq!(record.warnings.len(), 1, "{:?}", record.warnings);
    let told = &record.warnings[0];
    assert!(told.starts_with("2 foreign keys and checks were left out (skipConstraints): "), "{told}");
    assert!(
        told.contains("FK CONSTRAINT public.orders of_customer")
            && told.contains("CHECK CONSTRAINT public.orders cheap"),
        "{told}"
    );
    source.run("ALTER TABLE public.orders DROP CONSTRAINT of_customer, DROP CONSTRAINT cheap").await;
    same(&picture(&copy).await, &picture(&source).await, "without");
    // A target that has them makes room all the same.
    copy.run("ALTER TABLE public.orders ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES shop.customer; ALTER TABLE shop.customer ADD COLUMN o int REFERENCES public.orders")
        .await;
    d.restore(&copy.url, json!({"backupId": backup.id, "skipConstraints": true, "dropExisting": true}))
        .await
        .unwrap();
    same(&picture(&copy).await, &picture(&source).await, "once more");
}
