//! The branch that Argo CD deploys from, as whoever steers sees it.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use super::follow::Followed;
use crate::coordinates::DEPLOYMENT;
use crate::git::Git;
use crate::handle::Delivery;
use crate::manifest;

/// What the branch says at one of its commits.
pub struct Branch {
    pub tip: String,
    /// k8s/deployment.yaml, whole.
    pub text: String,
    pub image: String,
    pub revision: String,
    pub hold: Option<String>,
}

impl Delivery {
    /// The branch as it is now.
    pub fn branch(&self) -> Result<Branch> {
        self.git.require_whole()?;
        self.branch_at(self.git.tip(&self.remote, &self.names.branch)?)
    }

    pub fn branch_at(&self, tip: String) -> Result<Branch> {
        read(&self.git, &self.names.branch, tip)
    }

    /// The same with the commit that is to be followed, in a thread of its own: whoever watches goes on when git hangs.
    pub async fn followed(&self) -> Result<(Branch, Followed)> {
        let (git, remote, name) = (Arc::clone(&self.git), self.remote.clone(), self.names.branch.clone());
        let work = move || {
            git.require_whole()?;
            let branch = read(&git, &name, git.tip(&remote, &name)?)?;
            let followed = follow(&git, &branch)?;
            Ok((branch, followed))
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(anyhow!("git: {error}")))
    }
}

fn read(git: &Git, name: &str, tip: String) -> Result<Branch> {
    let text = git.file(&tip, DEPLOYMENT)?;
    let text = text.with_context(|| format!("branch {name} has no {DEPLOYMENT}"))?;
    let (image, hold) = (manifest::image(&text)?, manifest::hold(&text));
    Ok(Branch { tip, image: image.name, revision: image.revision, hold: hold.map(|hold| hold.bad), text })
}

fn follow(git: &Git, branch: &Branch) -> Result<Followed> {
    let mut newest = git.newest_manifests(&branch.tip, 2)?.into_iter();
    let commit = newest.next().with_context(|| format!("{DEPLOYMENT} has no history on this branch"))?.commit;
    let before = newest.next().and_then(|before| manifest::image(&before.text).ok());
    Ok(Followed {
        image: format!("{}:sha-{}", branch.image, branch.revision),
        wrote_the_tag: before.is_none_or(|before| before.revision != branch.revision || before.name != branch.image),
        commit: commit.id,
        subject: commit.subject,
    })
}
