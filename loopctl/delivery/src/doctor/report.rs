//! What `doctor` says: each finding with the command that mends it; docs/loopctl.md documents the JSON.

use serde::Serialize;

use super::{Finding, PLAN, Verdict, holds, template};

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
        let is_blind = is_blind(&checks);
        let found = match findings {
            0 if is_blind => "nothing of the cluster could be looked at".to_owned(),
            0 => "nothing was found".to_owned(),
            1 => "1 finding".to_owned(),
            several => format!("{several} findings"),
        };
        let names = checks.iter().filter(|checked| !checked.unseen.is_empty()).map(|checked| checked.check);
        let names = names.collect::<Vec<_>>().join(", ");
        let skipped =
            if unseen == 0 { String::new() } else { format!("; {unseen} could not look at everything: {names}") };
        Self { findings, summary: format!("{} checks: {found}{skipped}.", checks.len()), checks }
    }

    /// No check of the cluster could look at all that it asks for.
    pub fn is_blind(&self) -> bool {
        is_blind(&self.checks)
    }
}

/// What git and a plan say is no look at the cluster.
fn is_blind(checks: &[Checked]) -> bool {
    let of_cluster = checks.iter().filter(|checked| ![holds::NAME, template::NAME, PLAN.name].contains(&checked.check));
    of_cluster.clone().count() > 0 && of_cluster.clone().all(|checked| checked.state == State::Unseen)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_saw_nothing_of_the_cluster_is_blind_whatever_git_says() {
        let verdict = |unseen: bool| {
            let mut verdict = Verdict::default();
            if unseen {
                verdict.unseen("forbidden");
            }
            verdict
        };
        let check = |unseen: [bool; 4], expected: bool| {
            let names = [holds::NAME, "nodes", "quotas", PLAN.name];
            let report = Report::of(names.into_iter().zip(unseen.map(verdict)).collect());
            assert_eq!(report.is_blind(), expected, "{unseen:?}");
            assert_eq!(report.summary.contains("nothing of the cluster could be looked at"), expected);
        };
        check([false, true, true, false], true);
        check([false, true, true, true], true);
        check([true, true, true, true], true);
        check([false, true, false, true], false);
        check([true, false, false, true], false);
    }
}
