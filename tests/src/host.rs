//! A Lambda host of one test's own, with the functions it asks for.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

/// A running host; it and its functions are stopped when dropped.
pub struct Host {
    child: Child,
    /// `http://…` of the Invoke API.
    pub invoke_url: String,
    /// `http://…` of the HTTP API front.
    pub front_url: String,
    /// `http://…` of the API of Step Functions.
    pub states_url: String,
    folder: PathBuf,
}

/// An HTTP answer.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }
}

impl Host {
    /// Starts the host with this configuration (see the crate lambda-host); logs and parent are added.
    pub fn start(mut config: Value) -> Self {
        let folder = std::env::temp_dir().join(crate::unique("pgbaton-test-host"));
        std::fs::create_dir_all(&folder).unwrap();
        config["parentPid"] = std::process::id().into();
        config["logs"] = json!(folder.join("logs"));
        let mut child = Command::new(crate::variable("PGBATON_TEST_HOST_BIN"))
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that PGBATON_TEST_HOST_BIN names");
        child.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).expect("the host's first line");
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        // A full pipe would hold up the host.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self {
            child,
            invoke_url: text("invoke"),
            front_url: text("front"),
            states_url: text("states"),
            folder,
        }
    }

    /// One request.
    pub async fn call(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// Invokes a function and waits; the error is what the function or the host said of it.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, String> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.invoke_url);
        let answer = self.call("POST", &url, &[], event.to_string().into_bytes()).await;
        if answer.headers.contains_key("x-amz-function-error") {
            return Err(answer.json()["errorMessage"].as_str().unwrap_or_default().to_owned());
        }
        assert!(answer.status.is_success(), "{}: {:?}", answer.status, answer.body);
        Ok(answer.json())
    }

    /// Invokes a function asynchronously.
    pub async fn send(&self, function: &str, event: &Value) {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.invoke_url);
        let answer = self
            .call("POST", &url, &[("x-amz-invocation-type", "Event")], event.to_string().into_bytes())
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    }

    /// Kills the running instances of a function, as a machine that fails would.
    pub async fn kill(&self, function: &str) {
        let answer =
            self.call("POST", &format!("{}/host/kill/{function}", self.invoke_url), &[], Vec::new()).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
    }

    /// Process ids of a function's instances.
    pub async fn processes(&self, function: &str) -> Vec<i64> {
        let health =
            self.call("GET", &format!("{}/host/health", self.invoke_url), &[], Vec::new()).await.json();
        let ids = health["functions"][function]["processes"].as_array().expect("processes");
        ids.iter().filter_map(Value::as_i64).collect()
    }

    /// All that a function wrote, with START, END and REPORT lines, or what is told of a state machine's executions.
    pub fn log(&self, function: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("logs/{function}.log"))).unwrap_or_default()
    }

    /// `Max Memory Used` of a function's last REPORT line, MB.
    pub fn max_memory(&self, function: &str) -> u64 {
        let log = self.log(function);
        let report = log.lines().rev().find(|l| l.starts_with("REPORT")).expect("a REPORT line");
        let (_, rest) = report.split_once("Max Memory Used: ").expect("memory");
        rest.split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
