//! Pushes a commit to the loop's master, the way a person pushes to GitHub's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bare;
use crate::repository::Repository;
use crate::workflow::runs::{self, Run};
use crate::{Place, shell};

pub struct Pushed {
    pub commit: String,
    /// The loop's master had commits that this branch lacks, so a merge was pushed.
    pub merged: bool,
    /// What the server told the pusher.
    pub said: Vec<String>,
    pub run: Option<Run>,
}

/// Pushes HEAD of the clone in `folder`; None when master has it already.
pub fn push(place: &Place, folder: &Path) -> Result<Option<Pushed>> {
    let repository = place.repository()?;
    let Repository { branch, .. } = repository;
    let git = Clone { folder, repository };
    if git.ask(&["rev-parse", "--is-shallow-repository"])? == "true" {
        bail!("this clone is shallow, and the workflow compares commits: run `git fetch --unshallow` first");
    }
    let head = git.ask(&["rev-parse", "--verify", "HEAD^{commit}"]).context("there is no commit to push")?;
    let tip = bare::tip(place, branch)?;
    let commit = match &tip {
        None => head.clone(),
        Some(tip) => {
            let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", &repository.url(), branch];
            git.ask(&[&["-c", "http.proxy="], fetch.as_slice()].concat())?;
            if git.is_ancestor(&head, tip)? {
                return Ok(None);
            }
            if git.is_ancestor(tip, &head)? { head.clone() } else { git.merge(tip, &head)? }
        }
    };
    let said = git.push(place, &commit)?;
    Ok(Some(Pushed { merged: commit != head, said, run: runs::of_commit(place, &commit)?, commit }))
}

/// The push of `up`: what is checked out becomes the loop's master, unless it has one already.
pub fn first_push(place: &Place) -> Result<Option<Run>> {
    let repository = place.repository()?;
    if bare::tip(place, &repository.branch)?.is_some() {
        return Ok(None);
    }
    let pushed = push(place, &repository.checkout)?.context("the loop's master has a commit that nobody pushed")?;
    match pushed.run {
        Some(run) => Ok(Some(run)),
        None => bail!("the first push started no run: {}", pushed.said.join("; ")),
    }
}

/// git in somebody's clone, which it leaves as it is: no branch, no setting, no file is changed.
struct Clone<'a> {
    folder: &'a Path,
    repository: &'a Repository,
}

