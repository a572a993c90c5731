//! Restores that cannot be made: each ends as an error of the function that names the object and the cause, in a record that says the same; a
//! database that the restore created is gone again, one that stood there is untouched or its state is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use pgbaton::{
    archive::{
        Toc,
        toc::{Entry, Section},
    },
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

/// Changes the table of contents, as if it had been backed up so.
fn retold(files: &mut Files, change: impl FnOnce(&mut Toc)) {
    let mut toc = Toc::parse(&files["toc.dat"]).unwrap();
    change(&mut toc);
    replace(files, "toc.dat", toc.to_bytes().unwrap());
}

/// One more entry, before all others.
fn more(toc: &mut Toc, desc: &str, namespace: Option<&str>, tag: &str, defn: &str) {
    let dump_id = toc.entries.iter().map(|e| e.dump_id).max().unwrap_or_default() + 1;
    let entry = Entry {
        dump_id,
        desc: desc.into(),
        tag: tag.into(),
        namespace: namespace.map(str::to_owned),
        defn: Some(defn.into()),
        section: Section::PreData,
        ..Entry::default()
    };
    toc.entries.insert(0, entry);
}

fn table<'a>(toc: &'a mut Toc, desc: &str, tag: &str) -> &'a mut Entry {
    toc.entries.iter_mut().find(|e| e.desc == desc && e.tag == tag).expect("the entry")
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
    failed(&d, stray, "invalid_input", &["is the id of a restore, not of a backup"]).await;
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
        (json!({"filepath": "a", "dataOnly": true, "dropExisting": true}), "dropExisting"),
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
async fn what_the_target_lacks_is_listed_together() {
    let d = Deployment::start().await;
    let source = Database::of("faults_lacking", SMALL).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let target = Database::absent("faults_lacks");
    let all = altered(&d, &backup, |files| {
        retold(files, |toc| {
            toc.header.server_version = Some("13.22 (Debian 13.22-1)".into());
            table(toc, "TABLE", "fruit").table_am = Some("no_method".into());
            table(toc, "TABLE", "juice").tablespace = Some("no_space".into());
            more(toc, "VIEW", Some("no_schema"), "v", "CREATE VIEW no_schema.v AS SELECT 'a'::text COLLATE pg_catalog.\"xx_YY\";\n");
            more(toc, "COLLATION", Some("public"), "c", "CREATE COLLATION public.c (provider = libc, locale = 'xx_NOWHERE.utf8');\n");
            more(toc, "SECURITY LABEL", Some("public"), "TABLE fruit", "SECURITY LABEL FOR no_provider ON TABLE public.fruit IS 'x';\n");
            more(toc, "POLICY", Some("public"), "fruit p", "CREATE POLICY p ON public.fruit TO no_reader USING (true);\n");
            more(toc, "USER MAPPING", None, "USER MAPPING no_user SERVER s", "CREATE USER MAPPING FOR no_user SERVER s;\n");
            more(toc, "ACL", Some("public"), "TABLE fruit", "GRANT SELECT ON TABLE public.fruit TO \"no\ngrantee\";\n");
            more(toc, "DATABASE PROPERTIES", None, "d", "ALTER ROLE no_setter IN DATABASE d SET work_mem TO '1MB';\n");
            more(toc, "OPERATOR", Some("public"), "!", "CREATE OPERATOR public.! (\n    FUNCTION = public.f,\n    LEFTARG = bigint\n);\n");
            more(toc, "AGGREGATE", Some("public"), "a(anyelement)", "CREATE AGGREGATE public.a(anyelement) (\n    SFUNC = array_append,\n    STYPE = anyarray\n);\n");
        });
    })
    .await;
    let event = |filepath: &str, more: Value| {
        let mut event = json!({"filepath": filepath, "createDatabase": true});
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    let refused = d.restore(&target.url, event(&all, json!({}))).await;
    let says = [
        "nothing in it was touched",
        "does not take postfix operators, which went with PostgreSQL 14: OPERATOR public.!",
        "aggregates and operators over anyarray functions whose arguments PostgreSQL 14 changed: AGGREGATE public.a(anyelement)",
        "lacks the roles no\\ngrantee (in grants: ACL public.TABLE fruit), no_reader (in policies: POLICY public.fruit p), no_user (in user mappings: USER MAPPING USER MAPPING no_user SERVER s)",
        "roleMap",
        "or restore with noPrivileges)",
        "access methods no_method (TABLE public.fruit)",
        "noTableAccessMethod",
        "collations xx_YY (VIEW no_schema.v)",
        "cannot make the collations COLLATION public.c",
        "security labels is loaded under the names no_provider (SECURITY LABEL public.TABLE fruit)",
        "noSecurityLabels",
        "schemas no_schema (VIEW no_schema.v), which the archive does not create",
    ];
    let record = failed(&d, refused, "conflict", &says).await;
    assert!(!record.message.unwrap().contains("no_setter"), "nobody asked for the database's properties");
    assert!(!exists(&target).await);
    let refused = d.restore(&target.url, event(&all, json!({"databaseProperties": true}))).await;
    failed(&d, refused, "conflict", &["no_setter (in the database's settings: DATABASE PROPERTIES d)"]).await;

    let some = altered(&d, &backup, |files| {
        retold(files, |toc| {
            table(toc, "TABLE", "fruit").table_am = Some("no_method".into());
            table(toc, "TABLE", "juice").tablespace = Some("no_space".into());
            more(toc, "EXTENSION", None, "no_extension", "CREATE EXTENSION IF NOT EXISTS no_extension;\n");
        });
    })
    .await;
    let refused = d.restore(&target.url, event(&some, json!({}))).await;
    failed(&d, refused, "conflict", &["does not have the extensions no_extension (install them)"]).await;
    let fewer = altered(&d, &backup, |files| {
        retold(files, |toc| {
            table(toc, "TABLE", "fruit").table_am = Some("no_method".into());
            table(toc, "TABLE", "juice").tablespace = Some("no_space".into());
        });
    })
    .await;
    let done = d.restore(&target.url, event(&fewer, json!({"noTableAccessMethod": true}))).await.unwrap();
    assert_eq!(done.warnings.len(), 1, "{done:?}");
    assert!(done.warnings[0].contains("tablespace no_space does not exist on the target; what was in it went to the default one: TABLE public.juice"), "{done:?}");
    assert_eq!(target.contents().await, source.contents().await);
    let again = Database::absent("faults_lacks");
    let both = event(&fewer, json!({"noTableAccessMethod": true, "noTablespaces": true}));
    assert!(d.restore(&again.url, both).await.unwrap().warnings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_of_newer_servers() {
    let d = Deployment::start().await;
    let source = Database::of("faults_newer", SMALL).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let target = Database::absent("faults_older");
    let future = altered(&d, &backup, |files| {
        retold(files, |toc| toc.header.server_version = Some("99beta1 (Debian)".into()));
    })
    .await;
    let event = json!({"filepath": future, "createDatabase": true});
    let refused = d.restore(&target.url, event.clone()).await;
    let says = [
        "the archive is of PostgreSQL 99 and the target of ",
        "nothing in it was touched",
        "the same or a newer",
        "allowOlder",
    ];
    failed(&d, refused, "conflict", &says).await;
    assert!(!exists(&target).await);
    let mut anyway = event;
    anyway["allow_older"] = true.into();
    let done = d.restore(&target.url, anyway).await.unwrap();
    assert!(done.warnings[0].contains("of PostgreSQL 99 and was restored into"), "{done:?}");
    assert_eq!(target.contents().await, source.contents().await);
}

/// Fields of a table of contents that a restore puts into statements of its own, or follows.
#[tokio::test(flavor = "multi_thread")]
async fn fields_that_hold_statements_run_nothing() {
    let d = Deployment::start().await;
    let sql = format!(
        "{SMALL}; CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT lo_from_bytea(77, 'x')"
    );
    let source = Database::of("faults_fields", &sql).await;
    let backup = d.backup(&source.url, json!({"compression": "none"})).await.unwrap();
    let target = Database::absent("faults_harmless");
    let mark = std::env::temp_dir().join(pgbaton_tests::unique("pgbaton_mark"));
    let touch = format!("touch {}", mark.display());
    let program = format!("COPY public.fruit (id, name, kilos) FROM PROGRAM '{touch}';\n");
    let second = format!(
        "COPY public.fruit (id, name, kilos) FROM stdin; COPY public.fruit FROM PROGRAM '{touch}';\n"
    );
    let owner = format!("\"; COPY fruit TO PROGRAM '{touch}'; --");
    type Change = Box<dyn FnOnce(&mut Files) + Send>;
    let cases: Vec<(&str, Change, &str, &[&str])> = vec![
        (
            "COPY of a program",
            Box::new(move |f| retold(f, |t| table(t, "TABLE DATA", "fruit").copy_stmt = Some(program))),
            "corrupt",
            &["the COPY statement of TABLE DATA public.fruit"],
        ),
        (
            "two statements",
            Box::new(move |f| retold(f, |t| table(t, "TABLE DATA", "fruit").copy_stmt = Some(second))),
            "corrupt",
            &["the COPY statement of TABLE DATA public.fruit"],
        ),
        (
            "a DROP with more",
            Box::new(|f| {
                retold(f, |t| {
                    table(t, "FUNCTION", "f(integer)").drop_stmt =
                        Some("DROP FUNCTION public.f(integer); DROP TABLE fruit; --;\n".into())
                })
            }),
            "corrupt",
            &["the DROP statement of FUNCTION public.f(integer)"],
        ),
        (
            "an owner with more",
            Box::new(move |f| retold(f, |t| table(t, "TABLE", "fruit").owner = Some(owner))),
            "conflict",
            &["lacks the roles \"; COPY fruit TO PROGRAM"],
        ),
        (
            "a tag with more",
            Box::new(|f| {
                retold(f, |t| table(t, "TABLE", "fruit").tag = "fruit\"; DROP TABLE fruit; --".into())
            }),
            "database",
            &["relation \"public.fruit\"; DROP TABLE fruit; --\" does not exist"],
        ),
        (
            "a large object with more",
            Box::new(|f| {
                retold(f, |t| {
                    let e = t.entries.iter_mut().find(|e| e.desc == "BLOB").expect("a large object");
                    e.tag = "77 OWNER TO x; DROP TABLE fruit; --".into();
                })
            }),
            "corrupt",
            &["the name of BLOB 77 OWNER TO x"],
        ),
        (
            "a circle",
            Box::new(|f| {
                retold(f, |t| {
                    let (a, b) = (
                        table(t, "CONSTRAINT", "fruit fruit_pkey").dump_id,
                        table(t, "CONSTRAINT", "juice juice_pkey").dump_id,
                    );
                    table(t, "CONSTRAINT", "fruit fruit_pkey").dependencies.push(b);
                    table(t, "CONSTRAINT", "juice juice_pkey").dependencies.push(a);
                })
            }),
            "corrupt",
            &["depend on each other in a circle"],
        ),
        (
            "a path in a file's name",
            Box::new(|f| {
                let file = file_of(f, "public.fruit");
                let toc = f["toc.dat"].clone();
                let at = toc.windows(file.len()).position(|w| w == file.as_bytes()).expect("the file's name");
                let mut changed = toc;
                changed[at..at + 3].copy_from_slice(b"../");
                replace(f, "toc.dat", changed);
            }),
            "corrupt",
            &["is not a safe name for an archive's file"],
        ),
    ];
    for (what, change, code, says) in cases {
        let filepath = altered(&d, &backup, change).await;
        println!("{what}:");
        let answer = d.restore(&target.url, json!({"filepath": filepath, "createDatabase": true})).await;
        failed(&d, answer, code, says).await;
        assert!(!exists(&target).await, "{what}: the database is still there");
        assert!(!mark.exists(), "{what}: a program ran");
    }
    // What does not exist is waited for by nobody.
    let filepath = altered(&d, &backup, |f| {
        retold(f, |t| table(t, "CONSTRAINT", "fruit fruit_pkey").dependencies.push(999_999));
    })
    .await;
    d.restore(&target.url, json!({"filepath": filepath, "createDatabase": true})).await.unwrap();
    assert_eq!(target.contents().await, source.contents().await);
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
    let marks = "SELECT nspname FROM pg_namespace WHERE nspname ~ 'pgbaton'";
    assert_eq!(empty.column(marks).await, [""; 0], "the restore's own marks are gone");
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
