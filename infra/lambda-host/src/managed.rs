//! Schedules that functions create in EventBridge Scheduler: the stand-in for AWS stores them and fires none, so the host reads the groups that it is
//! told of and fires what is due.

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{config::ScheduleConfig, host::Host, ticker::Schedule};

/// Not a signature: the stand-in tells its services apart by it.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=host/20000101/REGION/scheduler/aws4_request, SignedHeaders=host, Signature=0";
/// Runs of one schedule that are made good after a pause.
const LATE: usize = 10;

/// The groups, and how far the clock has come.
pub struct Managed {
    endpoint: Option<String>,
    groups: Vec<String>,
    authorization: String,
    client: Client<HttpConnector, Empty<Bytes>>,
    last: Mutex<Timestamp>,
}

/// One page of ListSchedules.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    schedules: Vec<Named>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

/// What GetSchedule answers, as far as firing needs it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    arn: String,
    name: String,
    schedule_expression: String,
    schedule_expression_timezone: Option<String>,
    state: String,
    start_date: Option<f64>,
    creation_date: f64,
    target: Target,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    arn: String,
    input: Option<String>,
}

impl Managed {
    /// Groups in the Scheduler at `endpoint`; asks nothing yet.
    pub fn new(endpoint: Option<String>, groups: Vec<String>, region: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let authorization = AUTHORIZATION.replace("REGION", region);
        Self { endpoint, groups, authorization, client, last: Mutex::new(Timestamp::now()) }
    }

    /// Whether there is any group to look at.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The schedules of all groups, as they stand now.
    ///
    /// # Errors
    /// A sentence, when the stand-in does not answer as it should.
    pub async fn schedules(&self, host: &Host) -> Result<Vec<Schedule>, String> {
        let mut all = Vec::new();
        for group in &self.groups {
            let mut more = String::new();
            loop {
                let page =
                    self.get(&format!("/schedules?ScheduleGroup={group}&MaxResults=100{more}")).await?;
                let page: Page = serde_json::from_value(page).map_err(|e| format!("ListSchedules: {e}"))?;
                for named in page.schedules {
                    let name = named.name;
                    // One that was removed in between is no fault.
                    let Ok(found) = self.get(&format!("/schedules/{name}?groupName={group}")).await else {
                        continue;
                    };
                    let found =
                        serde_json::from_value(found).map_err(|e| format!("GetSchedule of {name}: {e}"))?;
                    all.push(schedule(found, host)?);
                }
                match page.next_token {
                    Some(token) => more = format!("&NextToken={token}"),
                    None => break,
                }
            }
        }
        Ok(all)
    }

    /// Fires what is due up to `to`, each run once; what fired, with its input. A clock that is set back fires nothing.
    ///
    /// # Errors
    /// As [`Managed::schedules`]; the same time again makes it good.
    pub async fn advance(&self, host: &Host, to: Timestamp) -> Result<Vec<Value>, String> {
        let mut last = self.last.lock().await;
        let mut fired = Vec::new();
        for schedule in self.schedules(host).await?.iter().filter(|s| s.enabled()) {
            fired.extend(schedule.due(*last, to, LATE).into_iter().map(|at| schedule.fire(at)));
        }
        *last = to.max(*last);
        Ok(fired)
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        let wrong = |why: String| format!("cannot read {path} of the Scheduler: {why}");
        let endpoint = self
            .endpoint
            .as_ref()
            .ok_or_else(|| wrong("the host's configuration has no awsEndpoint".into()))?;
        let url = format!("{}{path}", endpoint.trim_end_matches('/'));
        let request = Request::get(url).header("authorization", &self.authorization).body(Empty::new());
        let answer = self.client.request(request.map_err(|e| wrong(e.to_string()))?).await;
        let answer = answer.map_err(|e| wrong(e.to_string()))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| wrong(e.to_string()))?.to_bytes();
        if !status.is_success() {
            return Err(wrong(format!("status {status}")));
        }
        serde_json::from_slice(&body).map_err(|e| wrong(e.to_string()))
    }
}

fn schedule(found: Found, host: &Host) -> Result<Schedule, String> {
    let config = ScheduleConfig {
        name: found.name,
        expression: found.schedule_expression,
        timezone: found.schedule_expression_timezone.unwrap_or_else(|| "UTC".into()),
        function: found.target.arn,
        input: found.target.input.unwrap_or_else(|| json!({}).to_string()),
        enabled: found.state == "ENABLED",
    };
    let from = found.start_date.unwrap_or(found.creation_date);
    #[allow(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let from = Timestamp::from_second(from as i64).map_err(|e| format!("schedule {}: {e}", config.name))?;
    Schedule::starting(config, found.arn, from, host)
}
