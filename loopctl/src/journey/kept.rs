//! The last answer of somebody who is far away, which is good for a while: what is followed every second need not ask
//! GitHub every second.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// A run takes minutes; who waits for its end learns of it a quarter of a minute later at most.
pub const FAR: Duration = Duration::from_secs(15);

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
        let mut answers = self.answers.lock().await;
        if let Some((at, answer)) = answers.get(question)
            && at.elapsed() < pause
        {
            return answer.clone();
        }
        let answer = ask.await;
        answers.insert(question.to_owned(), (Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_asked_each_second_is_reached_once_a_pause_and_at_once_for_something_else() {
        let (kept, asked) = (Kept::default(), AtomicU32::new(0));
        let mut answers = Vec::new();
        for _ in 0..31 {
            answers.push(kept.ask("one", FAR, async { asked.fetch_add(1, Ordering::Relaxed) }).await);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!((answers[0], answers[14], answers[15], answers[30]), (0, 0, 1, 2), "{answers:?}");
        assert_eq!(kept.ask("other", FAR, async { 77 }).await, 77);
        assert_eq!(kept.ask("one", Duration::ZERO, async { 78 }).await, 78, "who is near is asked each time");
    }
}
