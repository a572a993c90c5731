//! The Lambda host, run as a program, with a small function that speaks the runtime API.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must panic")]

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

/// Does what its event says, and answers with its process id and how many events it has had.
const FUNCTION: &str = r#"
import json, os, sys, time, urllib.error, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime"
def post(path, body):
    urllib.request.urlopen(urllib.request.Request(base + path, data=body, method="POST"))
if os.environ.get("FAIL_INIT"):
    post("/init/error", b'{"errorType":"Boot","errorMessage":"no boot"}')
    sys.exit(1)
count = 0
while True:
    with urllib.request.urlopen(base + "/invocation/next") as r:
        id, deadline = r.headers["Lambda-Runtime-Aws-Request-Id"], int(r.headers["Lambda-Runtime-Deadline-Ms"])
        event = json.load(r)
    count += 1
    print("event", count, flush=True)
    if "note" in event:
        with open(event["note"], "a") as f:
            f.write("%f %s\n" % (time.time(), id))
    time.sleep(event.get("sleep", 0))
    if "hold" in event:
        held = bytearray(os.urandom(1024) * 1024 * event["hold"])
        time.sleep(5)
    if "exit" in event:
        os._exit(event["exit"])
    if "error" in event:
        post("/invocation/" + id + "/error", json.dumps({"errorType": "Test", "errorMessage": event["error"]}).encode())
        continue
    answer = {"pid": os.getpid(), "count": count, "left": deadline - time.time() * 1000,
              "size": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "big": "x" * event.get("big", 0)}
    if "version" in event:
        answer = {"statusCode": 201, "headers": {"x-path": event["rawPath"]}, "body": json.dumps(event)}
    try:
        post("/invocation/" + id + "/response", json.dumps(answer).encode())
    except urllib.error.HTTPError:
        pass
"#;

struct Host {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    invoke: String,
    front: String,
    folder: PathBuf,
}

impl Host {
    fn start(test: &str, mut config: Value) -> Self {
        let program = std::env::var("PGBATON_TEST_HOST_BIN")
            .expect("PGBATON_TEST_HOST_BIN is not set: start the stack with infra/local test");
        let folder = std::env::temp_dir().join(format!("lambda-host-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let script = folder.join("function.py");
        std::fs::write(&script, FUNCTION).unwrap();
        for function in config["functions"].as_array_mut().unwrap() {
            function["command"] = json!(["/usr/bin/env", "python3", script]);
        }
        config["parentPid"] = std::process::id().into();
        config["logs"] = json!(folder.join("logs"));
        let mut child = Command::new(program)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that PGBATON_TEST_HOST_BIN names");
        child.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self { child, output: Some(output), invoke: text("invoke"), front: text("front"), folder }
    }

    async fn call(&self, method: &str, url: String, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn invoke(&self, function: &str, event: &Value, headers: &[(&str, &str)]) -> Answer {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.invoke);
        self.call("POST", url, headers, event.to_string().into_bytes()).await
    }

    fn log(&self, function: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("logs/{function}.log"))).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        drop(self.output.take());
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Answer {
    status: StatusCode,
    headers: hyper::HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    fn failed(&self) -> bool {
        self.headers.get("x-amz-function-error").is_some_and(|v| v == "Unhandled")
    }

    fn message(&self) -> String {
        self.json()["errorMessage"].as_str().unwrap().to_owned()
    }
}

/// Waits until `what` holds; panics with `otherwise` after 20 s.
async fn until(otherwise: &str, what: impl Fn() -> bool) {
    let held = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), held).await.expect(otherwise);
}

