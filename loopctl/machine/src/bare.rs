//! The bare repository that the git server serves: where it is, and questions to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::repository::Repository;
use super::{Place, shell};

/// Not git's: asks the server to look for runs that wait.
pub const LOOK: &str = "/-/look";

/// Where all repositories are, which is one.
pub fn root(place: &Place) -> PathBuf {
    place.state.join("git")
}

pub fn folder(place: &Place) -> Result<PathBuf> {
    Ok(folder_in(&place.state, place.repository()?))
}

/// Of the loop that has its things in that folder.
pub fn folder_in(state: &Path, repository: &Repository) -> PathBuf {
    state.join("git").join(format!("{}.git", repository.slug))
}

/// git in the loop's repository.
pub fn git(place: &Place) -> Result<Command> {
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(folder(place)?);
    // A hook inherits variables that name the repository of the push; the option above says the same.
    git.env_remove("GIT_DIR").env_remove("GIT_QUARANTINE_PATH");
    Ok(git)
}

/// None before the first push.
pub fn tip(place: &Place, branch: &str) -> Result<Option<String>> {
    let found = git(place)?.args(["rev-parse", "--verify", "--quiet", branch]).output()?;
    Ok(found.status.success().then(|| String::from_utf8_lossy(&found.stdout).trim().to_owned()))
}

pub fn message(place: &Place, commit: &str) -> Result<String> {
    shell::run(git(place)?.args(["log", "-1", "--format=%B", commit]))
}

/// A file as it is in a commit; None when the commit has no such file.
pub fn file(place: &Place, commit: &str, path: &str) -> Result<Option<String>> {
    let found = git(place)?.arg("show").arg(format!("{commit}:{path}")).output()?;
    Ok(found.status.success().then(|| String::from_utf8_lossy(&found.stdout).into_owned()))
}
