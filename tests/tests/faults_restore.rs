//! Restores that cannot be made: each ends as an error of the function that names the object and the cause, in a record that says the same; a
//! database that the restore created is gone again, one that stood there is untouched or its state is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use pgbaton::{
    ledger::{Record, RunKind, Status},
    store::{ObjectKey, Put},
};
use pgbaton_tests::{
    database::{Database, program, successful},
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    variable,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SMALL: &str = "CREATE TABLE fruit (id int PRIMARY KEY, name text NOT NULL, kilos int CHECK (kilos < 100)); \
    INSERT INTO fruit SELECT g, 'fruit ' || g, g % 90 FROM generate_series(1, 1000) g; \
    CREATE TABLE juice (id int PRIMARY KEY, fruit int REFERENCES fruit, litres int); \
    INSERT INTO juice SELECT g, g, g FROM generate_series(1, 500) g";

/// Everything that a failed restore must be, whatever made it fail.
async fn failed(d: &Deployment, answer: Result<Record, String>, code: &str, says: &[&str]) -> Record {
    let message = answer.expect_err("a failure");
    let record = d.newest().await;
    assert_eq!((record.kind, record.status), (RunKind::Restore, Status::Failed), "{record:?}");
    assert_eq!(record.error_code.as_deref(), Some(code), "{record:?}");
    let told = record.message.clone().unwrap_or_default();
    assert!(told.starts_with(&message), "the function said {message:?}, the record {told:?}");
    assert!(!told.contains('\n'), "{told}");
    for text in says {
        assert!(told.contains(text), "{told:?} does not say {text:?}");
    }
    println!("{code}: {told}");
    record
}

async fn exists(database: &Database) -> bool {
    let server =
        Database { name: String::from("pgbaton_no_such_database"), url: variable("PGBATON_TEST_PG_URL") };
    let found =
        server.column(&format!("SELECT 1 FROM pg_database WHERE datname = '{}'", database.name)).await;
    !found.is_empty()
}

/// The objects of an archive by name.
type Files = BTreeMap<String, Vec<u8>>;

/// A copy of a backup's archive in a folder of its own, changed; gives its `filepath`.
async fn altered(d: &Deployment, backup: &Record, change: impl FnOnce(&mut Files)) -> String {
    let from = d.folder(backup);
    let mut files = Files::new();
    for key in d.objects().await {
        if let Some(name) = key.strip_prefix(&from) {
            let bytes = d.store.get_all(&ObjectKey::parse(&key).unwrap(), 1 << 30).await.unwrap();
            files.insert(name.to_owned(), bytes.to_vec());
        }
    }
    change(&mut files);
    let to = format!("altered/{}/", pgbaton_tests::unique("copy"));
    for (name, bytes) in files {
        d.store.put(&ObjectKey::within(&to, &name).unwrap(), bytes, Put::IfAbsent).await.unwrap();
    }
    to
}

/// Puts new bytes into an archive as if they had been backed up: the manifest gets their length and SHA-256.
fn replace(files: &mut Files, name: &str, bytes: Vec<u8>) {
    let mut manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    for object in manifest["objects"].as_array_mut().unwrap() {
        if object["name"] == name {
            object["bytes"] = bytes.len().into();
            object["sha256"] = hex::encode(Sha256::digest(&bytes)).into();
        }
    }
    let sizes = manifest["objects"].as_array().unwrap().iter().map(|o| o["bytes"].as_u64().unwrap());
    manifest["bytes"] = sizes.sum::<u64>().into();
    files.insert("manifest.json".into(), manifest.to_string().into_bytes());
    files.insert(name.to_owned(), bytes);
}

/// The data file of a table.
fn file_of(files: &Files, table: &str) -> String {
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let objects = manifest["objects"].as_array().unwrap();
    objects.iter().find(|o| o["table"] == table).expect("the table")["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_that_are_not_there_or_not_whole() {
    let d = Deployment::start().await;
    let target = Database::absent("faults_source");
    let into = |more: Value| {
        let mut more = more;
        more["createDatabase"] = true.into();
        d.restore(&target.url, more)
    };
    let unknown = into(json!({"backupId": "20261121T020000Z-9f86d081"})).await;
    let record =
        failed(&d, unknown, "not_found", &["there is no record with the id 20261121T020000Z-9f86d081"]).await;
    assert_eq!(record.backup_id.unwrap().as_str(), "20261121T020000Z-9f86d081");
    let stray = into(json!({"backupId": record.id})).await;
    failed(&d, stray, "invalid_input", &["is a restore, not a backup"]).await;
    d.backup("postgresql://u@127.0.0.1:1/d", json!({})).await.unwrap_err();
    let broken = d.newest().await.id;
    let not_done = into(json!({"backupId": broken})).await;
    failed(&d, not_done, "conflict", &["is failed; only a completed one can be restored"]).await;

    let nothing = into(json!({"filepath": "no/such/folder"})).await;
    failed(&d, nothing, "not_found", &["no/such/folder/", "there is nothing in this folder"]).await;
    let elsewhere = into(json!({"filepath": "s3://pgbaton-no-such-bucket/x"})).await;
    failed(&d, elsewhere, "not_found", &["bucket pgbaton-no-such-bucket does not exist"]).await;

    let before = d.records().await.len();
    for (event, says) in [
        (json!({"backupId": "../../x"}), "\"backupId\""),
        (json!({"filepath": "../x"}), "\"filepath\""),
        (json!({"filepath": "a/../../x"}), "\"filepath\""),
        (json!({"filepath": "a", "backupId": broken}), "\"filepath\""),
        (json!({"filepath": "a", "frobnicate": 1}), "frobnicate"),
        (json!({"filepath": "a", "dropExisting": true}), "dropExisting"),
        (json!({}), "\"backupId\""),
    ] {
        let message = d.restore(&target.url, event.clone()).await.unwrap_err();
        assert!(message.contains(says) && !message.contains('\n'), "{event}: {message}");
    }
    assert_eq!(d.records().await.len(), before, "malformed events begin nothing");
    assert!(!exists(&target).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_cannot_take_it() {
    let d = Deployment::start().await;
    let source = Database::of("faults_target", SMALL).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let ours = |more: Value| {
        let mut more = more;
        more["backupId"] = backup.id.as_str().into();
        more
    };

    let standing = Database::of("faults_full", "CREATE TABLE mine AS SELECT 7 AS id; CREATE SCHEMA other; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'").await;
    let before = (standing.schema(), standing.contents().await);
    let refused = d.restore(&standing.url, ours(json!({}))).await;
    let says = [
        "is not empty, and nothing in it was touched",
        "table public.mine",
        "schema other",
        "function public.f()",
    ];
    failed(&d, refused, "conflict", &says).await;
    assert_eq!((standing.schema(), standing.contents().await), before);

    let absent = Database::absent("faults_new");
    let missing = d.restore(&absent.url, ours(json!({}))).await;
    failed(&d, missing, "not_found", &[&format!("database \"{}\" does not exist", absent.name)]).await;
    let away = d.restore("postgresql://u:hunter2@127.0.0.1:1/d", ours(json!({"createDatabase": true}))).await;
    failed(&d, away, "unreachable", &["127.0.0.1:1", "connection refused"]).await;
    let secret = d.restore("unused", ours(json!({"targetSecret": "pgbaton/none"}))).await;
    failed(&d, secret, "not_found", &["the secret pgbaton/none does not exist"]).await;
    let unset = d.host.invoke("restore", &ours(json!({"target": "MAIN"}))).await.unwrap_err();
    assert!(unset.contains("no database is configured"), "{unset}");
    assert!(!exists(&absent).await);
    d.keeps_secret("hunter2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_are_missing() {
    let d = Deployment::start().await;
    let role = pgbaton_tests::unique("faults_owner");
    let server = variable("PGBATON_TEST_PG_URL");
    successful("psql", &["-qX", "-d", &server, "-c", &format!("CREATE ROLE {role}")]);
    let source = Database::of(
        "faults_roles",
        &format!("CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t OWNER TO {role}"),
    )
    .await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    drop(source);
    assert!(program("psql", &["-qX", "-d", &server, "-c", &format!("DROP ROLE {role}")]).status.success());

    let target = Database::absent("faults_roleless");
    let into = json!({"backupId": backup.id, "createDatabase": true});
    let refused = d.restore(&target.url, into.clone()).await;
    failed(&d, refused, "conflict", &["nothing in it was touched", &role, "noOwner"]).await;
    assert!(!exists(&target).await, "created for nothing, so dropped again");
    let mut without = into;
    without["noOwner"] = true.into();
    without["noPrivileges"] = true.into();
    assert_eq!(d.restore(&target.url, without).await.unwrap().status, Status::Completed);
    assert_eq!(target.column("SELECT id FROM t").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_that_were_changed() {
    let d = Deployment::start().await;
    let source = Database::of("faults_tampered", SMALL).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let target = Database::absent("faults_untouched");
    let fruit = |files: &Files| file_of(files, "public.fruit");

    // What is wrong, and the sentence; all by `filepath`, where no record vouches for the manifest.
    type Change = Box<dyn FnOnce(&mut Files) + Send>;
    let cases: Vec<(&str, Change, &str, Vec<&str>)> = vec![
        (
            "truncated data",
            Box::new(move |f| {
                f.get_mut(&fruit(f)).unwrap().pop();
            }),
            "corrupt",
            vec!["bytes, its manifest says"],
        ),
        (
            "a flipped bit in data",
            Box::new(move |f| {
                let n = fruit(f);
                let b = f.get_mut(&n).unwrap();
                let m = b.len() / 2;
                b[m] ^= 1;
            }),
            "corrupt",
            vec!["public.fruit", "use another backup"],
        ),
        (
            "a flipped bit in toc.dat",
            Box::new(|f| {
                let b = f.get_mut("toc.dat").unwrap();
                let m = b.len() / 2;
                b[m] ^= 1;
            }),
            "corrupt",
            vec!["toc.dat is not what was stored"],
        ),
        (
            "a missing data file",
            Box::new(move |f| {
                f.remove(&fruit(f));
            }),
            "corrupt",
            vec!["is missing"],
        ),
        (
            "a missing toc.dat",
            Box::new(|f| {
                f.remove("toc.dat");
            }),
            "corrupt",
            vec!["toc.dat is missing"],
        ),
        (
            "a manifest that is no JSON",
            Box::new(|f| {
                f.insert("manifest.json".into(), b"{\"objects\":".to_vec());
            }),
            "corrupt",
            vec!["manifest"],
        ),
        (
            "no manifest and no toc.dat",
            Box::new(|f| {
                f.remove("manifest.json");
                f.remove("toc.dat");
            }),
            "not_found",
            vec!["holds no toc.dat"],
        ),
        (
            "no manifest and a missing file",
            Box::new(move |f| {
                f.remove(&fruit(f));
                f.remove("manifest.json");
            }),
            "corrupt",
            vec!["it has no manifest.json: the backup was never finished"],
        ),
        (
            "no manifest and truncated data",
            Box::new(move |f| {
                let n = fruit(f);
                f.remove("manifest.json");
                let b = f.get_mut(&n).unwrap();
                b.truncate(b.len() / 2);
            }),
            "corrupt",
            vec!["it has no manifest.json"],
        ),
        (
            "toc.dat of the future",
            Box::new(|f| {
                let mut t = f["toc.dat"].clone();
                t[6] = 99;
                replace(f, "toc.dat", t);
            }),
            "unsupported",
            vec!["version 1.99", "newer than this build knows"],
        ),
        (
            "a custom-format archive",
            Box::new(|f| {
                let mut t = f["toc.dat"].clone();
                t[10] = 1;
                replace(f, "toc.dat", t);
            }),
            "invalid_input",
            vec!["pg_dump -Fd"],
        ),
        (
            "toc.dat that is something else",
            Box::new(|f| replace(f, "toc.dat", b"PK\x03\x04 zip".to_vec())),
            "corrupt",
            vec!["no archive of pg_dump"],
        ),
        (
            "toc.dat cut short",
            Box::new(|f| {
                let mut t = f["toc.dat"].clone();
                t.truncate(t.len() / 2);
                replace(f, "toc.dat", t);
            }),
            "corrupt",
            vec!["toc.dat"],
        ),
    ];
    for (what, change, code, says) in cases {
        let filepath = altered(&d, &backup, change).await;
        println!("{what}:");
        let answer = d.restore(&target.url, json!({"filepath": filepath, "createDatabase": true})).await;
        failed(&d, answer, code, &says).await;
        assert!(!exists(&target).await, "{what}: the database is still there");
    }

    // By its id, the record vouches for the manifest.
    let key = ObjectKey::within(&d.folder(&backup), "manifest.json").unwrap();
    let manifest = d.store.get_all(&key, 1 << 20).await.unwrap();
    let mut tampered = manifest.to_vec();
    tampered.push(b'\n');
    d.store.put(&key, tampered, Put::Replace).await.unwrap();
    let by_id = json!({"backupId": backup.id, "createDatabase": true});
    let answer = d.restore(&target.url, by_id.clone()).await;
    failed(&d, answer, "corrupt", &["manifest.json"]).await;
    d.store.delete(std::slice::from_ref(&key)).await.unwrap();
    let answer = d.restore(&target.url, by_id.clone()).await;
    failed(&d, answer, "corrupt", &["its manifest.json is missing"]).await;
    d.store.put(&key, manifest, Put::IfAbsent).await.unwrap();
    assert!(!exists(&target).await);
    assert_eq!(
        d.restore(&target.url, by_id).await.unwrap().status,
        Status::Completed,
        "as it was, it restores"
    );
}

/// An archive of pg_dump itself has no manifest: what its files hold is all there is to go by.
#[tokio::test(flavor = "multi_thread")]
async fn archives_of_pg_dump_that_were_changed() {
    let d = Deployment::start().await;
    let source = Database::of("faults_stock", SMALL).await;
    let folder = std::env::temp_dir().join(&source.name);
    successful("pg_dump", &["-Fd", "-Z", "gzip", "-d", &source.url, "-f", folder.to_str().unwrap()]);
    d.upload(&folder, "stock/whole/").await;
    let files = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path());
    let fruit = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|e| e == "gz") && std::fs::metadata(path).unwrap().len() > 3000
    };
    let data = files.into_iter().find(fruit).expect("the rows of fruit");
    let bytes = std::fs::read(&data).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 4;
    std::fs::write(&data, &flipped).unwrap();
    d.upload(&folder, "stock/flipped/").await;
    std::fs::write(&data, &bytes[..bytes.len() / 2]).unwrap();
    d.upload(&folder, "stock/short/").await;
    std::fs::remove_file(&data).unwrap();
    d.upload(&folder, "stock/missing/").await;
    std::fs::remove_dir_all(&folder).unwrap();

    let target = Database::absent("faults_stock_copy");
    for (name, says) in
        [("flipped", "TABLE DATA public."), ("short", "TABLE DATA public."), ("missing", "is missing")]
    {
        let event = json!({"filepath": format!("stock/{name}"), "createDatabase": true});
        let answer = d.restore(&target.url, event).await;
        failed(&d, answer, "corrupt", &[says]).await;
        assert!(!exists(&target).await, "{name}");
    }
    let event = json!({"filepath": "stock/whole", "createDatabase": true});
    assert_eq!(d.restore(&target.url, event).await.unwrap().record_count, Some(1500));
    assert_eq!(target.contents().await, source.contents().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_target_does_not_take() {
    let d = Deployment::start().await;
    let source = Database::of("faults_rows", SMALL).await;
    let backup = d.backup(&source.url, json!({"compression": "none"})).await.unwrap();
    let filepath = altered(&d, &backup, |files| {
        let name = file_of(files, "public.fruit");
        let text = String::from_utf8(files[&name].clone()).unwrap();
        assert!(text.contains("\n77\tfruit 77\t77\n"));
        replace(files, &name, text.replace("\n77\tfruit 77\t77\n", "\n77\tfruit 77\t777\n").into_bytes());
    })
    .await;
    let says = ["restoring TABLE DATA public.fruit", "violates check constraint \"fruit_kilos_check\""];

    let fresh = Database::absent("faults_fresh");
    let answer = d.restore(&fresh.url, json!({"filepath": filepath, "createDatabase": true})).await;
    let record = failed(&d, answer, "database", &says).await;
    assert!(record.message.unwrap().contains("created was dropped again"));
    assert!(!exists(&fresh).await);

    let empty = Database::empty("faults_empty").await;
    let answer = d.restore(&empty.url, json!({"filepath": filepath})).await;
    let record = failed(&d, answer, "database", &says).await;
    let told = format!("the target database {} holds a part of the archive", empty.name);
    assert!(record.message.as_ref().unwrap().contains(&told), "{record:?}");
    assert_eq!(empty.column("SELECT count(*) FROM fruit").await, ["0"], "a table that failed holds no row");
    let juice = empty.column("SELECT count(*) FROM juice").await;
    assert!(juice == ["0"] || juice == ["500"], "all rows of a table or none: {juice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_is_lost_in_the_middle() {
    let gate = Gate::start().await;
    let d = Deployment::with(Wishes::default().with("AWS_ENDPOINT_URL", &gate.url)).await;
    let source = Database::of("faults_lost", SMALL).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let target = Database::absent("faults_cut");
    gate.stop("GET", ".dat.", What::Hold);
    let kill = async {
        gate.met().await;
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND query LIKE 'COPY%'",
            target.name
        );
        while target.column(&sql).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        gate.open();
    };
    let event = json!({"backupId": backup.id, "createDatabase": true});
    let (answer, ()) = tokio::join!(d.restore(&target.url, event), kill);
    let says = ["restoring TABLE DATA public.", "the connection to", "was lost", "dropped again"];
    failed(&d, answer, "server_lost", &says).await;
    assert!(!exists(&target).await);
}
