//! Secrets: the pull secret is read for the registry's password, and written by `pull-secret`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Error;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use super::{Cluster, explain};
use crate::registry::logins::{self, Login};
use crate::registry::pull::registries;

pub const MANAGER: &str = "loopctl";
const PULL_SECRET: &str = "kubernetes.io/dockerconfigjson";
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// Of writers who are not patient either.
const TRIES: u32 = 5;

/// What became of a pull secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Renewed {
    pub was_there: bool,
    /// The other registries that it has logins for.
    pub kept: Vec<String>,
}

impl Cluster {
    /// The docker configuration in a pull secret; None when there is no such secret or it holds none.
    pub async fn pull_secret(&self, namespace: &str, name: &str) -> Result<Option<String>> {
        let secret: Option<Secret> = self.get(namespace, name).await?;
        let config = secret.and_then(|secret| secret.data?.remove(DOCKER_CONFIG));
        config.map(|bytes| String::from_utf8(bytes.0).with_context(|| format!("Secret {name} is not text"))).transpose()
    }

    /// Makes the pull secret, or renews in it the login for one registry and keeps those for others.
    pub async fn renew_pull_secret(
        &self,
        namespace: &str,
        name: &str,
        registry: &str,
        login: &Login,
    ) -> Result<Renewed> {
        let what = format!("Secret {name} in namespace {namespace}");
        for _ in 0..TRIES {
            let there = self.read_to_write(namespace, name).await?;
            let before = there.as_ref().map(|secret| config_of(secret, &what)).transpose()?;
            let config = logins::with_login(before.as_deref(), registry, login);
            let config = config
                .with_context(|| no_pull_secret(&what, namespace, name, "its content is no docker configuration"))?;
            let version = there.as_ref().and_then(|secret| secret.metadata.resource_version.clone());
            let secret = Secret {
                metadata: ObjectMeta {
                    name: Some(name.to_owned()),
                    namespace: Some(namespace.to_owned()),
                    // Nobody's change in between is written over.
                    resource_version: version,
                    ..Default::default()
                },
                type_: Some(PULL_SECRET.to_owned()),
                data: Some(BTreeMap::from([(DOCKER_CONFIG.to_owned(), ByteString(config.clone().into_bytes()))])),
                ..Default::default()
            };
            let api = self.api::<Secret>(namespace);
            let written = if there.is_some() {
                api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&secret)).await
            } else {
                api.create(&PostParams { field_manager: Some(MANAGER.to_owned()), ..Default::default() }, &secret).await
            };
            match written {
                Ok(_) => {
                    let kept = registries(&config).unwrap_or_default().into_iter().filter(|other| other != registry);
                    return Ok(Renewed { was_there: there.is_some(), kept: kept.collect() });
                }
                Err(Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(explain(error, &what, &self.server)),
            }
        }
        bail!("somebody else writes {what} at the same time; run it again")
    }

    /// Whoever may patch it is shown it by a patch that changes nothing: the right to read Secrets is not needed.
    async fn read_to_write(&self, namespace: &str, name: &str) -> Result<Option<Secret>> {
        let what = format!("Secret {name} in namespace {namespace}");
        let api = self.api::<Secret>(namespace);
        let found = match api.get_opt(name).await {
            Err(Error::Api(status)) if status.code == 403 => {
                let nothing = PatchParams { dry_run: true, ..PatchParams::default() };
                match api.patch(name, &nothing, &Patch::Merge(json!({}))).await {
                    Err(Error::Api(status)) if status.code == 404 && status.reason == "NotFound" => Ok(None),
                    found => found.map(Some),
                }
            }
            found => found,
        };
        found.map_err(|error| explain(error, &what, &self.server))
    }

    pub async fn namespace_exists(&self, name: &str) -> Result<bool> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = namespaces.get_opt(name).await;
        Ok(found.map_err(|error| explain(error, &format!("Namespace {name}"), &self.server))?.is_some())
    }
}

