//! The names of a checkout whose own files cannot be read: as they were when they last could.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::coordinates::{APPLICATION, Coordinates, DEPLOYMENT, SERVICE, short};
use crate::git::Git;

const COMMITS: usize = 20;

/// None where no commit has them either. A manifest that is broken or gone is no reason to look at nothing.
pub fn names(folder: &Path) -> Result<Option<(Coordinates, String)>> {
    let git = Git::in_folder(folder);
    for manifest in git.newest_manifests("HEAD", COMMITS)? {
        let commit = manifest.commit.id;
        let files = tempfile::tempdir().context("cannot make a temporary folder")?;
        for file in [DEPLOYMENT, SERVICE, APPLICATION] {
            let path = files.path().join(file);
            fs::create_dir_all(path.parent().unwrap_or(files.path()))?;
            fs::write(path, git.file(&commit, file)?.unwrap_or_default())?;
        }
        if let Ok(names) = Coordinates::read(files.path()) {
            return Ok(Some((Coordinates { folder: folder.to_owned(), ..names }, short(&commit).to_owned())));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_manifest_that_is_broken_or_gone_leaves_the_names_that_it_had() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for damage in ["rm k8s/deployment.yaml", "echo 'a: [' >k8s/service.yaml", ": >k8s/deployment.yaml", "rm -r k8s"]
        {
            let folder = tempfile::tempdir().expect("a folder");
            let sh = |script: &str| {
                let git = "git -c user.name=a -c user.email=a@b -c commit.gpgSign=false";
                let script = script.replace("git ", &format!("{git} "));
                let done = Command::new("sh").current_dir(folder.path()).args(["-ec", &script]).status();
                assert!(done.expect("a shell").success(), "{script}");
            };
            for file in [DEPLOYMENT, SERVICE, APPLICATION] {
                let path = folder.path().join(file);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::copy(checkout.join(file), path).expect(file);
            }
            sh("git init -q . && git add --all && git commit -qm Begin");
            sh(&format!("{damage}; git add --all; git commit -qm Break"));
            Coordinates::read(folder.path()).expect_err(damage);
            let (names, _) = names(folder.path()).expect("git is asked").expect(damage);
            let whole = Coordinates::read(&checkout).expect("the checkout is whole");
            assert_eq!((names.deployment, names.folder), (whole.deployment, folder.path().to_owned()), "{damage}");
        }
    }
}
