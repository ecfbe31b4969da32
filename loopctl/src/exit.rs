//! What the exit codes mean; scripts depend on them, so a number is never used again for another thing.

use std::process::ExitCode;

use delivery::access::is_refused;
use delivery::journey::answer::State;
use delivery::journey::follow::End;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    /// clap ends with this one by itself.
    Usage,
    Superseded,
    Held,
    TimedOut,
    NoAccess,
    Findings,
    RolledBack,
    NotPushed,
}

/// What `--help` and docs/loopctl.md say of each.
pub const MEANINGS: [(Exit, &str); 10] = [
    (Exit::Done, "done, or the commit is live"),
    (Exit::Failed, "failed"),
    (Exit::Usage, "wrong usage"),
    (Exit::Superseded, "superseded: a newer commit is delivered in its place"),
    (Exit::Held, "held: the hold in k8s/deployment.yaml stops it"),
    (Exit::TimedOut, "timed out"),
    (Exit::NoAccess, "no access to the cluster, the repository or the registry"),
    (Exit::Findings, "doctor or update --check has found something"),
    (Exit::RolledBack, "guard has rolled the revision back"),
    (Exit::NotPushed, "guard may not push; somebody else has to type what it printed"),
];

impl Exit {
    pub fn number(self) -> u8 {
        self as u8
    }

    pub fn help() -> String {
        let lines: Vec<String> =
            MEANINGS.iter().map(|(exit, meaning)| format!("  {}  {meaning}", exit.number())).collect();
        format!("Exit codes:\n{}", lines.join("\n"))
    }

    /// Of a commit whose journey was followed to its end, or for as long as was asked.
    pub fn of_journey(state: State, end: End) -> Self {
        match (end, state) {
            (End::Unseen, _) => Self::NoAccess,
            (End::Time, _) => Self::TimedOut,
            (End::Journey, State::Failed) => Self::Failed,
            (End::Journey, State::Superseded) => Self::Superseded,
            (End::Journey, State::Held) => Self::Held,
            (End::Journey, _) => Self::Done,
        }
    }

    /// Of an error that no command has turned into an answer.
    pub fn of(error: &anyhow::Error) -> Self {
        if is_refused(error) { Self::NoAccess } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.number().into()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};
    use delivery::access::NoAccess;

    use super::*;

    #[test]
    fn the_table_has_each_number_once_and_in_order() {
        let numbers: Vec<u8> = MEANINGS.iter().map(|(exit, _)| exit.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn the_document_says_of_each_code_what_the_help_says() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/loopctl.md");
        let document = std::fs::read_to_string(document).expect("docs/loopctl.md is there").replace('`', "");
        for (exit, meaning) in MEANINGS {
            let row = format!("| {} | {meaning} |", exit.number());
            assert!(document.contains(&row), "docs/loopctl.md lacks the row {row}");
        }
    }

    #[test]
    fn an_error_ends_with_no_access_however_deep_the_refusal_lies() {
        let refused = Err::<(), _>(NoAccess("forbidden".into())).context("cannot read pods").context("where");
        assert_eq!(Exit::of(&refused.expect_err("it was refused")), Exit::NoAccess);
        assert_eq!(Exit::of(&anyhow!("something else")), Exit::Failed);
    }
}
