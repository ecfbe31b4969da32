//! What `doctor` says: each finding with the command that mends it; docs/loopctl.md documents the JSON.

use serde::Serialize;

use super::{Finding, Verdict};
use crate::exit::Exit;
use crate::output::Answer;
use crate::output::style::{BAD, BUSY, DIM, GOOD, paint};

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

    pub fn exit(&self) -> Exit {
        if self.findings > 0 { Exit::Findings } else { Exit::Done }
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

impl Answer for Report {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        for Checked { check, state, findings, notes, unseen } in &self.checks {
            let word = match state {
                State::Healthy => paint(GOOD, "ok      "),
                State::Findings => paint(BAD, "finding "),
                State::Unseen => paint(BUSY, "unseen  "),
            };
            let told = if notes.is_empty() { String::new() } else { format!("  {}", paint(DIM, &notes.join("; "))) };
            lines.push(format!("{word}  {check:<12}{told}").trim_end().to_owned());
            for why in unseen {
                lines.push(format!("{:10}not looked at: {why}", ""));
            }
            for Finding { what, mend } in findings {
                lines.push(format!("{:10}{what}", ""));
                lines.push(format!("{:12}{mend}", ""));
            }
        }
        lines.push(format!("\n{}", self.summary));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{healthy, with};
    use super::super::examine;
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_healthy_delivery_is_told_in_a_line_each() {
        let report = Report::of(examine(&healthy()));
        assert_eq!(report.exit(), Exit::Done);
        insta::assert_snapshot!(anstream::adapter::strip_str(&report.text()).to_string());
    }

    #[test]
    fn findings_come_with_their_commands_and_what_was_not_seen_with_its_reason() {
        let mut facts = with(
            |facts| &mut facts.application,
            |application| {
                application["spec"]["syncPolicy"]["syncOptions"] = serde_json::json!(["CreateNamespace=true"]);
                application["spec"]["syncPolicy"]["automated"]["selfHeal"] = false.into();
            },
        );
        facts.secret = Fact::Missing;
        facts.plan = Fact::Unseen("tofu is not installed".into());
        let report = Report::of(examine(&facts));
        assert_eq!((report.exit(), report.findings), (Exit::Findings, 3));
        insta::assert_snapshot!(anstream::adapter::strip_str(&report.text()).to_string());
    }
}
