//! Selections: what was asked for comes back, by our restore and by stock `pg_restore --exit-on-error`, and nothing else; the judge of what a
//! pattern brings is pg_dump where it means the same.

use std::collections::BTreeSet;

use pgbaton::{
    archive::{Manifest, Toc},
    ledger::{Record, Status},
    store::ObjectKey,
};
use pgbaton_tests::{
    database::{Database, beside, successful},
    deployment::{Deployment, Wishes},
    roles::{Roles, url_as},
    servers,
};
use serde_json::{Value, json};

use super::{fill, filled, pg_restore, picture, restored, same};

/// `audit_details` refers to `audit`; `last_order` needs the row type of `orders`; `child` inherits, `events` has partitions.
const SQL: &str = r#"
CREATE SCHEMA shop; CREATE SCHEMA other; CREATE SCHEMA "We.ird";
CREATE TYPE shop.state AS ENUM ('new', 'paid');
CREATE DOMAIN shop.amount AS numeric CHECK (VALUE >= 0);
CREATE FUNCTION shop.code() RETURNS text LANGUAGE sql AS $$ SELECT 'c' || 1 $$;
CREATE FUNCTION shop.half(numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$ SELECT $1 / 2 $$;
CREATE TABLE shop.customers (id serial PRIMARY KEY, name text NOT NULL DEFAULT shop.code(), boss int REFERENCES shop.customers);
INSERT INTO shop.customers (name) SELECT 'name ' || i FROM generate_series(1, 50) i;
CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int NOT NULL REFERENCES shop.customers,
  state shop.state NOT NULL DEFAULT 'new', total shop.amount, CHECK (shop.half(total) < 1000000));
INSERT INTO shop.orders (customer, total) SELECT 1 + i % 50, i FROM generate_series(1, 500) i;
CREATE INDEX by_half ON shop.orders (shop.half(total)); CREATE STATISTICS shop.together ON customer, state FROM shop.orders;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
COMMENT ON TABLE shop.orders IS 'what was ordered'; COMMENT ON COLUMN shop.orders.total IS 'in euros';
CREATE TABLE shop.audit (id bigserial PRIMARY KEY, what int REFERENCES shop.orders, note text);
INSERT INTO shop.audit (what, note) SELECT 1 + i % 500, md5(i::text) FROM generate_series(1, 1000) i;
CREATE TABLE shop.audit_details (audit bigint CONSTRAINT to_audit REFERENCES shop.audit, t text);
INSERT INTO shop.audit_details SELECT i, 'x' FROM generate_series(1, 10) i;
CREATE VIEW shop.open_orders AS SELECT o.id, c.name FROM shop.orders o JOIN shop.customers c ON c.id = o.customer WHERE o.state = 'new';
CREATE VIEW shop.audited AS SELECT note FROM shop.audit;
CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE UNIQUE INDEX ON shop.totals (customer);
CREATE FUNCTION shop.last_audit() RETURNS shop.audit LANGUAGE sql AS $$ SELECT * FROM shop.audit ORDER BY id DESC LIMIT 1 $$;
CREATE TABLE shop.events (id int, day date NOT NULL, customer int CONSTRAINT of_customer REFERENCES shop.customers) PARTITION BY RANGE (day);
CREATE TABLE shop.events_25 PARTITION OF shop.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.events_26 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE shop.events ADD PRIMARY KEY (id, day); CREATE INDEX ON shop.events (day);
INSERT INTO shop.events SELECT i, '2025-06-01'::date + i, 1 + i % 50 FROM generate_series(1, 400) i;
CREATE TABLE shop.seen (id int, day date, CONSTRAINT to_event FOREIGN KEY (id, day) REFERENCES shop.events);
INSERT INTO shop.seen SELECT i, '2025-06-01'::date + i FROM generate_series(1, 400, 7) i;
CREATE TABLE other.base (a int, b text DEFAULT 'b'); INSERT INTO other.base VALUES (1, 'x');
CREATE TABLE other.child (c int) INHERITS (other.base); INSERT INTO other.child VALUES (2, 'y', 3);
CREATE SEQUENCE other.numbers; SELECT setval('other.numbers', 77);
CREATE TABLE other.uses (n int DEFAULT nextval('other.numbers'), s shop.state); INSERT INTO other.uses DEFAULT VALUES;
ALTER TABLE other.uses ENABLE ROW LEVEL SECURITY; CREATE POLICY only_new ON other.uses USING (s = 'new');
CREATE TABLE "We.ird"."Ta""ble *" ("Co l" int); INSERT INTO "We.ird"."Ta""ble *" VALUES (1), (2);
CREATE TABLE other."t""; DROP TABLE other.base; --" (a int); INSERT INTO other."t""; DROP TABLE other.base; --" VALUES (9);
CREATE PUBLICATION told FOR TABLE shop.orders, other.base;
SELECT lo_from_bytea(700001, 'abc');
ANALYZE;
"#;

