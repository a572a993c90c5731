//! COPY in both directions and large objects, whole, cut off and refused.

use bytes::Bytes;
use pgbaton::{
    base::{Kind, Result},
    pg::{self, Session, Snapshot, copy_in, copy_out, large_object, session::pin_for_dump},
};

use super::server::{Database, value};

/// Every chunk of a COPY, and its counts.
async fn read_all(session: &Session, sql: &str) -> Result<(Vec<Bytes>, u64, u64)> {
    let mut out = copy_out(session, sql).await?;
    let mut chunks = Vec::new();
    while let Some(chunk) = out.next().await? {
        chunks.push(chunk);
    }
    let (rows, bytes) = out.finish().await?;
    Ok((chunks, rows, bytes))
}

#[tokio::test]
async fn tables_go_out_and_come_in_whole() {
    let db = Database::create("copy", "").await;
    let session = db.session().await;
    // Newlines, backslashes, an empty string, NULL, a row of 3 MB among small ones.
    session
        .batch_execute(
            "CREATE TABLE t AS SELECT g AS id, repeat(E'a\\n\\\\b\\t', g % 40) || CASE WHEN g = 5000 THEN repeat('x', 3000000) ELSE '' END AS txt, \
            CASE WHEN g % 3 = 0 THEN NULL ELSE g / 7.0 END AS num FROM generate_series(1, 20000) g; CREATE TABLE u (LIKE t); CREATE TABLE e (a int)",
        )
        .await
        .unwrap();
    let (chunks, rows, bytes) = read_all(&session, "COPY t TO STDOUT").await.unwrap();
    assert_eq!(rows, 20_000);
    assert_eq!(bytes, chunks.iter().map(|c| c.len() as u64).sum::<u64>());
    let small = chunks[..chunks.len() - 1].iter().filter(|c| c.len() < 64 << 10).count();
    assert!(small == 0 && chunks.iter().all(|c| c.len() <= 128 << 10), "a row of 3 MB passes in pieces");
    let (nothing, rows, _) = read_all(&session, "COPY e TO STDOUT").await.unwrap();
    assert!(nothing.is_empty() && rows == 0);

    let mut copy = copy_in(&session, "COPY u FROM STDIN").await.unwrap();
    for chunk in &chunks {
        copy.send(chunk.clone()).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), 20_000);
    let hash = "SELECT md5(string_agg(x::text, '|' ORDER BY id)) FROM";
    assert_eq!(value(&session, &format!("{hash} t x")).await, value(&session, &format!("{hash} u x")).await);

    let mut aborted = copy_in(&session, "COPY e FROM STDIN").await.unwrap();
    aborted.send(Bytes::from_static(b"1\n2\n")).await.unwrap();
    drop(aborted);
    assert_eq!(value(&session, "SELECT count(*) FROM e").await, "0");
    let mut bad = copy_in(&session, "COPY e FROM STDIN").await.unwrap();
    bad.send(Bytes::from_static(b"1\nprivate-value\n")).await.unwrap();
    let e = bad.finish().await.unwrap_err();
    assert_eq!(e.kind(), Kind::Database);
    assert!(e.to_string().contains("at COPY e, line 2, column a"), "{e}");
    assert_eq!(value(&session, "SELECT 1").await, "1", "the session serves on");
    db.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_mid_copy_is_never_a_whole_table() {
    let db = Database::create("killed", "").await;
    let admin = db.session().await;
    admin
        .batch_execute("CREATE TABLE t AS SELECT g, repeat('x', 500) FROM generate_series(1, 100000) g")
        .await
        .unwrap();
    for how in ["pg_terminate_backend", "pg_cancel_backend"] {
        let snapshot = Snapshot::open(db.session().await).await.unwrap();
        let pid = value(&snapshot, "SELECT pg_backend_pid()").await;
        let mut out = copy_out(&snapshot, "COPY t TO STDOUT").await.unwrap();
        out.next().await.unwrap().unwrap();
        value(&admin, &format!("SELECT {how}({pid})")).await;
        let end = async {
            while out.next().await?.is_some() {}
            out.finish().await
        };
        let e = end.await.unwrap_err();
        let wanted = if how == "pg_terminate_backend" { Kind::ServerLost } else { Kind::Database };
        assert_eq!(e.kind(), wanted, "{how}: {e:?}");
    }
    // Between two statements, too.
    let session = db.session().await;
    let pid = value(&session, "SELECT pg_backend_pid()").await;
    value(&admin, &format!("SELECT pg_terminate_backend({pid})")).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let e = session.error(session.simple_query("SELECT 1").await.unwrap_err());
    assert_eq!(e.kind(), Kind::ServerLost);
    assert!(e.to_string().contains("terminating connection due to administrator command"), "{e}");
    db.remove().await;
}

