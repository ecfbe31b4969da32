//! What the branch's history says about a delivery: commits, bumps, and whether an image is needed.

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::Git;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    pub subject: String,
    /// When it was committed; git does not know when it was pushed.
    pub at: Timestamp,
}

/// A commit that changed the service's manifest, with the file as it left it.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub commit: Commit,
    pub text: String,
}

const FORMAT: &str = "--format=%H%x09%ct%x09%s";
/// More bumps than that after a commit are of no interest to whoever asks for it.
const MANIFESTS: usize = 400;

impl Git {
    pub fn commit(&self, revision: &str) -> Result<Commit> {
        let listed = self.commits(&["--max-count=1", revision, "--"])?;
        listed.into_iter().next().with_context(|| format!("git knows no commit {revision}"))
    }

    /// The commit of the branch itself that brought this one in: itself, or the merge that did.
    /// A workflow runs for those alone.
    pub fn arrived_with(&self, commit: &str, tip: &str) -> Result<String> {
        let range = format!("{commit}..{tip}");
        let of_branch = self.ask(&["rev-list", "--first-parent", &range])?;
        let Some(oldest) = of_branch.lines().last() else { return Ok(commit.to_owned()) };
        // The oldest commit of the range is on top of this one if this one is of the branch itself.
        if self.resolve(&format!("{oldest}^1"))?.as_deref() == Some(commit) {
            return Ok(commit.to_owned());
        }
        let above = self.ask(&["rev-list", "--ancestry-path", &range])?;
        let above: std::collections::HashSet<&str> = above.lines().collect();
        let merge = of_branch.lines().rfind(|each| above.contains(each));
        Ok(merge.unwrap_or(commit).to_owned())
    }

    /// Each commit of the branch after `since` that changed the manifest, the oldest first.
    pub fn manifests(&self, since: &str, tip: &str) -> Result<Vec<Manifest>> {
        let limit = format!("--max-count={MANIFESTS}");
        let range = format!("{since}..{tip}");
        let mut manifests = self.changes_of_the_manifest(&["--first-parent", &limit, &range])?;
        manifests.reverse();
        Ok(manifests)
    }

    /// The newest commits of the branch that changed the manifest, the newest first.
    pub fn newest_manifests(&self, tip: &str, count: usize) -> Result<Vec<Manifest>> {
        let limit = format!("--max-count={count}");
        self.changes_of_the_manifest(&["--first-parent", &limit, tip])
    }

    fn changes_of_the_manifest(&self, arguments: &[&str]) -> Result<Vec<Manifest>> {
        let file = self.files.deployment();
        let commits = self.commits(&[arguments, &["--", &file]].concat())?;
        let texts = self.blobs(commits.iter().map(|commit| format!("{}:{file}", commit.id)).collect())?;
        Ok(commits.into_iter().zip(texts).filter_map(|(commit, text)| Some(Manifest { commit, text: text? })).collect())
    }

    /// The service's manifest in that commit; None when the commit has none.
    pub fn manifest(&self, commit: &str) -> Result<Option<String>> {
        self.file(commit, &self.files.deployment())
    }

    /// The newest first. Settings of the user's change what `git log` says, and nothing of this.
    fn commits(&self, arguments: &[&str]) -> Result<Vec<Commit>> {
        let listed = self.ask(&[&["rev-list", FORMAT][..], arguments].concat())?;
        // Before each it says `commit ID`.
        listed.lines().filter(|line| !line.starts_with("commit ")).map(parse).collect()
    }

    /// Whether two commits' images are made of the same files.
    pub fn same_inputs(&self, one: &str, other: &str) -> Result<bool> {
        let inputs = self.files.inputs();
        let mut arguments = vec!["diff-tree", "--quiet", one, other, "--"];
        arguments.extend(inputs.iter().map(String::as_str));
        self.is(&arguments)
    }

    /// Every commit of that history which the tag may stand for; none after a force-push.
    pub fn named_by(&self, tag: &str, revision: &str) -> Result<Vec<String>> {
        let Some(digits) = tag.strip_prefix("sha-").filter(|digits| digits.len() >= 7) else { return Ok(Vec::new()) };
        let all = self.ask(&["rev-list", revision])?;
        Ok(all.lines().filter(|id| id.starts_with(digits)).map(str::to_owned).collect())
    }

