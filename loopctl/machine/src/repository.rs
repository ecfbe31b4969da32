//! The loop's repository: its names, where it is, and questions to it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use delivery::coordinates::{Coordinates, DEFAULT_BRANCH, SERVICE};
use serde::{Deserialize, Serialize};

use super::place::{BRIDGE_ADDRESS, GIT_PORT};
use super::private::write_private;
use super::{Place, shell};

/// Not git's: asks the server to look for runs that wait.
pub const LOOK: &str = "/-/look";

/// What the loop delivers, as the files of the checkout say it. It is kept in the state folder when the loop comes up:
/// what runs in the background stands in no checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    pub checkout: PathBuf,
    /// `OWNER/NAME`.
    pub slug: String,
    /// What the files call it, as on GitHub.
    pub address: String,
    /// By its whole name.
    pub branch: String,
    pub application: String,
    pub namespace: String,
    pub pull_secrets: Vec<String>,
    /// Where the service is reached on this machine; kube-proxy answers it on 127.0.0.1.
    pub node_port: u16,
}

const FILE: &str = "repository.json";

impl Repository {
    /// Of the loop that has its things in that place, or else of the checkout.
    pub fn find(place: &Place) -> Result<Self> {
        match Self::kept(place)? {
            Some(kept) => Ok(kept),
            None => Self::of(&Coordinates::find()?),
        }
    }

    /// None where no loop has come up.
    pub fn kept(place: &Place) -> Result<Option<Self>> {
        let path = place.state.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let kept = serde_json::from_str(&text);
        Ok(Some(kept.with_context(|| format!("{} is of another version of loopctl", path.display()))?))
    }

    pub fn keep(&self, place: &Place) -> Result<()> {
        write_private(&place.state.join(FILE), &serde_json::to_string_pretty(self)?)
    }

    /// For a loop that is to come up: what the checkout says that a person stands in, unless a loop has another one.
    pub fn settle(place: &Place) -> Result<Self> {
        if let Some(kept) = Self::kept(place)? {
            kept.require_here()?;
        }
        Self::of(&Coordinates::find()?)
    }

    fn of(coordinates: &Coordinates) -> Result<Self> {
        let Coordinates { folder, slug, repository, branch, application, namespace, pull_secrets, node_port, .. } =
            coordinates.clone();
        let node_port =
            node_port.with_context(|| format!("{SERVICE} has no nodePort, by which this machine reaches it"))?;
        // Argo CD's word for the branch that the server calls its default one, which is the workflow's.
        let branch = if branch == DEFAULT_BRANCH { "master".to_owned() } else { branch };
        let branch = format!("refs/heads/{branch}");
        Ok(Self {
            checkout: folder,
            slug,
            address: repository,
            branch,
            application,
            namespace,
            pull_secrets,
            node_port,
        })
    }

    /// As its files say it now: those of the checkout that a person stands in, or else of the one that was delivered.
    pub fn coordinates(&self) -> Result<Coordinates> {
        match Coordinates::find() {
            Ok(here) if here.slug == self.slug => Ok(here),
            _ => Coordinates::read(&self.checkout),
        }
    }

    pub fn branch_name(&self) -> &str {
        self.branch.strip_prefix("refs/heads/").unwrap_or(&self.branch)
    }

    /// Where it is on this machine.
    pub fn url(&self) -> String {
        format!("{}/{}.git", server(), self.slug)
    }

    /// Where the service is.
    pub fn service(&self) -> String {
        format!("http://127.0.0.1:{}", self.node_port)
    }

    /// One of argocd/'s files, for the Argo CD of this machine.
    pub fn with_local_address(&self, text: &str) -> String {
        text.replace(&self.address, &self.url())
    }

    /// The checkout that a person stands in has to be one of this repository.
    pub fn require_here(&self) -> Result<()> {
        let here = Coordinates::find()?;
        if here.slug != self.slug {
            bail!(
                "the loop on this machine delivers {}, and {} is {}: `cargo loopctl down` ends it, and `cargo loopctl up` \
                 starts one for this repository",
                self.slug,
                here.folder.display(),
                here.slug
            );
        }
        Ok(())
    }
}

/// As `GITHUB_SERVER_URL` has it.
pub fn server() -> String {
    format!("http://{BRIDGE_ADDRESS}:{GIT_PORT}")
}

/// Where all repositories are, which is one.
pub fn root(place: &Place) -> PathBuf {
    place.state.join("git")
}

pub fn folder(place: &Place) -> Result<PathBuf> {
    Ok(root(place).join(format!("{}.git", place.repository()?.slug)))
}

/// git in the loop's repository.
pub fn git(place: &Place) -> Result<Command> {
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(folder(place)?);
    // A hook inherits variables that name the repository of the push; the option above says the same.
    git.env_remove("GIT_DIR").env_remove("GIT_QUARANTINE_PATH");
    Ok(git)
}

/// None before the first push.
pub fn tip(place: &Place, branch: &str) -> Result<Option<String>> {
    let found = git(place)?.args(["rev-parse", "--verify", "--quiet", branch]).output()?;
    Ok(found.status.success().then(|| String::from_utf8_lossy(&found.stdout).trim().to_owned()))
}

pub fn message(place: &Place, commit: &str) -> Result<String> {
    shell::run(git(place)?.args(["log", "-1", "--format=%B", commit]))
}

/// A file as it is in a commit; None when the commit has no such file.
pub fn file(place: &Place, commit: &str, path: &str) -> Result<Option<String>> {
    let found = git(place)?.arg("show").arg(format!("{commit}:{path}")).output()?;
    Ok(found.status.success().then(|| String::from_utf8_lossy(&found.stdout).into_owned()))
}
