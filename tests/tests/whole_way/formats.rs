//! The other formats: SQL, JSON and CSV, written by the backup function, read by the restore function and by stock programs.

use std::path::Path;

use pgbaton::{
    archive::{Algorithm, Decoder},
    ledger::Record,
};
use pgbaton_tests::{
    database::{Database, successful},
    deployment::Deployment,
};
use serde_json::{Value, json};

use super::{SHOP, backed_up, filled, picture, restored, same};

/// Requests for each form, and what its file is called at the end.
pub(super) fn forms() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"format": "json", "compression": "gzip"}), ".json.gz"),
        (json!({"format": "json", "compression": "none"}), ".json"),
        (json!({"format": "sql", "compression": "zstd"}), ".sql.zst"),
        (json!({"format": "sql", "compression": "none", "inserts": true}), ".sql"),
        (json!({"format": "csv", "compression": "gzip"}), ".csv.gz"),
        (json!({"format": "csv"}), ".csv.zst"),
    ]
}

/// The files of a backup, in a folder of this machine.
async fn fetched(d: &Deployment, backup: &Record) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(pgbaton_tests::unique("formats"));
    d.download(&d.folder(backup), &folder).await;
    folder
}

/// Nothing stays of what was set aside.
async fn nothing_aside(d: &Deployment) {
    let left: Vec<String> = d.objects().await.into_iter().filter(|key| key.contains("/_aside/")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(d.uploads().await.is_empty());
}

/// A file's content, whatever its suffix says of it.
fn content(file: &Path) -> Vec<u8> {
    let (_, algorithm) = Algorithm::of_file(file.to_str().unwrap());
    let (bytes, mut out) = (std::fs::read(file).unwrap(), Vec::new());
    let mut decoder = Decoder::new(algorithm).unwrap();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        rest = decoder.push(rest, &mut out).unwrap();
    }
    decoder.finish(&mut out).unwrap();
    out
}

