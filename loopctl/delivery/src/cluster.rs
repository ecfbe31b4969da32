//! The cluster: the only place that knows kube. One file a kind of object below this one.

pub mod application;
pub mod argocd;
pub mod evidence;
pub mod kubeconfig;
mod login;
pub mod objects;
pub mod offered;
pub mod pods;
pub mod project;
mod proxy;
pub mod secret;
pub mod service;
pub mod watch;
pub mod workload;

use std::time::Duration;

use anyhow::{Result, anyhow};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, ListParams};
use kube::{Client, Error, Resource};
use serde::de::DeserializeOwned;

use self::kubeconfig::Kubeconfig;
use crate::access::{NoAccess, is_refused};
use crate::tls;

/// A cluster that does not answer the first packet within this time will not be asked for more.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);
/// Programs that log in are run meanwhile.
const LOGIN: Duration = Duration::from_secs(30);

pub struct Cluster {
    client: Client,
    /// The address of its API server.
    pub server: String,
}

impl Cluster {
    /// By the kubeconfig that kubectl would use too, and where nobody has set one up by that of the loop of this machine.
    pub async fn connect(context: Option<&str>) -> Result<Self> {
        let whose = kubeconfig::of_whoever_asks()?;
        if matches!(whose, Kubeconfig::OfTheLoop(_)) {
            eprintln!("No kubeconfig is set up: this is about the loop of this machine.");
        }
        Self::by(whose, context).await
    }

    pub async fn by(whose: Kubeconfig, context: Option<&str>) -> Result<Self> {
        tls::provide();
        let context = context.map(str::to_owned);
        let config = in_time(move || kubeconfig::config(whose, context.as_deref())).await?;
        let mut config = config.map_err(|error| {
            if is_refused(&error) {
                return error;
            }
            anyhow!(NoAccess(format!(
                "no usable kubeconfig: {error:#}; set KUBECONFIG, or choose a context of yours with --context"
            )))
        })?;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(ANSWER);
        // `wait` asks again by itself, and `where` says what it could not see.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let client = in_time(move || Client::try_from(config)).await?;
        let client = client.map_err(|error| explain(error, "the cluster", &server))?;
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

async fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let silent = || NoAccess("the program that the kubeconfig logs in with does not answer".to_owned());
    let work = tokio::task::spawn_blocking(work);
    Ok(tokio::time::timeout(LOGIN, work).await.map_err(|_| silent())?.map_err(|_| silent())?)
}

/// What kube calls an error that is not in the API's words.
const NO_STATUS: &str = "Failed to parse error data";

/// kube's errors name types and nest their reasons; this says what was refused and what to do.
fn explain(error: Error, what: &str, server: &str) -> anyhow::Error {
    match error {
        Error::Api(status) if status.code == 401 => anyhow!(NoAccess(format!(
            "the cluster at {server} does not know this kubeconfig's user; log in again, or choose another --context"
        ))),
        Error::Api(status) if status.code == 403 => {
            anyhow!(NoAccess(format!("the cluster does not allow this for {what}: {}", status.message)))
        }
        // An API server answers in JSON, or with the one line `404 page not found` for what it does not know.
        Error::Api(status) if status.reason == NO_STATUS && !status.message.starts_with("404 page") => {
            anyhow!(NoAccess(format!("what answers at {server} is no cluster (HTTP {})", status.code)))
        }
        Error::Api(status) => anyhow!("the cluster answers for {what}: {}", status.message),
        Error::SerdeError(error) if error.line() <= 1 && error.column() <= 1 => {
            anyhow!(NoAccess(format!("what answers at {server} is no cluster: its answer is no JSON")))
        }
        Error::Auth(error) => anyhow!(NoAccess(format!(
            "the kubeconfig's user cannot log in to {server}: {error}; log in again, or choose another --context"
        ))),
        Error::Service(_) | Error::HyperError(_) | Error::RustlsTls(_) => {
            let error = anyhow::Error::from(error);
            anyhow!(NoAccess(format!("cannot reach the cluster at {server}: {}", last_cause(&error))))
        }
        error => anyhow::Error::from(error).context(format!("cannot read {what}")),
    }
}

fn last_cause(error: &anyhow::Error) -> String {
    error.root_cause().to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use k8s_openapi::api::core::v1::Secret;
    use kube::Config;

    use super::*;

    pub fn http(code: u16, body: &str) -> String {
        format!("HTTP/1.1 {code} \r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    /// The address of a server that answers what it is asked.
    fn server(answer: impl Fn(&str) -> String + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let mut connection = connection;
                let mut asked = String::new();
                let mut part = [0; 4096];
                while !is_whole(&asked) {
                    let count = connection.read(&mut part).unwrap_or_default();
                    if count == 0 {
                        break;
                    }
                    asked.push_str(&String::from_utf8_lossy(&part[..count]));
                }
                let _ = connection.write_all(answer(&asked).as_bytes());
            }
        });
        address
    }

    fn is_whole(asked: &str) -> bool {
        let Some((head, body)) = asked.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        body.len() >= length.unwrap_or(0)
    }

    fn cluster(mut config: Config) -> Cluster {
        tls::provide();
        config.default_retry = false;
        Cluster { client: Client::try_from(config).expect("a client"), server: "the server".to_owned() }
    }

    pub fn cluster_that(answer: impl Fn(&str) -> String + Send + 'static) -> Cluster {
        cluster(Config::new(server(answer).parse().expect("an address")))
    }

    #[tokio::test]
    async fn only_a_cluster_is_believed() {
        let not_found = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#;
        let unknown = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}"#;
        let page = "<html>Not here</html>";
        for (code, body, expected) in [
            (404, not_found, None),
            (404, page, Some("is no cluster (HTTP 404)")),
            (200, page, Some("its answer is no JSON")),
            (502, page, Some("is no cluster (HTTP 502)")),
            (401, unknown, Some("does not know this kubeconfig's user; log in again")),
        ] {
            let found = cluster_that(move |_| http(code, body)).get::<Secret>("space", "name").await;
            match expected {
                None => assert!(found.expect("a cluster has answered").is_none(), "{code}"),
                Some(words) => {
                    let error = found.expect_err(words);
                    assert!(format!("{error:#}").contains(words), "{code}: {error:#}");
                    assert!(is_refused(&error), "{code}: it ends with no access");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_the_cluster() {
        let (first, asked) = std::sync::mpsc::channel();
        let proxy = server(move |asked| {
            let _ = first.send(asked.to_owned());
            http(502, "")
        });
        let mut config = Config::new("https://api.cluster.example:6443".parse().expect("an address"));
        config.proxy_url = Some(proxy.parse().expect("an address"));
        let error = cluster(config).get::<Secret>("space", "name").await.expect_err("the proxy declines");
        assert!(is_refused(&error), "{error:#}");
        assert!(asked.recv().expect("it was asked").starts_with("CONNECT api.cluster.example:6443 "), "{error:#}");
    }
}
