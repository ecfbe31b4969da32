//! To which pods the Service leads: its selector, and what its EndpointSlices have made of it.

use std::collections::BTreeMap;

use anyhow::Result;
use futures_util::future::try_join;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointSlice};
use kube::api::ListParams;

use super::Cluster;

const OF_SERVICE: &str = "kubernetes.io/service-name";

#[derive(Clone, Debug, Default)]
pub struct Offered {
    pub service: String,
    pub selector: BTreeMap<String, String>,
    /// The names of the pods that get its connections.
    pub pods: Vec<String>,
    /// The pods' ports to which it leads; none when it names a port that they have not got.
    pub ports: Vec<i32>,
}

impl Cluster {
    /// None when there is no such Service.
    pub async fn offered(&self, namespace: &str, name: &str) -> Result<Option<Offered>> {
        let of_service = ListParams::default().labels(&format!("{OF_SERVICE}={name}"));
        let slices = self.list::<EndpointSlice>(namespace, &of_service);
        let (service, slices) = try_join(self.get::<Service>(namespace, name), slices).await?;
        Ok(service.map(|service| offered(service, &slices)))
    }
}

fn offered(service: Service, slices: &[EndpointSlice]) -> Offered {
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    // As a proxy reads it: what says nothing about being ready is.
    let is_ready = |conditions: &EndpointConditions| conditions.ready != Some(false);
    let ready = endpoints.filter(|endpoint| endpoint.conditions.as_ref().is_none_or(is_ready));
    let name = |endpoint: &Endpoint| {
        let pod = endpoint.target_ref.as_ref().and_then(|target| target.name.clone());
        pod.or_else(|| endpoint.addresses.first().cloned())
    };
    let mut pods: Vec<String> = ready.filter_map(name).collect();
    pods.sort();
    // A pod has an address of each family.
    pods.dedup();
    let ports = slices.iter().flat_map(|slice| slice.ports.iter().flatten()).filter_map(|port| port.port).collect();
    Offered {
        service: service.metadata.name.unwrap_or_default(),
        selector: service.spec.and_then(|spec| spec.selector).unwrap_or_default(),
        pods,
        ports,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(endpoints: &Value, pods: &[&str], ports: &[i32]) {
        let service = serde_json::from_value(json!({"metadata": {"name": "s"}})).expect("a Service");
        let slice = json!({"metadata": {}, "addressType": "IPv4", "ports": [{"port": 8080}], "endpoints": endpoints});
        let found = offered(service, &[serde_json::from_value(slice).expect("a slice")]);
        let names: Vec<&str> = found.pods.iter().map(String::as_str).collect();
        assert_eq!((names.as_slice(), found.ports.as_slice()), (pods, ports), "{endpoints}");
    }

    #[test]
    fn a_pod_gets_connections_once_it_is_ready_and_counts_once() {
        let endpoint = |name: &str, ready: Value| json!({"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": {"name": name}});
        check(&json!([endpoint("a", json!(true)), endpoint("b", json!(false))]), &["a"], &[8080]);
        check(&json!([endpoint("a", Value::Null), endpoint("a", json!(true))]), &["a"], &[8080]);
        check(&json!([{"addresses": ["10.0.0.9"]}]), &["10.0.0.9"], &[8080]);
        check(&json!([]), &[], &[8080]);
    }
}
