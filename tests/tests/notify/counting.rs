//! The standing of a database against DynamoDB's stand-in: each end counted once, however many write at once and however often a step is repeated.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use pgbaton::{
    base::{
        clock,
        event::EventKind,
        id::{DatabaseName, RunId},
    },
    ledger::{BackupType, Completion, Failure, Lease, Ledger, Record, RunKind, Status},
};
use pgbaton_tests::tables::Tables;

const TTL: Duration = Duration::from_secs(60);

fn shop() -> DatabaseName {
    DatabaseName::parse("shop").unwrap()
}

async fn claimed(ledger: &Ledger) -> Lease {
    let now = clock::now();
    let id = RunId::random(now).unwrap();
    ledger
        .create(&Record::pending(id.clone(), RunKind::Backup, shop(), BackupType::Manual, now))
        .await
        .unwrap();
    ledger.claim(&id, "f", TTL).await.unwrap()
}

fn failure() -> Failure {
    Failure { code: "database".into(), message: "it broke".into(), warnings: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_step_that_is_repeated_counts_once() {
    let ledger = Tables::create().await.ledger;
    let lease = claimed(&ledger).await;
    for _ in 0..3 {
        ledger.fail(&lease, &failure()).await.unwrap();
    }
    let standing = ledger.standing(&shop()).await.unwrap();
    assert_eq!((standing.failures, standing.outbox.len()), (1, 1));
    assert_eq!(standing.outbox[0].event, Some(EventKind::BackupFailed));
    // What was told does not come back with another repetition.
    let taken = ledger.take_notices(&shop(), clock::now(), TTL, 9).await.unwrap();
    let told = pgbaton::ledger::Told { id: taken[0].id.clone(), counted: true, by: vec![], done: true };
    ledger.settle_notices(&shop(), &[told]).await.unwrap();
    ledger.fail(&lease, &failure()).await.unwrap();
    assert!(ledger.standing(&shop()).await.unwrap().outbox.is_empty());

    let lease = claimed(&ledger).await;
    for _ in 0..3 {
        ledger.complete(&lease, Completion::default()).await.unwrap();
    }
    let standing = ledger.standing(&shop()).await.unwrap();
    assert_eq!((standing.failures, standing.outbox.len()), (0, 1));
    assert_eq!(standing.outbox[0].event, Some(EventKind::BackupRecovered));
    assert_eq!(standing.last_good.as_ref(), Some(lease.id()));
    assert_eq!(ledger.standings().await.unwrap(), [shop()]);
    ledger.forget_standing(&shop()).await.unwrap();
    assert_eq!(ledger.standings().await.unwrap(), []);
    ledger.fail(&claimed(&ledger).await, &failure()).await.unwrap();
    assert_eq!(ledger.standings().await.unwrap(), [shop()], "what was forgotten comes back with a run");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_end_at_once_are_all_counted() {
    let ledger = Tables::create().await.ledger;
    let mut leases = Vec::new();
    for _ in 0..16 {
        leases.push(claimed(&ledger).await);
    }
    // Each is ended by three at once: its holder, and two that say the same again.
    let ends: Vec<_> = leases
        .iter()
        .flat_map(|lease| [lease; 3])
        .map(|lease| {
            let (ledger, lease) = (ledger.clone(), lease.clone());
            tokio::spawn(async move { ledger.fail(&lease, &failure()).await })
        })
        .collect();
    for end in ends {
        assert_eq!(end.await.unwrap().unwrap().status, Status::Failed);
    }
    let standing = ledger.standing(&shop()).await.unwrap();
    assert_eq!((standing.failures, standing.outbox.len()), (16, 16));

    // Of many that tell at once, each notice is taken by one.
    let takers: Vec<_> = (0..8)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.take_notices(&shop(), clock::now(), TTL, 5).await.unwrap() })
        })
        .collect();
    let mut ids = Vec::new();
    for taker in takers {
        ids.extend(taker.await.unwrap().into_iter().map(|n| n.id));
    }
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((all, ids.len()), (16, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoilt_standing_stops_no_run() {
    let tables = Tables::create().await;
    let ledger = &tables.ledger;
    ledger.fail(&claimed(ledger).await, &failure()).await.unwrap();
    tables
        .client
        .update_item()
        .table_name(&tables.state_table)
        .key("id", AttributeValue::S("standing#shop".into()))
        .update_expression("SET body = :no")
        .expression_attribute_values(":no", AttributeValue::S("{".into()))
        .send()
        .await
        .unwrap();
    let done = ledger.complete(&claimed(ledger).await, Completion::default()).await.unwrap();
    assert_eq!(done.status, Status::Completed);
    assert_eq!(ledger.standing(&shop()).await.unwrap().last_good, Some(done.id));

    // Nor does a state table that is gone.
    let lease = claimed(ledger).await;
    tables.client.delete_table().table_name(&tables.state_table).send().await.unwrap();
    assert_eq!(ledger.complete(&lease, Completion::default()).await.unwrap().status, Status::Completed);
}
