//! The Service and the nodes: at which address the cluster offers what it runs.

use anyhow::Result;
use k8s_openapi::api::core::v1::{Node, Service};
use kube::api::{Api, ListParams};

use super::{Cluster, explain};

impl Cluster {
    pub async fn node_port(&self, namespace: &str, service: &str) -> Result<Option<u16>> {
        let service: Option<Service> = self.get(namespace, service).await?;
        let port = service.and_then(|service| service.spec?.ports?.first()?.node_port);
        Ok(port.and_then(|port| port.try_into().ok()))
    }

    /// An address of a node by which it can be reached from outside, or else from inside.
    pub async fn node_address(&self) -> Result<Option<String>> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let nodes = nodes.list(&ListParams::default().limit(50)).await;
        let nodes = nodes.map_err(|error| explain(error, "Nodes", &self.server))?.items;
        let address = |kind: &str| {
            let all = nodes.iter().filter_map(|node| node.status.as_ref()?.addresses.as_ref()).flatten();
            all.filter(|address| address.type_ == kind).map(|address| address.address.clone()).next()
        };
        Ok(address("ExternalIP").or_else(|| address("InternalIP")))
    }
}
