//! The host as a program, with one small function, state machines, and an S3 that holds one object.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use axum::{Router, http::Uri, routing::get};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

/// Notes when each event begins and ends, and does what the event says. `fail` is how many attempts fail.
const FUNCTION: &str = r#"
import json, os, time, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
def post(path, body):
    urllib.request.urlopen(urllib.request.Request(base + path, data=json.dumps(body).encode(), method="POST"))
def note(*words):
    with open(os.environ["NOTE"], "a") as f:
        f.write(json.dumps(words) + "\n")
while True:
    with urllib.request.urlopen(base + "next") as r:
        id, event = r.headers["Lambda-Runtime-Aws-Request-Id"], json.load(r)
    item = event.get("item", event)
    note("begin", time.time(), event)
    time.sleep(item.get("sleep", 0) if isinstance(item, dict) else 0)
    note("end", time.time(), event)
    fail = item.get("fail", 0) if isinstance(item, dict) else 0
    with open(os.environ["NOTE"]) as f:
        attempts = sum(json.loads(l)[0] == "begin" and json.loads(l)[2] == event for l in f)
    if attempts <= fail:
        post(id + "/error", {"errorType": "Boom", "errorMessage": "attempt %d" % attempts})
    else:
        post(id + "/response", {"did": event})
"#;

/// What S3 is asked for.
pub const KEY: &str = "/lists/run 1/items.json";

pub struct Host {
    child: Child,
    states: String,
    folder: PathBuf,
}

/// A folder with the function and the definitions, and the configuration that names them.
fn prepare(test: &str, function: &Value, machines: &[(&str, Value)]) -> (PathBuf, Value) {
    let folder = std::env::temp_dir().join(format!("state-machine-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("function.py");
    std::fs::write(&script, FUNCTION).unwrap();
    let mut own = json!({
        "name": "f",
        "command": ["/usr/bin/env", "python3", script],
        "environment": {"NOTE": folder.join("note")},
    });
    own.as_object_mut().unwrap().extend(function.as_object().unwrap().clone());
    let machine = |(name, definition): &(&str, Value)| {
        let file = folder.join(format!("{name}.asl.json"));
        std::fs::write(&file, definition.to_string()).unwrap();
        json!({"name": name, "definitionFile": file, "substitutions": {"Function": "f"}})
    };
    let config = json!({
        "parentPid": std::process::id(),
        "logs": folder.join("logs"),
        "functions": [own],
        "stateMachines": machines.iter().map(machine).collect::<Vec<_>>(),
    });
    (folder, config)
}

fn run(config: &Value) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lambda-host"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
    child
}

/// What a host says that does not start.
pub fn refused(test: &str, definition: Value) -> Output {
    let (folder, config) = prepare(test, &json!({}), &[("m", definition)]);
    let mut child = run(&config);
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    // One that started after all would never end.
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(ready, "", "the host started");
    std::fs::remove_dir_all(folder).unwrap();
    output
}

impl Host {
    pub async fn start(test: &str, function: Value, machines: &[(&str, Value)], object: Value) -> Self {
        let (folder, mut config) = prepare(test, &function, machines);
        config["awsEndpoint"] = s3(object).await.into();
        let mut child = run(&config);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let states = ready["states"].as_str().unwrap().to_owned();
        // Read to the end, so that the host never waits for room in the pipe.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { child, states, folder }
    }

    /// A call of the API: its answer, or the type of its error.
    pub async fn call(&self, action: &str, request: Value) -> Result<Value, String> {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request = Request::post(&self.states)
            .header("x-amz-target", format!("AWSStepFunctions.{action}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::new(request.to_string().into()))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        let well = answer.status().is_success();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        if well { Ok(body) } else { Err(body["__type"].as_str().unwrap().to_owned()) }
    }

    /// Starts an execution; gives its ARN.
    pub async fn begin(&self, machine: &str, input: Value) -> String {
        let request = json!({"stateMachineArn": arn(machine), "input": input.to_string()});
        self.call("StartExecution", request).await.unwrap()["executionArn"].as_str().unwrap().to_owned()
    }

    pub async fn describe(&self, execution: &str) -> Value {
        self.call("DescribeExecution", json!({"executionArn": execution})).await.unwrap()
    }

    /// Waits for the end of an execution.
    pub async fn end(&self, execution: &str) -> Value {
        let ended = async {
            loop {
                let described = self.describe(execution).await;
                if described["status"] != "RUNNING" {
                    return described;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("the execution does not end")
    }

    /// Runs an execution to its end.
    pub async fn execute(&self, machine: &str, input: Value) -> Value {
        let execution = self.begin(machine, input).await;
        self.end(&execution).await
    }

    /// The only Map Run of an execution.
    pub async fn map_run(&self, execution: &str) -> Value {
        let all = self.call("ListMapRuns", json!({"executionArn": execution})).await.unwrap();
        assert_eq!(all["mapRuns"].as_array().unwrap().len(), 1, "{all}");
        let request = json!({"mapRunArn": all["mapRuns"][0]["mapRunArn"]});
        self.call("DescribeMapRun", request).await.unwrap()
    }

    /// What the function noted: begin or end, time and event.
    pub fn notes(&self) -> Vec<(String, f64, Value)> {
        let text = std::fs::read_to_string(self.folder.join("note")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The events that began, with the time.
    pub fn begun(&self) -> Vec<(f64, Value)> {
        self.notes().into_iter().filter(|n| n.0 == "begin").map(|n| (n.1, n.2)).collect()
    }

    pub fn log(&self, machine: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("logs/{machine}.log"))).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn arn(machine: &str) -> String {
    format!("arn:aws:states:us-east-1:123456789012:stateMachine:{machine}")
}

/// Gives the object under `KEY` to who names an access key, as moto does.
async fn s3(object: Value) -> String {
    let answer = move |uri: Uri, headers: axum::http::HeaderMap| async move {
        let known = uri.path() == KEY.replace(' ', "%20") && headers.contains_key("authorization");
        if known { Ok(object.to_string()) } else { Err(axum::http::StatusCode::FORBIDDEN) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(get(answer))).await });
    format!("http://{at}")
}
