//! The store room against an S3 stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_s3::{Client, config::Credentials};
use jiff::Timestamp;
use pgbaton::{
    base::Kind,
    store::{Expected, ObjectKey, Put, Reading, Store, Upload, client},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn endpoint() -> String {
    std::env::var("PGBATON_TEST_AWS_ENDPOINT")
        .expect("PGBATON_TEST_AWS_ENDPOINT is not set: start the stack with infra/local test")
}

async fn config(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await
}

/// A client and a fresh bucket.
async fn bucket(name: &str) -> (Client, Store) {
    let client = client(&config(&endpoint()).await);
    let bucket = format!("store-{name}-{}-{}", std::process::id(), Timestamp::now().as_millisecond());
    client.create_bucket().bucket(&bucket).send().await.unwrap();
    (client.clone(), Store::new(client, bucket))
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

/// Bytes that repeat at no part's border.
fn bytes(count: usize) -> Vec<u8> {
    let mut x = 88_172_645_463_325_252u64;
    let mut out = Vec::with_capacity(count + 8);
    while out.len() < count {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out.extend_from_slice(&x.to_le_bytes());
    }
    out.truncate(count);
    out
}

fn sha256(data: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(data))
}

async fn uploads(client: &Client, store: &Store) -> usize {
    client.list_multipart_uploads().bucket(store.bucket()).send().await.unwrap().uploads().len()
}

async fn read(mut reading: Reading) -> pgbaton::base::Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = reading.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

#[tokio::test]
async fn a_small_object_goes_in_one_piece() {
    let (client, store) = bucket("small").await;
    let k = key("backups/main/toc.dat");
    let mut upload = Upload::start(&store, &k, None, 2);
    for piece in [&b"PG"[..], b"", b"DMP"] {
        upload.write(piece).await.unwrap();
    }
    assert_eq!(upload.bytes(), 5);
    let stored = upload.finish().await.unwrap();
    assert_eq!((stored.bytes, stored.sha256.as_str()), (5, sha256(b"PGDMP").as_str()));
    let head = store.head(&k).await.unwrap().unwrap();
    assert_eq!((head.bytes, head.checksum.as_deref()), (5, Some(stored.checksum.as_str())));
    let raw = client.head_object().bucket(store.bucket()).key(k.as_str()).send().await.unwrap();
    assert_eq!(raw.server_side_encryption().map(|s| s.as_str()), Some("AES256"));
    assert_eq!(store.get_all(&k, 5).await.unwrap(), b"PGDMP");
    assert_eq!(store.get_all(&k, 4).await.unwrap_err().kind(), Kind::Corrupt);
    let empty = Upload::start(&store, &key("empty"), Some(0), 1).finish().await.unwrap();
    assert_eq!((empty.bytes, store.get_all(&empty.key, 0).await.unwrap().len()), (0, 0));
}

#[tokio::test]
async fn a_big_object_goes_in_parts_and_comes_back() {
    let (client, store) = bucket("big").await;
    let (k, data) = (key("big.dat.zst"), bytes(60 << 20));
    let mut upload = Upload::start(&store, &k, None, 3);
    for piece in data.chunks(777_777) {
        upload.write(piece).await.unwrap();
    }
    assert_eq!(uploads(&client, &store).await, 1);
    assert!(store.head(&k).await.unwrap().is_none(), "visible before it was finished");
    let stored = upload.finish().await.unwrap();
    assert_eq!((stored.bytes, stored.sha256.clone()), (60 << 20, sha256(&data)));
    assert!(stored.checksum.ends_with("-8"), "{}", stored.checksum);
    assert_eq!(uploads(&client, &store).await, 0);
    let expected = Expected { bytes: stored.bytes, sha256: stored.sha256 };
    let reading = Reading::open(&store, &k, Some(expected)).await.unwrap();
    assert_eq!(reading.bytes(), 60 << 20);
    assert!(read(reading).await.unwrap() == data);
}

#[tokio::test]
async fn what_is_there_is_not_overwritten() {
    let (client, store) = bucket("absent").await;
    let k = key("manifest.json");
    store.put(&k, &b"one"[..], Put::IfAbsent).await.unwrap();
    store
        .put(&k, &b"one"[..], Put::IfAbsent)
        .await
        .expect("the same bytes count as stored by a lost attempt");
    let e = store.put(&k, &b"two"[..], Put::IfAbsent).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Conflict);
    assert!(e.message().contains("manifest.json exists already"), "{e}");

    let mut upload = Upload::start(&store, &k, None, 2);
    upload.write(&bytes(20 << 20)).await.unwrap();
    let e = upload.finish().await.unwrap_err();
    assert_eq!(e.kind(), Kind::Conflict, "{e:?}");
    assert_eq!(store.get_all(&k, 10).await.unwrap(), b"one");
    assert_eq!(uploads(&client, &store).await, 0);

    store.put(&k, &b"two"[..], Put::Replace).await.unwrap();
    assert_eq!(store.get_all(&k, 10).await.unwrap(), b"two");
}

