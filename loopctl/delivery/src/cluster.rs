//! The cluster: the only place that knows kube. One file a kind of object below this one.

pub mod application;
pub mod evidence;
pub mod kubeconfig;
pub mod objects;
pub mod pods;
pub mod secret;
pub mod service;
pub mod workload;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, ListParams};
use kube::config::KubeConfigOptions;
use kube::{Client, Config, Error, Resource};
use serde::de::DeserializeOwned;

use self::kubeconfig::Kubeconfig;
use crate::access::NoAccess;
use crate::tls;

/// A cluster that does not answer the first packet within this time will not be asked for more.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);

pub struct Cluster {
    client: Client,
    /// The address of its API server.
    pub server: String,
}

impl Cluster {
    /// By the kubeconfig that kubectl would use too, and where nobody has set one up by that of the loop of this machine.
    pub async fn connect(context: Option<&str>) -> Result<Self> {
        tls::provide();
        let options = KubeConfigOptions { context: context.map(str::to_owned), ..Default::default() };
        let config = match (kubeconfig::of_whoever_asks()?, context) {
            (Kubeconfig::OfTheLoop(path), _) => {
                eprintln!("No kubeconfig is set up: this is about the loop of this machine.");
                of_file(&path, &options).await
            }
            (Kubeconfig::Own, Some(_)) => Config::from_kubeconfig(&options).await.map_err(anyhow::Error::from),
            (Kubeconfig::Own, None) => Config::infer().await.map_err(anyhow::Error::from),
        };
        let mut config = config.map_err(|error| {
            NoAccess(format!(
                "no usable kubeconfig: {}; set KUBECONFIG, or choose a context of yours with --context",
                last_cause(&error)
            ))
        })?;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(ANSWER);
        // `wait` asks again by itself, and `where` says what it could not see.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| explain(error, "the cluster", &server))?;
        Ok(Self { client, server })
    }

    fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// None when there is no such object.
    async fn get<K>(&self, namespace: &str, name: &str) -> Result<Option<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let what = format!("{} {name} in namespace {namespace}", K::kind(&()));
        self.api::<K>(namespace).get_opt(name).await.map_err(|error| explain(error, &what, &self.server))
    }

    async fn list<K>(&self, namespace: &str, parameters: &ListParams) -> Result<Vec<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let what = format!("{} in namespace {namespace}", K::plural(&()));
        let list = self.api::<K>(namespace).list(parameters).await;
        Ok(list.map_err(|error| explain(error, &what, &self.server))?.items)
    }
}

async fn of_file(path: &Path, options: &KubeConfigOptions) -> Result<Config> {
    let kubeconfig = kube::config::Kubeconfig::read_from(path)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, options).await?)
}

/// kube's errors name types and nest their reasons; this says what was refused and what to do.
fn explain(error: Error, what: &str, server: &str) -> anyhow::Error {
    match error {
        Error::Api(status) if status.code == 401 => anyhow!(NoAccess(format!(
            "the cluster at {server} does not know this kubeconfig's user; log in again, or choose another --context"
        ))),
        Error::Api(status) if status.code == 403 => {
            anyhow!(NoAccess(format!("the cluster does not allow this for {what}: {}", status.message)))
        }
        Error::Api(status) => anyhow!("the cluster answers for {what}: {}", status.message),
        Error::Service(_) | Error::HyperError(_) | Error::Auth(_) | Error::RustlsTls(_) => {
            let error = anyhow::Error::from(error);
            anyhow!(NoAccess(format!("cannot reach the cluster at {server}: {}", last_cause(&error))))
        }
        error => anyhow::Error::from(error).context(format!("cannot read {what}")),
    }
}

fn last_cause(error: &anyhow::Error) -> String {
    error.root_cause().to_string()
}
