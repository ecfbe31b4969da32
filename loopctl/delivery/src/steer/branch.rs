//! The branch that Argo CD deploys from, as whoever steers sees it.

use anyhow::{Context, Result};

use crate::coordinates::DEPLOYMENT;
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
        let text = self.git.file(&tip, DEPLOYMENT)?;
        let text = text.with_context(|| format!("branch {} has no {DEPLOYMENT}", self.names.branch))?;
        let (image, hold) = (manifest::image(&text)?, manifest::hold(&text));
        Ok(Branch { tip, image: image.name, revision: image.revision, hold: hold.map(|hold| hold.bad), text })
    }
}
