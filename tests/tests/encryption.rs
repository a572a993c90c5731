//! Encryption on this side of S3: what is stored tells nothing, comes back with the key, and with no other.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use pgbaton::{
    archive::Manifest,
    base::VerifyLevel,
    ledger::{Record, Status, Verdict},
    seal::{Identity, Opener},
    store::{ObjectKey, Put},
};
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
    tables, unique,
};
use serde_json::json;

/// A row and a table by whose names the stored bytes would give themselves away.
const TABLES: &str = "CREATE SCHEMA vault; CREATE TABLE vault.patients (id int PRIMARY KEY, diagnosis text);
    INSERT INTO vault.patients SELECT g, 'hypochondria ' || g FROM generate_series(1, 3000) g;
    CREATE TABLE vault.visits (patient int REFERENCES vault.patients, at date); INSERT INTO vault.visits SELECT g, '2026-11-22' FROM generate_series(1, 3000) g;
    CREATE TABLE vault.empty (); SELECT lo_from_bytea(0, 'hypochondria in an object')";

const SECRETS: [&str; 4] = ["patients", "hypochondria", "vault", "visits"];

/// A secret with the key file that opens what is encrypted for these.
async fn key_file(identities: &[&Identity]) -> String {
    let text: String = identities.iter().map(|i| format!("# a key\n{}\n", i.text().expose())).collect();
    let client = aws_sdk_secretsmanager::Client::new(&tables::aws().await);
    let made = client.create_secret().name(unique("key")).secret_string(text).send().await.unwrap();
    made.arn.unwrap()
}

fn recipients(all: &[&Identity]) -> String {
    all.iter().map(|i| i.recipient().to_string()).collect::<Vec<_>>().join(",")
}

async fn for_recipients(all: &[&Identity], key: &Identity, more: Wishes) -> Deployment {
    let wishes = more
        .with("BACKUP_ENCRYPTION", "true")
        .with("BACKUP_AGE_RECIPIENTS", &recipients(all))
        .with("BACKUP_AGE_IDENTITIES_SECRET_ARN", &key_file(&[key]).await);
    Deployment::with(wishes).await
}

async fn kms_key() -> String {
    let client = aws_sdk_kms::Client::new(&tables::aws().await);
    client.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap()
}

async fn backed_up(d: &Deployment, source: &Database, request: serde_json::Value) -> Record {
    let backup = d.backup(&source.url, request).await.unwrap();
    assert_eq!((backup.status, backup.encrypted), (Status::Completed, Some(true)));
    assert!(backup.warnings.is_empty(), "{:?}", backup.warnings);
    backup
}

/// A backup of the deployment's own database.
async fn own(d: &Deployment, request: serde_json::Value) -> Record {
    let answer = d.host.invoke("scheduled-backup", &request).await.unwrap();
    let backup: Record = serde_json::from_value(answer).unwrap();
    assert_eq!((backup.status, backup.encrypted), (Status::Completed, Some(true)), "{:?}", backup.message);
    backup
}

async fn comes_back(d: &Deployment, backup: &Record, source: &Database) {
    let copy = Database::absent("sealed_copy");
    let asked = json!({"backupId": backup.id, "createDatabase": true});
    let restored = d.restore(&copy.url, asked).await.unwrap();
    assert!(restored.warnings.is_empty(), "{:?}", restored.warnings);
    assert_eq!(copy.contents().await, source.contents().await);
    assert_eq!(copy.schema(), source.schema());
}

/// Names in the backup's folder, each but the manifest encrypted, and nothing left of what was on its way. What is stored says none of the secrets.
async fn tells_nothing(d: &Deployment, backup: &Record) -> Vec<String> {
    let folder = std::env::temp_dir().join(unique("sealed"));
    d.download(&d.folder(backup), &folder).await;
    let mut names = Vec::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        assert!(name.ends_with(".age") || name == "manifest.json", "{name}");
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in SECRETS {
            assert!(!name.contains(secret), "{name}");
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
        names.push(name);
    }
    std::fs::remove_dir_all(folder).unwrap();
    let aside: Vec<String> = d.objects().await.into_iter().filter(|key| key.contains("/_aside/")).collect();
    assert!(aside.is_empty(), "{aside:?}");
    names.sort();
    names
}

