//! The live service over HTTP: where it is, and what it says.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::facts::{Endpoint, Seen};
use crate::access::NoAccess;
use crate::cluster::Cluster;
use crate::coordinates::Coordinates;
use crate::tls;

/// A pod that is alive answers within milliseconds, also on the far side of an ocean.
const ANSWER: Duration = Duration::from_secs(2);

pub struct Client(reqwest::Client);

impl Client {
    pub fn new() -> Result<Self> {
        tls::provide();
        // A connection for each request: a kept one would go on asking the pod that is being replaced.
        let client = reqwest::Client::builder().timeout(ANSWER).pool_max_idle_per_host(0);
        Ok(Self(client.build().context("cannot make an HTTP client")?))
    }

    /// `address` is an URL, or a host with its port.
    pub async fn get(&self, address: &str, path: &str) -> Result<String> {
        let url = format!("{}{path}", base(address));
        let answer = self.0.get(&url).send().await;
        let answer = answer.map_err(|error| NoAccess(format!("{url} does not answer: {}", root_cause(&error))))?;
        let status = answer.status();
        let body = answer.text().await.with_context(|| format!("{url} stops in the middle of its answer"))?;
        // What the probes and the delivery's contract ask for; a redirect has been followed by now.
        if status != reqwest::StatusCode::OK {
            bail!("{url} answers {status}: {}", body.trim());
        }
        Ok(body)
    }

    async fn tag(&self, address: &str) -> Result<String> {
        let version: Value = serde_json::from_str(&self.get(address, "/version").await?)
            .with_context(|| format!("{address}/version is not JSON"))?;
        let tag = version["image_tag"].as_str().with_context(|| format!("{address}/version names no image_tag"))?;
        Ok(tag.to_owned())
    }
}

pub fn base(address: &str) -> String {
    let address = address.trim_end_matches('/');
    if address.contains("://") { address.to_owned() } else { format!("http://{address}") }
}

fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("not within {} s", ANSWER.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The first address that says which version answers there.
pub async fn look(client: &Client, addresses: &[String]) -> Seen<Endpoint> {
    let mut problem = "the Service has no NodePort: name its address with --endpoint".to_owned();
    for address in addresses {
        match client.tag(address).await {
            Ok(tag) => return Ok(Endpoint { address: address.clone(), tag }),
            Err(error) => problem = format!("{error:#}"),
        }
    }
    Err(problem)
}

/// Where the service may be reached from here: its NodePort on this machine when the cluster is here, and on a node.
pub async fn addresses(cluster: &Cluster, coordinates: &Coordinates) -> Vec<String> {
    let (port, node) = futures_util::future::join(
        cluster.node_port(
            &coordinates.namespace,
            &coordinates.service,
            coordinates.probe.as_ref().map(|probe| probe.port),
        ),
        cluster.node_address(),
    )
    .await;
    let Some(port) = port.ok().flatten().or(coordinates.node_port) else { return Vec::new() };
    let server = host(&cluster.server);
    let is_here = matches!(server.as_str(), "127.0.0.1" | "localhost" | "[::1]")
        || crate::stand_in::of(&cluster.server).is_some();
    let mut hosts = Vec::new();
    if is_here {
        hosts.push("127.0.0.1".to_owned());
    }
    // Without the right to read nodes, the API server's own machine is the best guess: it is often a node.
    hosts.push(node.ok().flatten().unwrap_or(server));
    hosts.dedup();
    hosts.into_iter().map(|host| format!("http://{host}:{port}")).collect()
}

fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let end = if authority.ends_with(']') { None } else { authority.rsplit_once(':').map(|(host, _)| host) };
    end.unwrap_or(authority).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_asked_by_http() {
        for (address, expected) in
            [("127.0.0.1:30800", "http://127.0.0.1:30800"), ("https://a.example/", "https://a.example")]
        {
            assert_eq!(base(address), expected);
        }
    }

    #[test]
    fn the_host_is_what_stands_before_the_port() {
        for (url, expected) in [
            ("https://10.0.0.1:6443/", "10.0.0.1"),
            ("https://[::1]:6443", "[::1]"),
            ("https://a.example", "a.example"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
