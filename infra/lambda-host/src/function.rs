//! One function: its instances, warm and busy, its cap, and the retries of asynchronous invokes.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    config::{Config, FunctionConfig},
    instance::{Instance, Invoke, Outcome},
    logbook::LogBook,
};

/// How long an answer is held back for the runtime to ask for more work, so that a caller's next invoke finds it warm.
const TURNAROUND: Duration = Duration::from_secs(1);
/// The pauses between attempts of a throttled asynchronous invoke: from one second, doubled up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A function and its instances.
pub struct Function {
    config: Arc<Config>,
    own: FunctionConfig,
    book: Arc<LogBook>,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Arc<Instance>>>,
    all: Mutex<Vec<Weak<Instance>>>,
}

/// Why there is no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// All instances allowed are busy.
    Throttled,
    /// The program cannot be started.
    Broken(String),
}

impl Function {
    /// A function without instances.
    pub fn new(config: Arc<Config>, own: FunctionConfig, book: Arc<LogBook>) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(own.concurrency));
        Arc::new(Self { config, own, book, slots, idle: Mutex::default(), all: Mutex::default() })
    }

    /// Its configuration.
    pub fn config(&self) -> &FunctionConfig {
        &self.own
    }

    /// One attempt on a warm instance, or a new one. Goes on to its end although the caller be gone.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn invoke(self: &Arc<Self>, invoke: Invoke) -> Result<Outcome, Refusal> {
        let slot = self.slots.clone().try_acquire_owned().map_err(|_| Refusal::Throttled)?;
        let this = self.clone();
        let work = tokio::spawn(async move {
            let instance = match this.warm() {
                Some(instance) => instance,
                None => this.start().await.map_err(Refusal::Broken)?,
            };
            let outcome = instance.run(invoke).await;
            if instance.alive() && instance.ready_within(TURNAROUND).await {
                lock(&this.idle).push(instance);
            } else {
                instance.kill();
            }
            drop(slot);
            Ok(outcome)
        });
        work.await.unwrap_or_else(|e| Err(Refusal::Broken(format!("the invoke was lost: {e}"))))
    }

    /// An asynchronous invoke: tried until it succeeds, is out of retries, or too old. Throttling costs no retry, as on Lambda. The queue is
    /// memory only, and what is given up goes to the log, not to a failure destination.
    pub fn invoke_later(self: &Arc<Self>, invoke: Invoke) {
        let this = self.clone();
        tokio::spawn(async move {
            let accepted = Instant::now();
            let oldest = Duration::from_secs(this.config.max_event_age_seconds);
            let (mut failures, mut pause) = (0, Duration::from_secs(1));
            let why = loop {
                let wait = match this.invoke(invoke.clone()).await {
                    Ok(outcome) if !outcome.failed => return,
                    Ok(outcome) if failures >= this.own.retries => {
                        break String::from_utf8_lossy(&outcome.payload).into_owned();
                    }
                    Ok(_) => {
                        failures += 1;
                        this.retry_delay(failures)
                    }
                    Err(Refusal::Broken(why)) if failures >= this.own.retries => break why,
                    Err(Refusal::Broken(_)) => {
                        failures += 1;
                        this.retry_delay(failures)
                    }
                    Err(Refusal::Throttled) => {
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        pause / 2
                    }
                };
                if accepted.elapsed() + wait > oldest {
                    break "the event is too old".into();
                }
                tokio::time::sleep(wait).await;
            };
            let line = format!("lambda-host: asynchronous invoke {} given up: {why}", invoke.request_id);
            this.book.platform_line(&this.own.name, &line);
        });
    }

    /// Pause before retry number `nth` (from 1); the last one given holds for all after it.
    fn retry_delay(&self, nth: usize) -> Duration {
        let delays = &self.config.retry_delays_seconds;
        let seconds = delays.get(nth - 1).or(delays.last()).copied().unwrap_or(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_PAUSE)
    }

    /// SIGKILL to every instance; tells how many.
    pub fn kill_all(&self) -> usize {
        let living = self.living();
        for instance in &living {
            instance.kill();
        }
        living.len()
    }

    /// Process ids of its instances.
    pub fn process_ids(&self) -> Vec<i32> {
        self.living().iter().map(|i| i.process_id()).collect()
    }

    fn living(&self) -> Vec<Arc<Instance>> {
        lock(&self.all).iter().filter_map(Weak::upgrade).filter(|i| i.alive()).collect()
    }

    fn warm(&self) -> Option<Arc<Instance>> {
        let mut idle = lock(&self.idle);
        idle.retain(|i| i.alive());
        idle.pop()
    }

    async fn start(&self) -> Result<Arc<Instance>, String> {
        let instance = Instance::start(&self.config, &self.own, self.book.clone()).await?;
        let mut all = lock(&self.all);
        all.retain(|i| i.strong_count() > 0);
        all.push(Arc::downgrade(&instance));
        drop(all);
        Ok(instance)
    }
}

/// A lock whose holder panicked still holds whole values here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
