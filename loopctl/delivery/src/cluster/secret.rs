//! Secrets: the pull secret is read for the registry's password, and written by `pull-secret`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, Patch, PatchParams};

use super::{Cluster, explain};

pub const MANAGER: &str = "loopctl";
const PULL_SECRET: &str = "kubernetes.io/dockerconfigjson";
const DOCKER_CONFIG: &str = ".dockerconfigjson";

impl Cluster {
    /// The docker configuration in a pull secret; None when there is no such secret or it holds none.
    pub async fn pull_secret(&self, namespace: &str, name: &str) -> Result<Option<String>> {
        let secret: Option<Secret> = self.get(namespace, name).await?;
        let config = secret.and_then(|secret| secret.data?.remove(DOCKER_CONFIG));
        config.map(|bytes| String::from_utf8(bytes.0).with_context(|| format!("Secret {name} is not text"))).transpose()
    }

    /// Makes the pull secret, or renews it when it is there.
    pub async fn apply_pull_secret(&self, namespace: &str, name: &str, docker_config: &str) -> Result<()> {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..Default::default()
            },
            type_: Some(PULL_SECRET.to_owned()),
            data: Some(BTreeMap::from([(DOCKER_CONFIG.to_owned(), ByteString(docker_config.as_bytes().to_vec()))])),
            ..Default::default()
        };
        let what = format!("Secret {name} in namespace {namespace}");
        let parameters = PatchParams::apply(MANAGER).force();
        let applied = self.api::<Secret>(namespace).patch(name, &parameters, &Patch::Apply(&secret)).await;
        applied.map_err(|error| explain(error, &what, &self.server))?;
        Ok(())
    }

    pub async fn namespace_exists(&self, name: &str) -> Result<bool> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = namespaces.get_opt(name).await;
        Ok(found.map_err(|error| explain(error, &format!("Namespace {name}"), &self.server))?.is_some())
    }
}
