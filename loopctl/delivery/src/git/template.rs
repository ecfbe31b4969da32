//! The commits that a template makes: the first one of a repository, and those that bring it what is new.
//!
//! They stand on a line of their own, the rendered template alone, and git merges that line into the branch: so what the
//! owner has changed stays, and what both have changed is a conflict like any other. Alone here a clone is changed, as
//! that is what was asked for.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::{Git, output, run, said};
use anyhow::{Context, Result, bail};

/// Path and text of each. A script, which says in its first line how it is run, can be run.
pub type Files = [(String, String)];

/// The newest commit of the template's own line.
pub struct Rendered {
    pub commit: String,
    pub message: String,
    /// Of the template.
    pub version: String,
}

pub enum Merged {
    Done(String),
    /// The files that a person has to look at.
    Conflict(Vec<String>),
}

/// Where a commit is put down until it is merged.
const PUT_DOWN: &str = "refs/loopctl/template";
/// Every commit of that line has it in its message.
pub const VERSION: &str = "Template-Version: ";

impl Git {
    /// Makes a repository in that folder, which has to be empty or not there; nothing is left when it fails.
    pub fn begin(folder: &Path, branch: &str, files: &Files, message: &str) -> Result<String> {
        let was_there = folder.exists();
        let begun = Self::begun(folder, branch, files, message);
        if begun.is_err() {
            // Only what was made here.
            let made = if was_there { folder.join(".git") } else { folder.to_owned() };
            let _ = std::fs::remove_dir_all(made);
        }
        begun
    }

    fn begun(folder: &Path, branch: &str, files: &Files, message: &str) -> Result<String> {
        // A template of the user's own may put hooks and excludes there, which are not meant for this.
        let mut init = Command::new("git");
        init.args(["init", "--quiet", "--template="]).arg(format!("--initial-branch={branch}")).arg("--").arg(folder);
        let git = Self::in_folder(folder);
        output(&mut init)
            .and_then(|made| if made.status.success() { Ok(()) } else { bail!("git init: {}", said(&made)) })?;
        let commit = git.put_down(None, files, message)?;
        git.ask(&["update-ref", &format!("refs/heads/{branch}"), &commit])?;
        // The bytes are the template's, whatever ends the lines of this machine's own files.
        git.ask(&["-c", "core.autocrlf=false", "reset", "--hard", "--quiet"])?;
        git.take_up()?;
        Ok(commit)
    }

    /// None in a repository that did not begin with a template.
    pub fn rendered(&self) -> Result<Option<Rendered>> {
        let found =
            self.ask(&["log", "--topo-order", "-1", "--format=%H%n%B", "--grep", &format!("^{VERSION}"), "HEAD"])?;
        let Some((commit, message)) = found.split_once('\n') else { return Ok(None) };
        let version = message.lines().rev().find_map(|line| line.strip_prefix(VERSION)).unwrap_or_default();
        let [commit, message, version] = [commit, message, version].map(str::to_owned);
        Ok(Some(Rendered { commit, message, version }))
    }

    /// Puts a newer rendering on top of that one, and merges it into the branch that is checked out.
    pub fn merge(&self, before: &Rendered, files: &Files, message: &str, subject: &str) -> Result<Merged> {
        let newer = self.put_down(Some(&before.commit), files, message)?;
        let merged = output(self.introduced()?.args(["merge", "--no-ff", "--no-edit", "-m", subject, &newer]))?;
        self.take_up()?;
        if merged.status.success() {
            return Ok(Merged::Done(self.ask(&["rev-parse", "HEAD"])?));
        }
        let unmerged = self.ask(&["diff", "--name-only", "--diff-filter=U"])?;
        if unmerged.is_empty() {
            bail!("git merge: {} {}", said(&merged), String::from_utf8_lossy(&merged.stdout).trim());
        }
        Ok(Merged::Conflict(unmerged.lines().map(str::to_owned).collect()))
    }

