//! The repository: the only place that runs git. Nothing here changes a branch, the index or a file of the clone.

pub mod change;
pub mod clone;
pub mod history;
pub mod remote;
mod taken_over;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::access::NoAccess;
use crate::process::{self, Failed};

/// What asks this clone alone; in a partial one that may still have to fetch.
const LOCAL: Duration = Duration::from_secs(30);

pub struct Git {
    folder: PathBuf,
}

impl Git {
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn command(&self) -> Command {
        let mut git = Command::new("git");
        // What git says is read, and it must never wait for somebody to type a password.
        git.current_dir(&self.folder).env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        git.env_remove("SSH_ASKPASS").env("SSH_ASKPASS_REQUIRE", "never").env("GCM_INTERACTIVE", "never");
        // The history as it is for everybody else, too.
        git.env("GIT_NO_REPLACE_OBJECTS", "1");
        // A hook is for the work of the clone's owner, not for a commit that never touches the work tree.
        git.args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.askPass="]);
        git
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        run(self.command().args(arguments))
    }

    /// Some answers of git are exit codes: 0 is yes, 1 is no.
    fn is(&self, arguments: &[&str]) -> Result<bool> {
        let output = output(self.command().args(arguments))?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => bail!("git {}: {}", arguments.join(" "), said(&output)),
        }
    }

    /// What it answers to a long question.
    fn feed(&self, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>> {
        let output = ended(process::run(self.command().args(arguments), input, LOCAL))?;
        if !output.status.success() {
            bail!("git {}: {}", arguments.join(" "), said(&output));
        }
        Ok(output.stdout)
    }

    /// None for a name that no commit of this clone has.
    pub fn resolve(&self, revision: &str) -> Result<Option<String>> {
        let output = output(
            self.command()
                .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
                .arg(format!("{revision}^{{commit}}")),
        )?;
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Some(id).filter(|id| output.status.success() && !id.is_empty()))
    }

    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool> {
        self.is(&["merge-base", "--is-ancestor", older, newer])
    }

    /// The file as it is in that commit; None when the commit has none.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<String>> {
        let name = format!("{commit}:{path}");
        if self.ask(&["ls-tree", "--name-only", commit, "--", path])?.is_empty() {
            return Ok(None);
        }
        let output = output(self.command().args(["cat-file", "blob", &name]))?;
        if !output.status.success() {
            bail!("git cannot show {name}: {}", said(&output));
        }
        Ok(Some(String::from_utf8(output.stdout).with_context(|| format!("{name} is not text"))?))
    }

    /// A shallow clone lacks the commits by which everything is decided.
    pub fn require_whole(&self) -> Result<()> {
        if self.is_shallow()? {
            bail!(
                "this clone is shallow, so it cannot tell which commit is older: run `git fetch --unshallow` first; \
                 in a workflow, set fetch-depth: 0 on the checkout"
            );
        }
        Ok(())
    }

    fn is_shallow(&self) -> Result<bool> {
        Ok(self.ask(&["rev-parse", "--is-shallow-repository"])? == "true")
    }
}

fn output(command: &mut Command) -> Result<Output> {
    ended(process::run(command, Vec::new(), LOCAL))
}

fn ended(output: Result<Output, Failed>) -> Result<Output> {
    output.map_err(|failed| match failed {
        Failed::Start(error) => anyhow!(error).context("cannot run git; install it"),
        Failed::Time => anyhow!(NoAccess("git does not answer; it may pass, so try again".to_owned())),
    })
}

/// What it printed, without the newline at the end.
fn run(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        bail!("git {}: {}", words.last().map_or("", String::as_str), said(&output));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
