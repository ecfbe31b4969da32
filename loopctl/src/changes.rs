//! What a command is about to do to files: shown as a diff, then done whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use similar::TextDiff;

/// One file below the root of the repository, as it is and as it is to be; None where there is none.
pub struct Change {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Serialize)]
pub struct Listed {
    pub path: String,
    pub change: &'static str,
}

pub struct Changes {
    root: PathBuf,
    list: Vec<Change>,
}

impl Changes {
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_path_buf(), list: Vec::new() }
    }

    /// Notes what a file is to be. One that is so already is no change.
    pub fn set(&mut self, path: &str, after: Option<String>) -> Result<()> {
        let before = read(&self.root.join(path))?;
        if before != after {
            self.list.push(Change { path: path.to_owned(), before, after });
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// For `-o json`: each file and what becomes of it.
    pub fn list(&self) -> Vec<Listed> {
        let listed = self.list.iter().map(|Change { path, before, after }| Listed {
            path: path.clone(),
            change: match (before, after) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
        });
        listed.collect()
    }

    pub fn paths(&self) -> Vec<&str> {
        self.list.iter().map(|change| change.path.as_str()).collect()
    }

    /// As `git diff` shows it.
    pub fn diff(&self) -> String {
        self.diff_of(|_| true)
    }

    pub fn diff_of(&self, is_shown: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        for Change { path, before, after } in self.list.iter().filter(|change| is_shown(&change.path)) {
            let old = if before.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
            let new = if after.is_some() { format!("b/{path}") } else { "/dev/null".to_owned() };
            let (before, after) = (before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
            text += &TextDiff::from_lines(before, after).unified_diff().header(&old, &new).to_string();
        }
        text
    }

    /// Does all of it. When one file cannot be written, those before it are as they were.
    pub fn write(&self) -> Result<()> {
        for change in &self.list {
            if read(&self.root.join(&change.path))? != change.before {
                bail!("{} was changed meanwhile, so nothing was written; run the command again", change.path);
            }
        }
        for (done, change) in self.list.iter().enumerate() {
            if let Err(error) = put(&self.root, &change.path, change.after.as_deref()) {
                for earlier in &self.list[..done] {
                    put(&self.root, &earlier.path, earlier.before.as_deref())
                        .with_context(|| format!("after {error:#}, {} could not be put back", earlier.path))?;
                }
                return Err(error.context("nothing was changed"));
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// A file is replaced by a rename, so that nobody ever reads half of it, and keeps its mode.
fn put(root: &Path, path: &str, text: Option<&str>) -> Result<()> {
    let file = root.join(path);
    let folder = file.parent().context("a file stands in a folder")?;
    let Some(text) = text else {
        fs::remove_file(&file).with_context(|| format!("cannot remove {path}"))?;
        // A folder that is empty now was made for this file.
        let _ = fs::remove_dir(folder);
        return Ok(());
    };
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let new = folder.join(format!(".{}.new", file.file_name().unwrap_or_default().to_string_lossy()));
        fs::write(&new, text)?;
        if let Ok(old) = fs::metadata(&file) {
            fs::set_permissions(&new, old.permissions())?;
        }
        fs::rename(&new, &file)
    };
    write().with_context(|| format!("cannot write {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_written_and_the_same_ones_are_none_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old"), "one\ntwo\n").unwrap();
        fs::write(folder.path().join("gone"), "x\n").unwrap();
        let plan = || {
            let mut changes = Changes::below(folder.path());
            changes.set("old", Some("one\n2\n".into())).unwrap();
            changes.set("new/file", Some("three\n".into())).unwrap();
            changes.set("gone", None).unwrap();
            changes
        };
        let changes = plan();
        insta::assert_snapshot!(changes.diff());
        changes.write().unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("new/file")).unwrap(), "three\n");
        assert!(plan().is_empty(), "{}", plan().diff());
    }

    #[test]
    fn when_one_file_cannot_be_written_all_stay_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("first"), "as it was\n").unwrap();
        fs::write(folder.path().join("file"), "no folder\n").unwrap();
        let mut changes = Changes::below(folder.path());
        changes.set("first", Some("other\n".into())).unwrap();
        changes.list.push(Change { path: "file/below".into(), before: None, after: Some("x".into()) });
        let error = changes.write().unwrap_err();
        assert!(format!("{error:#}").contains("file/below"), "{error:#}");
        assert_eq!(fs::read_to_string(folder.path().join("first")).unwrap(), "as it was\n");
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut changes = Changes::below(folder.path());
        changes.set("file", Some("ours\n".into())).unwrap();
        fs::write(folder.path().join("file"), "theirs\n").unwrap();
        assert!(changes.write().unwrap_err().to_string().contains("was changed meanwhile"));
        assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "theirs\n");
    }
}
