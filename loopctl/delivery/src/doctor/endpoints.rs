//! Whether the Service leads to a ready pod: without one every request is refused, whatever else is well.

use serde_json::Value;

use super::Verdict;
use super::facts::Facts;

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let (Some(slices), Some(service)) = (facts.slices.seen(verdict), facts.service.seen(verdict)) else { return };
    let name = &facts.names.service;
    let each = slices.iter().flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    let ready = each.filter(|endpoint| endpoint["conditions"]["ready"] != false).count();
    if ready > 0 {
        verdict.note(format!("{ready} ready behind {name}"));
        return;
    }
    let Some(deployment) = facts.deployment.seen(verdict) else { return };
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
}