    /// A commit of exactly those files, which no branch knows yet.
    fn put_down(&self, parent: Option<&str>, files: &Files, message: &str) -> Result<String> {
        let who = run(self.introduced()?.args(["var", "GIT_COMMITTER_IDENT"]))?;
        let mut stream = format!("commit {PUT_DOWN}\nmark :1\nauthor {who}\ncommitter {who}\n");
        let data = |stream: &mut String, text: &str| write!(stream, "data {}\n{text}\n", text.len());
        data(&mut stream, message)?;
        if let Some(parent) = parent {
            writeln!(stream, "from {parent}")?;
        }
        stream += "deleteall\n";
        for (path, text) in files {
            writeln!(stream, "M {} inline {path}", if text.starts_with("#!") { "100755" } else { "100644" })?;
            data(&mut stream, text)?;
        }
        stream += "get-mark :1\ndone\n";
        let said = self.feed(&["fast-import", "--quiet", "--force", "--done"], stream.into_bytes())?;
        let commit = String::from_utf8_lossy(&said).trim().to_owned();
        Some(commit).filter(|commit| !commit.is_empty()).context("git fast-import named no commit")
    }

    fn take_up(&self) -> Result<()> {
        run(self.command().args(["update-ref", "-d", PUT_DOWN])).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sh;
    use super::*;

    fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    const MESSAGE: &str = "Begin\n\nTemplate-Version: 1\nTemplate-Names: name=a\n";

    fn begun(folder: &Path, files: &[(&str, &str)]) -> Git {
        Git::begin(folder, "main", &owned(files), MESSAGE).expect("it begins");
        sh(folder, "git config user.email a@b; git config user.name a");
        Git::in_folder(folder)
    }

    #[test]
    fn a_repository_begins_with_exactly_those_files_on_its_branch() {
        let world = tempfile::tempdir().expect("a folder");
        let folder = world.path().join("new");
        begun(&folder, &[("run", "#!/bin/sh\n"), ("a/b.txt", "text\r\nmore"), ("c", "")]);
        assert_eq!(
            sh(&folder, "git status --porcelain; git branch --show-current; git for-each-ref --format='%(refname)'"),
            "main\nrefs/heads/main"
        );
        assert_eq!(sh(&folder, "git ls-files --stage | cut -c1-6 | sort | uniq -c | xargs"), "2 100644 1 100755");
        assert_eq!(std::fs::read_to_string(folder.join("a/b.txt")).expect("it is there"), "text\r\nmore");
        let empty = world.path().join("empty");
        std::fs::create_dir(&empty).expect("a folder");
        begun(&empty, &[("c", "")]);
    }

    #[test]
    fn a_newer_template_keeps_what_the_owner_has_changed() {
        let world = tempfile::tempdir().expect("a folder");
        let folder = world.path().join("new");
        let lines = |first: &str, last: &str| format!("{first}\n2\n3\n4\n{last}\n");
        let git = begun(&folder, &[("file", &lines("1", "5")), ("gone", "x\n")]);
        sh(&folder, "sed -i s/1/mine/ file; echo mine >own; git add own; git commit -qam Mine");
        let newer = lines("1", "newer");
        let before = git.rendered().expect("git answers").expect("it began with one");
        let done =
            git.merge(&before, &owned(&[("file", &newer), ("added", "y\n")]), MESSAGE, "Merge 2").expect("git merges");
        assert!(matches!(done, Merged::Done(_)));
        assert_eq!(
            sh(&folder, "cat file own added; ls; git status --porcelain"),
            "mine\n2\n3\n4\nnewer\nmine\ny\nadded\nfile\nown"
        );
        // The next one is compared with this one, and not with the first.
        let before = git.rendered().expect("git answers").expect("it began with one");
        let third = lines("third", "newer");
        match git.merge(&before, &owned(&[("file", &third), ("added", "y\n")]), MESSAGE, "Merge 3").expect("git merges")
        {
            Merged::Conflict(files) => assert_eq!(files, ["file"]),
            Merged::Done(_) => panic!("both have changed the first line"),
        }
        assert!(sh(&folder, "cat file").contains("<<<<<<< HEAD\nmine\n=======\nthird\n>>>>>>>"));
        sh(&folder, "git merge --abort");
        assert_eq!(sh(&folder, "git status --porcelain; head -1 file"), "mine");
    }

    #[test]
    fn nothing_is_left_of_what_could_not_begin() {
        let world = tempfile::tempdir().expect("a folder");
        let folder = world.path().join("new");
        Git::begin(&folder, "a..b", &[], MESSAGE).expect_err("that is no branch");
        assert!(!folder.exists());
    }
}
