//! The newest commits of the branch, each with what its message says that it did for the delivery.

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::Git;
use super::history::Commit;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub commit: Commit,
    pub author: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's own commit, or the merge that brought it in.
    Source,
    /// The workflow has written the image of that commit.
    Bump { of: String },
    /// `loopctl rollback`, `resume` or `guard` has steered.
    Steered,
}

/// Fields are parted by what no subject holds.
const FORMAT: &str = "--format=%H%x1f%ct%x1f%an%x1f%(trailers:key=Source-Commit,valueonly,separator=%x20)\
    %x1f%(trailers:key=Bad-Revision,key=Good-Revision,valueonly,separator=%x20)%x1f%s";

impl Git {
    /// Of the branch itself, the newest first: what a merge brought in stands for itself no more.
    pub fn newest(&self, tip: &str, count: usize) -> Result<Vec<Entry>> {
        let limit = format!("--max-count={count}");
        let listed = self.ask(&["rev-list", "--first-parent", FORMAT, &limit, tip, "--"])?;
        // Before each it says `commit ID`.
        listed.lines().filter(|line| !line.starts_with("commit ")).map(entry).collect()
    }
}

fn entry(line: &str) -> Result<Entry> {
    let fields: Vec<&str> = line.splitn(6, '\u{1f}').collect();
    let [id, at, author, source, steered, subject] = fields[..] else {
        return Err(anyhow::anyhow!("git's line about a commit is of another form: {line}"));
    };
    let at = at.parse().ok().and_then(|at| Timestamp::from_second(at).ok());
    let at = at.with_context(|| format!("git's line about a commit has no time: {line}"))?;
    let kind = match (source.trim(), steered.trim()) {
        ("", "") => Kind::Source,
        (of, "") if is_commit(of) => Kind::Bump { of: of.to_owned() },
        _ => Kind::Steered,
    };
    let commit = Commit { id: id.to_owned(), at, subject: subject.to_owned() };
    Ok(Entry { commit, author: author.to_owned(), kind })
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::super::sh;
    use super::*;

    #[test]
    fn each_commit_says_what_it_did_for_the_delivery() {
        let folder = tempfile::tempdir().expect("a folder");
        sh(
            folder.path(),
            "git init -q -b master .; git config user.email a@b; git config user.name Ann
             commit() { git commit -q --allow-empty \"$@\"; }
             commit -m One; one=$(git rev-parse HEAD)
             commit -m 'ci: update image' -m \"Source-Commit: $one\"
             commit -m 'Roll back' -m \"$(printf 'Bad-Revision: 1234567\\nGood-Revision: 7654321')\"
             commit -m 'Lift the hold' -m 'Bad-Revision: 1234567'
             commit -m \"$(printf 'A subject\\037with a separator')\" -m 'Source-Commit: nothing of the kind'
             git checkout -q -b side HEAD~1; commit -m Side; git checkout -q master; git merge -q --no-ff -m Merge side
             git config log.showSignature true; git config color.ui always",
        );
        let git = Git::in_folder(folder.path());
        let one = git.resolve(":/^One").expect("git is asked").expect("it is there");
        let found = git.newest("HEAD", 9).expect("a history");
        let found: Vec<(&str, Kind)> =
            found.iter().map(|entry| (entry.commit.subject.as_str(), entry.kind.clone())).collect();
        assert_eq!(
            found,
            [
                ("Merge", Kind::Source),
                ("A subject\u{1f}with a separator", Kind::Steered),
                ("Lift the hold", Kind::Steered),
                ("Roll back", Kind::Steered),
                ("ci: update image", Kind::Bump { of: one }),
                ("One", Kind::Source),
            ]
        );
        assert_eq!(git.newest("HEAD", 1).expect("a history").len(), 1);
    }
}
