//! Objects as the API server gives them, with every field, for checks that each look at others.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use serde_json::Value;

use super::{Cluster, explain};

/// Group, version, kind.
pub type Kind = (&'static str, &'static str, &'static str);

pub const DEPLOYMENT: Kind = ("apps", "v1", "Deployment");
pub const STATEFUL_SET: Kind = ("apps", "v1", "StatefulSet");
pub const SERVICE: Kind = ("", "v1", "Service");
pub const NAMESPACE: Kind = ("", "v1", "Namespace");
pub const CONFIG_MAP: Kind = ("", "v1", "ConfigMap");
pub const SECRET: Kind = ("", "v1", "Secret");
pub const PROJECT: Kind = ("argoproj.io", "v1alpha1", "AppProject");
pub const NODE: Kind = ("", "v1", "Node");
pub const QUOTA: Kind = ("", "v1", "ResourceQuota");
pub const ENDPOINTS: Kind = ("discovery.k8s.io", "v1", "EndpointSlice");
const RBAC: &str = "rbac.authorization.k8s.io";
/// What an account is made of.
pub const ACCOUNT: [Kind; 5] = [
    ("", "v1", "ServiceAccount"),
    (RBAC, "v1", "Role"),
    (RBAC, "v1", "RoleBinding"),
    (RBAC, "v1", "ClusterRole"),
    (RBAC, "v1", "ClusterRoleBinding"),
];

const DOCKER_CONFIG: &str = ".dockerconfigjson";

impl Cluster {
    /// None when there is none of that name, or the cluster knows no such kind. Namespaces have no namespace.
    pub async fn object(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<Option<Value>> {
        let found = self.objects_of(kind, namespace).get_opt(name).await;
        let found = found.map_err(|error| explain(error, &format!("{} {name}", kind.2), &self.server))?;
        found.map(serde_json::to_value).transpose().context("an object is no JSON")
    }

    /// Of all namespaces when none is named.
    pub async fn objects(&self, kind: Kind, namespace: Option<&str>, labels: &str) -> Result<Vec<Value>> {
        let parameters = ListParams::default().labels(labels);
        let list = self.objects_of(kind, namespace).list(&parameters).await;
        let list = list.map_err(|error| explain(error, &format!("objects of kind {}", kind.2), &self.server))?;
        list.items.into_iter().map(|item| serde_json::to_value(item).context("an object is no JSON")).collect()
    }

    fn objects_of(&self, (group, version, kind): Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// A Secret's type and the docker configuration in it; None when there is no such Secret.
    pub async fn docker_secret(&self, namespace: &str, name: &str) -> Result<Option<(String, Option<String>)>> {
        let Some(secret) = self.object(SECRET, Some(namespace), name).await? else { return Ok(None) };
        let kind = secret["type"].as_str().unwrap_or_default().to_owned();
        let config = secret["data"][DOCKER_CONFIG].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        Ok(Some((kind, config.and_then(|bytes| String::from_utf8(bytes).ok()))))
    }

    /// Of the API server, such as v1.36.3.
    pub async fn version(&self) -> Result<String> {
        let version = self.client.apiserver_version().await;
        Ok(version.map_err(|error| explain(error, "its version", &self.server))?.git_version)
    }

    /// The API versions that are served, such as apps/v1.
    pub async fn served(&self) -> Result<Vec<String>> {
        let failed = |error| explain(error, "its API versions", &self.server);
        let core = self.client.list_core_api_versions().await.map_err(failed)?;
        let groups = self.client.list_api_groups().await.map_err(failed)?;
        let of_groups = groups.groups.into_iter().flat_map(|group| group.versions);
        let all: BTreeSet<String> = core.versions.into_iter().chain(of_groups.map(|each| each.group_version)).collect();
        Ok(all.into_iter().collect())
    }
}
