//! What `doctor` says: each finding with the command that mends it; docs/loopctl.md documents the JSON.

use serde::Serialize;

use super::{Finding, Verdict};

#[derive(Serialize)]
pub struct Report {
    pub findings: usize,
    pub checks: Vec<Checked>,
    pub summary: String,
}

#[derive(Serialize)]
pub struct Checked {
    pub check: &'static str,
    pub state: State,
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Healthy,
    Findings,
    Unseen,
}

impl Report {
    pub fn of(verdicts: Vec<(&'static str, Verdict)>) -> Self {
        let checks: Vec<Checked> = verdicts.into_iter().map(|(check, verdict)| checked(check, verdict)).collect();
        let findings = checks.iter().map(|checked| checked.findings.len()).sum();
        let unseen = checks.iter().filter(|checked| !checked.unseen.is_empty()).count();
        let found = match findings {
            0 => "nothing was found".to_owned(),
            1 => "1 finding".to_owned(),
            several => format!("{several} findings"),
        };
        let skipped = if unseen == 0 { String::new() } else { format!("; {unseen} could not look at everything") };
        Self { findings, summary: format!("{} checks: {found}{skipped}.", checks.len()), checks }
    }

    /// No check could look at all that it asks for.
    pub fn is_blind(&self) -> bool {
        self.checks.iter().all(|checked| checked.state == State::Unseen)
    }
}

fn checked(check: &'static str, verdict: Verdict) -> Checked {
    let Verdict { findings, mut notes, unseen } = verdict;
    let mut once = Vec::new();
    notes.retain(|note| {
        !once.contains(note) && {
            once.push(note.clone());
            true
        }
    });
    let state = match (findings.is_empty(), unseen.is_empty()) {
        (false, _) => State::Findings,
        (true, false) => State::Unseen,
        (true, true) => State::Healthy,
    };
    Checked { check, state, findings, notes, unseen }
}
