//! The files of `loopctl/parts/`, which this program brings along.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

static FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Where they are: below the cache, in a folder that is named after what is in them, so that what one loopctl has written
/// is never that of another.
pub fn folder(cache: &Path) -> Result<PathBuf> {
    let mut sum = Sha256::new();
    for (path, text) in FILES {
        sum.update(path);
        sum.update(text);
    }
    let sum: String = sum.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let folder = cache.join("parts").join(sum);
    if !folder.exists() {
        let half = cache.join(format!("parts/half-{}", std::process::id()));
        write(&half).with_context(|| format!("cannot write {}", half.display()))?;
        // Another command may have been quicker: what it has written is the same.
        if fs::rename(&half, &folder).is_err() {
            fs::remove_dir_all(&half).with_context(|| format!("cannot remove {}", half.display()))?;
        }
    }
    Ok(folder)
}

fn write(folder: &Path) -> std::io::Result<()> {
    for (path, text) in FILES {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(&file, text)?;
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_written_once_with_their_modes() {
        let cache = tempfile::tempdir().expect("a folder");
        let first = folder(cache.path()).expect("they are written");
        let docker = fs::metadata(first.join("workflow/docker")).expect("it is there");
        assert_eq!(docker.permissions().mode() & 0o777, 0o755);
        assert!(first.join("programs/go.sum").is_file());
        fs::write(first.join("mark"), "").expect("it is written");
        assert_eq!(folder(cache.path()).expect("they are there"), first);
        assert!(first.join("mark").exists(), "they were written again");
    }
}
