//! Settings pinned over whatever the role has, and snapshots: shared, handed on, locked, broken.

use std::time::Duration;

use pgbaton::{
    base::Kind,
    pg::{
        self, LockWait, Snapshot,
        session::{pin_for_dump, pin_for_restore},
    },
};

use super::server::{Database, Server, value};

#[tokio::test]
async fn settings_win_over_the_roles() {
    let db = Database::create("pins", "").await;
    let admin = db.session().await;
    let name = db.info.database();
    for setting in [
        "statement_timeout = '1s'",
        "lock_timeout = '1s'",
        "\"DateStyle\" = 'German'",
        "\"TimeZone\" = 'Asia/Tokyo'",
        "\"IntervalStyle\" = 'iso_8601'",
        "extra_float_digits = -1",
        "client_encoding = 'LATIN1'",
        "search_path = 'evil'",
        "bytea_output = 'escape'",
        "default_transaction_read_only = on",
    ] {
        admin.batch_execute(&format!("ALTER DATABASE {name} SET {setting}")).await.unwrap();
    }
    let dump = db.session().await;
    pin_for_dump(&dump, dump.version()).await.unwrap();
    for (setting, wanted) in [
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("DateStyle", "ISO, MDY"),
        ("TimeZone", "UTC"),
        ("IntervalStyle", "postgres"),
        ("extra_float_digits", "3"),
        ("client_encoding", "UTF8"),
        ("search_path", "\"\""),
        ("row_security", "off"),
        ("synchronize_seqscans", "off"),
        ("bytea_output", "hex"),
    ] {
        assert_eq!(value(&dump, &format!("SHOW {setting}")).await, wanted, "{setting}");
    }
    let restrict = "SELECT setting FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'";
    let restricted = value(&dump, restrict).await;
    assert!(restricted.is_empty() || restricted == "view, foreign-table", "{restricted}");
    let text = value(&dump, "SELECT concat_ws(' ', '2026-11-21 01:02:03.5+02'::timestamptz, 0.1::float8 + 0.2, '1 day'::interval)").await;
    assert_eq!(text, "2026-11-20 23:02:03.5+00 0.30000000000000004 1 day");
    let restore = db.session().await;
    pin_for_restore(&restore, restore.version()).await.unwrap();
    restore.batch_execute("CREATE TABLE public.t (a int)").await.unwrap();
    assert_eq!(value(&restore, "SHOW check_function_bodies").await, "off");
    db.remove().await;
    let ascii =
        Database::create("ascii", "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
            .await;
    let session = ascii.session().await;
    pin_for_dump(&session, session.version()).await.unwrap();
    assert_eq!(value(&session, "SHOW client_encoding").await, "SQL_ASCII");
    ascii.remove().await;
}

#[tokio::test]
async fn a_snapshot_is_handed_on() {
    let db = Database::create("relay", "").await;
    let writer = db.session().await;
    writer.batch_execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 100) g").await.unwrap();
    let mut holder = Snapshot::open(db.session().await).await.unwrap();
    for hop in 0..4 {
        writer
            .batch_execute(
                "DELETE FROM t WHERE g <= 10; INSERT INTO t SELECT 1000 FROM generate_series(1, 50)",
            )
            .await
            .unwrap();
        let next = Snapshot::import(db.session().await, holder.id()).await.unwrap();
        assert_ne!(next.id(), holder.id());
        holder.finish().await.unwrap();
        holder = next;
        assert_eq!(value(&holder, "SELECT sum(g) FROM t").await, "5050", "hop {hop}");
    }
    let other = holder.export().await.unwrap();
    let twin = Snapshot::import(db.session().await, &other).await.unwrap();
    assert_eq!(value(&twin, "SELECT count(*) FROM t").await, "100");
    let gone = holder.id().to_owned();
    twin.finish().await.unwrap();
    let session = holder.finish().await.unwrap();
    assert_ne!(value(&session, "SELECT count(*) FROM t").await, "100");
    let e = Snapshot::import(db.session().await, &gone).await.unwrap_err();
    assert_eq!(e.kind(), Kind::SnapshotBroken, "{e}");
    let e = Snapshot::import(db.session().await, "1'; DROP TABLE t; --").await.unwrap_err();
    assert_eq!(e.kind(), Kind::InvalidInput);
    db.remove().await;
}