/// A process that ended and was not collected has an empty command line.
fn lives(pid: &Value) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[tokio::test]
async fn one_instance_serves_one_event_after_another() {
    let host = Host::start("warm", json!({"functions": [{"name": "f", "memory": 300, "timeout": 7}]}));
    let first = host.invoke("f", &json!({}), &[("x-amz-log-type", "Tail")]).await;
    let second = host.invoke("arn:aws:lambda:us-east-1:123456789012:function:f", &json!({}), &[]).await;
    assert_eq!((first.status, first.failed()), (StatusCode::OK, false));
    assert_eq!(first.json()["pid"], second.json()["pid"]);
    assert_eq!((&first.json()["count"], &second.json()["count"]), (&json!(1), &json!(2)));
    assert_eq!(first.json()["size"], "300");
    let left = first.json()["left"].as_f64().unwrap();
    assert!((5_000.0..=7_000.0).contains(&left), "{left} ms left of 7 s");
    assert!(
        first.headers.contains_key("x-amz-log-result") && !second.headers.contains_key("x-amz-log-result")
    );
    let log = host.log("f");
    assert_eq!(log.matches("REPORT RequestId").count(), 2, "{log}");
    assert_eq!(log.matches("Init Duration").count(), 1, "{log}");
    assert!(log.contains("event 1") && log.contains("Memory Size: 300 MB\tMax Memory Used: "), "{log}");
}

#[tokio::test]
async fn each_event_at_once_has_its_own_process_up_to_the_cap() {
    let host = Host::start("cap", json!({"functions": [{"name": "f", "concurrency": 3}]}));
    let event = json!({"sleep": 3});
    let begun = Instant::now();
    let (a, b, c, d) = tokio::join!(
        host.invoke("f", &event, &[]),
        host.invoke("f", &event, &[]),
        host.invoke("f", &event, &[]),
        async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            host.invoke("f", &event, &[]).await
        }
    );
    assert!(begun.elapsed() < Duration::from_millis(8_900), "they ran one after another");
    let mut pids: Vec<_> = [a, b, c].iter().map(|r| r.json()["pid"].as_i64().unwrap()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3);
    assert_eq!(d.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(d.headers["x-amzn-errortype"], "TooManyRequestsException");
}

#[tokio::test]
async fn a_late_function_is_killed_and_replaced() {
    let host = Host::start("late", json!({"functions": [{"name": "f", "timeout": 2}]}));
    let before = host.invoke("f", &json!({}), &[]).await.json();
    let late = host.invoke("f", &json!({"sleep": 30}), &[]).await;
    assert!(late.failed());
    assert!(late.message().ends_with("Task timed out after 2.00 seconds"), "{}", late.message());
    let after = host.invoke("f", &json!({}), &[]).await.json();
    assert_ne!(before["pid"], after["pid"]);
    assert_eq!(after["count"], 1);
    assert!(!lives(&before["pid"]), "the late process lives");
    assert!(host.log("f").contains("Status: timeout"));
}