fn config_of(secret: &Secret, what: &str) -> Result<String> {
    let (namespace, name) = (secret.metadata.namespace.as_deref(), secret.metadata.name.as_deref());
    let refuse = |why: &str| no_pull_secret(what, namespace.unwrap_or_default(), name.unwrap_or_default(), why);
    let kind = secret.type_.as_deref().unwrap_or_default();
    if kind != PULL_SECRET {
        bail!(refuse(&format!("it is of type {kind}")));
    }
    let bytes = secret.data.as_ref().and_then(|data| data.get(DOCKER_CONFIG)).map(|bytes| bytes.0.clone());
    String::from_utf8(bytes.unwrap_or_default()).map_err(|_| anyhow::anyhow!(refuse("its content is not text")))
}

fn no_pull_secret(what: &str, namespace: &str, name: &str, why: &str) -> String {
    format!(
        "{what} is no pull secret, so nothing was written: {why}. Once nobody needs it, \
         `kubectl delete secret {name} -n {namespace}` and run this again"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use base64::prelude::{BASE64_STANDARD, Engine};
    use serde_json::Value;

    use super::super::tests::{cluster_that, http};
    use super::*;

    const QUAY: &str = r#"{"auths":{"quay.io":{"auth":"YTpi"}}}"#;

    fn failure(code: u16, reason: &str) -> String {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": ""});
        http(code, &status.to_string())
    }

    fn secret(kind: &str, config: &str) -> String {
        let data = json!({DOCKER_CONFIG: BASE64_STANDARD.encode(config)});
        let metadata = json!({"name": "pull", "namespace": "space", "resourceVersion": "7"});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data});
        http(200, &secret.to_string())
    }

    /// The server's answers are for a read, for a patch that changes nothing, and for the write.
    async fn check(read: String, look: String, write: String, expected: Result<(&str, Renewed), &str>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&written);
        let cluster = cluster_that(move |asked| {
            let (head, body) = asked.split_once("\r\n\r\n").unwrap_or_default();
            if head.starts_with("GET ") {
                return read.clone();
            }
            if head.contains("dryRun=All") {
                return look.clone();
            }
            seen.lock()
                .expect("nobody failed")
                .push((head.split('/').next().unwrap_or_default().to_owned(), body.to_owned()));
            write.clone()
        });
        let login = Login { username: "me".into(), password: "token".into() };
        let found = cluster.renew_pull_secret("space", "pull", "ghcr.io", &login).await;
        let written = written.lock().expect("nobody failed").clone();
        match expected {
            Ok((how, renewed)) => {
                assert_eq!(found.expect("it is written"), renewed);
                let (method, body) = written.last().expect("a write");
                assert_eq!(method.trim(), how);
                let body: Value = serde_json::from_str(body).expect("JSON");
                let version = renewed.was_there.then_some("7");
                assert_eq!(body["metadata"]["resourceVersion"].as_str(), version, "{body}");
            }
            Err(words) => {
                let error = found.expect_err("it is not written");
                assert!(format!("{error:#}").contains(words), "{error:#}");
            }
        }
    }

    #[tokio::test]
    async fn a_pull_secret_is_renewed_with_the_right_to_patch_it_and_nothing_in_it_is_lost() {
        let (none, forbidden) = (failure(404, "NotFound"), failure(403, "Forbidden"));
        let done = || secret(PULL_SECRET, QUAY);
        let made = || Ok(("POST", Renewed { was_there: false, kept: vec![] }));
        let renewed = || Ok(("PATCH", Renewed { was_there: true, kept: vec!["quay.io".into()] }));
        check(none.clone(), forbidden.clone(), done(), made()).await;
        check(done(), forbidden.clone(), done(), renewed()).await;
        check(forbidden.clone(), none, done(), made()).await;
        check(forbidden.clone(), done(), done(), renewed()).await;
        check(forbidden.clone(), forbidden.clone(), done(), Err("does not allow this")).await;
        check(done(), done(), failure(409, "Conflict"), Err("somebody else writes")).await;
        check(secret("Opaque", QUAY), done(), done(), Err("it is of type Opaque")).await;
        check(secret(PULL_SECRET, "{"), done(), done(), Err("its content is no docker configuration")).await;
    }
}
