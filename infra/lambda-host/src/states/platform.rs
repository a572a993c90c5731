//! What executions reach outside themselves: functions, objects in S3, the log, and the list of Map Runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::map_run::Record;
use crate::{function::Function, invoke_api::function_name, logbook::LogBook};

/// Not a signature: stand-ins for S3 give private objects only to who names a key, and check no more.
const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=states/20000101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// The outside.
pub struct Platform {
    functions: BTreeMap<String, Arc<Function>>,
    book: Arc<LogBook>,
    endpoint: Option<String>,
    client: Client<HttpConnector, Empty<Bytes>>,
    map_runs: Mutex<Vec<Arc<Record>>>,
}

impl Platform {
    /// `endpoint` is that of S3.
    pub fn new(
        functions: BTreeMap<String, Arc<Function>>,
        book: Arc<LogBook>,
        endpoint: Option<String>,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { functions, book, endpoint, client, map_runs: Mutex::default() }
    }

    /// The function of a name or ARN.
    pub fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(function_name(name))
    }

    /// A line to the log of a state machine.
    pub fn log(&self, machine: &str, line: &str) {
        self.book.platform_line(machine, line);
    }

    /// An object in S3, path-style.
    ///
    /// # Errors
    /// A sentence with bucket and key.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Bytes, String> {
        let wrong = |why: String| format!("cannot read s3://{bucket}/{key}: {why}");
        let Some(endpoint) = &self.endpoint else {
            return Err(wrong("the host's configuration has no awsEndpoint".into()));
        };
        let url = format!("{}/{}/{}", endpoint.trim_end_matches('/'), escaped(bucket), escaped(key));
        let request = Request::get(url).header("authorization", AUTHORIZATION).body(Empty::new());
        let answer = self.client.request(request.map_err(|e| wrong(e.to_string()))?).await;
        let answer = answer.map_err(|e| wrong(e.to_string()))?;
        if !answer.status().is_success() {
            return Err(wrong(format!("status {}", answer.status())));
        }
        answer.into_body().collect().await.map(|body| body.to_bytes()).map_err(|e| wrong(e.to_string()))
    }

    /// Takes a Map Run into the list.
    pub fn note(&self, map_run: Arc<Record>) {
        self.map_runs.lock().unwrap_or_else(PoisonError::into_inner).push(map_run);
    }

    /// All Map Runs, the oldest first.
    pub fn map_runs(&self) -> Vec<Arc<Record>> {
        self.map_runs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A key in a URL's path.
fn escaped(key: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    key.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_escaped() {
        assert_eq!(super::escaped("a/b c+d=é.json"), "a/b%20c%2Bd%3D%C3%A9.json");
    }
}