#[tokio::test]
async fn locks_and_rewrites() {
    let db = Database::create("locks", "").await;
    let other = db.session().await;
    let mut sql = String::from(
        "CREATE SCHEMA \"S p\"; CREATE TABLE \"S p\".\"T\" (a int); CREATE TABLE p (a int) PARTITION BY LIST (a);",
    );
    for i in 0..120 {
        sql.push_str(&format!("CREATE TABLE t{i} AS SELECT 1 AS a;"));
    }
    other.batch_execute(&sql).await.unwrap();
    let mut tables: Vec<(String, String)> = (0..120).map(|i| ("public".into(), format!("t{i}"))).collect();
    tables.push(("S p".into(), "T".into()));
    tables.push(("public".into(), "p".into()));
    let snapshot = Snapshot::open(db.session().await).await.unwrap();
    let rows = snapshot
        .query("SELECT c.oid, relfilenode, nspname::text, relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname ~ '^(t[0-9]+|T|p)$'", &[])
        .await
        .unwrap();
    let files: Vec<(u32, u32, String, String)> =
        rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3))).collect();
    assert_eq!(files.len(), 122);

    other.batch_execute("BEGIN; LOCK TABLE t50").await.unwrap();
    for wait in [LockWait::No, LockWait::AtMost(Duration::from_millis(200))] {
        let e = snapshot.lock_tables(&tables, wait).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Busy, "{e:?}");
        assert!(e.to_string().contains("public.t50 is locked"), "{e}");
    }
    assert_eq!(value(&snapshot, "SELECT a FROM t0").await, "1", "the transaction and its snapshot stand");
    assert!(snapshot.export().await.is_ok());
    other.batch_execute("COMMIT").await.unwrap();
    snapshot.verify_unrewritten(&files).await.unwrap();

    other.batch_execute("TRUNCATE t70").await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(*) FROM t70").await, "0", "rows vanish without an error");
    snapshot.lock_tables(&tables, LockWait::Forever).await.unwrap();
    let e = snapshot.verify_unrewritten(&files).await.unwrap_err();
    assert_eq!(e.kind(), Kind::SnapshotBroken);
    assert!(e.to_string().contains("public.t70 was truncated or rewritten"), "{e}");
    let e = other.batch_execute("SET lock_timeout = '200ms'; TRUNCATE t8").await.unwrap_err();
    assert_eq!(e.code().unwrap().code(), "55P03", "the lock holds");
    drop(snapshot);

    let late = Snapshot::open(db.session().await).await.unwrap();
    other.batch_execute("SET lock_timeout = '10s'; DROP TABLE t9").await.unwrap();
    let e = late.lock_tables(&tables, LockWait::Forever).await.unwrap_err();
    assert_eq!(e.kind(), Kind::SnapshotBroken, "{e:?}");
    assert!(e.to_string().contains("public.t9"), "{e}");
    let t9: Vec<_> = files.iter().filter(|f| f.3 == "t9").cloned().collect();
    let e = late.verify_unrewritten(&t9).await.unwrap_err();
    assert!(e.to_string().contains("public.t9 was dropped"), "{e}");
    db.remove().await;
}

#[tokio::test]
async fn a_full_lock_table_names_the_setting_to_raise() {
    let server = Server::start(
        "locks",
        "max_connections = 10\nmax_wal_senders = 0\nmax_locks_per_transaction = 10",
        "",
    )
    .await;
    let session = pg::connect(&server.superuser()).await.unwrap();
    let make = "DO $$ BEGIN FOR i IN 1..4000 LOOP EXECUTE format('CREATE TABLE t%s ()', i); IF i % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$";
    session.batch_execute(make).await.unwrap();
    let names: Vec<(String, String)> = (1..=4000).map(|i| ("public".to_owned(), format!("t{i}"))).collect();
    let snapshot = Snapshot::open(session).await.unwrap();
    let refused = snapshot.lock_tables(&names, LockWait::No).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Database);
    assert!(refused.to_string().contains("raise max_locks_per_transaction, now 10"), "{refused}");
    // The snapshot stands.
    snapshot.lock_tables(&names[..10], LockWait::No).await.unwrap();
}
