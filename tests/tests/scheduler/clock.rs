//! A clock that jumps from one event to the next, and the executor of all that waits for it. One thread, one order: a seed gives the same run each time.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

type Process = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Virtual time, in seconds for those who ask, in microseconds within.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    now: u64,
    sequence: u64,
    timers: BTreeMap<(u64, u64), Waker>,
    born: Vec<Process>,
}

impl Clock {
    /// Seconds since the beginning.
    pub fn now(&self) -> f64 {
        self.0.lock().unwrap().now as f64 / 1e6
    }

    /// Waits so many seconds.
    pub fn sleep(&self, seconds: f64) -> Sleep {
        let mut inner = self.0.lock().unwrap();
        inner.sequence += 1;
        let at = inner.now + (seconds.max(0.0) * 1e6) as u64;
        Sleep { clock: self.clone(), key: (at, inner.sequence) }
    }

    /// Begins a process of its own.
    pub fn spawn(&self, process: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap().born.push(Box::pin(process));
    }

    /// Runs until nothing waits for a time any more; what waits for something else then waits for ever, and is dropped.
    pub fn run(&self) {
        let ready = Ready::default();
        let mut all: Vec<(Option<Process>, Waker)> = Vec::new();
        loop {
            for process in std::mem::take(&mut self.0.lock().unwrap().born) {
                let waker = Waker::from(Arc::new(Wakes { id: all.len(), ready: ready.clone() }));
                waker.wake_by_ref();
                all.push((Some(process), waker));
            }
            let next = ready.lock().unwrap().pop_front();
            if let Some(id) = next {
                let (process, waker) = &mut all[id];
                let ended = process.as_mut().map(|p| p.as_mut().poll(&mut Context::from_waker(waker)));
                if ended == Some(Poll::Ready(())) {
                    *process = None;
                }
                continue;
            }
            let mut inner = self.0.lock().unwrap();
            if inner.born.is_empty() {
                let Some(((at, _), waker)) = inner.timers.pop_first() else { return };
                inner.now = at;
                drop(inner);
                waker.wake();
            }
        }
    }
}

type Ready = Arc<Mutex<VecDeque<usize>>>;

struct Wakes {
    id: usize,
    ready: Ready,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap().push_back(self.id);
    }
}

/// See [`Clock::sleep`].
pub struct Sleep {
    clock: Clock,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.clock.0.lock().unwrap();
        if inner.now >= self.key.0 {
            return Poll::Ready(());
        }
        inner.timers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.0.lock().unwrap().timers.remove(&self.key);
    }
}

/// Random numbers from a seed (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// With this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1, 1 excluded.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True so often.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// From `low` to `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// Of the log-normal distribution with this median.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        median * (sigma * radius * (std::f64::consts::TAU * self.fraction()).cos()).exp()
    }
}
