//! The Application: what Argo CD has seen of git, and what it has made of it.

use anyhow::Result;
use jiff::Timestamp;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Cluster, explain};

/// Argo CD removes it when it has looked.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";

/// The fields that are of use here; everything else is left out when it is read.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Application {
    pub metadata: Metadata,
    pub spec: Spec,
    pub status: Status,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Metadata {
    pub name: String,
    pub annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Spec {
    pub source: Source,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Source {
    #[serde(rename = "repoURL")]
    pub repository: String,
    pub target_revision: String,
    pub path: String,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    pub sync: Sync,
    pub health: Health,
    pub conditions: Vec<Condition>,
    pub history: Vec<Deployed>,
    pub operation_state: Option<Operation>,
    pub reconciled_at: Option<Timestamp>,
}

/// The comparison of the newest commit that Argo CD has seen with the cluster.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Sync {
    /// Synced, OutOfSync or Unknown.
    pub status: String,
    pub revision: String,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Health {
    /// Healthy, Progressing, Degraded, Missing or Unknown.
    pub status: String,
    pub message: String,
}

/// What is wrong with the Application itself, such as a repository that cannot be read.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub message: String,
    pub last_transition_time: Option<Timestamp>,
}

/// A sync that went through.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Deployed {
    pub revision: String,
    pub deploy_started_at: Option<Timestamp>,
    pub deployed_at: Option<Timestamp>,
}

/// The newest sync, which may still run.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Operation {
    /// Running, Terminating, Succeeded, Failed or Error.
    pub phase: String,
    pub message: String,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub retry_count: u64,
    operation: Requested,
    sync_result: Option<SyncResult>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Requested {
    sync: SyncResult,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct SyncResult {
    revision: String,
}

impl Operation {
    /// The commit that it applies.
    pub fn revision(&self) -> &str {
        self.sync_result.as_ref().map_or(&self.operation.sync.revision, |result| &result.revision)
    }
}

impl Cluster {
    fn applications(&self, namespace: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        Api::namespaced_with(self.client.clone(), namespace, &ApiResource::from_gvk(&kind))
    }

    /// None when there is none, or no Argo CD at all.
    pub async fn application(&self, namespace: &str, name: &str) -> Result<Option<Application>> {
        Ok(match self.application_object(namespace, name).await? {
            Some(object) => Some(serde_json::from_value(object)?),
            None => None,
        })
    }

    /// The same with all its fields.
    pub async fn application_object(&self, namespace: &str, name: &str) -> Result<Option<Value>> {
        let what = format!("Application {name} in namespace {namespace}");
        let found = self.applications(namespace).get_opt(name).await;
        let found = found.map_err(|error| explain(error, &what, &self.server))?;
        Ok(found.map(serde_json::to_value).transpose()?)
    }

    /// What README's "Force a sync" does by hand; it counts also when it was asked for before.
    pub async fn refresh(&self, namespace: &str, name: &str) -> Result<()> {
        let patch = json!({"metadata": {"annotations": {REFRESH: "normal"}}});
        let what = format!("the annotation {REFRESH} of Application {name} in namespace {namespace}");
        let applications = self.applications(namespace);
        let patched = applications.patch_metadata(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.map_err(|error| explain(error, &what, &self.server))?;
        Ok(())
    }
}
