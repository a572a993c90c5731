//! The ledger against DynamoDB's stand-in: leases, fencing, the life cycle, lists, deliveries.
//! The stand-in's conditional writes must be atomic, as DynamoDB's are; moto's are only when its writes take a lock.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use jiff::{Timestamp, ToSpan};
use pgbaton::{
    base::{
        Kind, clock,
        id::{DatabaseName, RunId},
    },
    ledger::{
        BackupType, Completion, Delivery, Failure, Heartbeat, Ledger, ListQuery, Progress, Record, RunKind,
        Status, TableLine,
    },
};
use pgbaton_tests::tables::{Tables, aws_at};

const TTL: Duration = Duration::from_secs(60);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn record(database: &str, created: Timestamp) -> Record {
    let id = RunId::random(created).unwrap();
    let database = DatabaseName::parse(database).unwrap();
    Record::pending(id, RunKind::Backup, database, BackupType::Manual, created)
}

async fn created(ledger: &Ledger) -> RunId {
    let record = record("shop", clock::now());
    ledger.create(&record).await.unwrap();
    record.id
}

fn failure() -> Failure {
    Failure { code: "database".into(), message: "it broke".into(), warnings: vec!["before".into()] }
}

#[tokio::test]
async fn one_of_forty_claims_wins() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let claims: Vec<_> = (0..40)
        .map(|n| {
            let (ledger, id) = (ledger.clone(), id.clone());
            tokio::spawn(async move { ledger.claim(&id, &format!("f{n}"), TTL).await })
        })
        .collect();
    let mut winners = 0;
    for claim in claims {
        match claim.await.unwrap() {
            Ok(lease) => {
                winners += 1;
                assert_eq!(lease.fence(), 1);
            }
            Err(e) => assert_eq!(e.kind(), Kind::Busy, "{e}"),
        }
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_run_goes_its_way_once() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let lease = ledger.claim(&id, "f", TTL).await.unwrap();
    ledger.renew(&lease, TTL).await.unwrap();
    let progress = Progress { tables: 4, tables_done: 1, bytes_done: 10, percent: 25 };
    ledger.progress(&lease, &progress).await.unwrap();
    ledger.describe(&lease, "18.4").await.unwrap();
    let running = ledger.get(&id).await.unwrap();
    assert_eq!((running.status, running.progress), (Status::InProgress, Some(progress)));
    assert_eq!(ledger.open().await.unwrap(), vec![id.clone()]);

    let completion = Completion {
        file_size: Some(7),
        record_count: Some(3),
        message: Some("3 rows".into()),
        tables: vec![TableLine { name: "public.t".into(), rows: 3, bytes: 9 }],
        ..Completion::default()
    };
    let done = ledger.complete(&lease, completion.clone()).await.unwrap();
    assert_eq!(done, ledger.get(&id).await.unwrap());
    assert_eq!((done.status, done.file_size, done.tables.len()), (Status::Completed, Some(7), 1));
    assert_eq!(done.database_version.as_deref(), Some("18.4"), "kept, as the completion does not say");
    assert!(done.finished_at.unwrap() >= done.started_at.unwrap() && done.duration_ms.is_some());
    assert!(done.lease_owner.is_none() && done.lease_until.is_none());
    assert!(ledger.open().await.unwrap().is_empty());

    // As when the answer was lost and the SDK sends it again.
    assert_eq!(ledger.complete(&lease, completion).await.unwrap(), done);
    for error in [
        ledger.renew(&lease, TTL).await.unwrap_err(),
        ledger.progress(&lease, &progress).await.unwrap_err(),
        ledger.fail(&lease, &failure()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Fenced, "{error}");
    }
    assert_eq!(ledger.claim(&id, "g", TTL).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(ledger.fail_pending(&id, &failure()).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(ledger.get(&id).await.unwrap(), done, "nothing moved it");
}

#[tokio::test]
async fn a_failure_keeps_its_reason() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let lease = ledger.claim(&id, "f", TTL).await.unwrap();
    let failed = ledger.fail(&lease, &failure()).await.unwrap();
    assert_eq!((failed.status, failed.message.as_deref()), (Status::Failed, Some("it broke")));
    assert_eq!((failed.error_code.as_deref(), failed.warnings.len()), (Some("database"), 1));
    let late = ledger.complete(&lease, Completion::default()).await.unwrap_err();
    assert_eq!(late.kind(), Kind::Fenced);
    assert!(late.to_string().contains("it broke"), "{late}");
}

#[tokio::test]
async fn a_stopped_run_is_closed_once_and_its_writer_fenced() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let lease = ledger.claim(&id, "f", Duration::from_millis(50)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert_eq!(ledger.stuck(clock::now()).await.unwrap().len(), 1);

    let closing: Vec<_> = (0..10)
        .map(|_| {
            let (ledger, id) = (ledger.clone(), id.clone());
            tokio::spawn(async move { ledger.get_closing_stuck(&id).await.unwrap() })
        })
        .collect();
    for closed in closing {
        let closed = closed.await.unwrap();
        assert_eq!((closed.status, closed.fence), (Status::Failed, 2), "closed once");
        assert_eq!(closed.error_code.as_deref(), Some("function_stopped"));
        assert!(closed.message.unwrap().contains("its lease ran out at 20"));
    }
    for error in [
        ledger.renew(&lease, TTL).await.unwrap_err(),
        ledger.complete(&lease, Completion::default()).await.unwrap_err(),
        ledger.fail(&lease, &failure()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Fenced);
    }
    assert!(ledger.stuck(clock::now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_claim_does_not_continue_a_stopped_run() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    ledger.claim(&id, "f", Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let error = ledger.claim(&id, "f", TTL).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.to_string().contains("the function was stopped"), "{error}");
    assert_eq!(ledger.get(&id).await.unwrap().status, Status::Failed);
}

#[tokio::test]
async fn a_renewal_saves_a_run_from_being_closed() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let lease = ledger.claim(&id, "f", Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let seen = ledger.get(&id).await.unwrap();
    assert!(seen.is_stuck(clock::now()));
    ledger.renew(&lease, TTL).await.unwrap();
    // Whoever saw it before the renewal comes too late.
    let there = ledger.close_if_stuck(seen, clock::now()).await.unwrap();
    assert_eq!(there.status, Status::InProgress);
}

#[tokio::test]
async fn a_run_that_no_function_started_is_closed() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    assert!(ledger.stuck(clock::now()).await.unwrap().is_empty());
    let later = clock::now().checked_add(61.minutes()).unwrap();
    let stuck = ledger.stuck(later).await.unwrap();
    assert_eq!(stuck.len(), 1);
    let closed = ledger.close_if_stuck(stuck[0].clone(), later).await.unwrap();
    assert_eq!((closed.status, closed.error_code.as_deref()), (Status::Failed, Some("never_started")));
    assert_eq!(ledger.claim(&id, "late", TTL).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn a_record_is_created_once() {
    let ledger = Tables::create().await.ledger;
    let mut record = record("shop", clock::now());
    ledger.create(&record).await.unwrap();
    ledger.create(&record).await.unwrap();
    record.label = Some("another".into());
    assert_eq!(ledger.create(&record).await.unwrap_err().kind(), Kind::Conflict);
    let failed = ledger.fail_pending(&record.id, &failure()).await.unwrap();
    assert_eq!((failed.status, failed.duration_ms), (Status::Failed, None));
}

#[tokio::test]
async fn removal_needs_a_final_record_and_its_mark() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    assert_eq!(ledger.mark_deleting(&id, clock::now()).await.unwrap_err().kind(), Kind::Conflict);
    let lease = ledger.claim(&id, "f", TTL).await.unwrap();
    ledger.complete(&lease, Completion::default()).await.unwrap();
    assert_eq!(ledger.delete(&id).await.unwrap_err().kind(), Kind::Conflict);
    ledger.mark_deleting(&id, at("2026-11-21T02:00:00Z")).await.unwrap();
    ledger.mark_deleting(&id, clock::now()).await.unwrap();
    let marked = ledger.get(&id).await.unwrap();
    assert_eq!(marked.deleting_at, Some(at("2026-11-21T02:00:00Z")), "the first mark stays");
    assert!(ledger.latest(None, Status::Completed).await.unwrap().is_none(), "it does not count any more");
    ledger.delete(&id).await.unwrap();
    ledger.delete(&id).await.unwrap();
    assert_eq!(ledger.get(&id).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(ledger.mark_deleting(&id, clock::now()).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn an_event_begins_one_run() {
    let ledger = Tables::create().await.ledger;
    let deliveries: Vec<_> = (0..20)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mine = RunId::random(clock::now()).unwrap();
                (ledger.begin_delivery("schedule/1", &mine).await.unwrap(), mine)
            })
        })
        .collect();
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for delivery in deliveries {
        match delivery.await.unwrap() {
            (Delivery::First(id), mine) => {
                assert_eq!(id, mine);
                first.push(id);
            }
            (Delivery::Again(id), _) => again.push(id),
        }
    }
    assert_eq!((first.len(), again.len()), (1, 19));
    assert!(again.iter().all(|id| *id == first[0]));
    let same = ledger.begin_delivery("schedule/1", &first[0]).await.unwrap();
    assert_eq!(same, Delivery::First(first[0].clone()), "the write sent again after a lost answer");
    for bad in ["", "a\nb", &"x".repeat(401)] {
        let error = ledger.begin_delivery(bad, &first[0]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
}

/// Follows the cursors of a list to its end.
async fn whole(ledger: &Ledger, mut query: ListQuery) -> Vec<Record> {
    let mut seen = Vec::new();
    loop {
        let page = ledger.list(&query).await.unwrap();
        assert!(page.records.len() <= query.limit);
        assert!(page.next_cursor.is_none() || page.records.len() == query.limit);
        seen.extend(page.records);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn lists_come_newest_first_in_pages() {
    let ledger = Tables::create().await.ledger;
    let start = at("2026-11-01T00:00:00Z");
    for n in 0..23i64 {
        let created = start.checked_add((n / 2).hours()).unwrap();
        let mut r = record(if n % 3 == 0 { "other" } else { "shop" }, created);
        r.backup_type = if n % 2 == 0 { BackupType::Scheduled } else { BackupType::Manual };
        ledger.create(&r).await.unwrap();
        if n % 4 == 1 {
            ledger.fail_pending(&r.id, &failure()).await.unwrap();
        }
    }
    let mut restore = record("shop", at("2026-11-02T00:00:00Z"));
    restore.kind = RunKind::Restore;
    ledger.create(&restore).await.unwrap();

    let database = Some(DatabaseName::parse("shop").unwrap());
    let all = ListQuery { limit: 4, ..ListQuery::of(RunKind::Backup) };
    let of_shop = ListQuery { database: database.clone(), ..all.clone() };
    let two = Some(at("2026-11-01T02:00:00Z"));
    for (query, expected) in [
        (all.clone(), 23),
        (of_shop.clone(), 15),
        (ListQuery { status: Some(Status::Failed), ..all.clone() }, 6),
        (ListQuery { backup_type: Some(BackupType::Scheduled), ..all.clone() }, 12),
        (ListQuery { since: two, ..all.clone() }, 19),
        (ListQuery { until: two, ..all.clone() }, 6),
        (ListQuery { since: two, until: two, ..all.clone() }, 2),
        (ListQuery { since: Some(at("2026-12-01T00:00:00Z")), until: two, ..all.clone() }, 0),
        (ListQuery { limit: 23, ..all.clone() }, 23),
        (ListQuery { kind: RunKind::Restore, ..all.clone() }, 1),
        (ListQuery { kind: RunKind::Restore, ..of_shop.clone() }, 1),
    ] {
        let seen = whole(&ledger, query.clone()).await;
        assert_eq!(seen.len(), expected, "{query:?}");
        assert!(seen.windows(2).all(|w| w[0].created_at >= w[1].created_at), "newest first");
        let mut ids: Vec<_> = seen.iter().map(|r| r.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), expected, "none twice");
    }
    let newest = ledger.latest(database.as_ref(), Status::Failed).await.unwrap().unwrap();
    assert_eq!((newest.status, newest.database.as_str()), (Status::Failed, "shop"));
    assert!(ledger.latest(None, Status::Completed).await.unwrap().is_none());
    let bad = ListQuery { cursor: Some("x".into()), ..all };
    assert_eq!(ledger.list(&bad).await.unwrap_err().kind(), Kind::InvalidInput);
}

#[tokio::test]
async fn the_item_shows_plain_values_and_has_room() {
    let Tables { ledger, client, table, .. } = Tables::create().await;
    let id = created(&ledger).await;
    let lease = ledger.claim(&id, "request-1", TTL).await.unwrap();
    let key = AttributeValue::S(id.to_string());
    let item = client.get_item().table_name(&table).key("id", key).send().await.unwrap().item.unwrap();
    assert_eq!(item["status"].as_s().unwrap(), "in_progress");
    assert_eq!(item["fence"].as_n().unwrap(), "1");
    assert!(item["lease_owner"].as_s().unwrap().starts_with("request-1/"));
    assert!(item["created_at"].as_s().unwrap().ends_with('Z'));
    assert!(item.values().all(|v| !v.is_b() && !v.is_null()));
    // The largest record that the ledger lets through; an item may have 400 KB.
    let tables = (0..20_000)
        .map(|n| TableLine { name: format!("{}.t{n}", "s".repeat(63)), rows: 1, bytes: n })
        .collect();
    let completion = Completion { tables, warnings: vec!["w".repeat(5_000); 500], ..Completion::default() };
    let done = ledger.complete(&lease, completion).await.unwrap();
    assert!(done.tables_omitted.unwrap() > 10_000);
}

#[tokio::test]
async fn a_heartbeat_renews_and_tells_when_the_lease_is_lost() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let ttl = Duration::from_millis(2_000);
    let lease = ledger.claim(&id, "f", ttl).await.unwrap();
    let heartbeat = Heartbeat::start(ledger.clone(), lease.clone(), ttl);
    tokio::time::sleep(Duration::from_millis(3_000)).await;
    assert!(!heartbeat.lost().is_cancelled());
    assert!(!ledger.get(&id).await.unwrap().is_stuck(clock::now()), "renewed");

    ledger.fail(&lease, &failure()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), heartbeat.lost().cancelled()).await.expect("told");
    assert_eq!(heartbeat.error().unwrap().kind(), Kind::Fenced);
}

#[tokio::test]
async fn a_heartbeat_gives_up_when_the_table_does_not_answer() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let ttl = Duration::from_millis(800);
    let lease = ledger.claim(&id, "f", ttl).await.unwrap();
    let cut_off = Ledger::new(Client::new(&aws_at("http://127.0.0.1:9").await), "t", "s");
    assert_eq!(cut_off.ping().await.unwrap_err().kind(), Kind::Unreachable);
    let heartbeat = Heartbeat::start(cut_off, lease, ttl);
    tokio::time::timeout(Duration::from_secs(5), heartbeat.lost().cancelled()).await.expect("told");
    let error = heartbeat.error().unwrap();
    assert!(error.to_string().contains("could not renew its lease before it ran out"), "{error}");
}

#[tokio::test]
async fn a_missing_table_is_named() {
    let Tables { ledger, client, table, .. } = Tables::create().await;
    ledger.ping().await.unwrap();
    let lost = Ledger::new(client, "no-such-table", &table);
    let id = RunId::random(clock::now()).unwrap();
    for error in [
        lost.ping().await.unwrap_err(),
        lost.find(&id).await.unwrap_err(),
        lost.create(&record("shop", clock::now())).await.unwrap_err(),
        lost.claim(&id, "f", TTL).await.unwrap_err(),
        lost.list(&ListQuery::of(RunKind::Backup)).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
        assert!(error.to_string().contains("no-such-table"), "{error}");
    }
    assert_eq!(ledger.get(&id).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(ledger.claim(&id, "f", TTL).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_raised_fence_stops_a_writer_although_the_run_is_in_progress() {
    let Tables { ledger, client, table, .. } = Tables::create().await;
    let id = created(&ledger).await;
    let lease = ledger.claim(&id, "frozen", TTL).await.unwrap();
    // What a later release's take-over of a run does.
    client
        .update_item()
        .table_name(&table)
        .key("id", AttributeValue::S(id.to_string()))
        .update_expression("SET fence = fence + :one")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .send()
        .await
        .unwrap();
    for error in [
        ledger.renew(&lease, TTL).await.unwrap_err(),
        ledger.progress(&lease, &Progress::default()).await.unwrap_err(),
        ledger.describe(&lease, "18").await.unwrap_err(),
        ledger.complete(&lease, Completion::default()).await.unwrap_err(),
        ledger.fail(&lease, &failure()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Fenced);
        assert!(error.to_string().contains("fence 2 was taken"), "{error}");
    }
    assert_eq!(ledger.get(&id).await.unwrap().status, Status::InProgress);
}

#[tokio::test]
async fn a_lease_is_handed_over_once_and_the_giver_is_fenced() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let first = ledger.claim(&id, "f", TTL).await.unwrap();
    assert_eq!(ledger.receive(&id, first.fence(), "g", TTL).await.unwrap(), None, "not given yet");
    ledger.hand_over(&first, TTL).await.unwrap();
    ledger.hand_over(&first, TTL).await.expect("the SDK may send it again");
    let second = ledger.receive(&id, first.fence(), "g", TTL).await.unwrap().expect("given");
    assert_eq!(second.fence(), first.fence() + 1);
    for error in [
        ledger.renew(&first, TTL).await.unwrap_err(),
        ledger.hand_over(&first, TTL).await.unwrap_err(),
        ledger.receive(&id, first.fence(), "h", TTL).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Fenced, "{error}");
    }
    ledger.renew(&second, TTL).await.unwrap();
    let done = ledger.complete(&second, Completion::default()).await.unwrap();
    assert_eq!((done.status, done.hops), (Status::Completed, Some(1)));
    let late = ledger.receive(&id, second.fence(), "i", TTL).await.unwrap_err();
    assert_eq!(late.kind(), Kind::Fenced, "{late}");
}

#[tokio::test]
async fn one_of_many_takes_over_from_a_killed_function_and_none_from_a_living_one() {
    let ledger = Tables::create().await.ledger;
    let id = created(&ledger).await;
    let dead = ledger.claim(&id, "f", Duration::from_millis(300)).await.unwrap();
    let alive = ledger.get(&id).await.unwrap();
    assert_eq!(ledger.take_over(&alive, "g", TTL).await.unwrap(), None);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let record = ledger.get(&id).await.unwrap();
    let takers: Vec<_> = (0..10)
        .map(|n| {
            let (ledger, record) = (ledger.clone(), record.clone());
            tokio::spawn(async move { ledger.take_over(&record, &format!("g{n}"), TTL).await.unwrap() })
        })
        .collect();
    let mut won = Vec::new();
    for taker in takers {
        won.extend(taker.await.unwrap());
    }
    assert_eq!(won.len(), 1);
    assert_eq!(won[0].fence(), dead.fence() + 1);
    assert_eq!(ledger.renew(&dead, TTL).await.unwrap_err().kind(), Kind::Fenced);
    ledger.renew(&won[0], TTL).await.unwrap();
}