#[tokio::test]
async fn a_missing_bucket_or_object_is_named() {
    let (_, store) = bucket("missing").await;
    store.check_bucket().await.unwrap();
    let e = Reading::open(&store, &key("nothing"), None).await.err().unwrap();
    assert_eq!(e.kind(), Kind::NotFound);
    assert!(e.message().ends_with("/nothing does not exist"), "{e}");
    assert!(store.head(&key("nothing")).await.unwrap().is_none());

    let gone = Store::new(client(&config(&endpoint()).await), "no-such-bucket-here");
    let mut big = Upload::start(&gone, &key("k"), None, 1);
    for e in [
        gone.check_bucket().await.unwrap_err(),
        gone.put(&key("k"), &b"x"[..], Put::IfAbsent).await.unwrap_err(),
        gone.list("").all(10).await.unwrap_err(),
        Reading::open(&gone, &key("k"), None).await.err().unwrap(),
        big.write(&bytes(9 << 20)).await.unwrap_err(),
    ] {
        assert_eq!(e.kind(), Kind::NotFound, "{e:?}");
        assert_eq!(e.message(), "bucket no-such-bucket-here does not exist");
    }
    assert_eq!(big.write(b"x").await.unwrap_err().kind(), Kind::Internal);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = Store::new(client(&config(&nobody).await), "b");
    let e = store.check_bucket().await.unwrap_err();
    assert_eq!(e.kind(), Kind::Unreachable, "{e:?}");
}

