//! What the host runs: one JSON document, made from template.yaml by `infra/local`.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use serde::Deserialize;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The region functions are told they run in.
    #[serde(default = "region")]
    pub region: String,
    /// The account number in ARNs.
    #[serde(default = "account")]
    pub account: String,
    /// Where the Invoke API and the host's own calls listen; port 0 takes a free one.
    #[serde(default = "loopback")]
    pub invoke: SocketAddr,
    /// Where the HTTP front listens; port 0 takes a free one.
    #[serde(default = "loopback")]
    pub front: SocketAddr,
    /// Where the API of Step Functions listens; port 0 takes a free one.
    #[serde(default = "loopback")]
    pub states: SocketAddr,
    /// Folder of the functions' logs, one file each; without it the lines go to standard output.
    pub logs: Option<PathBuf>,
    /// The host stops when the process with this id is gone.
    pub parent_pid: Option<u32>,
    /// Seconds before the first, second … retry of an asynchronous invoke. Lambda waits one minute, then two
    /// (Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation").
    #[serde(default = "retry_delays")]
    pub retry_delays_seconds: Vec<f64>,
    /// Age in seconds after which an asynchronous invoke is given up; Lambda's longest is 6 hours.
    #[serde(default = "six_hours")]
    pub max_event_age_seconds: u64,
    /// Whether schedules fire by the clock; when false they fire only on request.
    #[serde(default = "yes")]
    pub tick: bool,
    /// Environment of every function.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The functions.
    pub functions: Vec<FunctionConfig>,
    /// The HTTP API; without it the front answers 404.
    pub api: Option<ApiConfig>,
    /// The schedules.
    #[serde(default)]
    pub schedules: Vec<ScheduleConfig>,
    /// Groups of EventBridge Scheduler at `awsEndpoint` whose schedules the host fires too.
    #[serde(default)]
    pub schedule_groups: Vec<String>,
    /// The state machines.
    #[serde(default)]
    pub state_machines: Vec<StateMachineConfig>,
    /// Where state machines find S3, and the host the Scheduler (`http://…`, path-style).
    pub aws_endpoint: Option<String>,
}

/// One function.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FunctionConfig {
    /// The name it is invoked by.
    pub name: String,
    /// Program and arguments that speak the runtime API.
    pub command: Vec<String>,
    /// Value of `_HANDLER`.
    #[serde(default = "handler")]
    pub handler: String,
    /// Memory, MiB.
    #[serde(default = "memory")]
    pub memory: u64,
    /// Time-out, seconds; also the limit of the start.
    #[serde(default = "timeout")]
    pub timeout: u64,
    /// Instances at once; more invokes are throttled.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// Retries of an asynchronous invoke (`MaximumRetryAttempts`), 0 to 2.
    #[serde(default = "retries")]
    pub retries: usize,
    /// Whether an instance that holds more than its memory is killed.
    #[serde(default = "yes")]
    pub enforce_memory: bool,
    /// Environment of this function.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// The HTTP API in front of one function.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiConfig {
    /// Name of the function behind it.
    pub function: String,
    /// `requestContext.apiId`.
    #[serde(default = "api_id")]
    pub id: String,
    /// `routeKey` of every event.
    #[serde(default = "route_key")]
    pub route_key: String,
}

/// One EventBridge Scheduler schedule.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Its name.
    pub name: String,
    /// `rate(…)`, `cron(…)` with six fields, or `at(…)`.
    pub expression: String,
    /// IANA time zone of `cron` and `at`.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Name or ARN of the function it invokes.
    pub function: String,
    /// The event, with `<aws.scheduler.…>` placeholders.
    #[serde(default = "empty_object")]
    pub input: String,
    /// Whether the clock fires it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// One state machine of Step Functions, of the type STANDARD.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateMachineConfig {
    /// Its name.
    pub name: String,
    /// Its ARN, when it is not the one made of region, account and name.
    pub arn: Option<String>,
    /// The definition in the Amazon States Language, JSON.
    pub definition_file: PathBuf,
    /// Values for `${Name}` in the definition (`DefinitionSubstitutions`).
    #[serde(default)]
    pub substitutions: BTreeMap<String, String>,
}

impl Config {
    /// Reads the document and checks what its types cannot say.
    ///
    /// # Errors
    /// A sentence naming the field at fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self =
            serde_json::from_str(text).map_err(|e| format!("the configuration is wrong: {e}"))?;
        for f in &config.functions {
            if f.command.is_empty() {
                return Err(format!("function {} has no command", f.name));
            }
            if f.memory == 0 || f.timeout == 0 || f.concurrency == 0 {
                return Err(format!(
                    "function {}: memory, timeout and concurrency must be 1 or more",
                    f.name
                ));
            }
            if config.functions.iter().filter(|g| g.name == f.name).count() > 1 {
                return Err(format!("function {} is there twice", f.name));
            }
        }
        if config.retry_delays_seconds.iter().any(|d| !d.is_finite() || *d < 0.0) {
            return Err("retryDelaysSeconds must be 0 or more".into());
        }
        if [config.invoke, config.front, config.states].iter().all(|at| at.ip().is_loopback()) {
            Ok(config)
        } else {
            Err("invoke, front and states must be loopback addresses: the host asks nobody who they are"
                .into())
        }
    }

    /// The ARN of a function of this host.
    pub fn arn(&self, function: &str) -> String {
        format!("arn:aws:lambda:{}:{}:function:{function}", self.region, self.account)
    }

    /// The ARN of a state machine of this host.
    pub fn state_machine_arn(&self, name: &str) -> String {
        format!("arn:aws:states:{}:{}:stateMachine:{name}", self.region, self.account)
    }
}

fn region() -> String {
    "us-east-1".into()
}
fn account() -> String {
    "123456789012".into()
}
fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
fn retry_delays() -> Vec<f64> {
    vec![60.0, 120.0]
}
fn six_hours() -> u64 {
    21_600
}
fn yes() -> bool {
    true
}
fn handler() -> String {
    "bootstrap".into()
}
fn memory() -> u64 {
    512
}
fn timeout() -> u64 {
    900
}
fn concurrency() -> usize {
    10
}
fn retries() -> usize {
    2
}
fn api_id() -> String {
    "local".into()
}
fn route_key() -> String {
    "$default".into()
}
fn utc() -> String {
    "UTC".into()
}
fn empty_object() -> String {
    "{}".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_lambdas() {
        let c = Config::parse(r#"{"functions":[{"name":"f","command":["/bin/true"]}]}"#).unwrap();
        assert_eq!(
            (c.functions[0].memory, c.functions[0].timeout, c.functions[0].concurrency),
            (512, 900, 10)
        );
        assert_eq!(c.retry_delays_seconds, [60.0, 120.0]);
        assert_eq!(c.arn("f"), "arn:aws:lambda:us-east-1:123456789012:function:f");
    }

    #[test]
    fn wrong_documents_are_named() {
        for (text, part) in [
            (r#"{"functions":[{"name":"f","command":[]}]}"#, "no command"),
            (r#"{"functions":[{"name":"f","command":["x"],"memory":0}]}"#, "memory"),
            (r#"{"functions":[{"name":"f","command":["x"]},{"name":"f","command":["x"]}]}"#, "twice"),
            (r#"{"functions":[],"speed":1}"#, "speed"),
            (r#"{"functions":[],"invoke":"0.0.0.0:1"}"#, "loopback"),
            (r#"{"functions":[],"states":"0.0.0.0:1"}"#, "loopback"),
        ] {
            let e = Config::parse(text).unwrap_err();
            assert!(e.contains(part), "{e}");
        }
    }
}
