//! Collects the evidence of what was seen healthy: from git, from Argo CD, and from the Deployment's ReplicaSets.

use anyhow::Result;

use super::healthy::{Evidence, Named, Serving, Synced};
use crate::coordinates::{DEPLOYMENT, tagged};
use crate::handle::Delivery;
use crate::manifest;

/// Whoever goes back further than that says where to.
const COMMITS: usize = 100;

impl Delivery {
    /// What cannot be read is named in the evidence, and counts for nothing.
    pub async fn evidence(&self, tip: &str) -> Result<Evidence> {
        let mut evidence = Evidence::default();
        for commit in self.git.newest_manifests(tip, COMMITS)? {
            if let Ok(image) = manifest::image(&commit.text) {
                let held = manifest::hold(&commit.text).map(|hold| hold.bad);
                let since = commit.commit.at;
                evidence.named.push(Named { image: image.name, revision: image.revision, since, held });
            }
        }
        let cluster = match &self.cluster {
            Ok(cluster) => cluster,
            Err(reason) => {
                evidence.unseen.push(reason.clone());
                return Ok(evidence);
            }
        };
        let names = &self.names;
        let mut unseen = |error: anyhow::Error| evidence.unseen.push(format!("{error:#}"));
        match cluster.serving(&names.namespace, &names.selector, &names.container).await {
            Ok(sets) => {
                let sets = sets.into_iter();
                evidence.serving =
                    sets.map(|(image, available)| Serving { image: tagged(&image), available }).collect();
            }
            Err(error) => unseen(error),
        }
        match cluster.said_healthy(&names.application_namespace, &names.application).await {
            Ok(healthy) => evidence.healthy = healthy,
            Err(error) => unseen(error),
        }
        match cluster.application(&names.application_namespace, &names.application).await {
            Ok(application) => {
                for deployed in application.map(|application| application.status.history).unwrap_or_default() {
                    // A commit that a force-push has removed is not known here, and no way back either.
                    let text = self.git.resolve(&deployed.revision)?.map(|id| self.git.file(&id, DEPLOYMENT));
                    let Some(Some(text)) = text.transpose()? else { continue };
                    if let (Ok(image), Some(at)) = (manifest::image(&text), deployed.deployed_at) {
                        evidence.synced.push(Synced { revision: image.revision, at });
                    }
                }
            }
            Err(error) => unseen(error),
        }
        Ok(evidence)
    }
}
