//! NodePorts: one number is one Service's in the whole cluster, and the range is limited.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Verdict;
use super::facts::Facts;

/// What a cluster gives out unless its API server was told otherwise.
const RANGE: std::ops::RangeInclusive<u64> = 30000..=32767;
const EDIT: &str = "${EDITOR:-vi} tofu/terraform.tfvars && cd tofu && tofu apply";

pub const NAME: &str = "node ports";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(services) = facts.services.seen(verdict) else { return };
    let own = format!("{}/{}", facts.names.namespace, facts.names.service);
    let taken = taken(services);
    let live: Vec<u64> = taken.iter().filter(|(_, name)| **name == own).map(|(port, _)| *port).collect();
    let Some(born) = facts.names.node_port.map(u64::from) else {
        verdict.note("k8s/service.yaml names no NodePort");
        return;
    };
    if !RANGE.contains(&born) {
        verdict.find(format!("k8s/service.yaml names NodePort {born}, which is outside of 30000-32767"), EDIT);
    }
    match taken.get(&born) {
        Some(other) if *other != own => {
            let what = format!(
                "NodePort {born} of k8s/service.yaml belongs to Service {other}: {own} could not be made again"
            );
            verdict.find(what, EDIT);
        }
        _ => {}
    }
    let declared = facts.declared.seen(verdict).map(Vec::as_slice).unwrap_or_default();
    for (at, (name, port)) in declared.iter().enumerate() {
        let twin = declared[..at].iter().find(|(_, other)| other == port).map(|(other, _)| other);
        let holder = taken.get(port).filter(|holder| *holder != name && !(*name == own && *port == born));
        if let Some(other) = twin.or(holder) {
            verdict.find(format!("NodePort {port} of {name} in tofu/terraform.tfvars belongs to {other}"), EDIT);
        }
    }
    match live.as_slice() {
        [] => {}
        [port] => verdict.note(format!("{own} has {port}; {} in the cluster", taken.len())),
        several => verdict.note(format!("{own} has {several:?}")),
    }
}

/// Which Service has which port.
fn taken(services: &[Value]) -> BTreeMap<u64, String> {
    let mut taken = BTreeMap::new();
    for service in services {
        let text = |field: &str| service["metadata"][field].as_str().unwrap_or_default();
        let name = format!("{}/{}", text("namespace"), text("name"));
        let ports = service["spec"]["ports"].as_array().into_iter().flatten().map(|port| &port["nodePort"]);
        for port in ports.chain([&service["spec"]["healthCheckNodePort"]]).filter_map(Value::as_u64) {
            taken.insert(port, name.clone());
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    fn service(name: &str, port: u16) -> Value {
        json!({"metadata": {"namespace": "argo-rust", "name": name}, "spec": {"ports": [{"nodePort": port}]}})
    }

    #[test]
    fn a_port_that_another_service_has_is_found() {
        let run = |services: Vec<Value>, born: u16| {
            let mut facts = healthy();
            facts.services = Fact::Found(services);
            facts.names.node_port = Some(born);
            facts
        };
        check(look, &healthy(), &[]);
        check(look, &run(vec![service("argo-rust", 30800), service("other", 30801)], 30800), &[]);
        // OpenTofu moved ours; nobody has the one that it was born with.
        check(look, &run(vec![service("argo-rust", 30802)], 30800), &[]);
        let clash = run(vec![service("argo-rust", 30802), service("other", 30800)], 30800);
        check(look, &clash, &["NodePort 30800 of k8s/service.yaml belongs to Service argo-rust/other"]);
        let mut declared = healthy();
        declared.declared = Fact::Found(vec![("a/a".into(), 30801), ("b/b".into(), 30801), ("c/c".into(), 30800)]);
        check(
            look,
            &declared,
            &["NodePort 30801 of b/b in tofu/terraform.tfvars belongs to a/a", "belongs to argo-rust/argo-rust"],
        );
        check(look, &run(vec![], 8080), &["NodePort 8080, which is outside of 30000-32767"]);
        let mut health = service("other", 31000);
        health["spec"]["healthCheckNodePort"] = 30800.into();
        check(look, &run(vec![health], 30800), &["belongs to Service argo-rust/other"]);
    }
}