/// Loads a backup that is a script with psql, as its user would.
pub(super) async fn by_psql(d: &Deployment, backup: &Record) -> Database {
    let folder = fetched(d, backup).await;
    let name = backup.file_name.as_deref().unwrap().rsplit('/').next().unwrap();
    let copy = Database::empty("formats_psql").await;
    let script = folder.join("script.sql");
    std::fs::write(&script, content(&folder.join(name))).unwrap();
    let script = script.to_str().unwrap();
    successful("psql", &["-qX", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", &copy.url, "-f", script]);
    std::fs::remove_dir_all(folder).unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_comes_back_in_every_format() {
    let d = Deployment::start().await;
    let shop = filled("formats_shop", SHOP).await;
    let expected = picture(&shop).await;
    for (request, suffix) in forms() {
        let what = request.to_string();
        let backup = backed_up(&d, &shop.url, request.clone()).await;
        assert_eq!(backup.format.as_deref(), request["format"].as_str());
        let names: Vec<String> = d
            .objects()
            .await
            .into_iter()
            .filter_map(|key| Some(key.strip_prefix(&d.folder(&backup))?.to_owned()))
            .collect();
        assert!(names.iter().any(|n| n.ends_with(suffix)), "{what}: {names:?}");
        if request["format"] != "csv" {
            let file = backup.file_name.clone().unwrap();
            let file = file.rsplit('/').next().unwrap();
            assert_eq!(names, [file, "manifest.json", "toc.dat"], "{what}");
        }
        nothing_aside(&d).await;
        let copy = Database::absent("formats_copy");
        restored(&d, &backup, &copy).await;
        same(&picture(&copy).await, &expected, &what);
        nothing_aside(&d).await;
        if request["format"] == "sql" {
            let loaded = by_psql(&d, &backup).await;
            same(&picture(&loaded).await, &expected, &format!("psql, {what}"));
        }
    }
}

/// Every kind of object, odd names and values, in each format.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_and_value_comes_back_in_every_format() {
    let d = Deployment::start().await;
    let (source, _roles) = super::everything::source("formats_all").await;
    let expected = picture(&source).await;
    for (request, _) in forms().into_iter().skip(1).step_by(2).chain(forms().into_iter().skip(2).take(1)) {
        let what = request.to_string();
        let backup = backed_up(&d, &source.url, request.clone()).await;
        let copy = Database::absent("formats_all_copy");
        restored(&d, &backup, &copy).await;
        same(&picture(&copy).await, &expected, &what);
        if request["format"] == "sql" {
            let loaded = by_psql(&d, &backup).await;
            same(&picture(&loaded).await, &expected, &format!("psql, {what}"));
        }
    }
}

/// Runs a program of Python's on a file.
fn python(program: &str, arguments: &[&str]) -> String {
    let output =
        std::process::Command::new("python3").arg("-c").arg(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_programs_read_json_and_csv() {
    let d = Deployment::start().await;
    let source = Database::of(
        "formats_values",
        "CREATE TABLE v (id int PRIMARY KEY, b bool, l bigint, n numeric, f float8, t text, y bytea, a int[], i interval, j jsonb, g int GENERATED ALWAYS AS (id * 2) STORED);
         INSERT INTO v VALUES (1, true, 9007199254740993, 'NaN', 0.1, E'a,\"b\"\\r\\n\\t\\\\', '\\x00ff', '[0:1]={1,2}', '1 mon -3 days', '{\"a\": null}'),
           (2, NULL, NULL, 1.10, 'Infinity', '', '', NULL, NULL, 'null'), (3, false, 5, 123456789012345678901234567890.5, '-0', NULL, NULL, '{}', NULL, NULL)",
    )
    .await;
    let json =
        backed_up(&d, &source.url, json!({"format": "json", "compression": "gzip", "includeHistory": true}))
            .await;
    let folder = fetched(&d, &json).await;
    let file = folder.join(json.file_name.as_deref().unwrap().rsplit('/').next().unwrap());
    let read = "import json, gzip, sys\nd = json.load(gzip.open(sys.argv[1]))\nt = d['tables'][0]\nprint(json.dumps([[c['name'] for c in t['columns']], t['rows'], len(d['history'])]))";
    let seen: Value = serde_json::from_str(&python(read, &[file.to_str().unwrap()])).unwrap();
    assert_eq!(
        seen,
        json!([
            ["id", "b", "l", "n", "f", "t", "y", "a", "i", "j"],
            [
                [
                    1,
                    true,
                    "9007199254740993",
                    "NaN",
                    "0.1",
                    "a,\"b\"\r\n\t\\",
                    "\\x00ff",
                    "[0:1]={1,2}",
                    "1 mon -3 days",
                    "{\"a\": null}"
                ],
                [2, null, null, "1.10", "Infinity", "", "\\x", null, null, "null"],
                [3, false, 5, "123456789012345678901234567890.5", "-0", null, null, "{}", null, null]
            ],
            1
        ])
    );
    std::fs::remove_dir_all(folder).unwrap();
    let csv = backed_up(&d, &source.url, json!({"format": "csv", "compression": "none"})).await;
    let folder = fetched(&d, &csv).await;
    let file = folder.join("public.v.csv");
    let read = "import csv, json, sys\nprint(json.dumps(list(csv.reader(open(sys.argv[1], newline='')))))";
    let seen: Value = serde_json::from_str(&python(read, &[file.to_str().unwrap()])).unwrap();
    assert_eq!(seen[0], json!(["id", "b", "l", "n", "f", "t", "y", "a", "i", "j"]));
    assert_eq!(seen[1][5], "a,\"b\"\r\n\t\\");
    // PostgreSQL itself reads the file, NULL told from the empty string.
    let copy = Database::of("formats_csv", "CREATE TABLE v (id int, b bool, l bigint, n numeric, f float8, t text, y bytea, a int[], i interval, j jsonb)").await;
    let load = format!("\\copy v FROM '{}' WITH (FORMAT csv, HEADER)", file.display());
    successful("psql", &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &copy.url, "-c", &load]);
    let all = "SELECT (id, b, l, n, f, t, y, a, i, j)::text FROM v ORDER BY id";
    assert_eq!(copy.column(all).await, source.column(all).await);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn some_tables_come_out_of_every_format() {
    let d = Deployment::start().await;
    let source = Database::of(
        "formats_some",
        "CREATE TABLE a (id serial PRIMARY KEY, t text); INSERT INTO a (t) VALUES ('x'), (NULL), (''); CREATE TABLE b AS SELECT 1 AS n; CREATE TABLE c AS SELECT 2 AS n",
    )
    .await;
    for format in ["sql", "json", "csv"] {
        // Chosen in the backup, and again in the restore.
        let partial = d.backup(&source.url, json!({"format": format, "tables": ["a", "b"]})).await.unwrap();
        assert_eq!((partial.mode.as_deref(), partial.table_count), (Some("partial"), Some(2)), "{format}");
        let copy = Database::absent("formats_some_copy");
        let asked = json!({"backupId": partial.id, "createDatabase": true, "tables": ["a"]});
        d.restore(&copy.url, asked).await.unwrap();
        assert_eq!(copy.column("SELECT coalesce(t, 'null') FROM a ORDER BY id").await, ["x", "null", ""]);
        assert_eq!(
            copy.column("SELECT coalesce(to_regclass('b')::text, to_regclass('c')::text, 'none')").await,
            ["none"]
        );
        let structure =
            d.backup(&source.url, json!({"format": format, "includeSchemaOnly": true})).await.unwrap();
        assert_eq!((structure.record_count, structure.table_count), (Some(0), Some(0)), "{format}");
        let copy = Database::absent("formats_structure");
        d.restore(&copy.url, json!({"backupId": structure.id, "createDatabase": true})).await.unwrap();
        assert_eq!(copy.schema(), source.schema(), "{format}");
        assert_eq!(copy.column("SELECT (SELECT count(*) FROM a)::text").await, ["0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_alone_load_into_tables_that_stand_there() {
    let d = Deployment::start().await;
    let schema = "CREATE TABLE z (id int PRIMARY KEY, a int); CREATE TABLE m (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, z int REFERENCES z); CREATE TABLE a (m int REFERENCES m, self int UNIQUE REFERENCES a (self))";
    let source = Database::of("formats_rows", schema).await;
    source.run("INSERT INTO z SELECT g, g FROM generate_series(1, 250) g; INSERT INTO m (z) SELECT id FROM z; INSERT INTO a SELECT id, 1 FROM m LIMIT 1").await;
    for inserts in [false, true] {
        let request = json!({"format": "sql", "compression": "none", "dataOnly": true, "inserts": inserts});
        let backup = backed_up(&d, &source.url, request).await;
        let copy = Database::of("formats_rows_copy", schema).await;
        let folder = fetched(&d, &backup).await;
        let script = folder.join(backup.file_name.as_deref().unwrap().rsplit('/').next().unwrap());
        let script = script.to_str().unwrap();
        successful(
            "psql",
            &["-qX", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", &copy.url, "-f", script],
        );
        assert_eq!(picture(&copy).await, picture(&source).await);
        std::fs::remove_dir_all(folder).unwrap();
        // It holds the definitions all the same.
        let whole = Database::absent("formats_rows_whole");
        restored(&d, &backup, &whole).await;
        same(&picture(&whole).await, &picture(&source).await, "restored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_before_the_target_is_touched() {
    let d = Deployment::start().await;
    let source = Database::of(
        "formats_damage",
        "CREATE TABLE t AS SELECT g AS id, 'v' || g AS v FROM generate_series(1, 2000) g",
    )
    .await;
    for (format, compression) in [("json", "none"), ("sql", "none"), ("csv", "none"), ("json", "zstd")] {
        let backup = backed_up(&d, &source.url, json!({"format": format, "compression": compression})).await;
        let folder = fetched(&d, &backup).await;
        let name = match format {
            "csv" => "public.t.csv",
            _ => backup.file_name.as_deref().unwrap().rsplit('/').next().unwrap(),
        };
        // One value is another one, by somebody who put the right length and checksum into S3; the manifest's SHA-256 tells.
        let mut bytes = std::fs::read(folder.join(name)).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        std::fs::write(folder.join(name), &bytes).unwrap();
        d.upload(&folder, &d.folder(&backup)).await;
        let copy = Database::absent("formats_damage_copy");
        let why =
            d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap_err();
        assert!(why.contains("unpacking") && why.contains(backup.id.as_str()), "{format}: {why}");
        assert_eq!(
            source
                .column(&format!("SELECT count(*)::text FROM pg_database WHERE datname = '{}'", copy.name))
                .await,
            ["0"]
        );
        nothing_aside(&d).await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
