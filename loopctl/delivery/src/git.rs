//! The repository: the only place that runs git. Nothing but `template` changes a branch, the index or a file of the clone.

mod address;
pub mod change;
pub mod clone;
pub mod history;
pub mod log;
pub mod message;
pub mod remote;
mod taken_over;
pub mod template;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use regex::Regex;

use crate::access::NoAccess;
use crate::coordinates::{Coordinates, Files};
use crate::process::{self, Failed};

/// What asks this clone alone; in a partial one that may still have to fetch.
const LOCAL: Duration = Duration::from_secs(30);

pub struct Git {
    folder: PathBuf,
    /// Of the service whose history is asked for.
    files: Files,
    /// Which of two commits is older never changes, and is asked for again and again.
    older: Mutex<HashMap<(String, String), bool>>,
}

impl Git {
    /// About the repository's own service.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), files: Files::default(), older: Mutex::default() }
    }

    pub fn of(names: &Coordinates) -> Self {
        Self { folder: names.folder.clone(), files: names.files.clone(), older: Mutex::default() }
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
        // A temporary index is a plain file.
        git.args(["-c", "core.splitIndex=false", "-c", "index.sparse=false"]);
        git
    }

    /// For a commit, also where nobody has introduced themselves to git, as in a workflow's run.
    fn introduced(&self) -> Result<Command> {
        let mut git = self.command();
        if !self.is(&["config", "--get", "user.email"])? {
            for who in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{who}_NAME"), "loopctl").env(format!("GIT_{who}_EMAIL"), "loopctl@localhost");
            }
        }
        Ok(git)
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
        let output = process::run(self.command().args(arguments), input, LOCAL);
        let output = output.map_err(|failed| no_answer(failed, LOCAL, "this clone"))?;
        if !output.status.success() {
            bail!("git {}: {}", arguments.join(" "), said(&output));
        }
        Ok(output.stdout)
    }

    /// None for a name that no commit of this clone has; every form of gitrevisions(7) is one.
    pub fn resolve(&self, revision: &str) -> Result<Option<String>> {
        if revision.starts_with('-') {
            bail!("{revision} begins with a dash, as no name of a commit does; @{{-1}} is the branch before this one");
        }
        // Whatever stands behind these two is a text to look for.
        let object = if revision.starts_with(":/") { self.verified(revision)? } else { Some(revision.to_owned()) };
        object.map_or(Ok(None), |object| self.verified(&format!("{object}^{{commit}}")))
    }

    fn verified(&self, name: &str) -> Result<Option<String>> {
        let found = output(self.command().args(["rev-parse", "--verify", "--quiet", "--end-of-options", name]))?;
        let id = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        let said = said(&found);
        // A partial clone asks its remote for what it does not know.
        if found.status.success() || said.is_empty() || said.contains("remote") {
            return Ok(Some(id).filter(|id| found.status.success() && !id.is_empty()));
        }
        bail!("git does not know which commit {} is: {said}", name.trim_end_matches("^{commit}"))
    }

    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool> {
        let pair = (older.to_owned(), newer.to_owned());
        let known = self.older.lock().ok().and_then(|known| known.get(&pair).copied());
        if let Some(known) = known {
            return Ok(known);
        }
        let is_older = self.is(&["merge-base", "--is-ancestor", older, newer])?;
        // A name may be another commit's tomorrow.
        let are_commits = [older, newer].iter().all(|name| name.len() == 40);
        if are_commits && let Ok(mut known) = self.older.lock() {
            known.insert(pair, is_older);
        }
        Ok(is_older)
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
    within(command, LOCAL, "this clone")
}

fn within(command: &mut Command, limit: Duration, who: &str) -> Result<Output> {
    process::run(command, Vec::new(), limit).map_err(|failed| no_answer(failed, limit, who))
}