impl Clone<'_> {
    fn command(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(self.folder).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        git
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        Ok(shell::run(self.command().args(arguments))?.trim().to_owned())
    }

    fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool> {
        let status = self.command().args(["merge-base", "--is-ancestor", older, newer]).status()?;
        match status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => bail!("git cannot compare {older} with {newer}"),
        }
    }

    /// A merge that exists only in the object store: the bumps of the loop stay out of the branch.
    fn merge(&self, tip: &str, head: &str) -> Result<String> {
        let branch = self.repository.branch_name();
        let merged = self.command().args(["merge-tree", "--write-tree", "--name-only", tip, head]).output()?;
        let said = String::from_utf8_lossy(&merged.stdout).into_owned();
        let tree = said.lines().next().unwrap_or_default();
        match merged.status.code() {
            Some(0) => {}
            Some(1) => bail!(
                "the loop's {branch} and HEAD both changed {}: merge them first, with `git pull {} {branch}`",
                said.lines().skip(1).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(", "),
                self.repository.url()
            ),
            _ => bail!("git cannot merge: {}", shell::last_lines(&String::from_utf8_lossy(&merged.stderr), 3)),
        }
        let author = self.ask(&["log", "-1", "--format=%an%n%ae%n%B", head])?;
        let mut lines = author.splitn(3, '\n');
        let (name, email, message) =
            (lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let mut commit = self.command();
        for (variable, value) in [("NAME", name), ("EMAIL", email)] {
            commit.env(format!("GIT_AUTHOR_{variable}"), value).env(format!("GIT_COMMITTER_{variable}"), value);
        }
        // The message is HEAD's, so that a marker such as [skip ci] in it counts here as well.
        commit.args(["commit-tree", tree, "-p", tip, "-p", head, "-m", message]);
        Ok(shell::run(&mut commit)?.trim().to_owned())
    }

    fn push(&self, place: &Place, commit: &str) -> Result<Vec<String>> {
        place.secret("git-password")?;
        let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "developer".into());
        let output = self
            .command()
            // The password stays in its file until git asks for it; arguments can be read by everybody.
            .args(["-c", "credential.helper=", "-c"])
            .arg("credential.helper=!f() { echo \"username=$LOOP_USER\"; echo \"password=$(cat \"$LOOP_PASSWORD_FILE\")\"; }; f")
            .env("LOOP_USER", user)
            .env("LOOP_PASSWORD_FILE", place.keys().join("git-password"))
            .args(["-c", "http.proxy=", "push", "--porcelain", &self.repository.url(), &format!("{commit}:{}", self.repository.branch)])
            .output()
            .context("cannot run git")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("git push failed: {}", shell::last_lines(&said, 8));
        }
        let from_server = said.lines().filter_map(|line| line.strip_prefix("remote:"));
        Ok(from_server.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one commit, and a way to add others.
    struct World(tempfile::TempDir, Repository);

    impl World {
        fn new() -> Self {
            let place = Place::find().expect("the tests run with a home folder");
            let repository = place.repository().expect("the tests run in a checkout").clone();
            let this = Self(tempfile::tempdir().expect("a folder"), repository);
            this.git(&["init", "--quiet", "--initial-branch=master"]);
            this.commit("k8s/deployment.yaml", "image: sha-0000000\n", "Begin");
            this
        }

        fn clone_of(&self) -> Clone<'_> {
            Clone { folder: self.0.path(), repository: &self.1 }
        }

        fn git(&self, arguments: &[&str]) -> String {
            let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false"];
            self.clone_of().ask(&[&identity, arguments].concat()).expect("git does it")
        }

        fn commit(&self, file: &str, text: &str, message: &str) -> String {
            let path = self.0.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
            self.git(&["add", "--all"]);
            self.git(&["commit", "--quiet", "--message", message]);
            self.git(&["rev-parse", "HEAD"])
        }
    }

    #[test]
    fn a_bump_on_the_loops_master_is_merged_without_touching_the_branch() {
        let repository = World::new();
        let base = repository.git(&["rev-parse", "HEAD"]);
        let bump = repository.commit("k8s/deployment.yaml", "image: sha-1111111\n", "ci: update image");
        repository.git(&["reset", "--quiet", "--hard", &base]);
        let head = repository.commit("src/main.rs", "fn main() {}\n", "Greet [skip ci]");

        let merged = repository.clone_of().merge(&bump, &head).expect("a merge");

        assert_eq!(
            repository.git(&["log", "-1", "--format=%P|%s|%an", &merged]),
            format!("{bump} {head}|Greet [skip ci]|Ann")
        );
        assert_eq!(repository.git(&["show", &format!("{merged}:k8s/deployment.yaml")]), "image: sha-1111111");
        assert_eq!(repository.git(&["rev-parse", "HEAD"]), head);
        assert_eq!(repository.git(&["status", "--porcelain"]), "");
    }

    #[test]
    fn a_conflict_is_told_with_the_file_and_the_way_out() {
        let repository = World::new();
        let base = repository.git(&["rev-parse", "HEAD"]);
        let bump = repository.commit("k8s/deployment.yaml", "image: sha-1111111\n", "ci: update image");
        repository.git(&["reset", "--quiet", "--hard", &base]);
        let head = repository.commit("k8s/deployment.yaml", "image: sha-2222222\n", "Pin by hand");

        let error = repository.clone_of().merge(&bump, &head).expect_err("both changed the line");

        assert_eq!(
            error.to_string(),
            "the loop's master and HEAD both changed k8s/deployment.yaml: merge them first, with \
             `git pull http://10.187.0.1:3000/voloshko/argo-rust.git master`"
        );
    }
}
