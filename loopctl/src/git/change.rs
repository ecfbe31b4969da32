//! A commit on top of the newest state of a remote branch, made without a work tree and pushed.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::remote::Remote;
use super::{Git, output, run, said};
use crate::exit::NoAccess;

/// The files that a commit changes, each whole, and its message.
pub struct Change {
    pub files: Vec<(String, String)>,
    pub message: String,
}

const TRIES: u32 = 10;

impl Git {
    /// Decides anew from the branch's newest commit at each try, and pushes only on top of that one: a push in
    /// between means that it is decided again. Returns the commit, or None when there was nothing to change.
    pub fn change(
        &self,
        remote: &Remote,
        branch: &str,
        mut decide: impl FnMut(&str) -> Result<Option<Change>>,
    ) -> Result<Option<String>> {
        if self.is_shallow()? {
            bail!("this clone is shallow, so it cannot tell which commit is older: run `git fetch --unshallow` first");
        }
        let mut problem = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                // Those that collided once would collide again if all waited equally long.
                let spread = u64::from(std::process::id() % 7) * 50;
                std::thread::sleep(Duration::from_millis(u64::from(attempt) * 200 + spread));
            }
            let tip = self.tip(remote, branch)?;
            let Some(change) = decide(&tip)? else { return Ok(None) };
            let commit = self.commit_on(&tip, &change)?;
            let target = format!("{commit}:refs/heads/{branch}");
            let pushed = output(self.at(remote).args(["push", "--quiet", &remote.address, &target]))?;
            if pushed.status.success() {
                return Ok(Some(commit));
            }
            problem = said(&pushed);
            if will_never_pass(&problem) {
                return Err(NoAccess(format!("{} does not take the push: {problem}", remote.address)).into());
            }
        }
        bail!("could not push after {TRIES} tries; run it again. The last try ended with:\n{problem}")
    }

    /// The commit exists in the clone's object store alone: no branch, index or file knows of it.
    fn commit_on(&self, tip: &str, change: &Change) -> Result<String> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let index = folder.path().join("index");
        let git = |arguments: &[&str]| run(self.command().env("GIT_INDEX_FILE", &index).args(arguments));
        git(&["read-tree", tip])?;
        for (path, text) in &change.files {
            let mode = git(&["ls-files", "--stage", "--", path])?;
            let mode = mode.split(' ').next().filter(|mode| !mode.is_empty()).unwrap_or("100644").to_owned();
            let blob = self.store(text)?;
            git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{blob},{path}")])?;
        }
        let tree = git(&["write-tree"])?;
        let mut commit = self.command();
        if !self.is(&["config", "--get", "user.email"])? {
            // As in a workflow's run, where nobody has introduced themselves to git.
            for who in ["AUTHOR", "COMMITTER"] {
                commit.env(format!("GIT_{who}_NAME"), "loopctl").env(format!("GIT_{who}_EMAIL"), "loopctl@localhost");
            }
        }
        run(commit.args(["commit-tree", &tree, "-p", tip, "-m", change.message.trim()]))
    }

    fn store(&self, text: &str) -> Result<String> {
        let mut child = self
            .command()
            .args(["hash-object", "-w", "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run git; install it")?;
        child.stdin.take().context("its input was asked for")?.write_all(text.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("git cannot store a file");
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// As bump-image decides it: a branch that moved on may take the next try, a rule or a missing right will not.
fn will_never_pass(problem: &str) -> bool {
    ["declined", " denied to ", "error: 403", "Authentication failed", "could not read Username", "Permission denied"]
        .iter()
        .any(|words| problem.contains(words))
}
