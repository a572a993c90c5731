//! Schedules from end to end: over HTTP into records and EventBridge's stand-in, and from there by the clock to finished backups.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use aws_sdk_scheduler::{operation::get_schedule::GetScheduleOutput, types::ScheduleState};
use jsonwebtoken::{EncodingKey, Header};
use pgbaton::{
    base::clock,
    jobs::schedules::MOST,
    ledger::{Added, BackupType, Schedule, ScheduleId, Status},
};
use pgbaton_tests::{
    database::Database,
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    host::Answer,
};
use serde_json::{Value, json};

const KEY: &str = "a shared secret of more than thirty-two bytes";

fn token(scope: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"sub": "ann", "exp": now + 900, "nbf": now - 5, "scope": scope});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap())
}

fn wishes() -> Wishes {
    Wishes { schedules: true, ..Wishes::default() }.with("JWT_SECRET", KEY)
}

async fn call(d: &Deployment, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let token = token("backup:read backup:write backup:admin");
    let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
    d.host.call(method, &format!("{}{path}", d.host.front_url), &headers, body).await
}

async fn put(d: &Deployment, id: &str, body: Value) -> Answer {
    call(d, "PUT", &format!("/backup/schedules/{id}"), body).await
}

async fn get(d: &Deployment, id: &str) -> Value {
    call(d, "GET", &format!("/backup/schedules/{id}"), Value::Null).await.json()
}

/// What EventBridge has under this name.
async fn told(d: &Deployment, id: &str) -> Option<GetScheduleOutput> {
    d.scheduler.get_schedule().group_name(&d.group).name(id).send().await.ok()
}

