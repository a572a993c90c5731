//! A deployment of one test's own: bucket, tables, secrets and the functions in a Lambda host.

use std::net::{SocketAddr, TcpListener};

use aws_config::SdkConfig;
use pgbaton::{
    base::id::RunId,
    ledger::Record,
    store::{self, Store},
};
use serde_json::{Value, json};

use crate::{host::Host, tables::Tables};

/// The functions of every deployment.
pub const FUNCTIONS: [&str; 6] =
    ["scheduled-backup", "restore", "worker", "verify", "retention-cleanup", "api"];

/// Name of the state machine of every deployment; also that of its log.
pub const WORKERS: &str = "workers";

/// Bucket, tables and functions that nobody else uses.
pub struct Deployment {
    /// Tables and ledger.
    pub tables: Tables,
    /// The bucket.
    pub store: Store,
    /// A client to S3.
    pub s3: aws_sdk_s3::Client,
    /// A client to EventBridge Scheduler.
    pub scheduler: aws_sdk_scheduler::Client,
    /// The group of schedules, where they were wished for.
    pub group: String,
    /// The functions [`FUNCTIONS`], and the state machine [`WORKERS`].
    pub host: Host,
}

/// What a test wants otherwise than template.yaml has it.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Variables of all functions' environment, over the defaults.
    pub environment: Vec<(String, String)>,
    /// Time-out of the functions, seconds.
    pub timeout: u64,
    /// Time-out of `worker`, seconds, where it is another.
    pub worker_timeout: Option<u64>,
    /// Instances of each function at once.
    pub concurrency: usize,
    /// Memory of the functions, MiB.
    pub memory: u64,
    /// Seconds before each retry of an asynchronous invoke.
    pub retry_delays: Vec<f64>,
    /// Retries of an asynchronous invoke, 0 to 2.
    pub retries: u64,
    /// Whether there is a group for schedules, whose clock [`Deployment::clock`] moves.
    pub schedules: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            environment: Vec::new(),
            timeout: 300,
            worker_timeout: None,
            concurrency: 10,
            memory: 1769,
            retry_delays: vec![0.5, 0.5],
            retries: 2,
            schedules: false,
        }
    }
}

impl Wishes {
    /// With one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Deployment {
    /// A deployment as template.yaml has it, as far as functions see it.
    pub async fn start() -> Self {
        Self::with(Wishes::default()).await
    }