/// A database, and what stands in it.
struct Source {
    database: Database,
    contents: Vec<String>,
}

impl Source {
    async fn new() -> Self {
        let database = filled("happy_select", SQL).await;
        Self { contents: database.contents().await, database }
    }

    /// The lines of these relations with all they hold, and of those without rows.
    fn of(&self, full: &[&str], empty: &[&str]) -> BTreeSet<String> {
        let line = |name: &str| {
            let line = self.contents.iter().find(|l| l.starts_with(&format!("{name} ")));
            line.unwrap_or_else(|| panic!("{name}: {:#?}", self.contents)).clone()
        };
        let full = full.iter().map(|name| line(name));
        let sequence = |name: &str| name.ends_with("_seq") || name == "other.numbers";
        let emptied = |name: &str| if sequence(name) { format!("{name} ") } else { format!("{name} 0 0") };
        full.chain(empty.iter().map(|name| emptied(name))).collect()
    }

    /// All but these.
    fn without(&self, names: &[&str]) -> BTreeSet<String> {
        let named = |l: &&String| names.iter().any(|name| l.starts_with(&format!("{name} ")));
        self.contents.iter().filter(|l| !named(l)).cloned().collect()
    }
}

fn set(lines: &[String]) -> BTreeSet<String> {
    lines.iter().cloned().collect()
}

/// Backs up with these options, restores both ways into empty databases, which must be the same; gives record and copy.
async fn both_ways(deployment: &Deployment, url: &str, options: Value) -> (Record, Database) {
    let mut wish = options.clone();
    wish["compression"] = json!("gzip");
    let backup = deployment.backup(url, wish).await.unwrap_or_else(|e| panic!("{options}: {e}"));
    assert_eq!(backup.status, Status::Completed);
    assert!(backup.message.as_deref().unwrap().contains("Only a selection"), "{:?}", backup.message);
    let copy = Database::absent("happy_copy");
    restored(deployment, &backup, &copy).await;
    let stock = Database::empty("happy_stock").await;
    let folder = std::env::temp_dir().join(&stock.name);
    deployment.download(&deployment.folder(&backup), &folder).await;
    pg_restore(&folder, &stock, &["--exit-on-error"], false);
    std::fs::remove_dir_all(&folder).unwrap();
    same(&picture(&copy).await, &picture(&stock).await, &options.to_string());
    (backup, copy)
}

async fn file(deployment: &Deployment, backup: &Record, name: &str) -> Vec<u8> {
    let key = ObjectKey::parse(&format!("{}{name}", deployment.folder(backup))).unwrap();
    deployment.store.get_all(&key, 1 << 30).await.unwrap()
}

/// Tables and tables with rows of an archive.
fn listed(toc: &Toc) -> BTreeSet<String> {
    let wanted = ["TABLE", "TABLE DATA", "VIEW", "MATERIALIZED VIEW", "SEQUENCE"];
    let entries = toc.entries.iter().filter(|e| wanted.contains(&e.desc.as_str()));
    entries.map(|e| format!("{} {}.{}", e.desc, e.namespace.as_deref().unwrap_or_default(), e.tag)).collect()
}

