//! What the clone's work tree and settings say about it.

use anyhow::Result;

use super::Git;

impl Git {
    /// What was changed and not committed, as `git status --short` lists it.
    pub fn uncommitted(&self) -> Result<Vec<String>> {
        Ok(self.ask(&["status", "--porcelain"])?.lines().map(str::to_owned).collect())
    }

    /// All files of a commit.
    pub fn files(&self, commit: &str) -> Result<Vec<String>> {
        Ok(listed(&self.ask(&["ls-tree", "-r", "-z", "--name-only", commit])?))
    }

    /// The files that are not the same in both commits.
    pub fn differing(&self, one: &str, other: &str) -> Result<Vec<String>> {
        Ok(listed(&self.ask(&["diff", "--no-renames", "--name-only", "-z", one, other, "--"])?))
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split_terminator('\0').map(str::to_owned).collect()
}
