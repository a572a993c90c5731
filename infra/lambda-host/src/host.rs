//! The host: its functions and schedules, and the calls on the host itself.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    config::Config,
    function::Function,
    gateway,
    invoke_api::{self, function_name},
    logbook::LogBook,
    managed::Managed,
    states::StateMachines,
    ticker::Schedule,
};

/// Everything that runs.
pub struct Host {
    config: Arc<Config>,
    functions: BTreeMap<String, Arc<Function>>,
    schedules: Vec<Arc<Schedule>>,
    managed: Managed,
    state_machines: Arc<StateMachines>,
}

impl Host {
    /// Checks the configuration; starts no process.
    ///
    /// # Errors
    /// A sentence naming what is wrong.
    pub fn new(config: Config) -> Result<Self, String> {
        let book = LogBook::open(config.logs.as_deref())
            .map_err(|e| format!("cannot make the folder of the logs: {e}"))?;
        let (book, config) = (Arc::new(book), Arc::new(config));
        let functions: BTreeMap<_, _> = config
            .functions
            .iter()
            .map(|f| (f.name.clone(), Function::new(config.clone(), f.clone(), book.clone())))
            .collect();
        let state_machines = Arc::new(StateMachines::new(&config, functions.clone(), book)?);
        let managed =
            Managed::new(config.aws_endpoint.clone(), config.schedule_groups.clone(), &config.region);
        let mut host =
            Self { config: config.clone(), functions, schedules: Vec::new(), managed, state_machines };
        if let Some(api) = &config.api
            && host.function(&api.function).is_none()
        {
            return Err(format!("the API's function {} is not there", api.function));
        }
        for schedule in &config.schedules {
            let schedule = Schedule::new(schedule.clone(), &host)?;
            host.schedules.push(Arc::new(schedule));
        }
        Ok(host)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The function of a name or ARN.
    pub fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(function_name(name))
    }

    /// The schedules.
    pub fn schedules(&self) -> &[Arc<Schedule>] {
        &self.schedules
    }

    /// The schedules that functions manage.
    pub fn managed(&self) -> &Managed {
        &self.managed
    }

    /// The state machines.
    pub fn state_machines(&self) -> Arc<StateMachines> {
        self.state_machines.clone()
    }

    /// SIGKILL to every instance of every function; tells how many.
    pub fn kill_all(&self) -> usize {
        self.functions.values().map(|f| f.kill_all()).sum()
    }

    fn schedule(&self, name: &str) -> Option<&Arc<Schedule>> {
        self.schedules.iter().find(|s| s.name() == name)
    }
}

/// The Invoke API and the host's own calls.
pub fn invoke_router(host: Arc<Host>) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke_api::invoke))
        .route("/host/health", get(health))
        .route("/host/schedules", get(schedules))
        .route("/host/schedules/{name}/fire", post(fire))
        .route("/host/clock/{to}", post(clock))
        .route("/host/kill/{function}", post(kill))
        // Larger bodies are read so that the refusal can say how large they are.
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(host)
}

/// The HTTP front.
pub fn front_router(host: Arc<Host>) -> Router {
    Router::new().fallback(any(gateway::any)).with_state(host)
}

async fn health(State(host): State<Arc<Host>>) -> Json<Value> {
    let functions: BTreeMap<_, _> =
        host.functions.iter().map(|(n, f)| (n, json!({"processes": f.process_ids()}))).collect();
    Json(json!({"status": "ok", "functions": functions}))
}

async fn schedules(State(host): State<Arc<Host>>) -> Json<Value> {
    let managed = host.managed.schedules(&host).await.unwrap_or_default();
    Json(host.schedules.iter().map(|s| s.describe()).chain(managed.iter().map(Schedule::describe)).collect())
}

/// Fires what is due in the groups up to a time, which may lie ahead: for tests, that need not wait for it.
async fn clock(State(host): State<Arc<Host>>, Path(to): Path<String>) -> Response {
    let Ok(to) = to.parse::<Timestamp>() else {
        return (StatusCode::BAD_REQUEST, Json(json!({"message": "no time"}))).into_response();
    };
    match host.managed.advance(&host, to).await {
        Ok(fired) => Json(fired).into_response(),
        Err(message) => (StatusCode::BAD_GATEWAY, Json(json!({ "message": message }))).into_response(),
    }
}

async fn fire(State(host): State<Arc<Host>>, Path(name): Path<String>) -> Response {
    if let Some(schedule) = host.schedule(&name) {
        return (StatusCode::ACCEPTED, Json(schedule.fire(Timestamp::now()))).into_response();
    }
    let managed = host.managed.schedules(&host).await.unwrap_or_default();
    match managed.iter().find(|s| s.name() == name) {
        Some(schedule) => (StatusCode::ACCEPTED, Json(schedule.fire(Timestamp::now()))).into_response(),
        None => not_found("schedule", &name),
    }
}

async fn kill(State(host): State<Arc<Host>>, Path(name): Path<String>) -> Response {
    match host.function(&name) {
        Some(function) => Json(json!({"killed": function.kill_all()})).into_response(),
        None => not_found("function", &name),
    }
}

fn not_found(what: &str, name: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"message": format!("no {what} {name}")}))).into_response()
}
