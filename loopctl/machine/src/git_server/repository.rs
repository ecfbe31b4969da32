//! Questions to the loop's repository.

use std::process::Command;

use anyhow::Result;

use super::folder;
use crate::{Place, shell};

/// git in the loop's repository.
pub fn git(place: &Place) -> Command {
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(folder(place));
    // A hook inherits variables that name the repository of the push; the option above says the same.
    git.env_remove("GIT_DIR").env_remove("GIT_QUARANTINE_PATH");
    git
}

/// None before the first push.
pub fn tip(place: &Place, branch: &str) -> Result<Option<String>> {
    let found = git(place).args(["rev-parse", "--verify", "--quiet", branch]).output()?;
    Ok(found.status.success().then(|| String::from_utf8_lossy(&found.stdout).trim().to_owned()))
}

pub fn message(place: &Place, commit: &str) -> Result<String> {
    shell::run(git(place).args(["log", "-1", "--format=%B", commit]))
}

/// A file as it is in a commit; None when the commit has no such file.
pub fn file(place: &Place, commit: &str, path: &str) -> Result<Option<String>> {
    let found = git(place).arg("show").arg(format!("{commit}:{path}")).output()?;
    Ok(found.status.success().then(|| String::from_utf8_lossy(&found.stdout).into_owned()))
}

/// The files in which two commits differ; all files of the second when the first is none.
pub fn changed(place: &Place, before: &str, after: &str) -> Result<Vec<String>> {
    let said = if before.bytes().all(|digit| digit == b'0') {
        shell::run(git(place).args(["ls-tree", "-r", "--name-only", "-z", after]))?
    } else {
        shell::run(git(place).args(["diff", "--name-only", "--no-renames", "-z", before, after]))?
    };
    Ok(said.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}
