//! The steps that images are made in: Debian by mmdebstrap, all the rest by buildah.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{SUITE, layout};
use crate::{Place, shell};

/// A Debian as small as it gets, as a tar file in the cache.
pub fn debian(place: &Place, name: &str, packages: &str) -> Result<PathBuf> {
    let folder = place.cache.join("image-parts");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let tar = folder.join(format!("{name}.tar"));
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--quiet", "--variant=minbase", "--format=tar"])
        .arg(format!("--dpkgopt={}", place.part("images")?.join("dpkg.cfg").display()))
        .arg(format!("--aptopt={}", place.part("images")?.join("apt.conf").display()));
    if !packages.is_empty() {
        command.arg(format!("--include={packages}"));
    }
    shell::run(command.arg(SUITE).arg(&tar))?;
    Ok(tar)
}

pub fn container_from_tar(place: &Place, tar: &Path) -> Result<String> {
    let container = shell::run(place.buildah()?.args(["from", "scratch"]))?.trim().to_owned();
    shell::run(place.buildah()?.args(["add", "--quiet", &container]).arg(tar).arg("/"))?;
    fs::remove_file(tar).with_context(|| format!("cannot remove {}", tar.display()))?;
    Ok(container)
}

pub fn from_tar(place: &Place, tar: &Path, settings: &[&str]) -> Result<String> {
    let container = container_from_tar(place, tar)?;
    commit(place, &container, settings)
}

pub fn commit(place: &Place, container: &str, settings: &[&str]) -> Result<String> {
    shell::run(place.buildah()?.arg("config").args(settings).arg(container))?;
    Ok(shell::run(place.buildah()?.args(["commit", "--quiet", "--rm", container]))?.trim().to_owned())
}

pub fn name(place: &Place, image: &str, name: &str) -> Result<()> {
    shell::run(place.buildah()?.args(["tag", image, name]))?;
    Ok(())
}

/// Builds the Containerfile of a part.
pub fn build(place: &Place, part: &str, context: &Path) -> Result<String> {
    let said = shell::run(
        place
            .buildah()?
            .args(["bud", "--quiet", "--pull=false", "--network=host", "--file"])
            .arg(place.part(part)?.join("Containerfile"))
            .arg(context),
    )?;
    said.lines().last().map(ToOwned::to_owned).context("buildah names no image")
}

/// Packs images once, as a registry wants them; giving them to one is then a matter of copying.
pub fn keep(place: &Place, image: &str, tags: &[(&str, &str)]) -> Result<()> {
    let layout = layout(place, image)?;
    if layout.exists() {
        fs::remove_dir_all(&layout)?;
    }
    fs::create_dir_all(&layout)?;
    for (id, tag) in tags {
        shell::run(place.buildah()?.args(["push", "--quiet", id, &format!("oci:{}:{tag}", layout.display())]))?;
    }
    Ok(())
}

/// tar knows how to keep links, owners and permissions, and what to leave out.
pub fn copy(from: &Path, to: &Path, options: &[&str]) -> Result<()> {
    let mut pack = Command::new("tar")
        .arg("--directory")
        .arg(from)
        .args(options)
        .args(["--create", "."])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run tar")?;
    let packed = pack.stdout.take().context("the output of tar was asked for")?;
    let unpacked =
        Command::new("tar").arg("--directory").arg(to).args(["--extract", "--no-same-owner"]).stdin(packed).status()?;
    if !pack.wait()?.success() || !unpacked.success() {
        bail!("cannot copy {} to {}", from.display(), to.display());
    }
    Ok(())
}