#[tokio::test]
async fn aborting_leaves_nothing() {
    let (client, store) = bucket("abort").await;
    let mut upload = Upload::start(&store, &key("a"), None, 2);
    upload.write(&bytes(20 << 20)).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(uploads(&client, &store).await, 0);

    let mut dropped = Upload::start(&store, &key("b"), None, 2);
    dropped.write(&bytes(20 << 20)).await.unwrap();
    drop(dropped);
    for _ in 0..100 {
        if uploads(&client, &store).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(uploads(&client, &store).await, 0);
    assert!(store.list("").all(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn orphans_are_found_and_aborted() {
    let (client, store) = bucket("orphans").await;
    for k in ["backups/main/x/1.dat", "backups/main/y/2.dat", "elsewhere/3.dat"] {
        client.create_multipart_upload().bucket(store.bucket()).key(k).send().await.unwrap();
    }
    let aborted = store.abort_uploads("backups/main/x/", None).await.unwrap();
    assert_eq!(aborted.iter().map(|a| a.key.as_str()).collect::<Vec<_>>(), ["backups/main/x/1.dat"]);
    let long_ago: Timestamp = "2001-01-01T00:00:00Z".parse().unwrap();
    assert!(store.abort_uploads("backups/", Some(long_ago)).await.unwrap().is_empty());
    assert_eq!(store.abort_uploads("backups/", None).await.unwrap().len(), 1);
    assert_eq!(uploads(&client, &store).await, 1);
}

#[tokio::test]
async fn an_upload_aborted_by_someone_else_fails() {
    let (client, store) = bucket("stolen").await;
    // The stand-in answers 500 where S3 answers NoSuchUpload: without attempts, so that this takes no minute.
    let impatient = client.config().to_builder().retry_config(RetryConfig::disabled()).build();
    let store = Store::new(Client::from_conf(impatient), store.bucket());
    let mut upload = Upload::start(&store, &key("a"), None, 1);
    upload.write(&bytes(8 << 20)).await.unwrap();
    store.abort_uploads("", None).await.unwrap();
    let e = upload.finish().await.unwrap_err();
    assert_eq!(e.kind(), Kind::Aws, "{e:?}");
    assert_eq!(uploads(&client, &store).await, 0);
    assert!(store.head(&key("a")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_tampered_object_is_seen() {
    let (_, store) = bucket("tampered").await;
    let k = key("12.dat.zst");
    let data = bytes(100_000);
    let stored = store.put(&k, data.clone(), Put::IfAbsent).await.unwrap();
    let expected = || Some(Expected { bytes: stored.bytes, sha256: stored.sha256.clone() });
    assert!(read(Reading::open(&store, &k, expected()).await.unwrap()).await.unwrap() == data);

    let mut bad = data.clone();
    bad[50_000] ^= 1;
    store.put(&k, bad, Put::Replace).await.unwrap();
    let e = read(Reading::open(&store, &k, expected()).await.unwrap()).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Corrupt);
    assert!(e.message().contains("12.dat.zst is not what was stored"), "{e}");

    store.put(&k, data[..99_999].to_vec(), Put::Replace).await.unwrap();
    let e = Reading::open(&store, &k, expected()).await.err().unwrap();
    assert_eq!(e.kind(), Kind::Corrupt);
    assert!(e.message().contains("99999 bytes where 100000 were stored"), "{e}");
}

#[tokio::test]
async fn listing_goes_through_all_pages_and_deleting_through_all_keys() {
    let (_, store) = bucket("list").await;
    let keys: Vec<ObjectKey> = (0..1005).map(|n| key(&format!("l/{n:04}"))).collect();
    for chunk in keys.chunks(50) {
        futures_util::future::try_join_all(chunk.iter().map(|k| store.put(k, &b"x"[..], Put::IfAbsent)))
            .await
            .unwrap();
    }
    let found = store.list("l/").all(2000).await.unwrap();
    assert!(found.iter().map(|f| f.key.as_str()).eq(keys.iter().map(ObjectKey::as_str)));
    assert_eq!(store.list("l/").all(1000).await.unwrap_err().kind(), Kind::Unsupported);
    store.delete(&keys).await.unwrap();
    assert!(store.list("").all(1).await.unwrap().is_empty());
}

/// When the proxy cuts a connection.
#[derive(Clone, Copy)]
enum Cut {
    /// After so many bytes of answers.
    After(usize),
    /// Instead of passing the answer to a request with this method and this text in its first line.
    AnswerTo(&'static str, &'static str),
}

/// Stands before the stand-in and cuts the first `cuts` connections.
async fn cutting_proxy(cuts: usize, when: Cut) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = endpoint().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let cut = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cut);
    tokio::spawn(async move {
        while let Ok((inner, _)) = listener.accept().await {
            let (target, count) = (target.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                let outer = TcpStream::connect(&target).await.unwrap();
                let ((mut ri, mut wi), (mut ro, mut wo)) = (inner.into_split(), outer.into_split());
                let asked = Arc::new(AtomicBool::new(false));
                let seen = Arc::clone(&asked);
                let up = tokio::spawn(async move {
                    let mut buffer = vec![0; 64 << 10];
                    while let Ok(n @ 1..) = ri.read(&mut buffer).await {
                        let line = buffer[..n].split(|b| *b == b'\n').next().unwrap_or_default();
                        let line = String::from_utf8_lossy(line);
                        if let Cut::AnswerTo(method, text) = when
                            && line.starts_with(method)
                            && line.contains(text)
                        {
                            seen.store(true, Ordering::SeqCst);
                        }
                        if wo.write_all(&buffer[..n]).await.is_err() {
                            break;
                        }
                    }
                });
                let (mut buffer, mut passed) = (vec![0; 16 << 10], 0);
                while let Ok(n @ 1..) = ro.read(&mut buffer).await {
                    passed += n;
                    let now = match when {
                        Cut::After(limit) => passed > limit,
                        Cut::AnswerTo(..) => asked.load(Ordering::SeqCst),
                    };
                    if now && count.load(Ordering::SeqCst) < cuts {
                        count.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    if wi.write_all(&buffer[..n]).await.is_err() {
                        break;
                    }
                }
                up.abort();
            });
        }
    });
    (format!("http://{address}"), cut)
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let (_, store) = bucket("resume").await;
    let (k, data) = (key("r.dat"), bytes(9 << 20));
    let stored = store.put(&k, data.clone(), Put::IfAbsent).await.unwrap();
    let expected = || Some(Expected { bytes: stored.bytes, sha256: stored.sha256.clone() });

    let (proxy, cut) = cutting_proxy(3, Cut::After(2 << 20)).await;
    let shaky = Store::new(client(&config(&proxy).await), store.bucket());
    let all = read(Reading::open(&shaky, &k, expected()).await.unwrap()).await.unwrap();
    assert!(all == data);
    assert_eq!(cut.load(Ordering::SeqCst), 3);

    let (proxy, _) = cutting_proxy(1, Cut::After(2 << 20)).await;
    let shaky = Store::new(client(&config(&proxy).await), store.bucket());
    let mut reading = Reading::open(&shaky, &k, expected()).await.unwrap();
    reading.next().await.unwrap().unwrap();
    store.put(&k, bytes(100), Put::Replace).await.unwrap();
    let e = read(reading).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Corrupt, "{e:?}");
    assert!(e.message().contains("replaced while it was being read"), "{e}");
}

/// The stand-in does the work and the answer is lost: the conditional retry must not take its own object for another's.
#[tokio::test]
async fn an_answer_lost_is_not_a_conflict() {
    let (_, store) = bucket("lost").await;
    let (proxy, cut) = cutting_proxy(1, Cut::AnswerTo("PUT", "/a?")).await;
    let shaky = Store::new(client(&config(&proxy).await), store.bucket());
    let stored = shaky.put(&key("a"), &b"once"[..], Put::IfAbsent).await.unwrap();
    assert_eq!(cut.load(Ordering::SeqCst), 1);
    assert_eq!(store.get_all(&stored.key, 10).await.unwrap(), b"once");
}

#[tokio::test]
async fn a_lost_answer_to_complete_is_looked_up() {
    let (s3, store) = bucket("lostcomplete").await;
    let (proxy, cut) = cutting_proxy(1, Cut::AnswerTo("POST", "uploadId=")).await;
    let shaky = Store::new(client(&config(&proxy).await), store.bucket());
    let mut upload = Upload::start(&shaky, &key("b"), None, 2);
    upload.write(&bytes(9 << 20)).await.unwrap();
    let stored = upload.finish().await.unwrap();
    assert_eq!(cut.load(Ordering::SeqCst), 1);
    let head = store.head(&key("b")).await.unwrap().unwrap();
    let digest = |checksum: &str| checksum.split('-').next().unwrap().to_owned();
    assert_eq!(head.checksum.as_deref().map(digest), Some(digest(&stored.checksum)));
    assert_eq!(uploads(&s3, &store).await, 0);
}
