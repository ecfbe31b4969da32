//! The delivery that is steered: the branch that Argo CD deploys from, and the cluster as far as it can be seen.

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::coordinates::{Coordinates, DEPLOYMENT};
use crate::git::Git;
use crate::git::remote::Remote;
use crate::manifest;
use crate::registry::Registry;
use crate::stand_in::{self, StandIn};
use crate::target::Target;

pub struct Delivery {
    pub names: Coordinates,
    pub git: Git,
    pub remote: Remote,
    /// Or the reason why there is none.
    pub cluster: Result<Cluster, String>,
    stand_in: Option<StandIn>,
}

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
    pub async fn find(target: &Target) -> Result<Self> {
        let names = target.coordinates()?;
        let mut cluster = target.cluster().await.map_err(|error| format!("{error:#}"));
        let (mut repository, mut stand_in) = (names.repository.clone(), None);
        if let Ok(reached) = &cluster {
            match reached.application(&names.application_namespace, &names.application).await {
                // Argo CD's own word for where it deploys from: a fork or the loop on one machine has another address.
                Ok(Some(application)) => {
                    stand_in = stand_in::of(&reached.server);
                    let source = application.spec.source.repository;
                    repository = if source.is_empty() { repository } else { source };
                }
                Ok(None) => {}
                Err(error) => cluster = Err(format!("{error:#}")),
            }
        }
        let git = Git::in_folder(&names.folder);
        let password = stand_in.as_ref().map(|stand_in| stand_in.git_password.clone());
        let remote = git.remote_of(&repository, password)?;
        Ok(Self { names, git, remote, cluster, stand_in })
    }

    /// For tests: a repository without a cluster.
    #[cfg(test)]
    pub fn of(names: Coordinates, git: Git, address: String) -> Self {
        let remote = Remote { address, password: None };
        Self { names, git, remote, cluster: Err("there is no cluster".into()), stand_in: None }
    }

    /// The branch as it is now.
    pub fn branch(&self) -> Result<Branch> {
        self.git.require_whole()?;
        self.branch_at(self.git.tip(&self.remote, &self.names.branch)?)
    }

    pub fn branch_at(&self, tip: String) -> Result<Branch> {
        let text = self.git.file(&tip, DEPLOYMENT)?;
        let text = text.with_context(|| format!("branch {} has no {DEPLOYMENT}", self.names.branch))?;
        let (image, hold) = (manifest::image(&text)?, manifest::hold(&text));
        Ok(Branch { tip, image: image.name, revision: image.revision, hold: hold.map(|hold| hold.bad), text })
    }

    /// The digest of an image, or None when the registry has it no more.
    pub async fn digest(&self, image: &str, tag: &str) -> Result<Option<String>> {
        let secret = match (&self.cluster, self.names.pull_secrets.first()) {
            // Whoever may not read it may still be logged in to the registry.
            (Ok(cluster), Some(name)) => cluster.pull_secret(&self.names.namespace, name).await.unwrap_or_default(),
            _ => None,
        };
        Registry::of(image, secret.as_deref(), self.stand_in.as_ref())?.digest(tag).await
    }
}