#[tokio::test]
async fn refusals_name_the_table() {
    let db = Database::create("refused", "").await;
    let admin = db.session().await;
    let role = format!("role_of_{}", db.info.database());
    admin
        .batch_execute(&format!(
            "CREATE ROLE {role}; CREATE TABLE locked_up (a int); CREATE TABLE guarded (a int); CREATE TABLE gone (a int); \
            ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON guarded, gone TO {role}"
        ))
        .await
        .unwrap();
    let session = db.session().await;
    session.batch_execute(&format!("SET ROLE {role}")).await.unwrap();
    pin_for_dump(&session, session.version()).await.unwrap();
    for (table, kind) in
        [("locked_up", Kind::Permission), ("guarded", Kind::RowSecurity), ("never", Kind::SnapshotBroken)]
    {
        let e = read_all(&session, &format!("COPY public.{table} TO STDOUT")).await.unwrap_err();
        assert_eq!(e.kind(), kind, "{e:?}");
        assert!(e.to_string().contains(table), "{e}");
    }
    let e = pg::error(session.simple_query("SELECT 1/0").await.unwrap_err());
    assert_eq!((e.kind(), e.message()), (Kind::Database, "division by zero (SQLSTATE 22012)"));
    admin
        .batch_execute(
            "CREATE TABLE uniq (email text UNIQUE); INSERT INTO uniq VALUES ('private@example.com')",
        )
        .await
        .unwrap();
    let e =
        pg::error(admin.simple_query("INSERT INTO uniq VALUES ('private@example.com')").await.unwrap_err());
    assert!(e.to_string().contains("uniq_email_key") && !format!("{e:?}").contains("private"), "{e:?}");
    let e = pg::error(admin.batch_execute(&format!("DROP ROLE {role}")).await.unwrap_err());
    assert!(e.to_string().contains("privileges for table guarded"), "{e}");
    admin.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    db.remove().await;
}

#[tokio::test]
async fn large_objects() {
    let db = Database::create("lo", "").await;
    let session = db.session().await;
    let data: Vec<u8> = (0..2_500_000u32).map(|i| (i * 31 % 251) as u8).collect();
    for (oid, content) in [(70001u32, &data[..]), (70002, &[][..]), (70003, &data[..1 << 20])] {
        value(&session, &format!("SELECT lo_create({oid})")).await;
        let mut writer = large_object::write(&session, oid).await.unwrap();
        for part in content.chunks(300_000) {
            writer.send(part).await.unwrap();
        }
        assert_eq!(writer.bytes(), content.len() as u64);
        let mut reader = large_object::read(&session, oid).await.unwrap();
        let mut back = Vec::new();
        while let Some(part) = reader.next().await.unwrap() {
            back.extend_from_slice(&part);
        }
        assert!(back == content, "{oid}");
    }
    // Beyond 4 GiB, with a hole in front.
    value(&session, "SELECT lo_create(70004)").await;
    value(&session, "SELECT lo_put(70004, 5000000000, '\\x01')").await;
    assert_eq!(value(&session, "SELECT length(lo_get(70004, 4999999990, 100))").await, "11");
    let mut missing = large_object::read(&session, 79999).await.unwrap();
    assert_eq!(missing.next().await.unwrap_err().kind(), Kind::SnapshotBroken);
    db.remove().await;
}
