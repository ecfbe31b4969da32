//! Waiting with a deadline: nothing here sleeps for a time that was guessed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const PAUSE: Duration = Duration::from_millis(150);

/// Asks again until the answer is the one that is wanted, and returns how long that took.
/// `look` answers `Ok` with what was wanted, or `Err` with what it saw instead.
pub fn until<T>(wanted: &str, deadline: Duration, mut look: impl FnMut() -> Result<T>) -> Result<(T, Duration)> {
    let begin = Instant::now();
    loop {
        match look() {
            Ok(found) => return Ok((found, begin.elapsed())),
            Err(seen) if begin.elapsed() > deadline => {
                bail!("expected within {}: {wanted}\nseen: {seen:#}", seconds(deadline));
            }
            Err(_) => sleep(PAUSE),
        }
    }
}

/// Asks again for the whole of a time, and fails as soon as something else is seen.
pub fn throughout(expected: &str, time: Duration, mut look: impl FnMut() -> Result<()>) -> Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < time {
        if let Err(seen) = look() {
            bail!("expected for {}: {expected}\nseen after {}: {seen:#}", seconds(time), seconds(begin.elapsed()));
        }
        sleep(PAUSE);
    }
    Ok(())
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
