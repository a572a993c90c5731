//! Files that somebody has uploaded: exports of other deployments, and what only looks like one.

use pgbaton::{
    seal::{Identity, Sealer},
    store::{ObjectKey, Put},
};
use pgbaton_tests::{
    database::{Database, successful},
    deployment::{Deployment, Wishes},
    tables, unique,
};
use serde_json::json;

use super::{SHOP, backed_up, filled, picture, same};

async fn put(d: &Deployment, key: &str, bytes: Vec<u8>) {
    d.store.put(&ObjectKey::parse(key).unwrap(), bytes, Put::Replace).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_file_is_restored_wherever_it_lies() {
    let elsewhere = Deployment::start().await;
    let shop = filled("import_shop", SHOP).await;
    let expected = picture(&shop).await;
    let key = Identity::generate();
    let secrets = aws_sdk_secretsmanager::Client::new(&tables::aws().await);
    let secret =
        secrets.create_secret().name(unique("import")).secret_string(key.text().expose()).send().await;
    let wishes = Wishes::default().with("BACKUP_AGE_IDENTITIES_SECRET_ARN", &secret.unwrap().arn.unwrap());
    let d = Deployment::with(wishes).await;
    for (format, compression, name) in [
        ("json", "gzip", "shop.json.gz"),
        ("json", "zstd", "from elsewhere/shop.json.zst"),
        ("sql", "none", "a/shop.sql"),
        ("json", "gzip", "a/shop.json.gz.age"),
    ] {
        let made =
            backed_up(&elsewhere, &shop.url, json!({"format": format, "compression": compression})).await;
        let file = made.file_name.as_deref().unwrap().rsplit('/').next().unwrap();
        let path = ObjectKey::within(&elsewhere.folder(&made), file).unwrap();
        let mut bytes = elsewhere.store.get_all(&path, 1 << 30).await.unwrap();
        if name.ends_with(".age") {
            let (mut sealer, mut sealed) = (Sealer::new(&[key.recipient()]).unwrap(), Vec::new());
            sealer.push(&bytes, &mut sealed).unwrap();
            sealer.finish(&mut sealed).unwrap();
            bytes = sealed;
        }
        put(&d, name, bytes).await;
        let copy = Database::absent("import_copy");
        let restored = d.restore(&copy.url, json!({"filepath": name, "createDatabase": true})).await.unwrap();
        assert_eq!(restored.record_count, made.record_count, "{name}");
        assert!(restored.s3_url.as_deref().unwrap().ends_with(name), "{:?}", restored.s3_url);
        same(&picture(&copy).await, &expected, name);
        // Where it was written its manifest proves it.
        let copy = Database::absent("import_own");
        let asked = json!({"filepath": format!("{}{file}", made.s3_url.clone().unwrap()), "createDatabase": true, "tables": ["shop.*"]});
        d.restore(&copy.url, asked).await.unwrap();
    }
    let left: Vec<String> = d.objects().await.into_iter().filter(|k| k.contains("/_aside/")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_export_is_refused_before_anything_is_made() {
    let d = Deployment::start().await;
    let source = Database::of("import_bad", "CREATE TABLE t AS SELECT 1 AS a").await;
    let dump = successful("pg_dump", &["-d", &source.url]);
    put(&d, "pg_dump.sql", dump.into_bytes()).await;
    put(&d, "other.json", br#"{"tables": []}"#.to_vec()).await;
    put(&d, "not.json.gz", b"no gzip at all".to_vec()).await;
    put(&d, "cut.json", br#"{"format":"pgbaton-json","version":1,"#.to_vec()).await;
    put(&d, "later.json", br#"{"format":"pgbaton-json","version":9}"#.to_vec()).await;
    put(&d, "sealed.json.age", b"age-encryption.org/v1\n".to_vec()).await;
    let copy = Database::absent("import_nothing");
    for (name, says) in [
        ("pg_dump.sql", "none of pgbaton's"),
        ("other.json", "does not begin with"),
        ("not.json.gz", "gzip"),
        ("cut.json", "breaks off"),
        ("later.json", "version 9"),
        ("sealed.json.age", "BACKUP_AGE_IDENTITIES_SECRET_ARN"),
        ("absent.json", "there is no file"),
        ("a.csv", "name the folder"),
        ("a/x.dump", "name the folder"),
    ] {
        let asked = json!({"filepath": name, "createDatabase": true});
        let why = d.restore(&copy.url, asked).await.unwrap_err();
        assert!(why.contains(says), "{name}: {why}");
    }
    let made = format!("SELECT count(*)::text FROM pg_database WHERE datname = '{}'", copy.name);
    assert_eq!(source.column(&made).await, ["0"]);
    let left: Vec<String> = d.objects().await.into_iter().filter(|k| k.contains("/_aside/")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(d.uploads().await.is_empty());
}
