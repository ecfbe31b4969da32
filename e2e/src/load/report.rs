//! What became of the requests: how many failed in which way, and how long the others took.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// What became of one stream.
pub struct Report {
    pub name: &'static str,
    pub requests: u64,
    pub failures: Vec<Failure>,
    pub at_rest: Latencies,
    pub during_rollouts: Latencies,
}

#[derive(Debug, Clone)]
pub struct Failure {
    pub at: std::time::Instant,
    pub stream: &'static str,
    pub what: String,
}

/// In microseconds.
pub struct Latencies(Histogram<u64>);

/// How many failed in which way.
pub fn summary<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> String {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for failure in failures {
        *counted.entry(format!("{}: {}", failure.stream, failure.what)).or_default() += 1;
    }
    let lines: Vec<String> = counted.into_iter().map(|(what, count)| format!("{count} x {what}")).collect();
    if lines.is_empty() { "none".to_owned() } else { lines.join("; ") }
}

impl Report {
    pub fn new(name: &'static str) -> Self {
        Self { name, requests: 0, failures: Vec::new(), at_rest: Latencies::new(), during_rollouts: Latencies::new() }
    }

    /// Takes in another report of the same stream.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.failures.extend(other.failures);
        self.at_rest.0 += other.at_rest.0;
        self.during_rollouts.0 += other.during_rollouts.0;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} requests, {} failed; at rest {}; during rollouts {}",
            self.name,
            self.requests,
            self.failures.len(),
            self.at_rest,
            self.during_rollouts
        )
    }
}

impl Latencies {
    fn new() -> Self {
        Self(Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid"))
    }

    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn milliseconds(&self, percentile: f64) -> f64 {
        self.0.value_at_percentile(percentile) as f64 / 1000.0
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(out, "none");
        }
        let at = |percentile| self.milliseconds(percentile);
        write!(out, "p50 {:.1} ms, p99 {:.1} ms, longest {:.0} ms", at(50.0), at(99.0), at(100.0))
    }
}
