//! One execution environment: a process, its runtime API, and one invoke after another.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    config::{Config, FunctionConfig},
    ids,
    logbook::LogBook,
    process::Process,
    runtime_api::{self, Answer, Assignment, Desk, Phase},
};

/// An invoke as its caller put it.
#[derive(Debug, Clone)]
pub struct Invoke {
    /// Request id, a UUID; the same for every retry of an asynchronous invoke.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
    /// X-Ray trace header.
    pub trace: String,
    /// Client context header.
    pub client_context: Option<String>,
}

/// How an invoke ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The result, or the error document.
    pub payload: Bytes,
    /// Whether the payload is an error document (`X-Amz-Function-Error: Unhandled`).
    pub failed: bool,
    /// The last 4 KB of the log of this invoke.
    pub log_tail: Vec<u8>,
}

/// A running instance.
pub struct Instance {
    function: FunctionConfig,
    arn: String,
    process: Arc<Process>,
    desk: Arc<Desk>,
    work: mpsc::Sender<Assignment>,
    phase: watch::Receiver<Phase>,
    server: tokio::task::JoinHandle<()>,
    started: Instant,
    fresh: AtomicBool,
    book: Arc<LogBook>,
}

impl Instance {
    /// Starts the function's program with its environment.
    ///
    /// # Errors
    /// A sentence when no port or no process can be had.
    pub async fn start(
        config: &Config,
        function: &FunctionConfig,
        book: Arc<LogBook>,
    ) -> Result<Arc<Self>, String> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|e| format!("no port for the runtime API: {e}"))?;
        let address = listener.local_addr().map_err(|e| format!("no port for the runtime API: {e}"))?;
        let (name, lines) = (function.name.clone(), book.clone());
        let (desk, work) = Desk::new(Box::new(move |line| lines.function_line(&name, line)));
        let router = runtime_api::router(desk.clone());
        let server = tokio::spawn(async move {
            if let Err(e) = axum::serve(listener, router).await {
                tracing::error!("the runtime API ended: {e}");
            }
        });
        let started = Instant::now();
        let limit = function.enforce_memory.then_some(function.memory << 20);
        let process = Process::start(
            &function.command,
            &environment(config, function, &address.to_string()),
            limit,
            desk.clone(),
        )
        .inspect_err(|_| server.abort())?;
        Ok(Arc::new(Self {
            function: function.clone(),
            arn: config.arn(&function.name),
            process,
            phase: desk.phase(),
            desk,
            work,
            server,
            started,
            fresh: AtomicBool::new(true),
            book,
        }))
    }

    /// The process id.
    pub fn process_id(&self) -> i32 {
        self.process.id()
    }

    /// Whether the process still lives.
    pub fn alive(&self) -> bool {
        !matches!(*self.phase.borrow(), Phase::Gone(_))
    }

    /// SIGKILL to its process group.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Waits up to `limit` until it asks for work again; false when it has ended or is late.
    pub async fn ready_within(&self, limit: Duration) -> bool {
        let mut phase = self.phase.clone();
        let ready = phase.wait_for(|p| matches!(p, Phase::Waiting | Phase::Gone(_)));
        matches!(tokio::time::timeout(limit, ready).await, Ok(Ok(p)) if *p == Phase::Waiting)
    }

    /// Gives it one event and waits for the end: an answer, the time-out (it is then killed), or the end of the process.
    pub async fn run(&self, invoke: Invoke) -> Outcome {
        self.desk.take_tail();
        let id = invoke.request_id.clone();
        self.platform(&format!("START RequestId: {id} Version: $LATEST"));
        let (taken, on_taken) = oneshot::channel();
        let (answer, on_answer) = oneshot::channel();
        let limit = Duration::from_secs(self.function.timeout);
        let assignment = Assignment {
            request_id: invoke.request_id,
            payload: invoke.payload,
            trace: invoke.trace,
            arn: self.arn.clone(),
            client_context: invoke.client_context,
            timeout: limit,
            taken,
            answer,
        };
        // A desk that is gone shows in the phase.
        let _ = self.work.send(assignment).await;
        let mut gone = self.phase.clone();
        let gone = async move {
            match gone.wait_for(|p| matches!(p, Phase::Gone(_))).await.as_deref() {
                Ok(Phase::Gone(how)) => how.clone(),
                _ => "lost".into(),
            }
        };
        tokio::pin!(gone);
        let begun = tokio::select! {
            Ok(at) = on_taken => Ok(at),
            how = &mut gone => Err(self.start_error(&id, &how)),
            () = tokio::time::sleep(limit) => Err(timed_out(&id, self.function.timeout)),
        };
        let (init, begun, result) = match begun {
            Err(e) => (Some(self.started.elapsed()), Instant::now(), Err(e)),
            Ok(at) => {
                let init = self.fresh.swap(false, Ordering::AcqRel).then(|| at - self.started);
                let result = tokio::select! {
                    biased;
                    Ok(answer) = on_answer => read(answer),
                    how = &mut gone => Err(exit_error(&id, &how)),
                    () = tokio::time::sleep_until((at + limit).into()) => Err(timed_out(&id, self.function.timeout)),
                };
                (init, at, result)
            }
        };
        let duration = begun.elapsed();
        let peak = self.process.peak_memory();
        let timeout = matches!(&result, Err(e) if e.timeout);
        if timeout || matches!(&result, Err(e) if e.fatal) {
            self.kill();
        }
        // Lines of the function may still be on their way through the pipe.
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.platform(&format!("END RequestId: {id}"));
        let status = match &result {
            Err(_) if timeout => "timeout",
            Err(_) => "error",
            Ok(_) => "",
        };
        self.platform(&report(&id, duration, self.function.memory, peak, init, status));
        let (payload, failed) = match result {
            Ok(payload) => (payload, false),
            Err(e) => (e.document, true),
        };
        Outcome { payload, failed, log_tail: self.desk.take_tail() }
    }

    fn platform(&self, line: &str) {
        self.desk.keep(line);
        self.book.platform_line(&self.function.name, line);
    }

    fn start_error(&self, request_id: &str, how: &str) -> Failure {
        match self.desk.init_error() {
            Some(document) => Failure { document, timeout: false, fatal: true },
            None => exit_error(request_id, how),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.process.kill();
        self.server.abort();
    }
}