async fn verified(d: &Deployment, backup: &Record, level: &str) {
    let run = d.host.invoke("verify", &json!({"backupId": backup.id, "level": level})).await.unwrap();
    let there = d.record(&backup.id).await;
    assert_eq!(there.verification, Some(Verdict::Passed), "{level}: {run:#}");
    assert_eq!(there.verified_level.map(VerifyLevel::name), Some(level));
    assert!(run.get("warnings").is_none_or(|w| *w == json!([])), "{level}: {run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_of_the_recipients_opens_it_in_every_format() {
    let (one, two) = (Identity::generate(), Identity::generate());
    let source = Database::of("sealed", TABLES).await;
    // The deployment's key is the second recipient's.
    let d = for_recipients(&[&one, &two], &two, Wishes::default().with("DATABASE_URL", &source.url)).await;
    for request in [
        json!({}),
        json!({"compression": "none"}),
        json!({"format": "json", "compression": "gzip"}),
        json!({"format": "sql", "inserts": true}),
        json!({"format": "csv", "compression": "none"}),
    ] {
        let backup = backed_up(&d, &source, request.clone()).await;
        let names = tells_nothing(&d, &backup).await;
        assert!(names.contains(&"manifest.full.json.age".to_owned()), "{request}: {names:?}");
        comes_back(&d, &backup, &source).await;
        for level in ["objects", "read"] {
            verified(&d, &backup, level).await;
        }
        tells_nothing(&d, &backup).await;
    }
    let backup = own(&d, json!({})).await;
    verified(&d, &backup, "restore").await;
    // The first recipient's key opens each file by itself.
    let folder = d.folder(&backup);
    for key in d.objects().await.into_iter().filter(|k| k.starts_with(&folder) && k.ends_with(".age")) {
        let bytes = d.store.get_all(&ObjectKey::parse(&key).unwrap(), 1 << 30).await.unwrap();
        let (mut opener, mut out) = (Opener::new(std::slice::from_ref(&one)).unwrap(), Vec::new());
        opener.push(&bytes, &mut out).unwrap();
        opener.finish(&mut out).unwrap();
    }
    // Asked for without, it is without.
    let plain = d.backup(&source.url, json!({"encrypt": false})).await.unwrap();
    assert_eq!(plain.encrypted, Some(false));
    d.keeps_secret("AGE-SECRET-KEY").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_nothing_is_touched() {
    let (key, other) = (Identity::generate(), Identity::generate());
    let source = Database::of("sealed_shut", TABLES).await;
    let d = for_recipients(&[&key], &key, Wishes::default()).await;
    let backup = backed_up(&d, &source, json!({})).await;
    let filepath = backup.s3_url.clone().unwrap();
    let copy = Database::absent("sealed_shut_copy");
    let asked = json!({"filepath": filepath, "createDatabase": true});
    let without = Deployment::start().await;
    let why = without.restore(&copy.url, asked.clone()).await.unwrap_err();
    assert!(
        why.contains("BACKUP_AGE_IDENTITIES_SECRET_ARN") && why.contains(&key.recipient().to_string()),
        "{why}"
    );
    let wrong = for_recipients(&[&key], &other, Wishes::default()).await;
    let why = wrong.restore(&copy.url, asked).await.unwrap_err();
    assert!(why.contains("none of the 1 keys"), "{why}");
    let made = format!("SELECT count(*)::text FROM pg_database WHERE datname = '{}'", copy.name);
    assert_eq!(source.column(&made).await, ["0"]);
    // Sizes and checksums are to be had without a key.
    let refused = without.backup(&source.url, json!({"encrypt": true})).await.unwrap_err();
    assert!(refused.contains("nothing to encrypt with"), "{refused}");
}

/// Puts another object in the place of one, and makes the manifest say that it belongs there.
async fn put_in_place(d: &Deployment, folder: &str, of: &str, with: Vec<u8>) {
    let key = ObjectKey::within(folder, "manifest.json").unwrap();
    let mut manifest = Manifest::parse(&d.store.get_all(&key, 1 << 30).await.unwrap()).unwrap();
    let object = manifest.objects.iter_mut().find(|o| o.name == of).unwrap();
    let place = ObjectKey::within(folder, of).unwrap();
    let stored = d.store.put(&place, with, Put::Replace).await.unwrap();
    (object.bytes, object.raw_bytes, object.sha256) = (stored.bytes, stored.bytes, stored.sha256);
    d.store.put(&key, manifest.to_bytes().unwrap(), Put::Replace).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_place_of_others_are_noticed() {
    let key = Identity::generate();
    let source = Database::of("sealed_swap", TABLES).await;
    let kms = Wishes::default()
        .with("BACKUP_ENCRYPTION_KMS_KEY", &kms_key().await)
        .with("BACKUP_ENCRYPTION", "true");
    for d in [for_recipients(&[&key], &key, Wishes::default()).await, Deployment::with(kms).await] {
        let backup = backed_up(&d, &source, json!({})).await;
        let folder = d.folder(&backup);
        let manifest =
            d.store.get_all(&ObjectKey::within(&folder, "manifest.json").unwrap(), 1 << 30).await.unwrap();
        let rows: Vec<String> = Manifest::parse(&manifest)
            .unwrap()
            .objects
            .into_iter()
            .map(|o| o.name)
            .filter(|n| n.contains(".dat") && n != "toc.dat.age" && !n.starts_with("blob"))
            .collect();
        let other = d.store.get_all(&ObjectKey::within(&folder, &rows[1]).unwrap(), 1 << 30).await.unwrap();
        put_in_place(&d, &folder, &rows[0], other).await;
        let copy = Database::absent("sealed_swap_copy");
        // Without the record, whose checksum of the manifest would tell at once.
        let asked = json!({"filepath": backup.s3_url.clone().unwrap(), "createDatabase": true});
        let why = d.restore(&copy.url, asked).await.unwrap_err();
        assert!(why.contains("in place of others"), "{why}");
        let why =
            d.restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true})).await.unwrap_err();
        assert!(why.contains("manifest.json"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_key_of_kms_serves_many_functions() {
    let source = Database::of("sealed_kms", TABLES).await;
    source.run("CREATE TABLE vault.much AS SELECT g AS id, repeat('hypochondria', 60) AS t FROM generate_series(1, 6000) g").await;
    let wishes = Wishes::default()
        .with("BACKUP_ENCRYPTION", "true")
        .with("BACKUP_ENCRYPTION_KMS_KEY", &kms_key().await)
        .with("DATABASE_URL", &source.url)
        .with("BACKUP_SLICE_MB", "1")
        .with("BACKUP_FAN_OUT_MB", "1");
    let d = Deployment::with(wishes).await;
    for request in [json!({"compression": "none"}), json!({"format": "json", "compression": "none"})] {
        let backup = own(&d, request).await;
        tells_nothing(&d, &backup).await;
        comes_back(&d, &backup, &source).await;
        for level in ["read", "restore"] {
            verified(&d, &backup, level).await;
        }
    }
}
