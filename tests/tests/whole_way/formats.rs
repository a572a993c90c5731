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
