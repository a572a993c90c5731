//! A deployment that tells over both channels.

use pgbaton::{
    base::{clock, id::DatabaseName},
    ledger::{Added, Schedule, ScheduleId},
};
use pgbaton_tests::{
    deployment::{Deployment, Wishes},
    tables, unique,
};
use serde_json::{Value, json};

use crate::{receiver::Receiver, topic::Topic};

/// The webhook's secret.
pub const SECRET: &str = "a secret that both sides know";

/// A deployment and what it tells to.
pub struct Scene {
    /// The functions.
    pub d: Deployment,
    /// Behind `WEBHOOK_URL`.
    pub receiver: Receiver,
    /// Behind `NOTIFY_TOPIC_ARN`.
    pub topic: Topic,
}

/// The name that [`Deployment::backup`] gives to every database.
pub fn database() -> DatabaseName {
    DatabaseName::parse("test").unwrap()
}

impl Scene {
    /// Without retries, so that each event is one run.
    pub async fn set(wishes: Wishes) -> Self {
        let (receiver, topic) = (Receiver::start(SECRET).await, Topic::create().await);
        let secrets = aws_sdk_secretsmanager::Client::new(&tables::aws().await);
        let made = secrets.create_secret().name(unique("hook")).secret_string(format!("{SECRET}\n"));
        let secret = made.send().await.unwrap().arn.unwrap();
        let url = format!("http://ann:hush@{}/hook?key=querysecret", receiver.address);
        let wishes = Wishes { retries: 0, ..wishes }
            .with("NOTIFY_TOPIC_ARN", &topic.arn)
            .with("WEBHOOK_URL", &url)
            .with("WEBHOOK_SECRET_ARN", &secret);
        Self { d: Deployment::with(wishes).await, receiver, topic }
    }

    /// What both channels were told since the last call, in order of time: the same.
    pub async fn told(&self) -> Vec<Value> {
        let by_webhook = self.receiver.taken();
        let by_topic = sorted(self.topic.read().await.into_iter().map(|(_, event)| event).collect());
        assert_eq!(sorted(by_webhook.clone()), by_topic);
        by_webhook
    }

    /// The names of [`Scene::told`].
    pub async fn events(&self) -> Vec<String> {
        self.told().await.iter().map(|e| e["event"].as_str().unwrap().to_owned()).collect()
    }

    /// What retention-cleanup answers to an action.
    pub async fn run(&self, action: &str) -> Value {
        self.d.host.invoke("retention-cleanup", &json!({"action": action})).await.unwrap()
    }

    /// The metrics that a function wrote, in order: lines of their own, of one instant each.
    pub fn metrics(&self, function: &str) -> Vec<Value> {
        let log = self.d.host.log(function);
        let lines = log.lines().filter(|l| l.contains("\"_aws\""));
        lines.map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }

    /// Puts a schedule of a database into the ledger.
    pub async fn schedule(&self, id: &str, cron: &str, database: &str) {
        let (ledger, id) = (&self.d.tables.ledger, ScheduleId::parse(id).unwrap());
        let there = ledger.schedule(&id).await.unwrap();
        let schedule = Schedule {
            id,
            name: "of a test".into(),
            schedule: cron.into(),
            expression: cron.into(),
            timezone: "UTC".into(),
            options: json!({"database": database}).as_object().unwrap().clone(),
            enabled: true,
            retention: None,
            counts_from: clock::now(),
            deployed: None,
            version: there.as_ref().map_or(1, |s| s.version + 1),
            applied: 0,
            removing_at: None,
            created_by: "test".into(),
            created_at: there.as_ref().map_or_else(clock::now, |s| s.created_at),
            updated_by: "test".into(),
            updated_at: clock::now(),
        };
        match there {
            Some(_) => assert!(ledger.change_schedule(&schedule).await.unwrap()),
            None => assert_eq!(ledger.add_schedule(&schedule, 10).await.unwrap(), Added::Yes),
        }
    }

    /// Nothing that must stay secret is in logs and records.
    pub async fn keeps_secrets(&self) {
        for needle in [SECRET, "hush", "querysecret"] {
            self.d.keeps_secret(needle).await;
        }
    }
}

fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(|e| e["id"].to_string());
    events
}