    /// A deployment with wishes.
    pub async fn with(wishes: Wishes) -> Self {
        let tables = Tables::create().await;
        let bucket = crate::unique("bucket").replace('_', "-");
        let s3 = store::client(&tables.aws);
        s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
        let endpoint = crate::variable("PGBATON_TEST_AWS_ENDPOINT");
        let machine = format!("arn:aws:states:us-east-1:123456789012:stateMachine:{WORKERS}");
        let mut environment = json!({
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "BACKUP_BUCKET": bucket, "BACKUP_TABLE": tables.table, "STATE_TABLE": tables.state_table,
            "BACKUP_FUNCTION": "scheduled-backup", "RESTORE_FUNCTION": "restore", "RETENTION_FUNCTION": "retention-cleanup", "VERIFY_FUNCTION": "verify", "WORKER_STATE_MACHINE_ARN": machine, "LOG_LEVEL": "debug",
        });
        // Functions start backups, successors and workers through the host; its addresses must be known before it runs.
        let [invoke, states] = free_addresses();
        environment["AWS_ENDPOINT_URL_LAMBDA"] = format!("http://{invoke}").into();
        environment["AWS_ENDPOINT_URL_SFN"] = format!("http://{states}").into();
        let group = crate::unique("group");
        let scheduler = aws_sdk_scheduler::Client::new(&tables.aws);
        if wishes.schedules {
            scheduler.create_schedule_group().name(&group).send().await.expect("a group");
            environment["SCHEDULE_GROUP"] = group.as_str().into();
            environment["SCHEDULE_FUNCTION_ARN"] =
                "arn:aws:lambda:us-east-1:123456789012:function:scheduled-backup".into();
            environment["SCHEDULE_ROLE_ARN"] = "arn:aws:iam::123456789012:role/schedules".into();
            environment["SCHEDULE_DEAD_LETTER_ARN"] = "arn:aws:sqs:us-east-1:123456789012:undelivered".into();
        }
        let groups = wishes.schedules.then_some(&group);
        for (name, value) in &wishes.environment {
            environment[name] = value.as_str().into();
        }
        let folder = std::path::PathBuf::from(crate::variable("PGBATON_TEST_FUNCTIONS"));
        let functions: Vec<Value> = FUNCTIONS
            .into_iter()
            .map(|name| {
                let own = wishes.worker_timeout.filter(|_| name == "worker");
                json!({
                    "name": name, "command": [folder.join(name)], "timeout": own.unwrap_or(wishes.timeout),
                    "memory": wishes.memory, "retries": wishes.retries, "concurrency": wishes.concurrency,
                })
            })
            .collect();
        let definition = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/workers.asl.json");
        let worker = "arn:aws:lambda:us-east-1:123456789012:function:worker";
        let host = Host::start(json!({
            "region": "us-east-1", "environment": environment, "functions": functions, "tick": false,
            "invoke": invoke, "states": states, "awsEndpoint": endpoint,
            "retryDelaysSeconds": wishes.retry_delays, "api": {"function": "api"},
            "scheduleGroups": groups.into_iter().collect::<Vec<_>>(),
            "stateMachines": [{
                "name": WORKERS, "arn": machine, "definitionFile": definition, "substitutions": {"WorkerFunctionArn": worker},
            }],
        }));
        Self { store: Store::new(s3.clone(), bucket), s3, tables, host, scheduler, group }
    }

    /// The AWS configuration.
    pub fn aws(&self) -> &SdkConfig {
        &self.tables.aws
    }

    /// Puts a connection string into a new secret; gives its ARN.
    pub async fn secret(&self, text: &str) -> String {
        let client = aws_sdk_secretsmanager::Client::new(self.aws());
        let created =
            client.create_secret().name(crate::unique("pgbaton/test")).secret_string(text).send().await;
        created.expect("a secret").arn.expect("its ARN")
    }

    /// Backs up the database at `url`, with more fields for the event; the record, or the error that the function gave.
    pub async fn backup(&self, url: &str, more: Value) -> Result<Record, String> {
        let event = merged(json!({"databaseSecret": self.secret(url).await, "database": "test"}), more);
        let answer = self.host.invoke("scheduled-backup", &event).await?;
        Ok(serde_json::from_value(answer).expect("a record"))
    }

    /// Restores into the database at `url`, with more fields for the event.
    pub async fn restore(&self, url: &str, more: Value) -> Result<Record, String> {
        let event = merged(json!({"targetSecret": self.secret(url).await}), more);
        let answer = self.host.invoke("restore", &event).await?;
        Ok(serde_json::from_value(answer).expect("a record"))
    }

    /// The only record that is there, or the newest.
    pub async fn newest(&self) -> Record {
        let mut all = self.records().await;
        all.sort_by_key(|r| (r.created_at, r.id.clone()));
        all.pop().expect("a record")
    }

    /// Moves the clock of the schedules in [`Deployment::group`] to a time, which may lie ahead; gives the events that fired.
    pub async fn clock(&self, to: &str) -> Vec<Value> {
        let url = format!("{}/host/clock/{to}", self.host.invoke_url);
        let answer = self.host.call("POST", &url, &[], Vec::new()).await;
        assert!(answer.status.is_success(), "{}: {:?}", answer.status, answer.body);
        let fired = answer.json().as_array().cloned().expect("a list");
        let event = |f: &Value| serde_json::from_str(f["input"].as_str().expect("input")).expect("JSON");
        fired.iter().map(event).collect()
    }

