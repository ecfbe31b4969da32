//! One part of the benchmark a file; each returns its figures.

pub mod fibonacci;
pub mod http;
pub mod instructions;
pub mod memory;
pub mod quota;
pub mod start;

use crate::machine::Cores;
use crate::results::Samples;
use crate::server::Target;

/// What all parts work with.
pub struct Run {
    pub cores: Cores,
    pub rounds: usize,
    /// Of each measurement under load.
    pub seconds: u64,
    /// In the order of the tables, all asked for the probe's path; the service is among them, by other names too.
    pub targets: Vec<Target>,
    /// What all of them answer there.
    pub body: String,
    /// What the service is asked as well.
    pub paths: Vec<String>,
}

/// What a part has found out.
#[derive(Default)]
pub struct Outcome {
    pub samples: Samples,
    /// What was left out, with the reason.
    pub notes: Vec<String>,
}
