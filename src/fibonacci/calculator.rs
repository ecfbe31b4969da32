use std::sync::Arc;
use std::time::Instant;

use rustix::process::setpriority_process;
use tokio::sync::Semaphore;

use super::answer::{Answer, MOST_AHEAD};
use super::arithmetic;
use super::metrics::FibonacciMetrics;

/// Up to here an answer takes 25 µs at most, less than a hand-over to another thread.
const INLINE_MAX: u64 = 19_000;

/// Memory for the answers that wait for a computation slot or are being sent, in KiB a slot. It is full with 6
/// answers of the largest n and with 1,365 of the smallest that is computed on a slot; the next one is refused.
///
/// A computation itself works on 9 MiB at most, and all share 6 MiB of roots. So the memory of Fibonacci numbers is
/// never above 17 MiB a slot and 6 MiB, whatever is asked for and however slowly it is read.
const QUEUE_PER_SLOT: usize = 8 * 1024;

/// How far a computation steps back for everything else; 19 would starve it beside a busy neighbour.
const NICE: i32 = 10;

/// Runs long computations off the async threads, one a core, with a bounded queue before them.
pub struct Calculator {
    max: u64,
    slots: Arc<Semaphore>,
    /// A permit is a KiB.
    queue: Arc<Semaphore>,
    metrics: FibonacciMetrics,
}

/// All slots are taken and all places in the queue too.
#[derive(Debug, thiserror::Error)]
#[error("all computation slots and the queue before them are full; try again in a second")]
pub struct QueueFull;

impl Calculator {
    pub fn new(max: u64, metrics: FibonacciMetrics) -> Self {
        let slots = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max,
            slots: Arc::new(Semaphore::new(slots)),
            queue: Arc::new(Semaphore::new(slots * QUEUE_PER_SLOT)),
            metrics,
        }
    }

    /// The largest n that is computed.
    pub fn max(&self) -> u64 {
        self.max
    }

    pub async fn answer(&self, n: u64) -> Result<Answer, QueueFull> {
        if n <= INLINE_MAX {
            return Ok(Answer::new(arithmetic::compute(n), None));
        }
        let place = self.queue.clone().try_acquire_many_owned(kibibytes(n)).map_err(|_| QueueFull)?;
        let slot = {
            let _waiting = self.metrics.waiting();
            self.slots.clone().acquire_owned().await.map_err(|_| QueueFull)?
        };
        let metrics = self.metrics.clone();
        let computation = tokio::task::spawn_blocking(move || {
            // The thread gives way to those that answer /hello, whose time on a core is microseconds.
            let _ = setpriority_process(None, NICE);
            let started = Instant::now();
            let digits = arithmetic::compute(n);
            metrics.computed(started.elapsed());
            // The slot is given back by the computation itself: a client that went away does not free it early.
            drop(slot);
            digits
        });
        // A panic in the arithmetic is this request's own, as if it had run here.
        let digits = computation.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Ok(Answer::new(digits, Some(place)))
    }
}

/// What the answer for n keeps while it waits and while it is sent: its digits, and the text that is ahead of its
/// reader.
fn kibibytes(n: u64) -> u32 {
    let digits = arithmetic::size(n);
    (digits + (2 * digits).min(MOST_AHEAD)).div_ceil(1024) as u32
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;
    use http_body_util::BodyExt as _;

    use super::*;

    /// One slot, with a queue for one answer of this n.
    fn calculator(n: u64) -> Calculator {
        Calculator {
            max: arithmetic::LARGEST,
            slots: Arc::new(Semaphore::new(1)),
            queue: Arc::new(Semaphore::new(kibibytes(n) as usize)),
            metrics: FibonacciMetrics::default(),
        }
    }

    #[tokio::test]
    async fn a_full_queue_refuses_long_computations_and_still_answers_short_ones() {
        const LONG: u64 = INLINE_MAX + 1;
        let calculator = calculator(LONG);
        let first = calculator.answer(LONG).await.expect("an empty queue has a place");
        assert!(calculator.answer(LONG).await.is_err(), "the only place is held by the first answer");
        assert!(calculator.answer(INLINE_MAX).await.is_ok(), "a short computation needs no place");
        drop(first);
        assert!(calculator.answer(LONG).await.is_ok(), "the place is free again");
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_last_piece_is_gone() {
        const LONG: u64 = 200_000;
        let calculator = calculator(LONG);
        let answer = calculator.answer(LONG).await.expect("an empty queue has a place");
        let mut body = answer.into_body(String::new(), "");
        let mut pieces = Vec::new();
        while !body.is_end_stream() {
            pieces.push(body.frame().await.expect("not the end").expect("digits cannot fail"));
        }
        drop(body);
        let last = pieces.pop();
        assert_eq!(pieces.len(), 2);
        drop(pieces);
        assert!(calculator.answer(LONG).await.is_err(), "a piece of the answer is still to be sent");
        drop(last);
        assert!(calculator.answer(LONG).await.is_ok(), "all of it has been sent");
    }

    #[test]
    fn the_queue_has_room_for_few_long_answers_and_for_many_short_ones() {
        let check = |n: u64, answers: usize| assert_eq!(QUEUE_PER_SLOT / kibibytes(n) as usize, answers, "F({n})");
        check(arithmetic::LARGEST, 6);
        check(1_000_000, 26);
        check(INLINE_MAX + 1, 1_365);
    }
}
