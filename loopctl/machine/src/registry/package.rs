//! The registry's program, taken out of Debian's package.
//!
//! The package is not installed: that would start another registry, open to everybody who reaches this machine.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{Place, shell};

const PACKAGE: &str = "docker-registry";

pub fn program(place: &Place) -> PathBuf {
    folder(place).join("registry")
}

/// Fetches and unpacks it unless it is there; the package's file name tells its version.
pub fn fetch(place: &Place) -> Result<Option<String>> {
    if program(place).exists() {
        return Ok(None);
    }
    let half = folder(place).with_extension("half");
    remove(&half)?;
    fs::create_dir_all(&half).with_context(|| format!("cannot make {}", half.display()))?;
    if download(&half).is_err() {
        // The machine's lists may be older than the package, or it has none yet.
        shell::run(Command::new("apt-get").args(["--quiet", "update"]))?;
        download(&half).with_context(|| format!("apt-get finds no package {PACKAGE}"))?;
    }
    let Some(package) = fs::read_dir(&half)?.find_map(|entry| Some(entry.ok()?.path())) else {
        bail!("apt-get has downloaded no {PACKAGE}");
    };
    shell::run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&half))?;
    fs::create_dir_all(folder(place)).context("cannot make a folder for the registry's program")?;
    fs::rename(half.join("usr/bin").join(PACKAGE), program(place))
        .with_context(|| format!("the package {PACKAGE} has no program of that name"))?;
    remove(&half)?;
    Ok(package.file_stem().map(|name| name.to_string_lossy().into_owned()))
}

/// apt checks the package against Debian's signature, as it does before installing one.
fn download(into: &Path) -> Result<()> {
    // Its own user may not write into a folder of ours.
    let as_we_are = ["--quiet", "--option", "APT::Sandbox::User=root"];
    shell::run(Command::new("apt-get").current_dir(into).args(as_we_are).args(["download", PACKAGE]))?;
    Ok(())
}

fn folder(place: &Place) -> PathBuf {
    place.cache.join("bin").join(PACKAGE)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
