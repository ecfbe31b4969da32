//! The Application: what Argo CD has seen of git, and what it has made of it.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Cluster, explain};
use crate::coordinates::{Coordinates, Files};

/// Argo CD removes it when it has looked.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// As long as it says true, Argo CD looks at nothing.
pub const SKIP: &str = "argocd.argoproj.io/skip-reconcile";

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
    pub namespace: String,
    pub annotations: BTreeMap<String, String>,
    /// Somebody has asked for its end, which finalizers may delay.
    #[serde(rename = "deletionTimestamp")]
    pub leaving_since: Option<Timestamp>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// Where there are several, the one with this delivery's folder.
    pub source: Source,
    pub sources: Vec<Source>,
    pub destination: Destination,
    pub sync_policy: SyncPolicy,
}

/// A cluster has an address or a name.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Destination {
    pub namespace: String,
    pub server: String,
    pub name: String,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct SyncPolicy {
    pub automated: Option<Automated>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Automated {
    /// On where nothing is said.
    pub enabled: Option<bool>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Source {
    #[serde(rename = "repoURL")]
    pub repository: String,
    pub target_revision: String,
    pub path: String,
    pub directory: Directory,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Directory {
    pub recurse: bool,
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
    /// One for each of several sources.
    pub revisions: Vec<String>,
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
    pub revisions: Vec<String>,
    pub sources: Vec<Source>,
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
    revisions: Vec<String>,
    resources: Vec<Applied>,
}

/// What has come of one object of a sync.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
struct Applied {
    kind: String,
    name: String,
    status: String,
    hook_phase: String,
    message: String,
}

impl Operation {
    /// The commit that it applies.
    pub fn revision(&self) -> &str {
        self.sync_result.as_ref().map_or(&self.operation.sync.revision, |result| &result.revision)
    }

    /// What is said of each object that could not be applied.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let all = self.sync_result.iter().flat_map(|result| &result.resources);
        let failed = all.filter(|each| each.status == "SyncFailed" || matches!(&*each.hook_phase, "Failed" | "Error"));
        failed.map(|each| format!("{} {}: {}", each.kind, each.name, each.message))
    }
}

impl Application {
    fn of(object: Value, files: &Files) -> Result<Self> {
        let application: Self = serde_json::from_value(object)?;
        Ok(if application.spec.sources.is_empty() { application } else { application.of_one_source(files) })
    }

    /// Argo CD lists a revision for each of several sources, in their order: from here on it is about one of them.
    fn of_one_source(mut self, files: &Files) -> Self {
        let deployment = files.deployment();
        let ours = |sources: &[Source]| sources.iter().position(|source| source.has(&deployment));
        let at = ours(&self.spec.sources);
        let of =
            |at: Option<usize>, revisions: &[String]| at.and_then(|at| revisions.get(at)).cloned().unwrap_or_default();
        let status = &mut self.status;
        status.sync.revision = of(at, &status.sync.revisions);
        for deployed in &mut status.history {
            // Sources come and go, so a sync of before has its own list.
            let at = if deployed.sources.is_empty() { at } else { ours(&deployed.sources) };
            deployed.revision = of(at, &deployed.revisions);
        }
        if let Some(operation) = &mut status.operation_state {
            let synced = operation.sync_result.iter_mut().chain([&mut operation.operation.sync]);
            synced.for_each(|result| result.revision = of(at, &result.revisions));
        }
        self.spec.source = at.and_then(|at| self.spec.sources.get(at)).cloned().unwrap_or_default();
        self
    }

    /// False where it says that it reads other files than this delivery's.
    pub fn reads_or_says_nothing(&self, files: &Files) -> bool {
        let says_nothing = self.spec.sources.is_empty() && self.spec.source.repository.is_empty();
        says_nothing || self.spec.source.has(&files.deployment())
    }

    /// A sync follows a new commit without anybody's doing.
    pub fn is_automated(&self) -> bool {
        self.spec.sync_policy.automated.as_ref().is_some_and(|automated| automated.enabled != Some(false))
    }
}

impl Source {
    /// Whether it reads that file of the repository.
    pub fn has(&self, file: &str) -> bool {
        let words = |path: &str| -> Vec<String> {
            path.split('/').filter(|word| !word.is_empty() && *word != ".").map(str::to_owned).collect()
        };
        let (path, mut folder) = (words(&self.path), words(file));
        folder.pop();
        path == folder || (self.directory.recurse && folder.starts_with(&path))
    }
}

impl Cluster {
    fn applications(&self, namespace: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        Api::namespaced_with(self.client.clone(), namespace, &ApiResource::from_gvk(&kind))
    }

    /// None when there is none, or no Argo CD at all.
    pub async fn application(&self, names: &Coordinates) -> Result<Option<Application>> {
        Ok(match self.application_object(&names.application_namespace, &names.application).await? {
            Some(object) => Some(Application::of(object, &names.files)?),
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

#[cfg(test)]
mod tests;
