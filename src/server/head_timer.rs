use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

use super::activity::Activity;

/// hyper's timer for the request heads of one connection.
///
/// hyper starts a timer for every head and drops it when the head is there. A timer of the runtime for each would
/// cost more than parsing the head, so there is one a connection: it is left as it is while requests come, and moved
/// on when it rings before the deadline that counts by then.
///
/// The first head has a time of its own: it has begun when hyper is started, while each later one may never begin.
#[derive(Clone)]
pub struct HeadTimer {
    first_head: Duration,
    alarm: Arc<Alarm>,
    activity: Arc<Activity>,
}

struct Alarm {
    heads: AtomicUsize,
    sleep: Mutex<Pin<Box<tokio::time::Sleep>>>,
    /// Set once the service stops, and earlier than every other deadline from then on.
    latest: OnceLock<Instant>,
}

struct Deadline {
    at: Instant,
    alarm: Arc<Alarm>,
}

impl HeadTimer {
    pub fn new(first_head: Duration, activity: Arc<Activity>) -> Self {
        let sleep = Mutex::new(Box::pin(tokio::time::sleep(first_head)));
        let alarm = Alarm { heads: AtomicUsize::new(0), sleep, latest: OnceLock::new() };
        Self { first_head, alarm: Arc::new(alarm), activity }
    }

    /// From now on no head is waited for longer than this, also none that has begun.
    pub fn hurry(&self, left: Duration) {
        let _ = self.alarm.latest.set(Instant::now() + left);
    }

    /// Whether no head was finished yet.
    pub fn waits_for_first(&self) -> bool {
        self.alarm.heads.load(Ordering::Relaxed) <= 1
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let is_first = self.alarm.heads.fetch_add(1, Ordering::Relaxed) == 0;
        let at = if is_first { Instant::now() + self.first_head } else { deadline };
        // hyper has written the answer before when it asks for the time of the next head. That head counts from its
        // deadline: asking the clock once more would cost more than the 250 ms between matter.
        self.activity.reads_since(if is_first { at - self.first_head } else { deadline });
        Box::pin(Deadline { at, alarm: self.alarm.clone() })
    }
}

impl Sleep for Deadline {}

impl Future for Deadline {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut sleep = self.alarm.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.alarm.latest.get().map_or(self.at, |latest| self.at.min(*latest));
        if sleep.deadline() > at.into() {
            sleep.as_mut().reset(at.into());
        }
        while sleep.as_mut().poll(context).is_ready() {
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at.into());
        }
        Poll::Pending
    }
}
