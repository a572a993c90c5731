//! Structured logs: one JSON object a line on standard output, as CloudWatch Logs takes them.

use tracing_subscriber::EnvFilter;

/// Target of the lines that say who did what; they are written whatever the level.
pub const AUDIT: &str = "audit";

/// Starts logging at `level` (`trace`, `debug`, `info`, `warn`, `error`) for pgbaton and its functions; libraries log warnings.
/// Does nothing when logging was started before.
pub fn start(level: &str) {
    let filter = EnvFilter::try_new(format!(
        "warn,pgbaton={level},api={level},restore={level},retention_cleanup={level},scheduled_backup={level},worker={level},verify={level},{AUDIT}=info"
    ))
    .unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
