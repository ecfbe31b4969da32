//! GITHUB_TOKEN: what a run may push with, made for it and worth nothing once it has ended.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::runs::Run;
use crate::{Place, registry};

/// A token that allows this run what GITHUB_TOKEN allows: to push commits and images.
pub fn give(place: &Place, run: &Run) -> Result<String> {
    folder(place)?;
    // It begins as GitHub's do, so that what looks for leaked tokens would find it.
    let token = format!("ghs_{}", place.secret(&format!("run-tokens/{}", run.number))?);
    registry::admit(place, &run.registry_user(), &token)?;
    Ok(token)
}

/// The run that a token was given to and that has not ended, if it is one.
pub fn run_of(place: &Place, token: &str) -> Result<Option<u64>> {
    let Some(secret) = token.strip_prefix("ghs_") else { return Ok(None) };
    for entry in fs::read_dir(folder(place)?).context("cannot read the runs' tokens")? {
        let path = entry?.path();
        let Some(number) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The run may end, and its token go, between the listing and the reading.
        if fs::read_to_string(&path).is_ok_and(|known| same(&known, secret)) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

pub fn take_back(place: &Place, run: &Run) -> Result<()> {
    registry::dismiss(place, &run.registry_user())?;
    let file = folder(place)?.join(run.number.to_string());
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Compares in a time that does not tell how much of a guess was right.
pub fn same(secret: &str, guess: &str) -> bool {
    Sha256::digest(secret) == Sha256::digest(guess)
}

fn folder(place: &Place) -> Result<PathBuf> {
    place.folder("keys/run-tokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_worth_nothing_after_its_run_and_never_anybody_elses() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::below(folder.path()).expect("a place");
        let run = Run::of(&place, 1);
        let token = give(&place, &run).expect("a token");
        assert_eq!(run_of(&place, &token).expect("a search"), Some(1));
        assert_eq!(run_of(&place, "ghs_guess").expect("a search"), None);
        assert_eq!(run_of(&place, "").expect("a search"), None);
        take_back(&place, &run).expect("it is taken back");
        assert_eq!(run_of(&place, &token).expect("a search"), None);
    }
}
