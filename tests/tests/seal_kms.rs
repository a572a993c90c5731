//! Data keys of a backup, made and unwrapped by the stand-in of KMS.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use aws_sdk_kms::Client;
use pgbaton::{
    base::{Kind, clock, id::RunId},
    seal::{Kms, ObjectKeys, Opener, Sealer, WrappedKey},
};
use pgbaton_tests::tables::{aws, aws_at};

async fn stand_in() -> (Client, Kms) {
    let client = Client::new(&aws().await);
    (client.clone(), Kms::new(client))
}

async fn new_key(client: &Client) -> String {
    let made = client.create_key().description("pgbaton test").send().await.expect("a key");
    made.key_metadata.and_then(|m| m.arn).expect("its ARN")
}

fn backup() -> RunId {
    RunId::random(clock::now()).unwrap()
}

#[tokio::test]
async fn what_is_sealed_under_kms_opens_with_the_unwrapped_key() {
    let (client, kms) = stand_in().await;
    let (arn, backup) = (new_key(&client).await, backup());
    let alias = format!("alias/{}", backup.as_str());
    client.create_alias().alias_name(&alias).target_key_id(&arn).send().await.unwrap();
    for name in [arn.as_str(), &alias] {
        let (key, wrapped) = kms.generate(name, &backup).await.unwrap();
        assert_eq!(wrapped.kms_key, arn, "the key itself, whatever it was called");
        assert_eq!(format!("{key:?}"), "[secret]");
        let (sealing, object) = (ObjectKeys::new(key, backup.clone()), "4711.dat.zst");
        let mut stored = Vec::new();
        let mut sealer = Sealer::new(&[sealing.recipient(object).unwrap()]).unwrap();
        sealer.push(b"content", &mut stored).unwrap();
        sealer.finish(&mut stored).unwrap();

        let stored_key = serde_json::from_str(&serde_json::to_string(&wrapped).unwrap()).unwrap();
        let opening = ObjectKeys::new(kms.unwrap_key(&stored_key, &backup).await.unwrap(), backup.clone());
        let (mut opener, mut out): (Opener, _) = (opening.opener(object).unwrap(), Vec::new());
        opener.push(&stored, &mut out).unwrap();
        opener.finish(&mut out).unwrap();
        assert_eq!(out, b"content");
    }
    let [one, two] =
        [kms.generate(&arn, &backup).await.unwrap().1, kms.generate(&arn, &backup).await.unwrap().1];
    assert_ne!(one.blob, two.blob, "every data key is a new one");
}

#[tokio::test]
async fn a_wrapped_key_opens_for_its_own_backup_only() {
    let (client, kms) = stand_in().await;
    let (arn, mine) = (new_key(&client).await, backup());
    let (_, wrapped) = kms.generate(&arn, &mine).await.unwrap();
    kms.unwrap_key(&wrapped, &mine).await.unwrap();
    let error = kms.unwrap_key(&wrapped, &backup()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "{error:?}");
    assert!(error.to_string().contains(&arn), "{error}");
    // Its last characters are ciphertext.
    let changed = |end: &str| {
        let kept = wrapped.blob.trim_end_matches('=').len() - 6;
        WrappedKey { blob: format!("{}{end}", &wrapped.blob[..kept]), ..wrapped.clone() }
    };
    for end in ["", "AAAAAA==", "no base64"] {
        let error = kms.unwrap_key(&changed(end), &mine).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "{end}: {error:?}");
        assert!(error.to_string().contains(mine.as_str()), "{error}");
    }
}

#[tokio::test]
async fn errors_name_the_key() {
    let (_, kms) = stand_in().await;
    for missing in [
        "alias/pgbaton-no-such-key",
        "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000",
    ] {
        let error = kms.generate(missing, &backup()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
        assert!(error.to_string().contains(missing), "{error}");
    }
    let cut_off = Kms::new(Client::new(&aws_at("http://127.0.0.1:9").await));
    let error = cut_off.generate("alias/backups", &backup()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error:?}");
    assert!(error.to_string().contains("kms:GenerateDataKey with alias/backups"), "{error}");
}
