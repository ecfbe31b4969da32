//! The state folder: told from every other folder by a mark, so that `down` never takes what the loop did not make.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::mounts;
use super::private::private_folder;

/// `up` writes it before anything else, and `down` removes it last.
pub const MARK: &str = ".argo-rust-loop";

/// In the mark of a folder that was there, empty, before the loop: such a one stays when the loop goes.
const FOUND: &str = "The folder was there before.";

/// Everything that the parts keep directly in the state folder.
const OWN: &[&str] = &[
    "bin",
    "board",
    "buildah",
    "containerd",
    "coredns",
    "etcd",
    "git",
    "images-offered",
    "keys",
    "kube-proxy",
    "kubeconfig",
    "kubelet",
    "logs",
    "no-named-namespaces-before",
    "pod-logs",
    "program",
    "registry",
    "repository.json",
    "run",
    "runs",
    "settings-before.json",
    "stand-in.json",
    "workflow",
];

/// What a folder is to the loop.
#[derive(Debug, PartialEq, Eq)]
pub enum Folder {
    Missing,
    Empty,
    /// It has the mark.
    OfALoop,
    /// It has things, and no mark.
    OfSomebodyElse,
}

pub fn look(folder: &Path) -> Result<Folder> {
    if folder.join(MARK).is_file() {
        return Ok(Folder::OfALoop);
    }
    match fs::read_dir(folder) {
        // A file system that was just made has a folder of its own.
        Ok(entries) => {
            let others = entries.filter_map(Result::ok).any(|entry| entry.file_name() != "lost+found");
            Ok(if others { Folder::OfSomebodyElse } else { Folder::Empty })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Folder::Missing),
        Err(error) => Err(error).with_context(|| format!("cannot use {} as a folder", folder.display())),
    }
}

pub fn refusal(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "{folder} is no folder of a loop: it has files and no mark {MARK}. Set LOOPCTL_STATE to a folder that is empty \
         or not there; if an earlier loopctl made this one, `touch {folder}/{MARK}` says so"
    )
}

/// Makes the folder, or takes an empty one, and puts the mark into it.
pub fn claim(folder: &Path) -> Result<()> {
    let text = match look(folder)? {
        Folder::OfALoop => return Ok(()),
        Folder::OfSomebodyElse => bail!(refusal(folder)),
        Folder::Empty => FOUND,
        Folder::Missing => "The loop made the folder.",
    };
    private_folder(folder)?;
    let mark = folder.join(MARK);
    let text = format!("`cargo loopctl up` keeps a loop here, and `down` removes what it made. {text}\n");
    match OpenOptions::new().write(true).create_new(true).open(&mark) {
        Ok(mut file) => file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", mark.display())),
        // Another thread was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", mark.display())),
    }
}

/// Only what is in the list goes with `down`.
pub fn is_own(name: &str) -> bool {
    OWN.contains(&name) || name.split_once(".half-").is_some_and(|(name, _)| OWN.contains(&name))
}

/// Removes what the loop made in its folder, with the mounts below that; the answer is what others have put there.
pub fn remove(folder: &Path) -> Result<BTreeSet<OsString>> {
    if look(folder)? != Folder::OfALoop {
        bail!(refusal(folder));
    }
    let mark = folder.join(MARK);
    let found = fs::read_to_string(&mark).is_ok_and(|text| text.contains(FOUND));
    let mut left = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name == MARK {
            continue;
        }
        if !is_own(&name.to_string_lossy()) {
            left.insert(name);
            continue;
        }
        remove_one(&path)?;
    }
    fs::remove_file(&mark).with_context(|| format!("cannot remove {}", mark.display()))?;
    if left.is_empty() && !found {
        fs::remove_dir(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(left)
}

/// A folder with all mounts below it, or a file; a link goes, and what it leads to stays.
pub fn remove_one(path: &Path) -> Result<()> {
    let failed = || format!("cannot remove {}", path.display());
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(about) if about.is_dir() => {
            mounts::release(path)?;
            fs::remove_dir_all(path).with_context(failed)
        }
        _ => fs::remove_file(path).with_context(failed),
    }
}

/// As every process sees it, whatever folder it works in, and without links: mounts are listed by such paths.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))?;
    for existing in path.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let mut whole = real;
            for part in path.strip_prefix(existing)?.components() {
                match part {
                    Component::ParentDir => drop(whole.pop()),
                    part => whole.push(part),
                }
            }
            return Ok(whole);
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn folder() -> TempDir {
        TempDir::new().expect("a folder can be made")
    }

    fn write(path: PathBuf) {
        fs::create_dir_all(path.parent().expect("it is below a folder")).expect("a folder");
        fs::write(path, "").expect("a file");
    }

    /// A loop that has made the files `ours` is taken away, beside files that were put there meanwhile.
    fn check(is_there_before: bool, put_there: &[&str], left: &[&str]) {
        let parent = folder();
        let state = parent.path().join("state");
        if is_there_before {
            fs::create_dir(&state).expect("a folder");
        }
        claim(&state).expect("it is missing or empty");
        for file in ["keys/password", "etcd/data/0", "stand-in.json", "kubeconfig.half-ThreadId(1)"] {
            write(state.join(file));
        }
        put_there.iter().for_each(|file| write(state.join(file)));
        let said = remove(&state).expect("it has the mark");
        assert_eq!(said.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>(), left);
        let kept = put_there.iter().filter(|file| state.join(file).exists()).count();
        assert_eq!(kept, left.len(), "what others have put there stays");
        assert_eq!(state.exists(), is_there_before || !left.is_empty());
        assert!(!state.join("etcd").exists() && !state.join(MARK).exists());
    }

    #[test]
    fn down_takes_what_the_loop_made_and_leaves_what_others_put_beside_it() {
        check(false, &[], &[]);
        check(true, &[], &[]);
        check(true, &["lost+found/0"], &["lost+found"]);
        check(false, &["notes.txt", "photos/1.jpg"], &["notes.txt", "photos"]);
    }

    #[test]
    fn a_folder_with_files_and_without_the_mark_is_neither_taken_nor_removed() {
        for file in ["thesis.tex", "etcd/data", ".hidden", "keys/id_ed25519"] {
            let state = folder();
            write(state.path().join(file));
            for refused in [claim(state.path()).map(|()| BTreeSet::new()), remove(state.path())] {
                let error = refused.expect_err(file).to_string();
                assert!(error.contains("is no folder of a loop"), "{error}");
            }
            assert!(state.path().join(file).exists());
        }
    }

    #[test]
    fn a_link_in_the_folder_goes_and_what_it_leads_to_stays() {
        let (state, disk) = (folder(), folder());
        claim(state.path()).expect("it is empty");
        write(disk.path().join("precious"));
        std::os::unix::fs::symlink(disk.path(), state.path().join("buildah")).expect("a link");
        assert!(remove(state.path()).expect("it has the mark").is_empty());
        assert!(disk.path().join("precious").exists());
    }

    #[test]
    fn a_relative_path_and_one_through_a_link_are_made_whole() {
        let place = folder();
        let real = place.path().canonicalize().expect("it is there");
        std::os::unix::fs::symlink(&real, real.join("link")).expect("a link");
        for (path, expected) in [
            (real.join("link/state"), real.join("state")),
            (real.join("missing/../state"), real.join("state")),
            (real.join("./a//b/"), real.join("a/b")),
            (PathBuf::from("state"), std::env::current_dir().expect("one").join("state")),
        ] {
            assert_eq!(absolute(&path).expect("it can be told"), expected, "{}", path.display());
        }
    }
}
