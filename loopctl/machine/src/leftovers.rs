//! Places outside of the state folder whose names the parts do not let anybody choose.
//!
//! Another cluster may use them too, so only what is certainly dead or empty is removed.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result};

/// Removes the sockets of a folder on which nobody listens any more.
pub fn remove_dead_sockets(folder: &str) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_socket() && UnixStream::connect(entry.path()).is_err() {
            let path = entry.path();
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Removes the files of a folder whose names begin so.
pub fn remove_files_named(folder: &str, beginning: &str) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(beginning) {
            let path = entry.path();
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Removes the links of a folder that lead below `target`.
pub fn remove_links_to(folder: &str, target: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let link = entry?.path();
        if fs::read_link(&link).is_ok_and(|to| to.starts_with(target)) {
            fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
        }
    }
    Ok(())
}

/// Removes the folders that are empty, the inner ones first in the list.
pub fn remove_empty(folders: &[&str]) {
    for folder in folders {
        // One that is not empty is somebody else's, and one that is not there is no matter.
        let _ = fs::remove_dir(folder);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use tempfile::TempDir;

    use super::*;

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).expect("it is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_socket_goes_only_when_nobody_listens_on_it() {
        let folder = TempDir::new().expect("a folder can be made");
        let _alive = UnixListener::bind(folder.path().join("alive")).expect("it can be bound");
        drop(UnixListener::bind(folder.path().join("dead")).expect("it can be bound"));
        fs::write(folder.path().join("no-socket"), "").expect("it can be written");
        remove_dead_sockets(&folder.path().display().to_string()).expect("it can be removed");
        assert_eq!(names(&folder), ["alive", "no-socket"]);
    }

    #[test]
    fn a_link_goes_only_when_it_leads_into_the_loop() {
        let folder = TempDir::new().expect("a folder can be made");
        for (link, target) in [("ours", "/loop/logs/a"), ("another", "/loop-of-another/logs/a")] {
            std::os::unix::fs::symlink(target, folder.path().join(link)).expect("it can be made");
        }
        remove_links_to(&folder.path().display().to_string(), Path::new("/loop")).expect("it can be removed");
        assert_eq!(names(&folder), ["another"]);
    }
}
