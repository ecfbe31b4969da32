//! How long something has lasted, in words that do not change with every look: whoever follows it reads each line once.

use jiff::Timestamp;

const STEPS: [(i64, &str); 11] = [
    (86_400, "a day"),
    (21_600, "6 h"),
    (3600, "1 h"),
    (1800, "30 min"),
    (600, "10 min"),
    (300, "5 min"),
    (120, "2 min"),
    (60, "1 min"),
    (30, "30 s"),
    (10, "10 s"),
    (0, "a moment"),
];

pub fn passed(now: Timestamp, since: Timestamp) -> i64 {
    now.as_second() - since.as_second()
}

/// The longest step that is over.
pub fn more_than(seconds: i64) -> &'static str {
    STEPS.iter().find(|(step, _)| seconds >= *step).map_or("a moment", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_the_last_step_that_is_over() {
        for (seconds, expected) in
            [(-5, "a moment"), (29, "10 s"), (30, "30 s"), (119, "1 min"), (600, "10 min"), (90_000, "a day")]
        {
            assert_eq!(more_than(seconds), expected, "{seconds}");
        }
    }
}
