//! Files and folders that only root may read.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub fn private_folder(folder: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file that only root may read, completely or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    // Several threads may write files of nearly the same name at once.
    let mut half = path.as_os_str().to_owned();
    half.push(format!(".half-{:?}", std::thread::current().id()));
    let half = PathBuf::from(half);
    let write = || -> std::io::Result<()> {
        fs::write(&half, "")?;
        fs::set_permissions(&half, fs::Permissions::from_mode(0o600))?;
        fs::write(&half, text)?;
        fs::rename(&half, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
