//! What is written down about a run: what it was called for, and how it ended.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rules::Push;

/// What is known when the run is called for.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Request {
    pub push: Push,
    pub called: SystemTime,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    Success,
    Failure,
    Cancelled,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Outcome {
    pub conclusion: Conclusion,
    /// In a sentence, when it is not what a step printed.
    pub reason: Option<String>,
    pub seconds: f64,
    pub steps: Vec<StepOutcome>,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct StepOutcome {
    pub job: String,
    pub step: String,
    pub success: bool,
    pub seconds: f64,
    /// None in a record of before it was kept.
    #[serde(default)]
    pub ended: Option<Timestamp>,
}

impl Conclusion {
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
        }
    }
}
