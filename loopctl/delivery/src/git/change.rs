//! A commit on top of the newest state of a remote branch, made without a work tree and pushed.

use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::remote::{NOT_LET_IN, Remote, TRANSFER};
use super::{Git, run, said, within};
use crate::access::MayNotPush;
use crate::coordinates::DEFAULT_BRANCH;

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
        self.require_whole()?;
        self.require_push_to(remote)?;
        let branch = &if branch == DEFAULT_BRANCH { self.default_branch(remote)? } else { branch.to_owned() };
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
            let pushed = self.push(remote, &target)?;
            if pushed.status.success() {
                return Ok(Some(commit));
            }
            problem = said(&pushed);
            if will_never_pass(&problem) {
                return Err(MayNotPush(format!("{} does not take the push: {problem}", remote.address)).into());
            }
        }
        bail!("could not push after {TRIES} tries; run it again. The last try ended with:\n{problem}")
    }

    /// This one commit and nothing else, whatever the clone's owner has set for pushes of their own.
    fn push(&self, remote: &Remote, target: &str) -> Result<Output> {
        let mut push = self.at(remote);
        push.args(["-c", &format!("remote.{}.mirror=false", remote.address)]);
        push.args(["push", "--quiet", "--no-verify", "--no-signed", "--no-follow-tags", "--no-recurse-submodules"]);
        within(push.args([&remote.address, target]), TRANSFER, &remote.address)
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
        run(self.introduced()?.args(["commit-tree", &tree, "-p", tip, "-m", change.message.trim()]))
    }

    fn store(&self, text: &str) -> Result<String> {
        let stored = self.feed(&["hash-object", "-w", "--stdin"], text.as_bytes().to_vec())?;
        Ok(String::from_utf8_lossy(&stored).trim().to_owned())
    }
}

/// As bump-image decides it: a branch that moved on may take the next try, a rule or a missing right will not.
fn will_never_pass(problem: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|words| problem.contains(words));
    let collided = says(&["cannot lock ref", "failed to update ref"]);
    says(&NOT_LET_IN)
        || says(&["declined", "read only", "read-only", "does not appear to be a git repository"])
        || (problem.contains("[remote rejected]") && !collided)
}

#[cfg(test)]
mod tests {
    use super::super::sh;
    use super::*;

    /// A bare repository with one commit, and a clone of it that stands on an older branch of its own.
    fn world() -> (tempfile::TempDir, Git, Remote) {
        let folder = tempfile::tempdir().expect("a folder");
        let (bare, clone) = (folder.path().join("owner/bare.git"), folder.path().join("clone"));
        sh(folder.path(), "git init -q --bare -b master owner/bare.git && git init -q -b mine clone");
        sh(
            &clone,
            "git config user.email a@b; git config user.name a; echo one >file; git add file; git commit -qm one",
        );
        sh(&clone, &format!("git remote add origin {0}; git push -q {0} HEAD:master; echo mine >file", bare.display()));
        let git = Git::in_folder(&clone);
        let remote = git.remote_of(&bare.display().to_string(), None).expect("a remote");
        assert_eq!(remote.address, "origin");
        (folder, git, remote)
    }

    fn change(text: &str) -> Change {
        Change { files: vec![("folder/new".into(), text.into())], message: format!("Write {text}") }
    }

    #[test]
    fn a_change_is_pushed_and_the_clone_stays_as_it_was() {
        let (folder, git, remote) = world();
        let clone = folder.path().join("clone");
        let before = sh(&clone, "git status --porcelain; git rev-parse HEAD; git for-each-ref");
        let commit = git.change(&remote, "master", |_| Ok(Some(change("text")))).expect("pushed").expect("a commit");
        assert_eq!(
            sh(&clone, "git status --porcelain; git rev-parse HEAD; git for-each-ref | grep -v remotes/"),
            before
        );
        assert_eq!(git.tip(&remote, "master").expect("a tip"), commit);
        assert_eq!(git.file(&commit, "folder/new").expect("it is read").as_deref(), Some("text"));
        assert_eq!(git.file(&commit, "file").expect("it is read").as_deref(), Some("one\n"));
        assert!(git.change(&remote, "master", |_| Ok(None)).expect("nothing to do").is_none());
    }

