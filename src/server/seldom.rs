use std::time::{Duration, Instant};

/// Keeps what happens many times a second to a line in ten.
#[derive(Default)]
pub struct Seldom {
    last: Option<Instant>,
    unsaid: u64,
}

const PAUSE: Duration = Duration::from_secs(10);

impl Seldom {
    /// How often it has happened since it was last to be said, where it is to be said now.
    pub fn is_due(&mut self) -> Option<u64> {
        self.unsaid += 1;
        if self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}
