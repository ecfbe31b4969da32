//! What a proof has to show for itself besides having passed.

use anyhow::{Result, bail};

/// Filled by a proof while it runs; each line is printed at once and once more in the table.
#[derive(Default, Clone)]
pub struct Report {
    pub measured: Vec<String>,
    pub controls: Vec<String>,
    pub skipped: Vec<String>,
}

impl Report {
    pub fn measured(&mut self, text: impl Into<String>) {
        let text = text.into();
        println!("    measured  {text}");
        self.measured.push(text);
    }

    /// What the check made of the same thing done wrong: it has to have noticed.
    pub fn control(&mut self, text: impl Into<String>) {
        let text = text.into();
        println!("    control   {text}");
        self.controls.push(text);
    }

    /// A part of the proof that this machine cannot do, and why.
    pub fn skipped(&mut self, text: impl Into<String>) {
        let text = text.into();
        println!("    SKIPPED   {text}");
        self.skipped.push(text);
    }
}

/// Fails with what was expected and what was seen.
pub fn expect<T: PartialEq + std::fmt::Debug>(what: &str, seen: T, expected: T) -> Result<()> {
    if seen != expected {
        bail!("{what}\nexpected: {expected:?}\nseen: {seen:?}");
    }
    Ok(())
}

/// Fails unless the condition holds; `seen` says what there was instead.
pub fn ensure(expected: &str, holds: bool, seen: impl std::fmt::Display) -> Result<()> {
    if !holds {
        bail!("expected: {expected}\nseen: {seen}");
    }
    Ok(())
}

/// The middle one and the largest one.
pub fn median_and_worst(times: &[f64]) -> (f64, f64) {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = match sorted.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    };
    (median, sorted.last().copied().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_sorted_times() {
        assert_eq!(median_and_worst(&[3.0, 1.0, 2.0]), (2.0, 3.0));
        assert_eq!(median_and_worst(&[4.0, 1.0, 2.0, 3.0]), (2.5, 4.0));
    }

    #[test]
    fn what_was_expected_is_said_beside_what_was_seen() {
        let error = expect("replicas", 1, 2).expect_err("they differ");
        assert_eq!(error.to_string(), "replicas\nexpected: 2\nseen: 1");
    }
}