/// An invoke that did not end well.
struct Failure {
    document: Bytes,
    timeout: bool,
    /// The instance cannot be used again.
    fatal: bool,
}

fn read(answer: Answer) -> Result<Bytes, Failure> {
    match answer {
        Answer::Response(payload) => Ok(payload),
        Answer::Error(document) => Err(Failure { document, timeout: false, fatal: false }),
        Answer::TooLarge(size) => Err(Failure {
            document: error_document(
                "Function.ResponseSizeTooLarge",
                &format!(
                    "Response payload size ({size} bytes) exceeded maximum allowed payload size ({} bytes).",
                    runtime_api::ANSWER_LIMIT
                ),
            ),
            timeout: false,
            fatal: false,
        }),
    }
}

fn timed_out(request_id: &str, seconds: u64) -> Failure {
    let message = format!("RequestId: {request_id} Error: Task timed out after {seconds}.00 seconds");
    Failure { document: error_document("Sandbox.Timedout", &message), timeout: true, fatal: true }
}

fn exit_error(request_id: &str, how: &str) -> Failure {
    let message = format!("RequestId: {request_id} Error: Runtime exited with error: {how}");
    Failure { document: error_document("Runtime.ExitError", &message), timeout: false, fatal: true }
}

fn error_document(kind: &str, message: &str) -> Bytes {
    json!({"errorType": kind, "errorMessage": message}).to_string().into()
}

/// The REPORT line, fields parted by tabs as in CloudWatch. Memory is the peak since the instance's start, as Lambda reports it.
fn report(id: &str, time: Duration, memory: u64, peak: u64, init: Option<Duration>, status: &str) -> String {
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    let mut line = format!(
        "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {memory} MB\tMax Memory Used: {} MB",
        ms(time),
        (ms(time) + init.map_or(0.0, ms)).ceil(),
        peak.div_ceil(1 << 20),
    );
    if let Some(init) = init {
        line.push_str(&format!("\tInit Duration: {:.2} ms", ms(init)));
    }
    if !status.is_empty() {
        line.push_str(&format!("\tStatus: {status}"));
    }
    line
}

/// The variables Lambda sets (developer guide, "Defined runtime environment variables"), over which come the host's and the function's own.
fn environment(config: &Config, function: &FunctionConfig, runtime_api: &str) -> BTreeMap<String, String> {
    let program = std::path::Path::new(function.command.first().map_or("", String::as_str));
    let root = program.parent().map_or_else(|| "/".into(), |p| p.display().to_string());
    let stream = format!("{}/[$LATEST]{}", jiff::Timestamp::now().strftime("%Y/%m/%d"), ids::hex(16));
    let mut all = BTreeMap::new();
    for (name, value) in [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("AWS_REGION", &config.region),
        ("AWS_DEFAULT_REGION", &config.region),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", &stream),
        ("LAMBDA_TASK_ROOT", &root),
        ("LAMBDA_RUNTIME_DIR", &root),
    ] {
        all.insert(name.to_owned(), value.to_owned());
    }
    all.extend(config.environment.clone());
    all.extend(function.environment.clone());
    all.insert("AWS_LAMBDA_RUNTIME_API".into(), runtime_api.to_owned());
    all.insert("_HANDLER".into(), function.handler.clone());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_line_is_lambdas() {
        let line =
            report("r", Duration::from_micros(12_345), 512, 30 << 20, Some(Duration::from_millis(100)), "");
        assert_eq!(
            line,
            "REPORT RequestId: r\tDuration: 12.35 ms\tBilled Duration: 113 ms\tMemory Size: 512 MB\tMax Memory Used: 30 MB\tInit Duration: 100.00 ms"
        );
        assert!(
            report("r", Duration::ZERO, 1, 1, None, "timeout")
                .ends_with("Max Memory Used: 1 MB\tStatus: timeout")
        );
    }

    #[test]
    fn a_function_cannot_overwrite_its_runtime_api() {
        let config = Config::parse(
            r#"{"environment":{"A":"1","B":"1"},"functions":[{"name":"f","command":["/opt/f"],"environment":{"B":"2","AWS_LAMBDA_RUNTIME_API":"x"}}]}"#,
        )
        .unwrap();
        let env = environment(&config, &config.functions[0], "127.0.0.1:9");
        assert_eq!(
            (env["A"].as_str(), env["B"].as_str(), env["LAMBDA_TASK_ROOT"].as_str()),
            ("1", "2", "/opt")
        );
        assert_eq!(env["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:9");
    }
}
