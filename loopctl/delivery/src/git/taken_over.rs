//! A squash or a rebase puts a change into a branch as another commit: that one is found by what it changes.

use std::collections::HashMap;

use anyhow::Result;

use super::Git;
use super::history::Commit;

/// More commits of the branch than these are not compared.
const COMPARED: &str = "--max-count=500";
/// Raw diffs, which no setting of the user's changes.
const DIFF: [&str; 6] = ["diff-tree", "--root", "--patch", "--full-index", "--no-ext-diff", "--no-textconv"];

impl Git {
    /// The commit of the branch that changes what this one does, or what this one and those before it do together.
    /// None where the branch has the commit itself, or has its change in no commit that is alike.
    pub fn taken_over_as(&self, commit: &str, tip: &str) -> Result<Option<Commit>> {
        if self.is_ancestor(commit, tip)? {
            return Ok(None);
        }
        let base = self.common(commit, tip)?;
        let mut wanted = vec![self.patch(&[DIFF.as_slice(), &[commit]].concat())?];
        if let Some(base) = &base {
            wanted.push(self.patch(&[DIFF.as_slice(), &[base, commit]].concat())?);
        }
        let wanted: Vec<String> = wanted.into_iter().flatten().collect();
        let range = base.map_or_else(|| tip.to_owned(), |base| format!("{base}..{tip}"));
        let candidates = self.feed(&["rev-list", "--no-merges", COMPARED, &range], Vec::new())?;
        let order = String::from_utf8_lossy(&candidates).into_owned();
        let patches = self.feed(&[DIFF.as_slice(), &["--stdin"]].concat(), candidates)?;
        let patches = self.patch_ids(patches)?;
        let is_wanted = |id: &&str| patches.get(*id).is_some_and(|patch| wanted.contains(patch));
        order.lines().find(is_wanted).map(|id| self.commit(id)).transpose()
    }

    /// None for histories that have nothing in common.
    fn common(&self, one: &str, other: &str) -> Result<Option<String>> {
        let found = super::output(self.command().args(["merge-base", one, other]))?;
        let base = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        Ok(Some(base).filter(|base| !base.is_empty()))
    }

    /// None for a diff that changes nothing.
    fn patch(&self, diff: &[&str]) -> Result<Option<String>> {
        let diff = self.feed(diff, Vec::new())?;
        Ok(self.patch_ids(diff)?.into_values().next())
    }

    /// By commit, what each changes, whatever stands around it and at whichever line.
    fn patch_ids(&self, diffs: Vec<u8>) -> Result<HashMap<String, String>> {
        let ids = self.feed(&["patch-id", "--stable"], diffs)?;
        let ids = String::from_utf8_lossy(&ids).into_owned();
        Ok(ids.lines().filter_map(|line| line.split_once(' ')).map(|(patch, id)| (id.into(), patch.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sh;
    use super::*;

    /// Ends on master. Branches are made by the script, which is given `c FILE TEXT MESSAGE` to commit.
    fn check(script: &str, commit: &str, expected: Option<&str>) {
        let folder = tempfile::tempdir().expect("a folder");
        let begin = "git init -q -b master .; git config user.email a@b; git config user.name a
            c() { echo \"$2\" >>$1; git add $1; git commit -qm \"$3\"; }
            c first 1 First; git checkout -q -b mine";
        let script = format!("{begin}\n{script}");
        sh(folder.path(), &script);
        let git = Git::in_folder(folder.path());
        let resolve = |name: &str| git.resolve(name).expect("git answers").expect(name);
        let found = git.taken_over_as(&resolve(commit), &resolve("master")).expect("git answers");
        assert_eq!(found.as_ref().map(|commit| commit.subject.as_str()), expected, "{script}");
    }

    #[test]
    fn a_change_is_found_in_the_branch_that_has_taken_it_over() {
        let squash = "git checkout -q master; c other 1 Other; git merge -q --squash mine >/dev/null";
        let one = "c mine 1 Mine";
        let two = "c mine 1 Mine; c second 2 Second";
        check(&format!("{one}; {squash}; git commit -qm Squashed"), "mine", Some("Squashed"));
        check(&format!("{two}; {squash}; git commit -qm Squashed; c more 3 More"), "mine", Some("Squashed"));
        let rebase = "git checkout -q master; c first 0 Before; git checkout -q -b moved mine; git rebase -q master; \
                      git checkout -q master; git merge -q moved";
        check(&format!("{two}; {rebase}"), "mine", Some("Second"));
        check(&format!("{two}; {rebase}"), "mine^", Some("Mine"));
        let picked = "git checkout -q master; c other 1 Other; git cherry-pick mine >/dev/null; c more 3 More";
        check(&format!("{two}; {picked}"), "mine", Some("Second"));
        check(&format!("{two}; {picked}"), "mine^", None);
        // What the branch has itself, or has not got, or changes in another way, is not taken over.
        check("git checkout -q master", "mine", None);
        check(&format!("{one}; git checkout -q master; c mine other Other"), "mine", None);
        check(&format!("{one}; git commit -q --allow-empty -m Empty; git checkout -q master; c a 1 A"), "mine", None);
        check(&format!("{one}; git checkout -q --orphan new; git commit -qm New; git branch -qf master"), "mine", None);
    }
}
