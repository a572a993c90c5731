//! A task that keeps a lease alive while a run works, and tells when it is lost.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{claim::Lease, table::Ledger};
use crate::base::{Error, Kind};

/// Renews a lease every quarter of its time until stopped or dropped. The lease counts as lost when a renewal is refused,
/// or when none went through for the whole of its time: then another function may have closed the run.
#[derive(Debug)]
pub struct Heartbeat {
    task: JoinHandle<()>,
    lost: CancellationToken,
    why: Arc<OnceLock<(Kind, String)>>,
}

impl Heartbeat {
    /// Starts renewing; `ttl` is the one that the lease was claimed for, just now.
    pub fn start(ledger: Ledger, lease: Lease, ttl: Duration) -> Self {
        let lost = CancellationToken::new();
        let why = Arc::new(OnceLock::new());
        let task = tokio::spawn({
            let (lost, why) = (lost.clone(), Arc::clone(&why));
            async move {
                let error = beat(&ledger, &lease, ttl).await;
                // The first reason stays; there is only this one task to set it.
                let _ = why.set((error.kind(), error.to_string()));
                lost.cancel();
            }
        });
        Self { task, lost, why }
    }

    /// Cancelled when the lease is lost: whoever works for the run must stop.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Why the lease was lost, once it was: [`Kind::Fenced`].
    pub fn error(&self) -> Option<Error> {
        let (kind, message) = self.why.get()?;
        Some(Error::new(*kind, message.clone()))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Renews until it no longer can; the reason.
async fn beat(ledger: &Ledger, lease: &Lease, ttl: Duration) -> Error {
    let quarter = ttl / 4;
    let mut end = Instant::now() + ttl;
    let mut pause = quarter;
    loop {
        tokio::time::sleep(pause).await;
        let asked = Instant::now();
        let fault = match tokio::time::timeout_at(end, ledger.renew(lease, ttl)).await {
            Ok(Ok(())) => {
                // From before the call: the lease in the table lasts at least as long.
                end = asked + ttl;
                pause = quarter;
                continue;
            }
            Ok(Err(e)) if matches!(e.kind(), Kind::Fenced) => return e,
            Ok(Err(e)) => e.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if Instant::now() >= end {
            let message =
                format!("the run {} could not renew its lease before it ran out: {fault}", lease.id());
            return Error::new(Kind::Fenced, message);
        }
        tracing::warn!(id = %lease.id(), reason = fault, "could not renew the lease; trying again");
        pause = (quarter / 8).min(end.saturating_duration_since(Instant::now()));
    }
}
