//! Every file that has a name in it, as it is to be.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::names::Names;
use super::{rust, words};
use crate::changes::Changes;
use delivery::git::Git;
use delivery::tfvars::{self, Tfvars};

/// What the loop on one machine is built from: its cache knows it by these very bytes.
const LEFT_ALONE: &str = "loopctl/parts/";

pub fn changes(root: &Path, git: &Git, from: &Names, to: &Names) -> Result<Changes> {
    let mut changes = Changes::below(root);
    for path in git.tracked_files()? {
        let file = root.join(&path);
        let is_file = fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file());
        if path.starts_with(LEFT_ALONE) || !is_file {
            continue;
        }
        // What is no text holds no name.
        let Ok(text) = String::from_utf8(fs::read(&file).with_context(|| format!("cannot read {path}"))?) else {
            continue;
        };
        if let Some((line, word)) = words::used_already(&text, from, to) {
            bail!(
                "{path}:{line} uses {word} for something else, so a later rename could not tell them apart; choose \
                 another name"
            );
        }
        let mut renamed = words::replaced(&text, from, to);
        if path.ends_with(".md") {
            renamed = words::with_host(&renamed, from, to);
        }
        if path == tfvars::FILE && to.host.is_some() && from.host != to.host {
            renamed =
                Tfvars::parse(&renamed)?.with_node_host(to.host.as_deref().unwrap_or_default())?.text().to_owned();
        }
        if renamed == text {
            continue;
        }
        if path.ends_with("Cargo.lock") {
            renamed = rust::sorted_lock(&renamed);
        }
        if path.ends_with(".rs") {
            renamed = rust::formatted(root, &renamed)?;
        }
        changes.set(&path, Some(renamed))?;
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use delivery::coordinates::Coordinates;

    /// Every file of this repository, renamed to that and back.
    fn check(name: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let from = Names::of(&Coordinates::read(root).unwrap()).unwrap();
        let to = Names { owner: "Hexa-Pus".into(), name: name.into(), ..from.clone() };
        let mut seen = 0;
        for path in Git::in_folder(root).tracked_files().unwrap() {
            let Ok(text) = fs::read_to_string(root.join(&path)) else { continue };
            let renamed = words::replaced(&text, &from, &to);
            if path.starts_with(LEFT_ALONE) || path.starts_with("loopctl/tests/") {
                continue;
            }
            assert_eq!(
                words::replaced(&renamed, &to, &from),
                text,
                "{path}: a name is lost on its way to {name} and back"
            );
            seen += usize::from(renamed != text);
        }
        assert!(seen > 50, "only {seen} files name the repository: this check reads too little");
    }

    #[test]
    fn every_name_in_this_repository_can_be_given_back() {
        // With a hyphen its spellings differ; without one only the surroundings tell them apart.
        // Put together here, or this file would have them already.
        check(&["ze", "bra", "fish"].join("-"));
        check(&["ze", "bra", "fish"].concat());
    }
}
