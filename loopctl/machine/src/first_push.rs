//! The first delivery: the commit that is checked out becomes the loop's master, and what the
//! workflow and Argo CD make of it is the service that runs.

use anyhow::{Context, Result, bail};

use super::bare;
use super::git_server::push::first_push;
use super::workflow::runs;
use super::{Log, Part, Place, delivered, shell};

/// Pushes as soon as there is something to push to: the image is built while the cluster starts.
pub struct FirstPush;

impl Part for FirstPush {
    fn name(&self) -> &'static str {
        "first-push"
    }

    fn does(&self) -> &'static str {
        "pushes the commit that is checked out, unless it was delivered before"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["git", "registry"]
    }

    /// The last program too: some of the service's tests measure times, and would fail beside a compiler.
    fn made_of(&self) -> &'static [&'static str] {
        &["image debian", "image rust", "program argocd"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        if git_says(place).is_ok() {
            // An `up` that was interrupted in the middle of its push: the commit is in, its run is not called.
            shell::run(bare::git(place)?.args(["update-ref", "-d", &place.repository()?.branch]))?;
        }
        if !delivered::restore(place)? {
            first_push(place)?;
        }
        Ok(())
    }

    fn ready(&self, place: &Place) -> Result<()> {
        git_says(place).context("the loop's master has no commit")?;
        if runs::all(place)?.is_empty() && !delivered::is_restored(place)? {
            bail!("no run was called for the loop's master")
        }
        Ok(())
    }

    fn log(&self, _: &Place) -> Log {
        Log::None
    }

    fn stop(&self, _: &Place) -> Result<()> {
        Ok(())
    }
}

/// The image that the loop's master wants to run.
pub fn git_says(place: &Place) -> Result<String> {
    let file = format!("{}:k8s/deployment.yaml", place.repository()?.branch);
    let manifest = shell::run(bare::git(place)?.args(["show", &file]))?;
    let line = manifest.lines().find_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("image: "));
    Ok(line.context("k8s/deployment.yaml names no image")?.trim().to_owned())
}
