//! A clone of the loop's repository, for commits that are made without a workflow run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{GIT, IMAGE, Loop, shell};

pub struct Clone {
    folder: TempDir,
    password: PathBuf,
}

/// git reads the password from its file when it needs it: arguments can be read by everybody.
const SETTINGS: [(&str, &str); 3] = [
    ("http.proxy", ""),
    ("credential.helper", ""),
    ("credential.helper", "!f() { echo username=prover; echo \"password=$(cat \"$LOOP_PASSWORD_FILE\")\"; }; f"),
];

/// GitHub starts no run for such a commit, and neither does the loop.
const NO_RUN: &str = "[skip ci]";

impl Clone {
    pub fn of(the_loop: &Loop) -> Result<Self> {
        let clone = Self {
            folder: TempDir::with_prefix("argo-rust-e2e-")?,
            password: the_loop.state.join("keys/git-password"),
        };
        shell::run(clone.git().args(["clone", "--quiet", "--branch=master", GIT, "."]))?;
        Ok(clone)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn git(&self) -> Command {
        let mut git = Command::new("git");
        for (name, value) in SETTINGS {
            git.arg("-c").arg(format!("{name}={value}"));
        }
        self.as_the_prover(&mut git);
        git
    }

    /// A script of the repository, whose git may push.
    pub fn script(&self, path: &str) -> Command {
        let mut script = Command::new(self.folder().join(path));
        script.env("GIT_CONFIG_COUNT", SETTINGS.len().to_string());
        for (number, (name, value)) in SETTINGS.iter().enumerate() {
            script.env(format!("GIT_CONFIG_KEY_{number}"), name).env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        self.as_the_prover(&mut script);
        script
    }

    fn as_the_prover(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env("GIT_TERMINAL_PROMPT", "0");
        command.env("LOOP_PASSWORD_FILE", &self.password);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "prover").env(format!("GIT_{who}_EMAIL"), "prover@localhost");
        }
    }

    pub fn head(&self) -> Result<String> {
        Ok(shell::run(self.git().args(["rev-parse", "HEAD"]))?.trim().to_owned())
    }

    /// Becomes what the loop's master is now.
    pub fn update(&self) -> Result<String> {
        shell::run(self.git().args(["fetch", "--quiet", "origin", "master"]))?;
        shell::run(self.git().args(["reset", "--quiet", "--hard", "FETCH_HEAD"]))?;
        shell::run(self.git().args(["clean", "--quiet", "-fd"]))?;
        self.head()
    }

    pub fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.folder().join(path)).with_context(|| format!("cannot read {path} of the clone"))
    }

    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let file = self.folder().join(path);
        fs::create_dir_all(file.parent().context("a file stands in a folder")?)?;
        fs::write(file, text).with_context(|| format!("cannot write {path} of the clone"))
    }

    pub fn remove(&self, path: &str) -> Result<()> {
        fs::remove_file(self.folder().join(path)).with_context(|| format!("cannot remove {path} of the clone"))
    }

    pub fn replace(&self, path: &str, old: &str, new: &str) -> Result<()> {
        let text = self.read(path)?;
        if !text.contains(old) {
            bail!("{path} does not contain {old:?}");
        }
        self.write(path, &text.replacen(old, new, 1))
    }

    /// Commits all that was changed and pushes it; a run of the workflow starts, as on GitHub.
    pub fn push(&self, message: &str) -> Result<String> {
        shell::run(self.git().args(["add", "--all"]))?;
        shell::run(self.git().args(["commit", "--quiet", "--allow-empty", "--message", message]))?;
        shell::run(self.git().args(["push", "--quiet", "origin", "HEAD:master"]))?;
        self.head()
    }

    /// The same without a run: what Argo CD sees is the commit alone.
    pub fn push_without_run(&self, message: &str) -> Result<String> {
        self.push(&format!("{message} {NO_RUN}"))
    }

    /// A commit on a branch of that name, which nothing watches.
    pub fn push_elsewhere(&self, branch: &str) -> Result<String> {
        shell::run(self.git().args(["commit", "--quiet", "--allow-empty", "--message", NO_RUN]))?;
        shell::run(self.git().args(["push", "--quiet", "--force", "origin", &format!("HEAD:refs/heads/{branch}")]))?;
        self.head()
    }

    /// The tag that k8s/deployment.yaml names.
    pub fn tag(&self) -> Result<String> {
        tag_in(&self.read("k8s/deployment.yaml")?)
    }

    pub fn set_tag(&self, tag: &str) -> Result<()> {
        let manifest = self.read("k8s/deployment.yaml")?;
        let old = format!(" image: {IMAGE}:{}\n", tag_in(&manifest)?);
        // Containers behind it may have the same image.
        let (head, tail) = manifest.split_once(&old).context("k8s/deployment.yaml has its image at a line's end")?;
        self.write("k8s/deployment.yaml", &format!("{head} image: {IMAGE}:{tag}\n{tail}"))
    }

    /// Every file as it is committed in the checkout, but for the tag. The checkout's commit becomes an ancestor, so that
    /// what is pushed on top of it merges without a conflict.
    pub fn become_what_is_checked_out(&self, checkout: &Path, tag: &str) -> Result<String> {
        shell::run(self.git().arg("fetch").arg("--quiet").arg(checkout).arg("HEAD"))?;
        shell::run(self.git().args(["merge", "--quiet", "--strategy=ours", "--no-ff", "--no-commit", "FETCH_HEAD"]))?;
        shell::run(self.git().args(["read-tree", "-u", "--reset", "FETCH_HEAD"]))?;
        self.set_tag(tag)?;
        self.push_without_run("Be what is checked out")
    }

    /// The commit of the workflow's bump job, made by hand: one line of k8s/deployment.yaml.
    pub fn bump(&self, tag: &str) -> Result<String> {
        self.update()?;
        self.set_tag(tag)?;
        self.push_without_run(&format!("ci: update image to {tag}"))
    }

    /// A forward commit in which k8s/ is again what it was in that commit.
    pub fn restore(&self, commit: &str) -> Result<String> {
        let text = shell::run(self.git().args(["show", &format!("{commit}:k8s/deployment.yaml")]))?;
        self.restore_with(commit, &tag_in(&text)?)
    }

    /// The same but for the tag.
    pub fn restore_with(&self, commit: &str, tag: &str) -> Result<String> {
        self.update()?;
        shell::run(self.git().args(["rm", "-r", "--quiet", "k8s"]))?;
        shell::run(self.git().args(["checkout", "--quiet", commit, "--", "k8s"]))?;
        self.set_tag(tag)?;
        self.push_without_run("Put k8s/ back")
    }
}

fn tag_in(manifest: &str) -> Result<String> {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix(&format!("image: {IMAGE}:")));
    Ok(line.context("k8s/deployment.yaml names no image of the project")?.trim().to_owned())
}
