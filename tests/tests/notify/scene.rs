//! A deployment that tells over both channels.

use pgbaton::base::id::DatabaseName;
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
    environment: Vec<(String, String)>,
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
        let environment = wishes.environment.clone();
        Self { d: Deployment::with(wishes).await, receiver, topic, environment }
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

    /// Looks up variables as a function of this deployment would find them.
    pub fn variable(&self, name: &str) -> Option<String> {
        let own = self.environment.iter().find(|(n, _)| n == name);
        own.map(|(_, value)| value.clone()).or_else(|| {
            Some(match name {
                "BACKUP_BUCKET" => self.d.store.bucket().to_owned(),
                "BACKUP_TABLE" => self.d.tables.table.clone(),
                "STATE_TABLE" => self.d.tables.state_table.clone(),
                _ => return None,
            })
        })
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
