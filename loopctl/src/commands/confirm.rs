//! Asking before something that cannot be taken back by running the command again.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::{Context, Result, bail};

/// Nobody is asked where nobody can answer: there `--yes` is needed.
pub fn confirmed(question: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        bail!("nothing was done: there is no terminal to ask on; say --yes if this is what you want");
    }
    // Not standard output, which may be read by a program.
    eprint!("\n{question} [y/N] ");
    stderr().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer).context("no answer could be read")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
