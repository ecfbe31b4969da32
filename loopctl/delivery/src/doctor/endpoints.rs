//! Whether the Service leads to a ready pod: without one every request is refused, whatever else is well.

use serde_json::Value;

use super::Verdict;
use super::facts::Facts;

pub const NAME: &str = "endpoints";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let (Some(slices), Some(service)) = (facts.slices.seen(verdict), facts.service.seen(verdict)) else { return };
    let name = &facts.names.service;
    let each = slices.iter().flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    let ready = each.filter(|endpoint| endpoint["conditions"]["ready"] != false).count();
    let Some(deployment) = facts.deployment.seen(verdict) else { return };
    if ready > 0 {
        match leads_elsewhere(slices, deployment) {
            Some((leads, listens)) => {
                let what = format!("Service {name} leads to port {leads}, and the pods listen at {listens}");
                verdict.find(what, "set targetPort of k8s/service.yaml to that port, commit and push");
            }
            None => verdict.note(format!("{ready} ready behind {name}")),
        }
        return;
    }
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let selector = service["spec"]["selector"].as_object();
    let misses = |(key, value): (&String, &Value)| (labels[key] != *value).then(|| format!("{key}={}", text(value)));
    let missed: Vec<String> = selector.into_iter().flatten().filter_map(misses).collect();
    if missed.is_empty() {
        verdict.find(format!("Service {name} has no ready pod: nobody is served"), "cargo loopctl where");
        return;
    }
    let own: Vec<String> =
        labels.as_object().into_iter().flatten().map(|(key, value)| format!("{key}: {}", text(value))).collect();
    let what = format!("Service {name} selects no pod: none has {}", missed.join(", "));
    let mend = format!(
        "set spec.selector of k8s/service.yaml to {{{}}}, commit and push; where it says so already: cargo loopctl sync",
        own.join(", ")
    );
    verdict.find(what, mend);
}

/// Where the Service leads and where the pods listen, when that is not the same. A port need not be declared: those that
/// a probe asks count as well.
fn leads_elsewhere(slices: &[Value], deployment: &Value) -> Option<(String, String)> {
    let ports = |list: &Value, field: &str| -> Vec<u64> {
        list.as_array().into_iter().flatten().filter_map(|port| port[field].as_u64()).collect()
    };
    let leads: Vec<u64> = slices.iter().flat_map(|slice| ports(&slice["ports"], "port")).collect();
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
    let mut listens: Vec<u64> = containers
        .flat_map(|container| {
            let probes = ["readinessProbe", "livenessProbe", "startupProbe"].map(|probe| &container[probe]);
            let asked = probes.into_iter().filter_map(|probe| probe["httpGet"]["port"].as_u64());
            ports(&container["ports"], "containerPort").into_iter().chain(asked).collect::<Vec<u64>>()
        })
        .collect();
    listens.sort_unstable();
    listens.dedup();
    let is_known = leads.is_empty() || listens.is_empty() || leads.iter().any(|port| listens.contains(port));
    let listed = |ports: &[u64]| ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    (!is_known).then(|| (listed(&leads), listed(&listens)))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cases::{check, healthy, with};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_service_that_leads_to_no_ready_pod_is_found_with_the_reason() {
        let slices = |endpoints: Value| Fact::Found(vec![json!({"endpoints": endpoints})]);
        let run = |facts: Facts, endpoints: Value, expected: &[&str]| {
            check(look, &Facts { slices: slices(endpoints), ..facts }, expected);
        };
        let selecting =
            |labels: Value| with(|facts| &mut facts.service, |service| service["spec"]["selector"] = labels);
        let nobody = || json!([]);
        run(healthy(), json!([{"conditions": {"ready": true}}]), &[]);
        run(healthy(), json!([{"conditions": {}}]), &[]);
        run(healthy(), json!([{"conditions": {"ready": false}}]), &["has no ready pod"]);
        run(healthy(), nobody(), &["has no ready pod"]);
        run(healthy(), Value::Null, &["has no ready pod"]);
        let other = json!({"app.kubernetes.io/name": "other"});
        run(selecting(other), nobody(), &["selects no pod: none has app.kubernetes.io/name=other"]);
        let more = json!({"app.kubernetes.io/name": "argo-rust", "tier": "web"});
        run(selecting(more), nobody(), &["selects no pod: none has tier=web"]);
    }

    #[test]
    fn a_service_that_leads_to_a_port_at_which_no_pod_listens_is_found() {
        let run = |port: u64, ports: &Value, expected: &[&str]| {
            let mut facts = with(
                |facts| &mut facts.deployment,
                |each| each["spec"]["template"]["spec"]["containers"][0]["ports"] = ports.clone(),
            );
            let ready = json!([{"conditions": {"ready": true}}]);
            facts.slices = Fact::Found(vec![json!({"ports": [{"port": port}], "endpoints": ready})]);
            check(look, &facts, expected);
        };
        let declared = json!([{"containerPort": 8080}, {"containerPort": 9090}]);
        run(8080, &declared, &[]);
        run(9999, &declared, &["leads to port 9999, and the pods listen at 8080, 9090"]);
        // The probes ask 8080.
        run(8080, &Value::Null, &[]);
        run(9999, &Value::Null, &["and the pods listen at 8080"]);
    }
}