    /// The first commit after `since` with which the image's inputs were again those of `deployed`.
    pub fn taken_back_by(&self, since: &str, deployed: &str, tip: &str) -> Result<Option<String>> {
        let mut arguments = vec!["rev-list", "--reverse", "--ancestry-path"];
        let range = format!("{since}..{tip}");
        let inputs = self.files.inputs();
        arguments.extend([range.as_str(), "--"]);
        arguments.extend(inputs.iter().map(String::as_str));
        for each in self.ask(&arguments)?.lines() {
            if self.same_inputs(deployed, each)? {
                return Ok(Some(each.to_owned()));
            }
        }
        Ok(None)
    }

    /// Many files by one process; None for each that does not exist.
    fn blobs(&self, names: Vec<String>) -> Result<Vec<Option<String>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.feed(&["cat-file", "--batch"], (names.join("\n") + "\n").into_bytes())?;
        let mut rest = answer.as_slice();
        Ok(names.iter().map(|_| next_blob(&mut rest)).collect())
    }
}

/// `ID blob SIZE`, the file, a newline; or `NAME missing`.
fn next_blob(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let header = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    let size: usize = header.split(' ').nth(2)?.parse().ok()?;
    let text = String::from_utf8_lossy(rest.get(..size)?).into_owned();
    *rest = rest.get(size + 1..)?;
    Some(text)
}

fn parse(line: &str) -> Result<Commit> {
    let mut fields = line.splitn(3, '\t');
    let id = fields.next().unwrap_or_default().to_owned();
    let at = fields.next().and_then(|seconds| seconds.parse().ok()).and_then(|at| Timestamp::from_second(at).ok());
    let at = at.with_context(|| format!("git's line about a commit has no time: {line}"))?;
    Ok(Commit { id, at, subject: fields.next().unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::sh;
    use super::*;

    /// Two commits with a manifest, the newer one signed, in a clone whose settings change much of what git says.
    fn world() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        sh(
            folder.path(),
            "git init -q -b master .; git config user.email a@b; git config user.name a
             mkdir k8s; echo one >k8s/deployment.yaml; git add .; git commit -qm One
             echo two >k8s/deployment.yaml; git commit -qam Two
             signature='gpgsig -----BEGIN PGP SIGNATURE-----\\n \\n iQ==\\n -----END PGP SIGNATURE-----'
             signed=$(git cat-file commit HEAD | sed \"s/^committer .*/&\\n$signature/\" | git hash-object -t commit -w --stdin)
             git update-ref HEAD $signed
             git tag master $signed^; git tag $signed $signed^; git branch $(echo $signed | cut -c1-7) $signed^
             for setting in log.showSignature log.follow log.decorate=full log.mailmap diff.external=false \
               diff.noprefix color.ui=always core.pager=false log.diffMerges=on status.showUntrackedFiles=no; do
               value=${setting#*=}; git config ${setting%=*} $([ $value = $setting ] && echo true || echo $value)
             done",
        );
        folder
    }

    #[test]
    fn neither_settings_nor_names_change_what_the_history_says() {
        let folder = world();
        let tip = sh(folder.path(), "git rev-parse refs/heads/master 2>/dev/null");
        let git = Git::in_folder(folder.path());
        let commit = git.commit(&tip).expect("it is there");
        assert_eq!((commit.id.as_str(), commit.subject.as_str()), (tip.as_str(), "Two"));
        let subjects = |manifests: Vec<Manifest>| -> Vec<(String, String)> {
            manifests.into_iter().map(|each| (each.commit.subject, each.text.trim().to_owned())).collect()
        };
        let newest = subjects(git.newest_manifests(&tip, 9).expect("a history"));
        assert_eq!(newest, [("Two".to_owned(), "two".to_owned()), ("One".to_owned(), "one".to_owned())]);
        let first = sh(folder.path(), &format!("git rev-parse {tip}^ 2>/dev/null"));
        assert_eq!(subjects(git.manifests(&first, &tip).expect("a history")), [("Two".to_owned(), "two".to_owned())]);
        assert_eq!(git.named_by(&format!("sha-{}", &tip[..7]), &tip).expect("a history"), [tip]);
        // The control: a `git log` as a person types it says more than one line.
        let log = sh(folder.path(), "git log -1 --format=%H refs/heads/master 2>&1");
        assert!(log.lines().count() > 1, "git log says only {log}");
    }

    #[test]
    fn a_shallow_clone_is_said_to_be_one_with_what_to_type() {
        let folder = world();
        sh(folder.path(), "git clone -q --depth=1 file://$PWD shallow");
        let refused = Git::in_folder(&folder.path().join("shallow")).require_whole().expect_err("it is shallow");
        assert!(refused.to_string().contains("run `git fetch --unshallow` first"), "{refused}");
        Git::in_folder(folder.path()).require_whole().expect("it is whole");
    }
}
