//! What `doctor` has found, for a person: a line a check, findings and their commands below it.

use delivery::doctor::Finding;
use delivery::doctor::report::{Checked, Report, State};

use crate::output::Answer;
use crate::output::style::{BAD, BUSY, DIM, GOOD, paint};
use crate::text::plain::{line, plain};

impl Answer for Report {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        for Checked { check, state, findings, notes, unseen } in &self.checks {
            let word = match state {
                State::Healthy => paint(GOOD, "ok      "),
                State::Findings => paint(BAD, "finding "),
                State::Unseen => paint(BUSY, "unseen  "),
            };
            let told =
                if notes.is_empty() { String::new() } else { format!("  {}", paint(DIM, &line(&notes.join("; ")))) };
            lines.push(format!("{word}  {check:<12}{told}").trim_end().to_owned());
            for why in unseen {
                lines.push(format!("{:10}not looked at: {}", "", line(why)));
            }
            for Finding { what, mend } in findings {
                lines.push(format!("{:10}{}", "", line(what)));
                lines.push(format!("{:12}{}", "", plain(mend)));
            }
        }
        lines.push(format!("\n{}", self.summary));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use delivery::doctor::Verdict;

    use super::*;

    fn shown(verdicts: Vec<(&'static str, Verdict)>) -> String {
        anstream::adapter::strip_str(&Report::of(verdicts).text()).to_string()
    }

    #[test]
    fn a_healthy_delivery_is_told_in_a_line_each() {
        let mut noted = Verdict::default();
        noted.note("v1.37.0");
        insta::assert_snapshot!(shown(vec![("automation", Verdict::default()), ("versions", noted)]));
    }

    #[test]
    fn findings_come_with_their_commands_and_what_was_not_seen_with_its_reason() {
        let mut found = Verdict::default();
        found.find(
            "selfHeal is off: a manual edit stays until the next commit",
            "kubectl apply -f argocd/application.yaml",
        );
        found.find("the project writes objects of every kind", "kubectl apply -f argocd/project.yaml");
        let mut unseen = Verdict::default();
        unseen.unseen("tofu is not installed");
        insta::assert_snapshot!(shown(vec![("automation", found), ("tofu plan", unseen)]));
    }
}