#[tokio::test]
async fn errors_and_ends_are_told_apart() {
    let functions = json!([
        {"name": "f", "memory": 128}, {"name": "boot", "environment": {"FAIL_INIT": "1"}}
    ]);
    let host = Host::start("errors", json!({"functions": functions}));
    let error = host.invoke("f", &json!({"error": "so it is"}), &[]).await;
    assert!(error.failed());
    assert_eq!(error.json(), json!({"errorType": "Test", "errorMessage": "so it is"}));
    assert_eq!(host.invoke("f", &json!({}), &[]).await.json()["count"], 2, "an error keeps the instance");
    let exit = host.invoke("f", &json!({"exit": 3}), &[]).await;
    assert!(exit.failed());
    assert!(exit.message().ends_with("Runtime exited with error: exit status 3"), "{}", exit.message());
    let memory = host.invoke("f", &json!({"hold": 300}), &[]).await;
    assert!(memory.message().ends_with("Runtime exited with error: signal: killed"), "{}", memory.message());
    let boot = host.invoke("boot", &json!({}), &[]).await;
    assert!(boot.failed());
    assert_eq!(boot.message(), "no boot");
    assert_eq!(host.invoke("nobody", &json!({}), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(host.invoke("f", &json!({}), &[("x-amz-invocation-type", "DryRun")]).await.status, 204);
}

#[tokio::test]
async fn an_asynchronous_event_is_tried_three_times_under_one_request_id() {
    let config = json!({"retryDelaysSeconds": [0.2, 0.6], "functions": [{"name": "f"}, {"name": "once", "retries": 0}]});
    let host = Host::start("later", config);
    for (function, attempts) in [("f", 3), ("once", 1)] {
        let note = host.folder.join(format!("note-{function}"));
        let event = json!({"note": note, "exit": 1});
        let answer = host.invoke(function, &event, &[("x-amz-invocation-type", "Event")]).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert!(answer.body.is_empty());
        until("the event was not given up", || host.log(function).contains("given up")).await;
        let lines = std::fs::read_to_string(&note).unwrap();
        let lines: Vec<(f64, &str)> = lines
            .lines()
            .map(|l| l.split_once(' ').unwrap())
            .map(|(time, id)| (time.parse().unwrap(), id))
            .collect();
        assert_eq!(lines.len(), attempts);
        assert!(lines.iter().all(|l| answer.headers["x-amzn-requestid"] == l.1));
        if attempts == 3 {
            assert!(lines[1].0 - lines[0].0 >= 0.2 && lines[2].0 - lines[1].0 >= 0.6, "{lines:?}");
        }
    }
}

#[tokio::test]
async fn payloads_have_lambdas_limits() {
    let host = Host::start("limits", json!({"functions": [{"name": "f"}]}));
    let event = |size: usize| json!({"pad": "x".repeat(size)});
    let later = [("x-amz-invocation-type", "Event")];
    assert_eq!(host.invoke("f", &event(1_000_000), &later).await.status, StatusCode::ACCEPTED);
    assert_eq!(host.invoke("f", &event(1_100_000), &later).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(host.invoke("f", &event(6_000_000), &[]).await.status, StatusCode::OK);
    let large = host.invoke("f", &event(6_300_000), &[]).await;
    assert_eq!(large.headers["x-amzn-errortype"], "RequestTooLargeException");
    let answer = host.invoke("f", &json!({"big": 6_400_000}), &[]).await;
    assert!(answer.failed());
    assert_eq!(answer.json()["errorType"], "Function.ResponseSizeTooLarge");
    let url = format!("{}/2015-03-31/functions/f/invocations", host.invoke);
    assert_eq!(host.call("POST", url, &[], b"{not json".to_vec()).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_front_makes_events_and_schedules_fire_on_request() {
    let note = std::env::temp_dir().join(format!("lambda-host-fired-{}", std::process::id()));
    let input =
        json!({"note": note, "id": "<aws.scheduler.execution-id>", "at": "<aws.scheduler.scheduled-time>"});
    let schedule = json!({
        "name": "nightly", "expression": "cron(0 2 * * ? *)", "timezone": "Europe/Berlin", "function": "f",
        "input": input.to_string()
    });
    let config = json!({"functions": [{"name": "f"}], "api": {"function": "f"}, "schedules": [schedule]});
    let host = Host::start("front", config);
    let url = format!("{}/backup/x?limit=5", host.front);
    let answer = host.call("POST", url, &[("content-type", "application/json")], b"{\"a\":1}".to_vec()).await;
    assert_eq!(
        (answer.status, &answer.headers["x-path"]),
        (StatusCode::CREATED, &"/backup/x".parse().unwrap())
    );
    let event = answer.json();
    assert_eq!(
        (&event["body"], &event["queryStringParameters"]["limit"]),
        (&json!("{\"a\":1}"), &json!("5"))
    );

    let fired = host.call("POST", format!("{}/host/schedules/nightly/fire", host.invoke), &[], vec![]).await;
    assert_eq!(fired.status, StatusCode::ACCEPTED);
    let input: Value = serde_json::from_str(fired.json()["input"].as_str().unwrap()).unwrap();
    assert!(!input.to_string().contains("aws.scheduler"), "{input}");
    until("the schedule did not reach the function", || note.exists()).await;
    std::fs::remove_file(&note).unwrap();
    let killed = host.call("POST", format!("{}/host/kill/f", host.invoke), &[], vec![]).await.json();
    assert!(killed["killed"].as_u64().unwrap() >= 1, "{killed}");
}

#[tokio::test]
async fn children_do_not_outlive_the_host() {
    let host = Host::start("end", json!({"functions": [{"name": "f"}]}));
    let pid = host.invoke("f", &json!({}), &[]).await.json()["pid"].clone();
    assert!(lives(&pid));
    drop(host);
    until("the function outlived its host", || !lives(&pid)).await;
}
