//! A question before something is done.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::{Context, Result, bail};

/// Whether to do it. Where nobody can answer, only `--yes` is an answer.
pub fn confirm(yes: bool, question: &str) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        bail!(
            "nothing was done: there is no terminal to ask \"{question}\" on; say --yes to do it without being asked"
        );
    }
    // On standard error, so that an answer as JSON stays whole.
    eprint!("{question} [y/N] ");
    stderr().flush().context("cannot ask")?;
    let mut answer = String::new();
    stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