    /// Looks until the records are as wanted, a minute at most.
    pub async fn until(&self, what: &str, wanted: impl Fn(&[Record]) -> bool) -> Vec<Record> {
        let start = std::time::Instant::now();
        loop {
            let records = self.records().await;
            if wanted(&records) {
                return records;
            }
            assert!(start.elapsed().as_secs() < 60, "not {what}: {records:?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Runs the reaper until it closes a run, a minute at most; gives what it answered.
    pub async fn reap(&self) -> Value {
        let start = std::time::Instant::now();
        loop {
            let answer =
                self.host.invoke("retention-cleanup", &json!({"action": "reap"})).await.expect("the reaper");
            if answer["closed"].as_array().is_some_and(|c| !c.is_empty()) {
                return answer;
            }
            assert!(start.elapsed().as_secs() < 60, "nothing to reap");
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
    }

    /// Nothing that must stay secret stands in a function's log or in a record.
    pub async fn keeps_secret(&self, needle: &str) {
        for name in FUNCTIONS.into_iter().chain([WORKERS]) {
            assert!(!self.host.log(name).contains(needle), "the log of {name} holds {needle}");
        }
        for record in self.records().await {
            let text = serde_json::to_string(&record).expect("JSON");
            assert!(!text.contains(needle), "{text}");
        }
    }

    /// The record with this id, as it stands in the table.
    pub async fn record(&self, id: &RunId) -> Record {
        self.tables.ledger.get(id).await.expect("the record")
    }

    /// All records of every kind.
    pub async fn records(&self) -> Vec<Record> {
        let mut all = Vec::new();
        use pgbaton::ledger::RunKind::{Backup, Restore, Validate, Verify};
        for kind in [Backup, Restore, Verify, Validate] {
            let page = self.tables.ledger.list(&pgbaton::ledger::ListQuery::of(kind)).await.expect("a list");
            all.extend(page.records);
        }
        all
    }

    /// Keys of all objects in the bucket.
    pub async fn objects(&self) -> Vec<String> {
        let found = self.store.list("").all(100_000).await.expect("a listing");
        found.into_iter().map(|o| o.key).collect()
    }

    /// Keys of all uploads that were begun and neither completed nor aborted.
    pub async fn uploads(&self) -> Vec<String> {
        let listed =
            self.s3.list_multipart_uploads().bucket(self.store.bucket()).send().await.expect("uploads");
        listed.uploads().iter().map(|u| u.key().unwrap_or_default().to_owned()).collect()
    }

    /// Downloads a folder of the bucket, as `aws s3 sync` would.
    pub async fn download(&self, folder: &str, into: &std::path::Path) {
        std::fs::create_dir_all(into).unwrap();
        for key in self.objects().await {
            let Some(name) = key.strip_prefix(folder) else { continue };
            let bytes = self
                .store
                .get_all(&store::ObjectKey::parse(&key).unwrap(), 1 << 32)
                .await
                .unwrap_or_else(|e| panic!("{key}: {e}"));
            std::fs::write(into.join(name), bytes).unwrap();
        }
    }

    /// Uploads all files of a folder.
    pub async fn upload(&self, from: &std::path::Path, folder: &str) {
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            let key = store::ObjectKey::within(folder, file.file_name().to_str().unwrap()).unwrap();
            let bytes = std::fs::read(file.path()).unwrap();
            self.store.put(&key, bytes, store::Put::Replace).await.unwrap_or_else(|e| panic!("{key}: {e}"));
        }
    }

    /// The folder of a backup's archive in the bucket.
    pub fn folder(&self, record: &Record) -> String {
        let url = record.s3_url.as_deref().expect("s3_url");
        url.strip_prefix(&format!("s3://{}/", self.store.bucket())).expect("our bucket").to_owned()
    }
}

/// Addresses that nobody listens on, each another one.
fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    held.each_ref().map(|listener| listener.local_addr().expect("its address"))
}

fn merged(mut event: Value, more: Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    event
}
