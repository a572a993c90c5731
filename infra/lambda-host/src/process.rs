//! One operating system process of a function: its group, its memory, its output, its end.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

/// How often memory is looked at.
const MEMORY_POLL: Duration = Duration::from_millis(100);

/// A started process. Dropping it does not end it.
pub struct Process {
    pid: Pid,
    ended: AtomicBool,
    peak_kib: AtomicU64,
}

/// What becomes of its lines and of its end.
pub trait Watcher: Send + Sync + 'static {
    /// A line of standard output or standard error.
    fn line(&self, line: &str);
    /// The process is gone; `how` reads `exit status 1` or `signal: killed`.
    fn gone(&self, how: String);
}

impl Process {
    /// Starts `command` in a process group of its own with exactly `environment`, and watches it until it ends.
    /// With `memory_limit` (bytes of resident memory) it is killed when it holds more.
    ///
    /// # Errors
    /// A sentence naming the program when it cannot be started.
    pub fn start(
        command: &[String],
        environment: &BTreeMap<String, String>,
        memory_limit: Option<u64>,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Arc<Self>, String> {
        let (program, arguments) = command.split_first().ok_or("no command")?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start {program}: {e}"))?;
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
            .ok_or_else(|| format!("{program} ended at once"))?;
        let process = Arc::new(Self { pid, ended: AtomicBool::new(false), peak_kib: AtomicU64::new(0) });
        if let Some(out) = child.stdout.take() {
            tokio::spawn(read_lines(out, watcher.clone()));
        }
        if let Some(err) = child.stderr.take() {
            tokio::spawn(read_lines(err, watcher.clone()));
        }
        tokio::spawn(process.clone().watch(child, memory_limit, watcher));
        Ok(process)
    }

    /// The process id.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// SIGKILL to the whole group.
    pub fn kill(&self) {
        if !self.ended.load(Ordering::Acquire) {
            // An error means that the group is gone already.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// The most resident memory it has held since its start, bytes.
    pub fn peak_memory(&self) -> u64 {
        self.look();
        self.peak_kib.load(Ordering::Relaxed) << 10
    }

    /// Resident memory now, KiB; remembers the peak.
    fn look(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        self.peak_kib.fetch_max(field(&status, "VmHWM:"), Ordering::Relaxed);
        field(&status, "VmRSS:")
    }

    async fn watch(self: Arc<Self>, mut child: Child, limit: Option<u64>, watcher: Arc<dyn Watcher>) {
        let mut poll = tokio::time::interval(MEMORY_POLL);
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                _ = poll.tick() => {
                    let held = self.look() << 10;
                    if limit.is_some_and(|most| held > most) {
                        watcher.line(&format!("lambda-host: {} MiB held, more than the function's memory: killed", held >> 20));
                        self.kill();
                    }
                }
            }
        };
        // What the process left behind in its group goes with it.
        self.kill();
        self.ended.store(true, Ordering::Release);
        watcher.gone(match status {
            Ok(status) => ending(status),
            Err(e) => format!("lost: {e}"),
        });
    }
}

/// `exit status 1` or `signal: killed`, as Lambda words it.
fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(6)) => "signal: aborted".into(),
        (None, Some(9)) => "signal: killed".into(),
        (None, Some(11)) => "signal: segmentation fault".into(),
        (None, Some(15)) => "signal: terminated".into(),
        (None, Some(n)) => format!("signal: {n}"),
        (None, None) => "unknown".into(),
    }
}

/// A field of /proc/<pid>/status in KiB; 0 when it is not there, as for a process that has ended.
fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|l| l.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

async fn read_lines(from: impl AsyncRead + Unpin, watcher: Arc<dyn Watcher>) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(n) = reader.read_until(b'\n', &mut line).await {
        if n == 0 {
            break;
        }
        watcher.line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc_status() {
        let status = "Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t     900 kB\n";
        assert_eq!(
            (field(status, "VmHWM:"), field(status, "VmRSS:"), field(status, "VmSwap:")),
            (1234, 900, 0)
        );
    }

    #[test]
    fn words_of_an_ending() {
        assert_eq!(ending(ExitStatus::from_raw(1 << 8)), "exit status 1");
        assert_eq!(ending(ExitStatus::from_raw(9)), "signal: killed");
    }
}
