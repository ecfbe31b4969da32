//! The last answer of somebody who is far away, which is good for a while: what is followed every second need not ask
//! GitHub every second.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// A run takes minutes; who waits for its end learns of it a quarter of a minute later at most.
pub const FAR: Duration = Duration::from_secs(15);

/// What will not change.
pub const ALWAYS: Duration = Duration::MAX;

/// Answers by what was asked for.
pub struct Kept<T> {
    answers: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { answers: Mutex::new(HashMap::new()) }
    }
}

impl<T: Clone> Kept<T> {
    /// The answer that was given within `pause`, or else what `ask` brings.
    pub async fn ask(&self, question: &str, pause: Duration, ask: impl Future<Output = T>) -> T {
        self.ask_at(Instant::now(), question, pause, ask).await
    }

    async fn ask_at(&self, now: Instant, question: &str, pause: Duration, ask: impl Future<Output = T>) -> T {
        let mut answers = self.answers.lock().await;
        match answers.get(question) {
            Some((at, answer)) if now.duration_since(*at) < pause => answer.clone(),
            _ => {
                let answer = ask.await;
                answers.insert(question.to_owned(), (now, answer.clone()));
                answer
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_is_asked_each_second_is_reached_once_a_pause_and_at_once_for_something_else() {
        let (kept, asked, begin) = (Kept::default(), AtomicU32::new(0), Instant::now());
        let mut answers = Vec::new();
        for second in 0..31 {
            let (now, ask) = (begin + Duration::from_secs(second), async { asked.fetch_add(1, Ordering::Relaxed) });
            answers.push(kept.ask_at(now, "one", FAR, ask).await);
        }
        assert_eq!((answers[0], answers[14], answers[15], answers[30]), (0, 0, 1, 2), "{answers:?}");
        assert_eq!(kept.ask_at(begin, "other", FAR, async { 77 }).await, 77);
        assert_eq!(
            kept.ask_at(begin, "other", Duration::ZERO, async { 78 }).await,
            78,
            "who is near is asked each time"
        );
    }
}