/// What pg_dump archives with these options.
fn dumped(source: &Database, options: &[&str]) -> BTreeSet<String> {
    let folder = std::env::temp_dir().join(pgbaton_tests::unique("happy_dump"));
    let mut arguments = vec!["-Fd", "-Z0", "-f", folder.to_str().unwrap()];
    arguments.extend(options);
    arguments.push(&source.url);
    successful("pg_dump", &arguments);
    let toc = Toc::parse(&std::fs::read(folder.join("toc.dat")).unwrap()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    listed(&toc)
}

async fn like_pg_dump(deployment: &Deployment, backup: &Record, source: &Database, options: &[&str]) {
    let ours = listed(&Toc::parse(&file(deployment, backup, "toc.dat").await).unwrap());
    let theirs = dumped(source, options);
    let differ: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    assert!(differ.is_empty(), "{options:?}: {differ:#?}");
}

/// A verification restores the backup beside `url`, compares the rows and counts the objects: nothing is missing and nothing is there too much.
async fn proven(deployment: &Deployment, backup: &Record, url: &str) {
    let event =
        json!({"backupId": backup.id, "level": "restore", "targetSecret": deployment.secret(url).await});
    let run = deployment.host.invoke("verify", &event).await.unwrap();
    let run: Record = serde_json::from_value(run).unwrap();
    assert_eq!(run.status, Status::Completed, "{run:#?}");
    let counted: Vec<&String> = run.warnings.iter().filter(|w| w.contains("objects")).collect();
    assert!(counted.is_empty(), "{counted:#?}");
}

fn told(backup: &Record, words: &[&str]) -> bool {
    backup.warnings.iter().any(|w| words.iter().all(|word| w.contains(word)))
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_of_tables_brings_what_they_need() {
    let deployment = Deployment::start().await;
    let source = Source::new().await;
    let (backup, copy) =
        both_ways(&deployment, &source.database.url, json!({"tables": ["shop.orders"]})).await;
    let full = ["shop.orders", "shop.orders_id_seq"];
    assert_eq!(set(&copy.contents().await), source.of(&full, &[]));
    like_pg_dump(&deployment, &backup, &source.database, &["-t", "shop.orders"]).await;
    assert_eq!(backup.warnings.len(), 2, "{:?}", backup.warnings);
    assert!(told(&backup, &["orders_customer_fkey", "shop.customers"]));
    assert!(told(&backup, &["1 large object is not in the backup"]));
    let schema = copy.schema();
    for part in [
        "CREATE TYPE shop.state AS ENUM",
        "CREATE DOMAIN shop.amount",
        "CREATE FUNCTION shop.half",
        "CREATE TRIGGER touch",
        "CREATE INDEX by_half",
        "CREATE STATISTICS shop.together",
        "GENERATED ALWAYS AS IDENTITY",
        "COMMENT ON COLUMN shop.orders.total",
    ] {
        assert!(schema.contains(part), "{part}: {schema}");
    }
    for part in ["shop.code", "PUBLICATION", "SCHEMA other", "last_audit"] {
        assert!(!schema.contains(part), "{part}: {schema}");
    }
    let manifest = Manifest::parse(&file(&deployment, &backup, "manifest.json").await).unwrap();
    assert_eq!(manifest.selection.unwrap().tables, ["shop.orders"]);
    assert!(manifest.census.values().all(|c| c.objects == c.archived), "{:?}", manifest.census);

    // Both sides of the key; the view reads both; names that look like something else are names.
    let wish = json!({"tables": ["shop.orders", "customers", "\"We.ird\".*", "other.\"t\"\"; DROP TABLE other.base; --\""]});
    let (backup, copy) = both_ways(&deployment, &source.database.url, wish).await;
    assert_eq!(backup.warnings.len(), 1, "{:?}", backup.warnings);
    let both = [
        "shop.orders",
        "shop.orders_id_seq",
        "shop.customers",
        "shop.customers_id_seq",
        "\"We.ird\".\"Ta\"\"ble *\"",
        "other.\"t\"\"; DROP TABLE other.base; --\"",
    ];
    assert_eq!(set(&copy.contents().await), source.of(&both, &[]));
    assert!(copy.schema().contains("orders_customer_fkey"));

    let (backup, copy) =
        both_ways(&deployment, &source.database.url, json!({"tables": ["open_orders", "totals"]})).await;
    let empty = ["shop.orders", "shop.customers", "shop.orders_id_seq", "shop.customers_id_seq"];
    assert_eq!(set(&copy.contents().await), source.of(&[], &empty));
    assert!(copy.schema().contains("CREATE VIEW shop.open_orders"));
    assert!(
        told(&backup, &["materialized view shop.totals is not filled", "shop.orders"]),
        "{:?}",
        backup.warnings
    );

    // What a verification restores and counts is what the manifest says.
    proven(&deployment, &backup, &source.database.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_of_partitions_and_children() {
    let deployment = Deployment::start().await;
    let source = Source::new().await;
    let url = &source.database.url;
    let (backup, copy) =
        both_ways(&deployment, url, json!({"tables": ["shop.events", "shop.seen", "customers"]})).await;
    let full = ["shop.events_25", "shop.events_26", "shop.seen", "shop.customers", "shop.customers_id_seq"];
    assert_eq!(set(&copy.contents().await), source.of(&full, &[]));
    assert_eq!(backup.warnings.len(), 1, "{:?}", backup.warnings);
    let schema = copy.schema();
    assert!(schema.contains("of_customer") && schema.contains("to_event") && schema.contains("PARTITION BY"));

    let (backup, copy) = both_ways(&deployment, url, json!({"tables": ["events_26", "seen"]})).await;
    assert_eq!(set(&copy.contents().await), source.of(&["shop.events_26", "shop.seen"], &[]));
    assert!(told(&backup, &["to_event", "rows of shop.events"]), "{:?}", backup.warnings);
    assert!(told(&backup, &["of_customer", "shop.customers"]), "{:?}", backup.warnings);
    assert!(copy.schema().contains("ATTACH PARTITION shop.events_26"));

    let (_, copy) = both_ways(&deployment, url, json!({"tables": ["other.child", "other.uses"]})).await;
    let full = ["other.child", "other.uses", "other.numbers"];
    assert_eq!(set(&copy.contents().await), source.of(&full, &["other.base"]));
    let schema = copy.schema();
    assert!(schema.contains("INHERITS (other.base)") && schema.contains("CREATE POLICY only_new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_by_what_is_left_out() {
    let deployment = Deployment::start().await;
    let source = Source::new().await;
    let url = &source.database.url;
    let gone = ["shop.audit", "shop.audit_id_seq"];
    let (backup, copy) = both_ways(&deployment, url, json!({"excludeTables": ["shop.audit"]})).await;
    assert_eq!(set(&copy.contents().await), source.without(&gone));
    let schema = copy.schema();
    assert!(!schema.contains("last_audit") && !schema.contains("audited") && !schema.contains("to_audit"));
    assert!(schema.contains("CREATE PUBLICATION told"));
    assert_eq!(backup.warnings.len(), 3, "{:?}", backup.warnings);
    for object in ["view shop.audited", "function shop.last_audit()", "to_audit"] {
        assert!(told(&backup, &[object, "shop.audit"]), "{object}: {:?}", backup.warnings);
    }
    proven(&deployment, &backup, url).await;

    let (backup, copy) =
        both_ways(&deployment, url, json!({"exclude_tables": ["other.*", "shop.events_25"]})).await;
    assert!(told(&backup, &["to_event", "rows of shop.events"]), "{:?}", backup.warnings);
    let kept = copy.contents().await;
    assert!(kept.iter().all(|l| !l.starts_with("other.") && !l.starts_with("shop.events_25")), "{kept:#?}");

    let (backup, copy) = both_ways(&deployment, url, json!({"excludeData": ["audit"]})).await;
    let mut expected = source.without(&["shop.audit"]);
    expected.insert("shop.audit 0 0".into());
    assert_eq!(set(&copy.contents().await), expected);
    assert_eq!(backup.warnings.len(), 1, "{:?}", backup.warnings);
    assert!(told(&backup, &["to_audit", "rows of shop.audit"]));

    // Where neither side has rows the key stays.
    let (backup, copy) = both_ways(&deployment, url, json!({"excludeData": ["shop.audit*"]})).await;
    assert!(backup.warnings.is_empty(), "{:?}", backup.warnings);
    assert_eq!(copy.schema(), source.database.schema());
    like_pg_dump(&deployment, &backup, &source.database, &["--exclude-table-data=shop.audit*"]).await;

    // What is excluded wins.
    let wish =
        json!({"tables": ["shop.*"], "excludeTables": ["audit*", "audited"], "excludeData": ["orders"]});
    let (_, copy) = both_ways(&deployment, url, wish).await;
    let kept = copy.contents().await;
    assert!(kept.contains(&"shop.orders 0 0".to_owned()), "{kept:#?}");
    assert!(kept.iter().all(|l| l.starts_with("shop.") && !l.starts_with("shop.audit")), "{kept:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_of_structure() {
    let deployment = Deployment::start().await;
    let source = Source::new().await;
    let url = &source.database.url;
    let (backup, copy) = both_ways(&deployment, url, json!({"includeSchemaOnly": true})).await;
    assert!(backup.warnings.is_empty(), "{:?}", backup.warnings);
    assert_eq!(copy.schema(), source.database.schema());
    let all = copy.contents().await;
    assert!(all.iter().all(|l| l.ends_with(" 0 0") || l.ends_with(' ')), "{all:#?}");
    like_pg_dump(&deployment, &backup, &source.database, &["--schema-only"]).await;

    let wish = json!({"includeSchemaOnly": true, "tables": ["shop.customers", "shop.orders"]});
    let (backup, copy) = both_ways(&deployment, url, wish).await;
    let full = ["shop.customers", "shop.customers_id_seq", "shop.orders", "shop.orders_id_seq"];
    let lines = copy.contents().await;
    let held: BTreeSet<String> =
        lines.into_iter().filter(|l| !l.ends_with(" 0 0") && !l.ends_with(' ')).collect();
    assert_eq!(held, source.of(&full, &[]));
    assert_eq!(copy.schema(), source.database.schema(), "no key is in the way: {:?}", backup.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_that_means_nothing_fails_with_near_misses() {
    let deployment = Deployment::start().await;
    let source = Source::new().await;
    let url = &source.database.url;
    let why = deployment.backup(url, json!({"tables": ["shop.customers", "shop.oders"]})).await.unwrap_err();
    assert!(
        why.contains("tables[1]") && why.contains("shop.orders") && !why.contains("shop.customers"),
        "{why}"
    );
    let record = deployment.newest().await;
    assert_eq!(
        (record.status, record.error_code.as_deref()),
        (Status::Failed, Some("invalid_input")),
        "{record:?}"
    );
    let why = deployment.backup(url, json!({"excludeData": ["Orders"]})).await.unwrap_err();
    assert!(why.contains("excludeData[0]") && why.contains("shop.orders"), "{why}");
    let why = deployment.backup(url, json!({"tables": ["pg_catalog.pg_class"]})).await.unwrap_err();
    assert!(why.contains("tables[0]"), "{why}");
    assert!(source.database.contents().await == source.contents);
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_needs_no_privilege_on_what_is_left_out() {
    let deployment = Deployment::start().await;
    let roles = Roles::create(&[""], "LOGIN PASSWORD 'not-used-elsewhere'");
    let source = Source::new().await;
    let role = roles.name("");
    let grants = format!(
        "GRANT USAGE ON SCHEMA shop TO {role}; GRANT SELECT ON shop.customers, shop.orders TO {role}; \
         GRANT SELECT ON SEQUENCE shop.customers_id_seq, shop.orders_id_seq TO {role}"
    );
    source.database.run(&grants).await;
    let url = url_as(&role, "not-used-elsewhere", &source.database.name);
    let all = deployment.backup(&url, json!({})).await.unwrap_err();
    assert!(all.contains("permission denied"), "{all}");
    // Somebody holds what is left out: nobody waits for it.
    let holder = pgbaton_tests::database::connect(&source.database.url).await;
    holder.batch_execute("BEGIN; LOCK TABLE shop.audit, other.base IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let wish = json!({"tables": ["shop.customers", "shop.orders"], "compression": "gzip"});
    let backup = deployment.backup(&url, wish).await.unwrap();
    assert_eq!(backup.status, Status::Completed);
    assert_eq!(backup.table_count, Some(2));
    holder.batch_execute("ROLLBACK").await.unwrap();
    drop(holder);
    let copy = Database::absent("happy_copy");
    restored(&deployment, &backup, &copy).await;
    let full = ["shop.customers", "shop.customers_id_seq", "shop.orders", "shop.orders_id_seq"];
    assert_eq!(set(&copy.contents().await), source.of(&full, &[]));
    let why = deployment.backup(&url, json!({"tables": ["shop.audit"]})).await.unwrap_err();
    assert!(why.contains("permission denied") && why.contains("audit"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_on_every_version() {
    let deployment = Deployment::start().await;
    for server in servers::all().await {
        let on_server = |prefix: &str| {
            let name = pgbaton_tests::unique(prefix);
            Database { url: beside(&server.programs.url("postgres"), &name), name }
        };
        let (database, copy) = (on_server("happy_select"), on_server("happy_copy"));
        let session = server.connect("postgres").await;
        session.batch_execute(&format!("CREATE DATABASE {}", database.name)).await.unwrap();
        fill(&database, SQL);
        let source = Source { contents: database.contents().await, database };
        let wish =
            json!({"tables": ["shop.*", "child"], "excludeTables": ["audit"], "excludeData": ["seen"]});
        let backup = deployment.backup(&source.database.url, wish).await.unwrap();
        restored(&deployment, &backup, &copy).await;
        let mut expected = source.without(&["shop.audit", "shop.audit_id_seq", "shop.seen"]);
        expected.retain(|l| l.starts_with("shop.") || l.starts_with("other.child "));
        expected.extend(["shop.seen 0 0".to_owned(), "other.base 0 0".to_owned()]);
        assert_eq!(set(&copy.contents().await), expected, "PostgreSQL {}", server.major);
        for words in [["view shop.audited", "shop.audit"], ["to_audit", "shop.audit"]] {
            assert!(told(&backup, &words), "PostgreSQL {}: {:?}", server.major, backup.warnings);
        }
        proven(&deployment, &backup, &source.database.url).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_in_slices() {
    let deployment = Deployment::with(Wishes::default().with("BACKUP_SLICE_MB", "1")).await;
    let sql = "CREATE TABLE big (id int PRIMARY KEY, t text); \
               INSERT INTO big SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 40000) i; CREATE INDEX ON big (t); \
               CREATE TABLE left_out AS SELECT * FROM big; CREATE TABLE small (big int REFERENCES big); INSERT INTO small VALUES (1)";
    let source = Source { database: Database::of("happy_select", sql).await, contents: Vec::new() };
    let source = Source { contents: source.database.contents().await, ..source };
    let (backup, copy) =
        both_ways(&deployment, &source.database.url, json!({"tables": ["big", "small"]})).await;
    assert_eq!(set(&copy.contents().await), source.of(&["public.big", "public.small"], &[]));
    assert!(backup.warnings.is_empty(), "{:?}", backup.warnings);
    let toc = Toc::parse(&file(&deployment, &backup, "toc.dat").await).unwrap();
    let pieces = toc.entries.iter().filter(|e| e.desc == "TABLE DATA" && e.tag == "big").count();
    assert!(pieces > 2, "{pieces}");
    assert!(toc.entries.iter().all(|e| e.tag != "left_out"));
    // A plan reads as little.
    let event = json!({"databaseSecret": deployment.secret(&source.database.url).await, "planOnly": true, "tables": ["small"]});
    let plan = deployment.host.invoke("scheduled-backup", &event).await.unwrap();
    assert_eq!(plan["tables"], 1, "{plan:#}");
}
