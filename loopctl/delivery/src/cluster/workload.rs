//! The Deployment with its ReplicaSets: which image is wanted, and how far the rollout is.

use anyhow::Result;
use futures_util::future::try_join;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::api::ListParams;

use super::Cluster;

const REVISION: &str = "deployment.kubernetes.io/revision";

#[derive(Clone, Debug, Default)]
pub struct Workload {
    pub namespace: String,
    pub name: String,
    pub image: String,
    pub wanted: i32,
    /// Counts pods of the newest template.
    pub updated: i32,
    pub available: i32,
    /// Counts pods of older templates too.
    pub total: i32,
    /// The controller has seen the newest change of the spec.
    pub observed: bool,
    /// When somebody has changed the spec last.
    pub changed_at: Option<Timestamp>,
    /// Somebody has said that nothing is to be rolled out.
    pub paused: bool,
    pub progress: Progress,
    /// The ReplicaSet of the newest template.
    pub newest: Option<Replicas>,
}

/// The Deployment's condition of that name.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub reason: String,
    pub message: String,
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub struct Replicas {
    pub name: String,
    pub created_at: Option<Timestamp>,
    /// Why it could not make its pods: a quota, an admission rule.
    pub failure: Option<String>,
}

impl Workload {
    /// As `kubectl rollout status` decides it.
    pub fn is_complete(&self) -> bool {
        self.observed && self.updated >= self.wanted && self.total <= self.updated && self.available >= self.updated
    }

    /// Not before progressDeadlineSeconds; Kubernetes goes on trying. What it said of the change before does not count,
    /// and while the rollout is paused nothing is tried.
    pub fn deadline_exceeded(&self) -> bool {
        self.progress.reason == "ProgressDeadlineExceeded" && self.observed && !self.paused
    }
}

impl Cluster {
    pub async fn workload(
        &self,
        namespace: &str,
        name: &str,
        container: &str,
        selector: &str,
    ) -> Result<Option<Workload>> {
        let parameters = ListParams::default().labels(selector);
        let (deployment, sets) =
            try_join(self.get::<Deployment>(namespace, name), self.list::<ReplicaSet>(namespace, &parameters)).await?;
        Ok(deployment.map(|deployment| workload(&deployment, &sets, container)))
    }
}

fn workload(deployment: &Deployment, sets: &[ReplicaSet], container: &str) -> Workload {
    let spec = &deployment.spec;
    let status = deployment.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let progress = conditions.into_iter().find(|condition| condition.type_.as_deref() == Some("Progressing"));
    let containers = spec.template.spec.as_ref().map(|spec| &spec.containers);
    let metadata = &deployment.metadata;
    // The status has writers of its own, and its time says nothing about the spec.
    let changes = metadata.managed_fields.iter().flatten().filter(|change| change.subresource.is_none());
    Workload {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
        image: image(containers, container),
        wanted: spec.replicas.unwrap_or(1),
        updated: status.updated_replicas.unwrap_or(0),
        available: status.available_replicas.unwrap_or(0),
        total: status.replicas.unwrap_or(0),
        observed: status.observed_generation >= metadata.generation,
        changed_at: changes.filter_map(|change| Some(change.time.as_ref()?.0)).max(),
        paused: spec.paused.unwrap_or(false),
        progress: progress.map_or_else(Progress::default, |condition| Progress {
            reason: condition.reason.unwrap_or_default(),
            message: condition.message.unwrap_or_default(),
            at: condition.last_update_time.map(|time| time.0),
        }),
        newest: newest(deployment, sets).map(replicas),
    }
}

fn newest<'a>(deployment: &Deployment, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    let revision = deployment.metadata.annotations.as_ref()?.get(REVISION)?;
    let uid = deployment.metadata.uid.as_ref()?;
    sets.iter().find(|set| {
        let owned = set.metadata.owner_references.iter().flatten().any(|owner| owner.uid == *uid);
        let annotations = set.metadata.annotations.as_ref();
        owned && annotations.and_then(|annotations| annotations.get(REVISION)) == Some(revision)
    })
}

fn replicas(set: &ReplicaSet) -> Replicas {
    let conditions = set.status.as_ref().and_then(|status| status.conditions.as_ref());
    let failure =
        conditions.into_iter().flatten().find(|condition| condition.type_.as_deref() == Some("ReplicaFailure"));
    Replicas {
        name: set.metadata.name.clone().unwrap_or_default(),
        created_at: set.metadata.creation_timestamp.as_ref().map(|time| time.0),
        failure: failure.and_then(|condition| condition.message.clone()),
    }
}

fn image(containers: Option<&Vec<k8s_openapi::api::core::v1::Container>>, name: &str) -> String {
    let found = containers.into_iter().flatten().find(|container| container.name == name);
    found.and_then(|container| container.image.clone()).unwrap_or_default()
}
