//! The loop on one machine plays ghcr.io and GitHub. What it stands in for is written in a file of its own, which is
//! all that is known of it here.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Where the loop has its things unless `LOOPCTL_STATE` names another folder.
pub const FOLDER: &str = "/var/lib/argo-rust-loop";
pub const FILE: &str = "stand-in.json";

/// Written by the loop when it comes up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandIn {
    /// The address of its API server, by which it is told from every other cluster.
    pub server: String,
    pub kubeconfig: PathBuf,
    /// The address of the repository that plays GitHub's.
    pub repository: String,
    /// Host and port of what plays ghcr.io, without TLS.
    pub registry: String,
    pub registry_user: String,
    /// Files with one password each, which only root can read.
    pub registry_password: PathBuf,
    pub git_password: PathBuf,
    /// Has a folder for each run of the workflow.
    pub runs: PathBuf,
    /// Has a file for each branch of the repository, unless git has packed it.
    #[serde(default)]
    pub branches: PathBuf,
}

impl StandIn {
    /// That of the loop that is up on this machine, if one is.
    pub fn of_this_machine() -> Result<Option<Self>> {
        let folder = env::var_os("LOOPCTL_STATE").filter(|folder| !folder.is_empty());
        let folder = folder.map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
        Self::read(&folder.join(FILE))
    }

    fn read(file: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(file) {
            Ok(text) => {
                let parsed = serde_json::from_str(&text);
                Ok(Some(parsed.with_context(|| format!("{} is of another version of loopctl", file.display()))?))
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            // Whoever may not look into the loop's folder is told so: it is there.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                bail!("the loop on this machine belongs to root: put sudo in front")
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }
}

/// None for every cluster but the loop of this machine.
pub fn of(server: &str) -> Option<StandIn> {
    let found = StandIn::of_this_machine().ok().flatten()?;
    (server.trim_end_matches('/') == found.server).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loop_has_written_is_read_and_where_there_is_no_loop_there_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        assert_eq!(StandIn::read(&file).expect("no file is no error"), None);
        fs::write(&file, "{}").expect("it is written");
        let error = StandIn::read(&file).expect_err("it has no field");
        assert!(error.to_string().contains("another version of loopctl"), "{error:#}");
    }

    #[test]
    fn a_cluster_elsewhere_has_no_stand_ins() {
        assert!(of("https://127.0.0.1:16443").is_none());
    }
}
