//! Looks again and again until there is an answer, and never for longer than was asked: the one place that knows of
//! deadlines, pauses, and how long a single look may take.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

const PAUSE: Duration = Duration::from_secs(1);
/// One look is over within this time, whatever does not answer.
pub const LOOK: Duration = Duration::from_secs(30);

pub struct Watcher {
    begin: Instant,
    /// None watches for ever.
    deadline: Option<Duration>,
}

/// What one look has come to.
pub enum Look<T> {
    /// It will not change by itself.
    End(T),
    /// It may.
    Yet(T),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Watched<T> {
    End(T),
    /// The time was over; with what was seen last, if a look ever came to something.
    Time(Option<T>),
}

impl Watcher {
    /// The time counts from here.
    pub fn new(deadline: Option<Duration>) -> Self {
        Self { begin: Instant::now(), deadline }
    }

    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Looks once at least, also where there is no time.
    pub async fn watch<T>(&self, mut look: impl AsyncFnMut() -> Look<T>) -> Watched<T> {
        let mut last = None;
        loop {
            match timeout(self.time_for_a_look(), look()).await {
                Ok(Look::End(answer)) => return Watched::End(answer),
                Ok(Look::Yet(answer)) => last = Some(answer),
                // Nobody has answered: the next look may fare better.
                Err(_) => {}
            }
            if self.rest().is_some_and(|rest| rest <= PAUSE) {
                return Watched::Time(last);
            }
            sleep(PAUSE).await;
        }
    }

    fn rest(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_sub(self.begin.elapsed()))
    }

    /// Whoever asks for no time at all still wants one answer.
    fn time_for_a_look(&self) -> Duration {
        match self.rest() {
            Some(rest) if self.deadline > Some(PAUSE) => rest.clamp(PAUSE, LOOK),
            _ => LOOK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_looks_until_there_is_an_end() {
        let mut looks = 0;
        let watched = Watcher::new(Some(Duration::from_secs(60)))
            .watch(async || {
                looks += 1;
                if looks == 5 { Look::End(looks) } else { Look::Yet(looks) }
            })
            .await;
        assert_eq!(watched, Watched::End(5));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_holds_whatever_does_not_answer() {
        let check = async |deadline: u64, expected: Watched<u32>, longest: u64| {
            let mut looks = 0;
            let watcher = Watcher::new(Some(Duration::from_secs(deadline)));
            let watched = watcher
                .watch(async || {
                    looks += 1;
                    if looks > 1 {
                        std::future::pending::<()>().await;
                    }
                    Look::Yet(looks)
                })
                .await;
            assert_eq!(watched, expected, "{deadline} s");
            assert!(watcher.elapsed() <= Duration::from_secs(longest), "{deadline} s took {:?}", watcher.elapsed());
        };
        check(16, Watched::Time(Some(1)), 17).await;
        check(0, Watched::Time(Some(1)), 0).await;
        check(100, Watched::Time(Some(1)), 101).await;
    }
}
