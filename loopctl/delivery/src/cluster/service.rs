//! The Service and the nodes: at which address the cluster offers what it runs.

use anyhow::Result;
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::{Api, ListParams};

use super::{Cluster, explain};

impl Cluster {
    /// Of the Service's port that leads to the container's; of its first one where none says so.
    pub async fn node_port(&self, namespace: &str, service: &str, container: Option<u16>) -> Result<Option<u16>> {
        let service: Option<Service> = self.get(namespace, service).await?;
        let ports = service.and_then(|service| service.spec?.ports).unwrap_or_default();
        let wanted = container.map(|port| IntOrString::Int(port.into()));
        let leads = ports.iter().find(|port| wanted.is_some() && port.target_port == wanted);
        let port = leads.or(ports.first()).and_then(|port| port.node_port);
        Ok(port.and_then(|port| port.try_into().ok()))
    }

    /// Each NodePort that a Service of the cluster holds, and whose it is as `namespace/name`.
    pub async fn node_ports(&self) -> Result<Vec<(u16, String)>> {
        let services: Api<Service> = Api::all(self.client.clone());
        let services = services.list(&ListParams::default()).await;
        let services = services.map_err(|error| explain(error, "Services of all namespaces", &self.server))?.items;
        let mut held = Vec::new();
        for service in services {
            let name = |text: Option<String>| text.unwrap_or_default();
            let owner = format!("{}/{}", name(service.metadata.namespace), name(service.metadata.name));
            let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
            let taken = ports.into_iter().filter_map(|port| u16::try_from(port.node_port?).ok());
            held.extend(taken.map(|port| (port, owner.clone())));
        }
        Ok(held)
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
