//! The loop's repository: its name, where it is, and questions to it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::place::{BRIDGE_ADDRESS, GIT_PORT};
use super::{Place, shell};

pub const REPOSITORY: &str = "voloshko/argo-rust";
/// Not git's: asks the server to look for runs that wait.
pub const LOOK: &str = "/-/look";
pub const BRANCH: &str = "refs/heads/master";

/// As `GITHUB_SERVER_URL` has it.
pub fn server() -> String {
    format!("http://{BRIDGE_ADDRESS}:{GIT_PORT}")
}

pub fn url() -> String {
    format!("{}/{REPOSITORY}.git", server())
}

/// Where all repositories are, which is one.
pub fn root(place: &Place) -> PathBuf {
    place.state.join("git")
}

pub fn folder(place: &Place) -> PathBuf {
    root(place).join(format!("{REPOSITORY}.git"))
}

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
