//! buildah and podman: their settings for the steps of a run, and what is left when runs are over.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::private::write_private;
use crate::{Place, registry, shell};

/// Writes the settings of buildah and podman, and the folder in which steps find `docker`.
pub fn settle(place: &Place) -> Result<()> {
    let folder = place.folder("workflow")?;
    let values = [
        ("run", runtime_folder().display().to_string()),
        ("images", place.cache.join("images").display().to_string()),
        ("run_root", place.folder("buildah")?.display().to_string()),
        ("registry", registry::address()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    for file in ["containers.conf", "storage.conf", "registries.conf"] {
        write_private(&folder.join(file), &place.fill("workflow", file, &values)?)?;
    }
    let docker = programs(place)?.join("docker");
    if docker.is_symlink() {
        fs::remove_file(&docker)?;
    }
    symlink(place.part("workflow")?.join("docker"), &docker)
        .with_context(|| format!("cannot write {}", docker.display()))
}

/// Lets go of images of the service that were built long ago; the layers of the newest ones stay,
/// because they are what makes the next build quick.
pub fn tidy_images(place: &Place) -> Result<()> {
    const KEPT: usize = 3;
    // An `up` that was stopped early has written no settings, and no run has built anything since.
    if !place.folder("workflow")?.join("storage.conf").exists() {
        return Ok(());
    }
    let service = format!("ghcr.io/{}", place.repository()?.slug.to_lowercase());
    let listed = ["images", "--noheading", "--format", "{{.Name}}:{{.Tag}}", "--filter"];
    let listed = shell::run(place.buildah()?.args(listed).arg(format!("reference={service}")))?;
    // A pushed image is listed once more, by its digest and without a tag.
    for old in listed.lines().filter(|name| !name.ends_with(":<none>")).skip(KEPT) {
        shell::run(place.buildah()?.args(["rmi", old]))?;
    }
    let mut podman = Command::new("podman");
    podman.args(["image", "prune", "--force", "--filter", "until=72h"]);
    shell::run(podman.envs(settings(place)?))?;
    Ok(())
}

/// The variables by which buildah and podman find their settings.
pub fn settings(place: &Place) -> Result<Vec<(&'static str, String)>> {
    let folder = place.folder("workflow")?;
    let file = |name: &str| folder.join(name).display().to_string();
    Ok(vec![
        ("CONTAINERS_CONF", file("containers.conf")),
        ("CONTAINERS_STORAGE_CONF", file("storage.conf")),
        ("CONTAINERS_REGISTRIES_CONF", file("registries.conf")),
        ("BUILDAH_ISOLATION", "chroot".to_owned()),
    ])
}

/// Podman's notes about where its folders are, which it believes even when they have moved.
pub fn podman_memory(place: &Place) -> PathBuf {
    place.cache.join("images/libpod")
}

/// On a file system that a reboot empties.
pub fn runtime_folder() -> PathBuf {
    PathBuf::from("/run/argo-rust-loop")
}

/// What the steps of a run find first on their PATH.
pub fn programs(place: &Place) -> Result<PathBuf> {
    place.folder("workflow/bin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_up_that_was_stopped_before_its_settings_leaves_nothing_to_tidy() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::below(folder.path()).expect("a place");
        tidy_images(&place).expect("without settings podman is not asked");
    }
}
