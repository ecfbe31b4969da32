//! Collects the evidence of what was seen healthy: from git, from Argo CD, and from the Deployment's ReplicaSets.

use anyhow::Result;

use super::healthy::{Evidence, Named, Serving, Synced};
use crate::cluster::evidence::Set;
use crate::coordinates::tagged;
use crate::handle::Delivery;
use crate::manifest;

/// Whoever goes back further than that says where to.
const COMMITS: usize = 100;

impl Delivery {
    /// What cannot be read is named in the evidence, and counts for nothing.
    pub async fn evidence(&self, tip: &str) -> Result<Evidence> {
        let mut evidence = Evidence::default();
        let file = &self.names.files.deployment();
        for commit in self.git.newest_manifests(tip, COMMITS)? {
            if let Ok(image) = manifest::image(file, &commit.text) {
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
                let serving = |set: Set| Serving {
                    image: tagged(&set.image),
                    available: set.available,
                    created: set.created,
                    number: set.number,
                };
                evidence.serving = sets.into_iter().map(serving).collect();
            }
            Err(error) => unseen(error),
        }
        let mut syncs = Vec::new();
        match cluster.said(&names.application_namespace, &names.application).await {
            Ok(said) => {
                evidence.healthy = said.healthy;
                syncs.extend(
                    said.synced.into_iter().flat_map(|(commits, at)| commits.into_iter().map(move |id| (id, at))),
                );
            }
            Err(error) => unseen(error),
        }
        match cluster.application(names).await {
            Ok(application) => {
                let history = application.map(|application| application.status.history).unwrap_or_default();
                syncs.extend(history.into_iter().filter_map(|entry| Some((entry.revision, entry.deployed_at?))));
            }
            Err(error) => unseen(error),
        }
        for (commit, at) in syncs {
            // A commit that a force-push has removed is not known here, and no way back either.
            let text = self.git.resolve(&commit)?.map(|id| self.git.manifest(&id));
            let Some(Some(text)) = text.transpose()? else { continue };
            if let Ok(image) = manifest::image(file, &text) {
                evidence.synced.push(Synced { revision: image.revision, at });
            }
        }
        Ok(evidence)
    }
}