    #[test]
    fn a_push_in_between_means_that_it_is_decided_again() {
        let (folder, git, remote) = world();
        let other = folder.path().join("other");
        sh(
            folder.path(),
            "git clone -q owner/bare.git other; git -C other config user.email a@b; git -C other config user.name b",
        );
        let mut tips = Vec::new();
        let pushed = git.change(&remote, "master", |tip| {
            tips.push(tip.to_owned());
            if tips.len() == 1 {
                sh(&other, "echo two >second; git add second; git commit -qm two; git push -q origin master");
            }
            Ok(Some(change("text")))
        });
        let commit = pushed.expect("pushed").expect("a commit");
        assert_eq!(tips.len(), 2, "{tips:?}");
        assert_eq!(git.file(&commit, "second").expect("it is read").as_deref(), Some("two\n"));
    }

    #[test]
    fn a_rule_of_the_branch_is_said_at_once() {
        let (folder, git, remote) = world();
        let hook =
            "echo '#!/bin/sh\nexit 1' >owner/bare.git/hooks/pre-receive; chmod +x owner/bare.git/hooks/pre-receive";
        sh(folder.path(), hook);
        let refused = git.change(&remote, "master", |_| Ok(Some(change("text"))));
        let refused = refused.expect_err("the hook declines").to_string();
        assert!(refused.contains("does not take the push") && refused.contains("declined"), "{refused}");
    }

    #[test]
    fn no_setting_and_no_hook_of_the_clones_stops_a_push_or_adds_to_it() {
        let check = |script: &str| {
            let (folder, git, remote) = world();
            sh(&folder.path().join("clone"), script);
            let commit = git.change(&remote, "master", |_| Ok(Some(change("text")))).expect(script).expect("a commit");
            let refs =
                sh(&folder.path().join("owner/bare.git"), "git for-each-ref --format='%(objectname) %(refname)'");
            assert_eq!(refs, format!("{commit} refs/heads/master"), "{script}");
        };
        for hook in ["pre-push", "reference-transaction", "post-index-change"] {
            let hook = format!(".git/hooks/{hook}");
            check(&format!("mkdir -p .git/hooks; printf '#!/bin/sh\\nexit 1' >{hook}; chmod +x {hook}"));
        }
        check("mkdir h; printf '#!/bin/sh\\nexit 1' >h/pre-push; chmod +x h/pre-push; git config core.hooksPath h");
        check("git tag -am new new; git config push.followTags true");
        check("git config push.gpgSign true");
        check("git config remote.origin.mirror true");
        check(
            "git config push.recurseSubmodules check; git config core.splitIndex true; git config commit.gpgSign true",
        );
    }

    #[test]
    fn only_a_refusal_means_that_somebody_else_has_to_push() {
        let check = |problem: &str, never: bool| assert_eq!(will_never_pass(problem), never, "{problem}");
        check(
            "remote: error: GH006: Protected branch update failed\n ! [remote rejected] a -> b (protected branch)",
            true,
        );
        check(" ! [remote rejected] a -> b (pre-receive hook declined)", true);
        check("remote: Permission to a/b.git denied to c.\nfatal: The requested URL returned error: 403", true);
        check("ERROR: The key you are authenticating with has been marked as read only.", true);
        check("git@github.com: Permission denied (publickey).", true);
        check(" ! [rejected] a -> b (fetch first)", false);
        check(" ! [remote rejected] a -> b (cannot lock ref 'refs/heads/b': is at 1 but expected 2)", false);
        check("fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com", false);
        check("fatal: the remote end hung up unexpectedly", false);
    }
}
