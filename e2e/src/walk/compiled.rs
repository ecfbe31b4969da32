//! What is compiled already, for the build folders of a fresh clone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{shell, target};

/// The folder, what is in it that is no dependency, and the profile with which the documents build it.
const PACKAGES: [(&str, &[&str], &str); 2] =
    [("", &["argo-rust"], "release"), ("loopctl", &["loopctl", "delivery", "machine"], "debug")];

/// Keeps the clone's build folders below the checkout's own, where the next walk finds them.
pub fn take_along(checkout: &Path, clone: &Path) -> Result<()> {
    for (package, own, profile) in PACKAGES.into_iter().filter(|(package, ..)| clone.join(package).is_dir()) {
        let kept = target(checkout, "").join("walk").join(own[0]);
        warm(&target(checkout, package).join(profile), &kept.join(profile), own)?;
        symlink(kept, clone.join(package).join("target"))?;
    }
    Ok(())
}

/// Links what others have compiled. What is the package's own is left out: cargo takes two checkouts of one package for
/// the same, and would run one's program in the other.
fn warm(from: &Path, kept: &Path, own: &[&str]) -> Result<()> {
    fs::create_dir_all(kept)?;
    for folder in ["deps", "build", ".fingerprint"].into_iter().filter(|folder| from.join(folder).is_dir()) {
        shell::run(Command::new("cp").args(["-a", "--link", "--no-clobber"]).arg(from.join(folder)).arg(kept))?;
    }
    let spelled = |name: &&str| {
        let in_a_crate = name.replace('-', "_");
        [format!("{name}-"), format!("{in_a_crate}-"), format!("lib{in_a_crate}-")]
    };
    let own: Vec<String> = own.iter().flat_map(spelled).collect();
    for folder in ["deps", "build", ".fingerprint"] {
        for entry in fs::read_dir(kept.join(folder)).into_iter().flatten().flatten() {
            if own.iter().any(|prefix| entry.file_name().to_string_lossy().starts_with(prefix)) {
                let path = entry.path();
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
            }
        }
    }
    Ok(())
}
