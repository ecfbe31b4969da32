use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// What a connection does at the moment, and since when: written by the connection, read when room has to be made.
///
/// A request costs it two stores, and no clock is asked that would not be asked without it.
pub struct Activity(AtomicU64);

/// In the order in which connections make room for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing of a request has come.
    Waiting,
    /// A request's head has begun, or the last answer has ended just now.
    Reading,
    /// A request is being answered.
    Answering,
}

/// Times are milliseconds since the first connection: with two bits for the phase they fit into one word.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Activity {
    pub fn new() -> Arc<Self> {
        let activity = Self(AtomicU64::new(0));
        activity.waits();
        Arc::new(activity)
    }

    pub fn waits(&self) {
        self.begins(Phase::Waiting, Instant::now());
    }

    pub fn reads_since(&self, instant: Instant) {
        self.begins(Phase::Reading, instant);
    }

    /// Since its head has begun, which is the clock that was asked last.
    pub fn answers(&self) {
        let word = self.0.load(Ordering::Relaxed);
        self.0.store(word & !3 | Phase::Answering as u64, Ordering::Relaxed);
    }

    pub fn is_answering(&self) -> bool {
        self.phase() == Phase::Answering
    }

    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) & 3 {
            0 => Phase::Waiting,
            1 => Phase::Reading,
            _ => Phase::Answering,
        }
    }

    /// How long this has been going on.
    pub fn age(&self, now: Instant) -> Duration {
        Duration::from_millis(milliseconds(now).saturating_sub(self.0.load(Ordering::Relaxed) >> 2))
    }

    fn begins(&self, phase: Phase, instant: Instant) {
        self.0.store(milliseconds(instant) << 2 | phase as u64, Ordering::Relaxed);
    }
}

fn milliseconds(instant: Instant) -> u64 {
    let since = instant.saturating_duration_since(*EPOCH);
    since.as_secs() * 1000 + u64::from(since.subsec_millis())
}
