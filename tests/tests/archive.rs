//! The archive room against archives of the stock tools: theirs are read and written again byte for byte, ours are restored by them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use bytes::Bytes;
use pgbaton::archive::{
    Algorithm, Codec, Decoder, Encoder, Toc,
    blobs::{self, Blob},
    data::{Marker, RowReader, TERMINATOR},
    rowhash::RowHasher,
    toc::{Entry, Header, Section},
};
use tokio_postgres::{Client, NoTls};

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the stack with infra/local test"))
}

/// A database made for one test and dropped with it, and a folder for its files.
struct Scratch {
    name: String,
    folder: PathBuf,
}

impl Scratch {
    async fn new(test: &str) -> Self {
        let name = format!("storage_{test}_{}", std::process::id());
        let admin = connect("postgres").await;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
        let folder = std::env::temp_dir().join(&name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self { name, folder }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(Path::new(&setting("PGBATON_TEST_PG_BIN")).join(program))
            .args(arguments)
            .args(["-d", &url(&self.name)])
            .current_dir(&self.folder)
            .output()
            .unwrap()
    }

    async fn drop(self) {
        let admin = connect("postgres").await;
        admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn url(database: &str) -> String {
    let url = setting("PGBATON_TEST_PG_URL");
    let (server, _) = url.rsplit_once('/').expect("a URL that ends with /database");
    format!("{server}/{database}")
}

async fn connect(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&url(database), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn succeeded(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

fn encode(codec: Codec, data: &[u8]) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(codec).unwrap(), Vec::new());
    encoder.push(data, &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out
}

/// The file that the table of contents calls `name`, whatever its codec.
fn read(folder: &Path, name: &str) -> Vec<u8> {
    let (algorithm, stored) = Algorithm::ALL
        .into_iter()
        .find_map(|a| Some((a, fs::read(folder.join(format!("{name}{}", a.suffix()))).ok()?)))
        .unwrap_or_else(|| panic!("no file {name}"));
    let (mut decoder, mut out, mut rest) = (Decoder::new(algorithm).unwrap(), Vec::new(), &stored[..]);
    while !rest.is_empty() {
        rest = decoder.push(rest, &mut out).unwrap();
    }
    decoder.finish(&mut out).unwrap();
    out
}

#[test]
fn archives_of_three_pg_dumps_are_written_again_byte_for_byte() {
    for (bytes, version, algorithm) in [
        (&include_bytes!("../fixtures/archive/toc-1.14.dat")[..], "1.14", Algorithm::Gzip),
        (include_bytes!("../fixtures/archive/toc-1.15.dat"), "1.15", Algorithm::Gzip),
        (include_bytes!("../fixtures/archive/toc-1.16.dat"), "1.16", Algorithm::Gzip),
    ] {
        let toc = Toc::parse(bytes).unwrap();
        assert_eq!((toc.header.version.to_string().as_str(), toc.header.algorithm), (version, algorithm));
        assert_eq!(toc.header.database.as_deref(), Some("storage_shop"));
        let orders = toc.entries.iter().find(|e| e.desc == "TABLE DATA" && e.tag == "orders").unwrap();
        assert_eq!(orders.namespace.as_deref(), Some("shop"));
        assert_eq!(orders.file, Some(format!("{}.dat", orders.dump_id)));
        assert!(
            orders
                .copy_stmt
                .as_deref()
                .unwrap()
                .starts_with("COPY shop.orders (id, customer, state) FROM stdin;")
        );
        assert!(toc.to_bytes().unwrap() == bytes, "{version} differs");
    }
}

#[tokio::test]
async fn what_pg_dump_writes_now_is_read() {
    let scratch = Scratch::new("read").await;
    let client = connect(&scratch.name).await;
    client
        .batch_execute(
            r"CREATE TABLE t (id int PRIMARY KEY, v text);
              INSERT INTO t SELECT n, CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN E'\\.' WHEN 2 THEN E'a\tb\\c\nd' ELSE '' END
                FROM generate_series(1, 20000) n;
              CREATE TABLE none_here (a int);
              SELECT lo_from_bytea(4242, '\x00ff0a5c2e0a');",
        )
        .await
        .unwrap();
    let mut tried = 0;
    for method in ["none", "gzip:1", "gzip", "lz4", "zstd:5"] {
        let folder = format!("dump-{}", method.replace(':', "-"));
        let output = scratch.run("pg_dump", &["-Fd", "-f", &folder, "--compress", method]);
        if String::from_utf8_lossy(&output.stderr).contains("this build does not support compression") {
            continue;
        }
        succeeded(&output);
        tried += 1;
        let folder = scratch.folder.join(folder);
        let bytes = fs::read(folder.join("toc.dat")).unwrap();
        let toc = Toc::parse(&bytes).unwrap();
        assert!(toc.to_bytes().unwrap() == bytes, "{method}");

        let entry = |tag: &str| toc.entries.iter().find(|e| e.desc == "TABLE DATA" && e.tag == tag).unwrap();
        let stored = read(&folder, entry("t").file.as_deref().unwrap());
        let (mut reader, mut hasher) = (RowReader::new(Marker::Required), RowHasher::new());
        for chunk in stored.chunks(1000) {
            hasher.push(&reader.push(Bytes::copy_from_slice(chunk)).unwrap().concat());
        }
        assert_eq!(reader.finish().unwrap(), 20_000);
        assert_eq!(hasher.finish().unwrap().rows, 20_000);
        let mut reader = RowReader::new(Marker::Required);
        let empty = read(&folder, entry("none_here").file.as_deref().unwrap());
        assert!(reader.push(empty.into()).unwrap().is_empty());
        assert_eq!(reader.finish().unwrap(), 0);

        let list = toc.entries.iter().find(|e| e.desc == "BLOBS").unwrap().file.clone().unwrap();
        let list = blobs::parse(&fs::read(folder.join(list)).unwrap()).unwrap();
        assert_eq!(list, [Blob::new(4242)]);
        assert_eq!(read(&folder, &list[0].file), b"\x00\xff\n\\.\n");
    }
    assert!(tried >= 3, "none and gzip are in every build");
    scratch.drop().await;
}

#[tokio::test]
async fn a_custom_format_archive_is_named() {
    let scratch = Scratch::new("custom").await;
    succeeded(&scratch.run("pg_dump", &["-Fc", "-f", "custom"]));
    let e = Toc::parse(&fs::read(scratch.folder.join("custom")).unwrap()).unwrap_err();
    assert!(e.message().contains("custom-format archive"), "{e}");
    scratch.drop().await;
}

/// A database with rows in two data files, an index and a large object, as the catalog would describe it.
fn entries() -> Vec<Entry> {
    let special = |dump_id, desc: &str, defn: &str| Entry {
        dump_id,
        tag: desc.into(),
        desc: desc.into(),
        section: Section::PreData,
        defn: Some(defn.into()),
        ..Entry::default()
    };
    let of_table =
        |dump_id, tag: &str, desc: &str, section, defn: Option<&str>, dependencies: &[i32]| Entry {
            dump_id,
            tag: tag.into(),
            desc: desc.into(),
            section,
            defn: defn.map(str::to_owned),
            namespace: Some("shop".into()),
            owner: Some("postgres".into()),
            dependencies: dependencies.to_vec(),
            ..Entry::default()
        };
    let with_rows = |mut entry: Entry| {
        entry.had_dumper = true;
        entry.file = Some(format!("{}.dat", entry.dump_id));
        entry.copy_stmt = Some("COPY shop.t (id, v) FROM stdin;\n".into());
        entry
    };
    let root = "-- load via partition root shop.t";
    vec![
        special(1, "ENCODING", "SET client_encoding = 'UTF8';\n"),
        special(2, "STDSTRINGS", "SET standard_conforming_strings = 'on';\n"),
        special(3, "SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"),
        Entry {
            namespace: None,
            drop_stmt: Some("DROP SCHEMA shop;\n".into()),
            ..of_table(4, "shop", "SCHEMA", Section::PreData, Some("CREATE SCHEMA shop;\n"), &[])
        },
        Entry {
            tablespace: Some(String::new()),
            table_am: Some("heap".into()),
            ..of_table(
                5,
                "t",
                "TABLE",
                Section::PreData,
                Some("CREATE TABLE shop.t (id integer, v text);\n"),
                &[4],
            )
        },
        Entry {
            namespace: None,
            ..of_table(
                6,
                "4242",
                "BLOB",
                Section::PreData,
                Some("SELECT pg_catalog.lo_create('4242');\n"),
                &[],
            )
        },
        with_rows(of_table(7, "t", "TABLE DATA", Section::Data, Some(root), &[5])),
        with_rows(of_table(8, "t", "TABLE DATA", Section::Data, Some(root), &[5])),
        Entry {
            had_dumper: true,
            namespace: None,
            file: Some("blobs.toc".into()),
            ..of_table(9, "BLOBS", "BLOBS", Section::Data, None, &[])
        },
        of_table(
            10,
            "t_id",
            "INDEX",
            Section::PostData,
            Some("CREATE INDEX t_id ON shop.t USING btree (id);\n"),
            &[5, 7, 8],
        ),
    ]
}

#[tokio::test]
async fn stock_pg_restore_restores_what_is_written() {
    for codec in [Codec::None, Codec::GZIP, Codec::ZSTD] {
        let scratch = Scratch::new(&format!("write_{}", codec.algorithm().name())).await;
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let toc = Toc { header: Header::new(codec, at, "shop", "18.4"), entries: entries() };
        let write = |name: &str, bytes: &[u8]| fs::write(scratch.folder.join(name), bytes).unwrap();
        write("toc.dat", &toc.to_bytes().unwrap());
        for (file, ids) in [("7.dat", 1..=3000), ("8.dat", 3001..=5000)] {
            let rows: String = ids.map(|n| format!("{n}\ta\\\\b\\tc\\n{n}\n")).collect();
            let data = [rows.as_bytes(), TERMINATOR].concat();
            // Two frames one after another, as two workers would leave them.
            let (a, b) = data.split_at(data.len() / 3);
            write(&format!("{file}{}", codec.suffix()), &[encode(codec, a), encode(codec, b)].concat());
        }
        write("blobs.toc", &blobs::to_bytes(&[Blob::new(4242)]));
        write(&format!("blob_4242.dat{}", codec.suffix()), &encode(codec, b"\x00\xff\n\\.\n"));
        write("manifest.json", b"{}");

        let folder = scratch.folder.to_str().unwrap();
        let listed = Command::new(Path::new(&setting("PGBATON_TEST_PG_BIN")).join("pg_restore"))
            .args(["-l", folder])
            .output()
            .unwrap();
        let list = succeeded(&listed);
        assert!(list.contains("10; 0 0 INDEX shop t_id postgres"), "{list}");
        assert!(list.contains("Dumped by pg_dump version: pgbaton"), "{list}");
        if String::from_utf8_lossy(&listed.stderr).contains("does not support compression") {
            assert_eq!(codec, Codec::ZSTD);
            eprintln!("this build of pg_restore has no zstd: listing was tested, restoring not");
            scratch.drop().await;
            continue;
        }
        succeeded(&scratch.run("pg_restore", &["-j2", "--no-owner", "--exit-on-error", folder]));
        let client = connect(&scratch.name).await;
        let row = client
            .query_one(
                "SELECT count(*), count(DISTINCT id), min(v), (SELECT lo_get(4242)) FROM shop.t WHERE v = E'a\\\\b\\tc\\n' || id",
                &[],
            )
            .await
            .unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (5000, 5000));
        assert_eq!(row.get::<_, Vec<u8>>(3), b"\x00\xff\n\\.\n");
        scratch.drop().await;
    }
}
