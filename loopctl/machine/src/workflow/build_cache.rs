//! What cargo compiled in earlier runs, as a cache action would keep it on GitHub.
//!
//! Each run has a target folder of its own, so that runs side by side never test each other's
//! programs. It begins with hard links to the compiled dependencies of the last run that had the
//! same lock file and settings; cargo writes beside them and never into them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::runs::Run;
use crate::bare;
use crate::{Place, shell};

/// Every run compiles the repository from another folder, where increments are of no use, and nobody debugs it.
pub const SETTINGS: [(&str, &str); 2] = [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")];

/// How many lock files' worth is kept: the newest, and the one before for whoever goes back.
const KEPT: usize = 2;

/// The run's own target folder.
pub fn folder(place: &Place, run: &Run) -> PathBuf {
    root(place).join(format!("run-{}", run.number))
}

/// Fills the run's target folder with what is there for the commit's dependencies.
pub fn lend(place: &Place, run: &Run, commit: &str) -> Result<()> {
    let own = folder(place, run);
    fs::create_dir_all(root(place)).with_context(|| format!("cannot make {}", root(place).display()))?;
    let kept = kept(place, commit)?;
    if !kept.exists() {
        return fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()));
    }
    shell::run(Command::new("cp").args(["--archive", "--link"]).arg(&kept).arg(&own))?;
    for profile in ["debug", "release"] {
        // A lock on a shared file would make runs wait for each other.
        let lock = own.join(profile).join(".cargo-lock");
        if lock.exists() {
            fs::remove_file(&lock).with_context(|| format!("cannot remove {}", lock.display()))?;
        }
    }
    // The oldest is dropped first, so that use counts as being new.
    touch(&kept)
}

/// Keeps the folder of a run that succeeded, when its dependencies have none yet.
pub fn keep(place: &Place, run: &Run, commit: &str) -> Result<()> {
    let (own, kept) = (folder(place, run), kept(place, commit)?);
    if kept.exists() || !own.exists() {
        return Ok(());
    }
    fs::rename(&own, &kept).with_context(|| format!("cannot keep {}", own.display()))?;
    for old in oldest(&root(place))? {
        remove(&old)?;
    }
    Ok(())
}

pub fn give_back(place: &Place, run: &Run) -> Result<()> {
    remove(&folder(place, run))
}

fn root(place: &Place) -> PathBuf {
    place.cache.join("workflow/target")
}

fn kept(place: &Place, commit: &str) -> Result<PathBuf> {
    let lock = bare::file(place, commit, "Cargo.lock")?.unwrap_or_default();
    let compiler = shell::run(Command::new("rustc").args(["--version", "--verbose"]))?;
    // Whatever else changes how a dependency is compiled: with another setting nothing of what is kept would be used.
    let config = fs::read_to_string(place.cache.join("workflow/cargo/config.toml")).unwrap_or_default();
    let all = format!("{lock}{compiler}{SETTINGS:?}{config}");
    let digest: String = Sha256::digest(all).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Ok(root(place).join(format!("kept-{digest}")))
}

/// The kept folders that are one too many.
fn oldest(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("kept-") {
            folders.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    folders.sort_unstable_by(|one, other| other.cmp(one));
    Ok(folders.into_iter().skip(KEPT).map(|(_, folder)| folder).collect())
}

fn touch(folder: &Path) -> Result<()> {
    let now = fs::FileTimes::new().set_modified(std::time::SystemTime::now());
    fs::File::open(folder)?.set_times(now).with_context(|| format!("cannot touch {}", folder.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept_and_what_belongs_to_a_run_is_never_dropped() {
        let root = tempfile::tempdir().expect("a folder");
        for (age, name) in [(30, "kept-a"), (20, "kept-b"), (10, "kept-c"), (40, "run-7")] {
            let folder = root.path().join(name);
            fs::create_dir(&folder).expect("a folder");
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::open(&folder).and_then(|file| file.set_modified(then)).expect("an age");
        }
        touch(&root.path().join("kept-a")).expect("a new age");
        assert_eq!(oldest(root.path()).expect("a list"), [root.path().join("kept-b")]);
    }
}