async fn reap(d: &Deployment) -> Value {
    d.host.invoke("retention-cleanup", &json!({"action": "reap"})).await.unwrap()["schedules"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_schedule() {
    let d = Deployment::with(wishes()).await;
    let body = json!({
        "name": "Every night", "schedule": "30 2 * * 1-5", "timezone": "Europe/Berlin",
        "options": {"compression": "gzip", "label": "night"}, "retention": {"days": 7, "weekly": 4},
    });
    let made = put(&d, "nightly", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let made = made.json();
    assert_eq!(
        (&made["schedule"], &made["expression"]),
        (&json!("30 2 * * 1-5"), &json!("cron(30 2 ? * MON-FRI *)"))
    );
    assert_eq!((&made["enabled"], &made["in_effect"]), (&json!(true), &json!(true)));
    assert_eq!(made["next_runs"].as_array().unwrap().len(), 3);
    assert_eq!((&made["created_by"], &made["retention"]), (&json!("ann"), &json!({"days": 7, "weekly": 4})));
    let there = told(&d, "nightly").await.unwrap();
    assert_eq!(there.schedule_expression(), Some("cron(30 2 ? * MON-FRI *)"));
    assert_eq!(there.schedule_expression_timezone(), Some("Europe/Berlin"));
    let target = there.target().unwrap();
    let event: Value = serde_json::from_str(target.input().unwrap()).unwrap();
    assert_eq!((&event["label"], &event["scheduleId"]), (&json!("night"), &json!("nightly")));
    assert_eq!(event["eventId"], "<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time>");
    assert!(target.dead_letter_config().is_some() && target.role_arn().contains("schedules"));
    assert_eq!(target.retry_policy().and_then(|r| r.maximum_event_age_in_seconds()), Some(3600));

    // Again, the same: nothing changes, not even the time of the last change.
    let again = put(&d, "nightly", body).await;
    assert_eq!((again.status.as_u16(), &again.json()), (200, &made));

    let paused = put(&d, "nightly", json!({"enabled": false})).await.json();
    assert_eq!((&paused["enabled"], &paused["next_runs"]), (&json!(false), &json!([])));
    assert_eq!(paused["schedule"], made["schedule"]);
    assert_eq!(told(&d, "nightly").await.unwrap().state(), Some(&ScheduleState::Disabled));
    put(&d, "nightly", json!({"enabled": true, "schedule": "rate(6 hours)"})).await;
    let there = told(&d, "nightly").await.unwrap();
    assert_eq!(
        (there.state(), there.schedule_expression()),
        (Some(&ScheduleState::Enabled), Some("rate(6 hours)"))
    );
    let changed = get(&d, "nightly").await;
    assert_eq!(changed["options"], json!({"compression": "gzip", "label": "night"}));
    let first: jiff::Timestamp = changed["next_runs"][0].as_str().unwrap().parse().unwrap();
    assert_eq!(
        there.start_date().map(|at| at.secs()),
        Some(first.as_second()),
        "a rate must not fire at once"
    );

    // Another one that backs up the same database at the same minutes.
    let beside = put(&d, "beside", json!({"schedule": "rate(6 hours)"})).await.json();
    put(&d, "twin", json!({"schedule": "0 * * * *"})).await;
    let twin = put(&d, "triplet", json!({"schedule": "0 3 * * *"})).await.json();
    assert!(twin["notes"].to_string().contains("twin backs up main at the same minute"), "{twin}");
    assert_eq!(beside["options"], json!({}));
    let list = call(&d, "GET", "/api/admin/backup/schedules", Value::Null).await.json();
    let ids: Vec<_> =
        list["schedules"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["beside", "nightly", "triplet", "twin"]);

    assert_eq!(call(&d, "DELETE", "/backup/schedules/nightly", Value::Null).await.status, 200);
    assert!(told(&d, "nightly").await.is_none());
    for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/run")] {
        let gone = call(&d, method, &format!("/backup/schedules/nightly{path}"), Value::Null).await;
        assert_eq!(
            (gone.status.as_u16(), gone.json()["code"].clone()),
            (404, json!("not_found")),
            "{method}"
        );
    }
    assert_eq!(
        reap(&d).await["applied"],
        json!([]),
        "the first reap makes the default one and has nothing to repair"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_leaves_nothing_behind() {
    let d = Deployment::with(wishes()).await;
    for (body, status, field) in [
        (json!({"schedule": "61 * * * *"}), 400, json!("schedule")),
        (json!({"schedule": "every day"}), 400, json!("schedule")),
        (json!({"schedule": "0 0 13 * 5"}), 400, json!("schedule")),
        (json!({"schedule": "0 0 30 2 *"}), 400, json!("schedule")),
        (json!({"schedule": "cron(0 2 * * * *)"}), 400, json!("schedule")),
        (json!({"schedule": "rate(0 minutes)"}), 400, json!("schedule")),
        (json!({"schedule": "at(2030-01-01T00:00:00)"}), 400, json!("schedule")),
        (json!({"schedule": ["0 2 * * *"]}), 400, json!("schedule")),
        (json!({}), 400, json!("schedule")),
        (json!({"schedule": "0 2 * * *", "timezone": "Mars/Base"}), 400, json!("timezone")),
        (json!({"schedule": "0 2 * * *", "timezone": "../../etc/passwd"}), 400, json!("timezone")),
        (
            json!({"schedule": "0 2 * * *", "options": {"compression": "lzma"}}),
            400,
            json!("options.compression"),
        ),
        (
            json!({"schedule": "0 2 * * *", "options": {"databaseSecret": "/x"}}),
            400,
            json!("options.databaseSecret"),
        ),
        (
            json!({"schedule": "0 2 * * *", "options": {"incremental": true}}),
            501,
            json!("options.incremental"),
        ),
        (json!({"schedule": "0 2 * * *", "options": {"database": "shop"}}), 404, json!("options.database")),
        (json!({"schedule": "0 2 * * *", "retention": {"days": -1}}), 400, json!("retention")),
        (json!({"schedule": "0 2 * * *", "cron": "x"}), 400, json!("cron")),
        (json!({"schedule": "0 2 * * *", "id": "other"}), 400, json!("id")),
        (json!([]), 400, Value::Null),
    ] {
        let answer = put(&d, "nonsense", body.clone()).await;
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), &problem["field"]), (status, &field), "{body}: {problem}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let two = put(&d, "nonsense", json!({"schedule": "0 0 13 * 5"})).await.json();
    assert!(two["detail"].as_str().unwrap().contains("make two schedules"), "{two}");
    for id in ["a%2Fb", "a%00b", "..%2Fx", "-x", "%20", &"x".repeat(65), "a%23b"] {
        assert_eq!(put(&d, id, json!({"schedule": "0 2 * * *"})).await.status, 400, "{id}");
    }
    for (path, body) in [
        ("/backup/start", json!({"intervalHours": 0})),
        ("/backup/start", json!({"intervalHours": 8761})),
        ("/backup/start", json!({"intervalHours": "6"})),
        ("/backup/start", json!({"hours": 6})),
        ("/backup/stop", json!({"now": true})),
    ] {
        assert_eq!(call(&d, "POST", path, body.clone()).await.status, 400, "{path} {body}");
    }
    assert!(d.scheduler.list_schedules().group_name(&d.group).send().await.unwrap().schedules().is_empty());
    assert!(d.tables.ledger.schedules().await.unwrap().is_empty());

    // Who may only read.
    let reader = token("backup:read");
    for (method, path) in
        [("PUT", "/schedules/x"), ("DELETE", "/schedules/x"), ("POST", "/start"), ("POST", "/stop")]
    {
        let url = format!("{}/backup{path}", d.host.front_url);
        let body = b"{\"schedule\": \"0 2 * * *\"}".to_vec();
        for (token, status) in [(reader.as_str(), 403), ("Bearer x", 401)] {
            let answer = d.host.call(method, &url, &[("authorization", token)], body.clone()).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_held_off_and_the_default_one_has_its_place() {
    let d = Deployment::with(wishes()).await;
    let model = put(&d, "s-000", json!({"schedule": "0 2 * * *", "enabled": false})).await;
    assert_eq!(model.status, 201);
    let model = d.tables.ledger.schedule(&ScheduleId::parse("s-000").unwrap()).await.unwrap().unwrap();
    for n in 1..MOST {
        let id = ScheduleId::parse(&format!("s-{n:03}")).unwrap();
        let one = Schedule { id, ..model.clone() };
        assert_eq!(d.tables.ledger.add_schedule(&one, MOST).await.unwrap(), Added::Yes);
    }
    let full = put(&d, "one-more", json!({"schedule": "0 2 * * *"})).await;
    assert_eq!(
        (full.status.as_u16(), full.json()["code"].clone()),
        (409, json!("conflict")),
        "{}",
        full.json()
    );
    assert!(told(&d, "one-more").await.is_none());
    assert_eq!(put(&d, "s-000", json!({"schedule": "0 3 * * *"})).await.status, 200);
    assert_eq!(call(&d, "POST", "/backup/start", Value::Null).await.status, 200);
    assert_eq!(call(&d, "DELETE", "/backup/schedules/s-001", Value::Null).await.status, 200);
    assert_eq!(call(&d, "DELETE", "/backup/schedules/s-002", Value::Null).await.status, 200);
    assert_eq!(put(&d, "one-more", json!({"schedule": "0 2 * * *"})).await.status, 201);
    assert_eq!(d.tables.ledger.schedules().await.unwrap().len(), MOST);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_it_at_once_the_last_record_is_what_fires() {
    let d = Deployment::with(wishes()).await;
    let hours: Vec<u32> = (1..=6).collect();
    let bodies = hours.iter().map(|h| json!({"schedule": format!("rate({h} hours)")}));
    let all = futures_util::future::join_all(bodies.map(|body| put(&d, "many", body))).await;
    assert!(all.iter().any(|a| a.status == 201), "one of them made it");
    for answer in &all {
        assert!([200, 201, 409].contains(&answer.status.as_u16()), "{}", answer.json());
    }
    let record = get(&d, "many").await;
    assert_eq!(record["in_effect"], true);
    assert_eq!(told(&d, "many").await.unwrap().schedule_expression(), record["expression"].as_str());
    assert_eq!(reap(&d).await["applied"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_between_the_two_writes_is_told_and_completed() {
    let gate = Gate::start().await;
    let d = Deployment::with(wishes().with("AWS_ENDPOINT_URL", &gate.url)).await;

    // The function dies between the record and EventBridge.
    gate.stop("POST", "/schedules/broken", What::Hold);
    let (answer, ()) = tokio::join!(put(&d, "broken", json!({"schedule": "0 2 * * *"})), async {
        gate.met().await;
        d.host.kill("api").await;
    });
    assert!(answer.status.is_server_error(), "{}", answer.status);
    gate.forget();
    assert!(told(&d, "broken").await.is_none());
    assert_eq!(get(&d, "broken").await["in_effect"], false);
    let repaired = reap(&d).await;
    assert!(repaired["applied"].to_string().contains("broken"), "{repaired}");
    assert_eq!(told(&d, "broken").await.unwrap().schedule_expression(), Some("cron(0 2 * * ? *)"));
    assert_eq!(get(&d, "broken").await["in_effect"], true);

    // EventBridge does not answer: the caller is told, and the same call completes it.
    gate.stop("PUT", "/schedules/broken", What::Cut);
    let pause = json!({"enabled": false});
    let answer = put(&d, "broken", pause.clone()).await;
    assert_eq!(answer.status, 503, "{}", answer.json());
    assert!(answer.json()["detail"].as_str().unwrap().contains("not in effect yet"), "{}", answer.json());
    gate.forget();
    assert_eq!(told(&d, "broken").await.unwrap().state(), Some(&ScheduleState::Enabled));
    assert_eq!(put(&d, "broken", pause).await.json()["in_effect"], true);
    assert_eq!(told(&d, "broken").await.unwrap().state(), Some(&ScheduleState::Disabled));

    // It dies while it removes: nothing fires without a record, and the record says what it waits for.
    put(&d, "broken", json!({"enabled": true})).await;
    gate.stop("DELETE", "/schedules/broken", What::Cut);
    assert_eq!(call(&d, "DELETE", "/backup/schedules/broken", Value::Null).await.status, 503);
    gate.forget();
    assert!(get(&d, "broken").await["removing_at"].is_string());
    reap(&d).await;
    assert!(told(&d, "broken").await.is_none());
    assert_eq!(call(&d, "GET", "/backup/schedules/broken", Value::Null).await.status, 404);

    // Changed behind the record's back, and made without one.
    put(&d, "kept", json!({"schedule": "0 2 * * *"})).await;
    d.scheduler.delete_schedule().group_name(&d.group).name("kept").send().await.unwrap();
    let model = told(&d, "default").await.unwrap();
    let stray = d.scheduler.create_schedule().group_name(&d.group).name("stray");
    let stray = stray.schedule_expression("rate(1 minute)").set_target(model.target().cloned());
    stray.set_flexible_time_window(model.flexible_time_window().cloned()).send().await.unwrap();
    let repaired = reap(&d).await;
    assert_eq!(repaired, json!({"applied": ["kept"], "orphans": ["stray"]}));
    assert!(told(&d, "stray").await.is_none() && told(&d, "kept").await.is_some());
    assert_eq!(reap(&d).await, json!({"applied": [], "orphans": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn start_and_stop_are_about_the_schedule_of_the_deployment() {
    let d = Deployment::with(wishes().with("BACKUP_SCHEDULE", "0 4 * * *").with("TZ", "Europe/Berlin")).await;
    reap(&d).await;
    let seeded = get(&d, "default").await;
    assert_eq!((&seeded["schedule"], &seeded["timezone"]), (&json!("0 4 * * *"), &json!("Europe/Berlin")));
    assert_eq!((&seeded["created_by"], &seeded["enabled"]), (&json!("deployment"), &json!(true)));
    assert_eq!(told(&d, "default").await.unwrap().schedule_expression(), Some("cron(0 4 * * ? *)"));

    let post = async |path: &str, body: Value| call(&d, "POST", path, body).await.json();
    assert_eq!(post("/backup/stop", Value::Null).await["enabled"], false);
    assert_eq!(post("/backup/stop", json!({})).await["enabled"], false);
    reap(&d).await;
    assert_eq!(
        told(&d, "default").await.unwrap().state(),
        Some(&ScheduleState::Disabled),
        "the reaper does not start it"
    );
    let started = post("/backup/start", Value::Null).await;
    assert_eq!(
        (&started["schedule"], &started["enabled"]),
        (&json!("0 4 * * *"), &json!(true)),
        "as it stood"
    );
    let every = post("/backup/start", json!({"intervalHours": 12})).await;
    assert_eq!(every["expression"], "rate(12 hours)");
    reap(&d).await;
    assert_eq!(told(&d, "default").await.unwrap().schedule_expression(), Some("rate(12 hours)"));
    assert_eq!(d.tables.ledger.schedules().await.unwrap().len(), 1, "never a second one beside it");
    assert_eq!(call(&d, "DELETE", "/backup/schedules/default", Value::Null).await.status, 409);

    // Started before the reaper ever ran.
    let fresh = Deployment::with(wishes()).await;
    let started = call(&fresh, "POST", "/backup/start", Value::Null).await.json();
    assert_eq!(started["expression"], "rate(6 hours)");
    reap(&fresh).await;
    assert_eq!(get(&fresh, "default").await["expression"], "rate(6 hours)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_deployment_has_the_last_word_and_a_switched_off_service_fires_nothing() {
    let d = Deployment::with(wishes().with("BACKUP_SCHEDULE", "0 5 * * *")).await;
    let id = ScheduleId::default_one();
    reap(&d).await;
    // As if an earlier deployment had made it, and somebody had changed it since.
    let there = d.tables.ledger.schedule(&id).await.unwrap().unwrap();
    let earlier = Schedule {
        deployed: Some("0 2 * * * UTC".into()),
        schedule: "0 2 * * *".into(),
        expression: "cron(0 2 * * ? *)".into(),
        enabled: false,
        version: there.version + 1,
        ..there
    };
    assert!(d.tables.ledger.change_schedule(&earlier).await.unwrap());
    reap(&d).await;
    let now = get(&d, "default").await;
    assert_eq!((&now["schedule"], &now["enabled"]), (&json!("0 5 * * *"), &json!(false)));

    let off = Deployment::with(wishes().with("ENABLE_BACKUP_SERVICE", "false")).await;
    reap(&off).await;
    assert_eq!(told(&off, "default").await.unwrap().state(), Some(&ScheduleState::Disabled));
    assert!(off.tables.ledger.schedule(&id).await.unwrap().unwrap().enabled, "once it is on again it fires");
    assert!(off.clock("2126-01-01T00:00:00Z").await.is_empty());
    assert_eq!(call(&off, "PUT", "/backup/schedules/x", json!({"schedule": "0 2 * * *"})).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_fire_by_the_clock_and_on_request() {
    let database =
        Database::of("schedules", "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 7) g").await;
    let d = Deployment::with(wishes().with("DATABASE_URL", &database.url)).await;
    let options = json!({"label": "by the clock", "compression": "gzip"});
    let made = put(&d, "minutely", json!({"schedule": "rate(1 minute)", "options": options})).await.json();
    put(&d, "paused", json!({"schedule": "* * * * *", "enabled": false})).await;
    let first = made["next_runs"][0].as_str().unwrap().to_owned();

    let before = clock::text(jiff::Timestamp::now());
    let early = d.clock(&before).await;
    assert!(before.as_str() >= first.as_str() || early.is_empty(), "{early:?}");
    let fired = [early, d.clock(&first).await].concat();
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0]["scheduledTime"], first.replace(".000Z", "Z"));
    assert!(d.clock(&first).await.is_empty(), "the same time fires once");
    let records = d.until("completed", |r| !r.is_empty() && r.iter().all(|r| r.status.is_final())).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.status, record.record_count), (Status::Completed, Some(7)), "{:?}", record.message);
    assert_eq!(
        (record.backup_type, record.schedule_id.as_deref()),
        (BackupType::Scheduled, Some("minutely"))
    );
    assert_eq!(
        (record.label.as_deref(), record.compression.as_deref()),
        (Some("by the clock"), Some("gzip"))
    );

    // The same event again, as Scheduler may deliver it: no second backup.
    d.host.send("scheduled-backup", &fired[0]).await;
    let asked = call(&d, "POST", "/backup/schedules/paused/run", Value::Null).await;
    assert_eq!(asked.status, 202, "{}", asked.json());
    let asked = asked.json();
    assert_eq!((&asked["backup_type"], &asked["schedule_id"]), (&json!("manual"), &json!("paused")));
    assert_eq!((&asked["status"], &asked["created_by"]), (&json!("pending"), &json!("ann")));
    let records = d.until("completed", |r| r.len() > 1 && r.iter().all(|r| r.status.is_final())).await;
    assert_eq!(records.len(), 2, "{records:?}");

    // Local time: 02:30 does not come on the night that the clock is set forward.
    put(&d, "minutely", json!({"enabled": false})).await;
    let local = json!({"schedule": "30 2 * * *", "timezone": "Europe/Berlin", "enabled": true});
    assert!(d.clock("2027-03-27T12:00:00Z").await.is_empty());
    put(&d, "local", local).await;
    assert!(d.clock("2027-03-28T22:00:00Z").await.is_empty());
    let fired = d.clock("2027-03-29T12:00:00Z").await;
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0]["scheduledTime"], "2027-03-29T00:30:00Z");
}
