use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rustix::process::setpriority_process;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fibonacci;
use crate::metrics::FibonacciMetrics;

/// Up to here an answer takes less time than a hand-over to another thread.
const INLINE_MAX: u64 = 2_000;

/// Requests that may wait for each computation slot; the next one is refused.
const WAITING_PER_SLOT: usize = 32;

/// How far a computation steps back for everything else; 19 would starve it beside a busy neighbour.
const NICE: i32 = 10;

/// Runs long computations off the async threads, one a core, with a bounded queue before them.
pub struct Calculator {
    max: u64,
    slots: Arc<Semaphore>,
    places: Arc<Semaphore>,
    metrics: FibonacciMetrics,
}

/// All slots are taken and all places in the queue too.
#[derive(Debug, thiserror::Error)]
#[error("all computation slots and the queue before them are full; try again in a second")]
pub struct QueueFull;

/// The digits, with the place in the queue they still hold.
pub struct Digits {
    text: String,
    place: Option<OwnedSemaphorePermit>,
}

impl Calculator {
    pub fn new(max: u64, metrics: FibonacciMetrics) -> Self {
        let slots = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max,
            slots: Arc::new(Semaphore::new(slots)),
            places: Arc::new(Semaphore::new(slots * (1 + WAITING_PER_SLOT))),
            metrics,
        }
    }

    /// The largest n that is computed.
    pub fn max(&self) -> u64 {
        self.max
    }

    pub async fn digits(&self, n: u64) -> Result<Digits, QueueFull> {
        if n <= INLINE_MAX {
            return Ok(Digits { text: fibonacci::digits(n), place: None });
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| QueueFull)?;
        let slot = {
            let _waiting = self.metrics.waiting();
            self.slots.clone().acquire_owned().await.map_err(|_| QueueFull)?
        };
        let metrics = self.metrics.clone();
        let computation = tokio::task::spawn_blocking(move || {
            // The thread gives way to those that answer /hello, whose time on a core is microseconds.
            let _ = setpriority_process(None, NICE);
            let started = Instant::now();
            let text = fibonacci::digits(n);
            metrics.computed(started.elapsed());
            // The slot is given back by the computation itself: a client that went away does not free it early.
            drop(slot);
            text
        });
        // A panic in the arithmetic is this request's own, as if it had run here.
        let text = computation.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Ok(Digits { text, place: Some(place) })
    }
}

impl Digits {
    /// The body made from these digits keeps their place until its last byte has been handed to the
    /// socket: slow readers of long answers use up the queue, never the memory.
    pub fn into_body(self, write: impl FnOnce(String) -> Vec<u8>) -> Bytes {
        struct Held {
            body: Vec<u8>,
            _place: Option<OwnedSemaphorePermit>,
        }
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.body
            }
        }
        Bytes::from_owner(Held { body: write(self.text), _place: self.place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calculator(slots: usize, places: usize) -> Calculator {
        Calculator {
            max: 1_000_000,
            slots: Arc::new(Semaphore::new(slots)),
            places: Arc::new(Semaphore::new(places)),
            metrics: FibonacciMetrics::default(),
        }
    }

    #[tokio::test]
    async fn a_full_queue_refuses_long_computations_and_still_answers_short_ones() {
        let calculator = calculator(1, 1);
        let first = calculator.digits(INLINE_MAX + 1).await.expect("an empty queue has a place");
        assert!(calculator.digits(INLINE_MAX + 1).await.is_err(), "the only place is held by the first answer");
        assert!(calculator.digits(INLINE_MAX).await.is_ok(), "a short computation needs no place");
        drop(first);
        assert!(calculator.digits(INLINE_MAX + 1).await.is_ok(), "the place is free again");
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_body_is_gone() {
        let calculator = calculator(1, 1);
        let digits = calculator.digits(5_000).await.expect("an empty queue has a place");
        let body = digits.into_body(String::into_bytes);
        let part = body.slice(1..2);
        drop(body);
        assert!(calculator.digits(5_000).await.is_err(), "a part of the body is still to be sent");
        drop(part);
        assert!(calculator.digits(5_000).await.is_ok(), "the whole body has been sent");
    }
}
