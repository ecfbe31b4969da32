use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// hyper's timer for the request heads of one connection.
///
/// hyper starts a timer for every head and drops it when the head is there. A timer of the runtime for each would
/// cost more than parsing the head, so there is one a connection: it is left as it is while requests come, and moved
/// on when it rings before the deadline that counts by then.
pub struct HeadTimer {
    alarm: Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>,
}

struct Deadline {
    at: Instant,
    alarm: Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>,
}

impl HeadTimer {
    pub fn new() -> Self {
        Self { alarm: Arc::new(Mutex::new(Box::pin(tokio::time::sleep(Duration::ZERO)))) }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Deadline { at: deadline, alarm: self.alarm.clone() })
    }
}

impl Sleep for Deadline {}

impl Future for Deadline {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        // Deadlines of one connection only move on, so the alarm rings at this one or before, never after it.
        while alarm.as_mut().poll(context).is_ready() {
            if Instant::now() >= self.at {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(self.at.into());
        }
        Poll::Pending
    }
}