fn no_answer(failed: Failed, limit: Duration, who: &str) -> anyhow::Error {
    match failed {
        Failed::Start(error) => anyhow!(error).context("cannot run git; install it"),
        Failed::Time => {
            let seconds = limit.as_secs();
            NoAccess(format!("git does not answer: nothing from {who} within {seconds} s; it may pass, so try again"))
                .into()
        }
    }
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

/// Without a password that stands in an address.
fn said(output: &Output) -> String {
    static PASSWORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"://[^/@\s]+@").ok());
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let said = PASSWORD.as_ref().map_or(said.clone(), |password| password.replace_all(&said, "://").into_owned());
    if said.contains("from promisor remote") {
        let whole = "this clone is partial and its remote does not give what it lacks: `git fetch --refetch --no-filter` \
                     makes it whole";
        return format!("{said}\n{whole}");
    }
    said
}

/// For tests: what a script prints.
#[cfg(test)]
fn sh(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").current_dir(folder).args(["-ec", script]).output().expect("a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_gitrevisions_names_its_commit() {
        let folder = tempfile::tempdir().expect("a folder");
        sh(
            folder.path(),
            "git init -q -b master .; git config user.email a@b; git config user.name a
             for each in One Two Three; do git commit -q --allow-empty -m \"$each\"; git tag -a -m $each t-$each; done
             git checkout -q -b other HEAD~1; git commit -q --allow-empty -m Other; git checkout -q master
             echo text >file; git add file",
        );
        let git = Git::in_folder(folder.path());
        let check = |revision: &str, expected: Option<&str>| {
            let found = git.resolve(revision).expect(revision);
            let subject = found.map(|id| git.commit(&id).expect("it is there").subject);
            assert_eq!(subject.as_deref(), expected, "{revision}");
        };
        for (revision, subject) in [
            ("HEAD", "Three"),
            ("@", "Three"),
            ("master~1", "Two"),
            ("HEAD^", "Two"),
            ("HEAD^^{}", "Two"),
            (":/Two", "Two"),
            (":/^Tw", "Two"),
            ("master^{/One}", "One"),
            ("HEAD@{1}", "Other"),
            ("@{-1}", "Other"),
            ("t-Two", "Two"),
            ("refs/tags/t-One", "One"),
            ("t-Two^{tag}", "Two"),
            ("heads/other", "Other"),
            ("t-Two-0-g", "none"),
        ] {
            check(revision, Some(subject).filter(|subject| *subject != "none"));
        }
        let id = sh(folder.path(), "git rev-parse HEAD");
        for revision in [id.as_str(), &id[..7], &id.to_uppercase(), &format!("t-Three-0-g{}", &id[..7])] {
            check(revision, Some("Three"));
        }
        for none in ["", "nothing", ":/nothing", "HEAD:file", ":file", "master..other", "HEAD@{99}", "0123456"] {
            check(none, None);
        }
        for dash in ["-", "-x", "--all"] {
            let error = git.resolve(dash).expect_err(dash).to_string();
            assert!(error.contains("begins with a dash"), "{error}");
        }
        let elsewhere = tempfile::tempdir().expect("a folder");
        let error = Git::in_folder(elsewhere.path()).resolve("HEAD").expect_err("it is no clone").to_string();
        assert!(error.contains("not a git repository"), "{error}");
    }

    #[test]
    fn a_partial_clone_that_cannot_be_completed_is_said_to_be_one_with_what_to_type() {
        let folder = tempfile::tempdir().expect("a folder");
        sh(
            folder.path(),
            "git init -q -b master full; cd full; git config user.email a@b; git config user.name a
             echo text >file; git add file; git commit -qm One; git config uploadpack.allowFilter true; cd ..
             git clone -q --filter=blob:none --no-checkout file://$PWD/full part; mv full away",
        );
        let git = Git::in_folder(&folder.path().join("part"));
        let error = git.file("HEAD", "file").expect_err("nobody has it").to_string();
        assert!(error.contains("`git fetch --refetch --no-filter`"), "{error}");
        // With its remote it works as it is, and what was advised makes it whole.
        sh(folder.path(), "mv away full; cd part; git fetch -q --refetch --no-filter; mv ../full ../away");
        assert_eq!(git.file("HEAD", "file").expect("it is whole").as_deref(), Some("text\n"));
    }
}
