//! The first delivery of a commit, kept in the cache: the next `up` of the same commit begins where that one ended,
//! without a run of the workflow.
//!
//! It is the repository with the bump on its master, and the registry with the image that the bump names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::bare;
use super::{Place, registry, shell};

/// Says in the loop's repository that its master came from the cache, so that no run is missing.
const RESTORED: &str = "refs/loopctl/restored";

/// Keeps what the loop's master has become, if that is the commit of the checkout and its bump. One delivery is kept.
pub fn keep(place: &Place) -> Result<()> {
    let head = head(place)?;
    let parents = shell::run(bare::git(place)?.args(["log", "-1", "--format=%P", &place.repository()?.branch]))?;
    if parents.trim() != head || kept(place, &head).exists() {
        return Ok(());
    }
    forget(place)?;
    let half = root(place).join("half");
    fs::create_dir_all(&half).with_context(|| format!("cannot make {}", half.display()))?;
    let clone = ["clone", "--quiet", "--bare", "--no-hardlinks"];
    shell::run(Command::new("git").args(clone).arg(bare::folder(place)?).arg(half.join("git")))?;
    copy(&registry::data(place)?, &half.join("registry"))?;
    // Whoever is interrupted before this line has kept nothing.
    fs::rename(&half, kept(place, &head)).context("cannot keep the delivery")
}

/// Gives the loop's registry and repository what was kept for the commit of the checkout; false when there is nothing.
pub fn restore(place: &Place) -> Result<bool> {
    let kept = kept(place, &head(place)?);
    if !kept.exists() {
        return Ok(false);
    }
    copy(&kept.join("registry"), &registry::data(place)?)?;
    // The branch comes last: the repository with it counts as delivered.
    let branch = &place.repository()?.branch;
    for reference in [RESTORED, branch] {
        let what = format!("{branch}:{reference}");
        shell::run(bare::git(place)?.args(["fetch", "--quiet"]).arg(kept.join("git")).arg(what))?;
    }
    Ok(true)
}

pub fn is_restored(place: &Place) -> Result<bool> {
    Ok(bare::tip(place, RESTORED)?.is_some())
}

fn head(place: &Place) -> Result<String> {
    let ask = ["rev-parse", "--verify", "HEAD^{commit}"];
    let said = shell::run(Command::new("git").current_dir(&place.repository()?.checkout).args(ask));
    Ok(said.context("there is no commit to deliver")?.trim().to_owned())
}

fn root(place: &Place) -> PathBuf {
    place.cache.join("delivered")
}

fn kept(place: &Place, head: &str) -> PathBuf {
    root(place).join(head)
}

fn forget(place: &Place) -> Result<()> {
    match fs::remove_dir_all(root(place)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("cannot let go of the delivery that was kept before")
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    shell::run(Command::new("cp").args(["--archive", "--no-target-directory"]).arg(from).arg(to))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::Repository;

    /// A loop whose master is the checkout's commit, and an image in its registry.
    fn pushed(folder: &Path) -> Place {
        let checkout = folder.join("checkout");
        let place = Place::below(folder).expect("a place");
        let repository = Repository::find(&place.state).expect("the tests run in a checkout");
        let repository = Repository { checkout: checkout.clone(), branch: "refs/heads/master".into(), ..repository };
        repository.keep(&place.state).expect("it is written");
        fs::create_dir_all(&checkout).expect("a folder");
        git(&checkout, &["init", "--quiet", "--initial-branch=master"]);
        commit(&checkout, "Begin");
        let bare = bare(&place);
        let clone = ["clone", "--quiet", "--bare", ".", bare.to_str().expect("a path")];
        git(&checkout, &clone);
        fs::write(registry::data(&place).expect("a folder").join("image"), "layers").expect("an image");
        place
    }

    fn bare(place: &Place) -> PathBuf {
        bare::folder(place).expect("a folder")
    }

    fn git(folder: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false"];
        shell::run(Command::new("git").current_dir(folder).args(identity).args(arguments)).expect("git does it");
    }

    fn commit(folder: &Path, message: &str) {
        git(folder, &["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    fn bump(place: &Place) {
        let clone = place.state.join("clone");
        git(&place.state, &["clone", "--quiet", bare(place).to_str().expect("a path"), "clone"]);
        commit(&clone, "ci: update image");
        git(&clone, &["push", "--quiet", "origin", "master"]);
    }

    fn begin_anew(place: &Place) {
        fs::remove_dir_all(&place.state).expect("the loop is down");
        crate::state::claim(&place.state).expect("it is up again");
        fs::create_dir_all(bare(place)).expect("a folder");
        git(&bare(place), &["init", "--quiet", "--bare", "--initial-branch=master"]);
    }

    #[test]
    fn the_same_commit_is_delivered_again_with_its_bump_and_its_image() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = pushed(folder.path());
        bump(&place);
        let tip = bare::tip(&place, "refs/heads/master").expect("git answers");
        keep(&place).expect("it is kept");
        begin_anew(&place);

        assert!(restore(&place).expect("it is restored"));

        assert!(is_restored(&place).expect("git answers"));
        assert_eq!(bare::tip(&place, "refs/heads/master").expect("git answers"), tip);
        let image = registry::data(&place).expect("a folder").join("image");
        assert_eq!(fs::read_to_string(image).expect("the image"), "layers");
    }

    #[test]
    fn another_commit_is_not_delivered_from_the_cache() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = pushed(folder.path());
        bump(&place);
        keep(&place).expect("it is kept");
        begin_anew(&place);
        commit(&place.repository().expect("it is kept").checkout, "Go on");
        assert!(!restore(&place).expect("there is nothing"));
        assert!(!is_restored(&place).expect("git answers"));
    }

    #[test]
    fn a_master_that_has_no_bump_yet_or_went_on_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = pushed(folder.path());
        keep(&place).expect("nothing is kept");
        assert!(!root(&place).exists());
        bump(&place);
        fs::remove_dir_all(place.state.join("clone")).expect("a clone");
        bump(&place);
        keep(&place).expect("nothing is kept");
        assert!(!root(&place).exists());
    }
}
