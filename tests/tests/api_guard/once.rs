//! `Idempotency-Key`: asking again does nothing twice, whatever happened the first time.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::deployment::{Answer, Deployment, admin, token};

impl Deployment {
    async fn ask(&self, token: &str, path: &str, key: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        self.send("POST", path, &headers, body.as_bytes()).await
    }

    /// Sets an attribute of the only key, as time would.
    async fn age(&self, attribute: &str, value: i64) {
        let state = self.state().await;
        assert_eq!(state.len(), 1);
        let update = self.tables.client.update_item().table_name(&self.tables.state_table);
        update
            .key("id", state[0]["id"].clone())
            .update_expression(format!("SET {attribute} = :value"))
            .expression_attribute_values(":value", AttributeValue::N(value.to_string()))
            .send()
            .await
            .unwrap();
    }

    async fn runs(&self) -> BTreeSet<String> {
        let query = pgbaton::ledger::ListQuery::of(pgbaton::ledger::RunKind::Backup);
        let page = self.tables.ledger.list(&query).await.unwrap();
        page.records.into_iter().map(|record| record.id.to_string()).collect()
    }
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer() {
    let d = Deployment::start().await;
    let first = d.ask(&admin(), "/backup", "k", r#"{"label": "a"}"#).await;
    assert_eq!((first.status, replayed(&first)), (202, false), "{}", first.body);
    for _ in 0..3 {
        let again = d.ask(&admin(), "/backup", "k", r#"{"label": "a"}"#).await;
        assert_eq!((again.status, replayed(&again)), (202, true));
        assert_eq!(again.body, first.body);
        assert_eq!(again.headers["content-type"], "application/json");
    }
    d.ask(&admin(), "/backup", "k", r#"{"label": "b"}"#).await.problem(422, "idempotency_key_reused");
    d.ask(&admin(), "/backup", "k", r#"{"label":"a"}"#).await.problem(422, "idempotency_key_reused");
    assert_eq!((d.invoked().len(), d.runs().await.len()), (1, 1));

    // Another path, another caller, another key, none at all: other runs.
    let bob = token(json!({"sub": "bob", "role": "admin"}));
    for (token, path, key) in
        [(admin(), "/backup/trigger", "k"), (bob, "/backup", "k"), (admin(), "/backup", "K")]
    {
        let other = d.ask(&token, path, key, r#"{"label": "a"}"#).await;
        assert_eq!((other.status, replayed(&other)), (202, false));
        assert_ne!(other.body["id"], first.body["id"]);
    }
    let without = d.call(&admin(), "POST", "/backup", r#"{"label": "a"}"#).await;
    assert_ne!(without.body["id"], first.body["id"]);
    assert_eq!((d.invoked().len(), d.runs().await.len()), (5, 5));
    // Only POST heeds it.
    let bearer = format!("Bearer {}", admin());
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    assert_eq!(d.send("GET", "/backup", &headers, b"").await.status, 200);
}

#[tokio::test]
async fn of_many_at_once_one_does_it() {
    let d = Deployment::start().await;
    let admin = admin();
    let asks = (0..20).map(|_| d.ask(&admin, "/backup", "k", ""));
    let answers = futures_util::future::join_all(asks).await;
    let ids: BTreeSet<String> =
        answers.iter().filter(|a| a.status == 202).map(|a| a.body["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    for answer in answers.iter().filter(|a| a.status != 202) {
        answer.problem(409, "idempotency_key_in_use");
    }
    assert_eq!((d.invoked().len(), d.runs().await.len()), (1, 1));
}

#[tokio::test]
async fn a_crash_in_between_makes_no_second_run() {
    let d = Deployment::with(&[("BACKUP_FUNCTION", "slow")]).await;
    let admin = admin();
    // The record is there, the function is being started: gone.
    let cut = tokio::time::timeout(Duration::from_millis(1500), d.ask(&admin, "/backup", "k", "")).await;
    assert!(cut.is_err());
    let runs = d.runs().await;
    assert_eq!((runs.len(), d.invoked().len()), (1, 1));
    d.ask(&admin, "/backup", "k", "").await.problem(409, "idempotency_key_in_use");
    // Until nobody can be at work any more.
    d.age("held_until", 0).await;
    let (again, meanwhile) = tokio::join!(d.ask(&admin, "/backup", "k", ""), async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        d.ask(&admin, "/backup", "k", "").await
    });
    meanwhile.problem(409, "idempotency_key_in_use");
    assert_eq!(again.status, 202, "{}", again.body);
    assert_eq!(d.runs().await, runs, "the same run");
    assert_eq!(again.body["id"], json!(runs.first().unwrap()));
    let events = d.invoked();
    assert_eq!(events.len(), 2, "its function is started again");
    assert_eq!(events[0], events[1], "with the same event, which it does once");
    assert!(replayed(&d.ask(&admin, "/backup", "k", "").await));
}

#[tokio::test]
async fn a_crash_before_the_record_or_after_the_start_makes_no_second_run_either() {
    let d = Deployment::start().await;
    let first = d.ask(&admin(), "/backup", "k", "").await;
    let run = first.body["id"].as_str().unwrap().to_owned();
    // As if the answer had never been noted.
    let state = d.state().await;
    let update =
        d.tables.client.update_item().table_name(&d.tables.state_table).key("id", state[0]["id"].clone());
    update
        .update_expression("REMOVE answer SET held_until = :now")
        .expression_attribute_values(":now", AttributeValue::N("0".into()))
        .send()
        .await
        .unwrap();
    // The function has begun meanwhile.
    let id = pgbaton::base::id::RunId::parse(&run).unwrap();
    d.tables.ledger.claim(&id, "f", Duration::from_secs(60)).await.unwrap();
    let again = d.ask(&admin(), "/backup", "k", "").await;
    assert_eq!(
        (again.status, &again.body["id"], &again.body["status"]),
        (202, &json!(run), &json!("in_progress"))
    );
    assert_eq!((d.invoked().len(), d.runs().await.len()), (1, 1));
}

#[tokio::test]
async fn what_failed_is_told_and_not_begun_again() {
    let d = Deployment::with(&[("BACKUP_FUNCTION", "absent")]).await;
    d.ask(&admin(), "/backup", "k", "").await.problem(502, "aws");
    let run = d.runs().await.pop_first().unwrap();
    // Lambda refused, say because it was throttled: the same key may try again.
    d.ask(&admin(), "/backup", "k", "").await.problem(502, "aws");
    assert_eq!(d.runs().await.len(), 1);
    let id = pgbaton::base::id::RunId::parse(&run).unwrap();
    let why = pgbaton::ledger::Failure { code: "aws".into(), message: "it failed".into(), warnings: vec![] };
    d.tables.ledger.fail_pending(&id, &why).await.unwrap();
    let again = d.ask(&admin(), "/backup", "k", "").await;
    again.problem(409, "conflict");
    assert!(again.body["detail"].as_str().unwrap().contains(&run), "{}", again.body);
    assert_eq!(d.runs().await.len(), 1);
}

#[tokio::test]
async fn errors_are_not_kept_and_strangers_leave_nothing() {
    let d = Deployment::start().await;
    // Nor those who may do nothing here.
    d.ask(&token(json!({"scope": "openid"})), "/backup", "k", "").await.problem(403, "forbidden");
    d.ask("x.y.z", "/backup", "k", "").await.problem(401, "unauthorized");
    let nameless = token(json!({"sub": "absent", "role": "admin"}));
    d.ask(&nameless, "/backup", "k", "").await.problem(400, "invalid_input");
    for key in ["", "  ", &"k".repeat(256)] {
        let answer = d.ask(&admin(), "/backup", key, "").await;
        assert_eq!(answer.problem(400, "invalid_input").body["field"], json!("Idempotency-Key"));
    }
    let bearer = format!("Bearer {}", admin());
    let twice = [("authorization", bearer.as_str()), ("idempotency-key", "a"), ("idempotency-key", "b")];
    d.send("POST", "/backup", &twice, b"").await.problem(400, "invalid_input");
    d.ask(&admin(), "/backup", "k", &"x".repeat(10 << 20)).await.problem(413, "too_large");
    assert!(d.state().await.is_empty());

    for _ in 0..2 {
        let refused = d.ask(&admin(), "/backup", "bad", r#"{"tabels": []}"#).await;
        assert_eq!((refused.status, replayed(&refused)), (400, false));
    }
    let reader = token(json!({"scope": "backup:read"}));
    d.ask(&reader, "/backup", "k", "").await.problem(403, "forbidden");
    assert_eq!(d.ask(&admin(), "/backup", "k", "").await.status, 202, "once the permission is there");
    assert!(
        d.state().await.iter().all(|item| !item["id"].as_s().unwrap().contains("ann")),
        "keys are digests"
    );
}

#[tokio::test]
async fn a_key_is_remembered_for_a_day() {
    let d = Deployment::start().await;
    let first = d.ask(&admin(), "/backup", "k", "").await;
    let state = d.state().await;
    let expires: i64 = state[0]["expires_epoch"].as_n().unwrap().parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((expires - now - 86_400).abs() < 60, "{expires}");
    d.age("expires_epoch", now - 1).await;
    let later = d.ask(&admin(), "/backup", "k", r#"{"label": "another"}"#).await;
    assert_eq!((later.status, replayed(&later)), (202, false), "DynamoDB removes late: {}", later.body);
    assert_ne!(later.body["id"], first.body["id"]);
}

#[tokio::test]
async fn without_its_table_nothing_is_begun() {
    let d = Deployment::with(&[("STATE_TABLE", "no-such-table")]).await;
    let answer = d.ask(&admin(), "/backup", "k", "").await;
    answer.problem(503, "not_found");
    assert!(d.invoked().is_empty() && d.runs().await.is_empty());
    assert_ne!(answer.body, Value::Null);
}

#[tokio::test]
async fn an_answer_is_given_again_to_those_alone_who_may_ask() {
    let d = Deployment::start().await;
    let writer = token(json!({"scope": "backup:write"}));
    assert_eq!(d.ask(&writer, "/backup", "k", "").await.status, 202);
    d.ask(&token(json!({"scope": "backup:read"})), "/backup", "k", "").await.problem(403, "forbidden");
    assert!(replayed(&d.ask(&writer, "/backup", "k", "").await));
    // What the body decides counts as well.
    let removing = r#"{"dryRun": false}"#;
    d.ask(&writer, "/backup/retention/run", "r", removing).await.problem(403, "forbidden");
    // Two who are alike in what is shown of them are two.
    let of = |sub: String| token(json!({"sub": sub, "scope": "backup:write"}));
    let long = "x".repeat(240);
    let first = d.ask(&of(format!("{long}a")), "/backup", "same", "").await;
    let second = d.ask(&of(format!("{long}b")), "/backup", "same", "").await;
    assert_ne!(first.body["id"], second.body["id"]);
    assert!(!replayed(&second));
}

#[tokio::test]
async fn whoever_tries_again_later_gets_a_run_of_that_time() {
    let d = Deployment::start().await;
    let body = r#"{"database": "other"}"#;
    d.ask(&admin(), "/backup", "k", body).await.problem(404, "not_found");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let put = d.call(&admin(), "PUT", "/backup/databases/other", r#"{"main": "/other/url"}"#).await;
    assert_eq!(put.status, 201, "{}", put.body);
    let asked = jiff::Timestamp::now();
    let again = d.ask(&admin(), "/backup", "k", body).await;
    assert_eq!(again.status, 202, "{}", again.body);
    let created: jiff::Timestamp = again.body["created_at"].as_str().unwrap().parse().unwrap();
    assert!(created.as_millisecond() >= asked.as_millisecond(), "{created} {asked}");
}
