//! What the loop delivers, as the files of the checkout say it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use delivery::coordinates::{Coordinates, DEFAULT_BRANCH, SERVICE};
use serde::{Deserialize, Serialize};

use super::addresses::{BRIDGE_ADDRESS, GIT_PORT};
use super::private::write_private;

/// It is kept in the state folder when the loop comes up: what runs in the background stands in no checkout.
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
    /// Of the loop that has its things in that folder, or else of the checkout.
    pub fn find(state: &Path) -> Result<Self> {
        match Self::kept(state)? {
            Some(kept) => Ok(kept),
            None => Self::here(),
        }
    }

    /// None where no loop has come up.
    pub fn kept(state: &Path) -> Result<Option<Self>> {
        let path = state.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let kept = serde_json::from_str(&text);
        Ok(Some(kept.with_context(|| format!("{} is of another version of loopctl", path.display()))?))
    }

    pub fn keep(&self, state: &Path) -> Result<()> {
        write_private(&state.join(FILE), &serde_json::to_string_pretty(self)?)
    }

    /// Of the checkout that a person stands in.
    pub fn here() -> Result<Self> {
        let Coordinates { folder, slug, repository, branch, application, namespace, pull_secrets, node_port, .. } =
            Coordinates::find()?;
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
