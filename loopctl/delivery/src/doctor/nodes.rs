//! Whether there is a node for the next pod: ready, not cordoned, and under no pressure.

use serde_json::Value;

use super::Verdict;
use super::facts::Facts;

const PRESSURES: [&str; 3] = ["MemoryPressure", "DiskPressure", "PIDPressure"];

pub const NAME: &str = "nodes";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(nodes) = facts.nodes.seen(verdict) else { return };
    let is = |node: &Value, kind: &str| {
        let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    let is_cordoned = |node: &Value| node["spec"]["unschedulable"] == true;
    let takes_pods = nodes.iter().filter(|node| is(node, "Ready") && !is_cordoned(node)).count();
    for node in nodes {
        let name = node["metadata"]["name"].as_str().unwrap_or_default();
        let describe = format!("kubectl describe node {name}");
        if !is(node, "Ready") {
            verdict.find(format!("node {name} is not ready"), &describe);
        }
        if is_cordoned(node) && takes_pods == 0 {
            let what = format!("node {name} is cordoned, and no other takes pods: none that ends is replaced");
            verdict.find(what, format!("kubectl uncordon {name}"));
        } else if is_cordoned(node) {
            verdict.note(format!("{name} is cordoned"));
        }
        for pressure in PRESSURES.into_iter().filter(|pressure| is(node, pressure)) {
            verdict.find(format!("node {name} has {pressure}: it takes no pods, and evicts some"), &describe);
        }
    }
    if !nodes.is_empty() {
        verdict.note(format!("{takes_pods} of {} take pods", nodes.len()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    fn node(conditions: &[(&str, &str)], cordoned: bool) -> Value {
        let conditions: Vec<_> =
            conditions.iter().map(|(kind, status)| json!({"type": kind, "status": status})).collect();
        json!({"metadata": {"name": "n"}, "spec": {"unschedulable": cordoned}, "status": {"conditions": conditions}})
    }

    #[test]
    fn a_node_that_takes_no_pods_is_found() {
        let run = |nodes: Vec<Value>, expected: &[&str]| {
            check(look, &Facts { nodes: Fact::Found(nodes), ..healthy() }, expected);
        };
        let ready = || node(&[("Ready", "True"), ("DiskPressure", "False")], false);
        run(vec![ready()], &[]);
        run(vec![node(&[("Ready", "False")], false)], &["node n is not ready"]);
        run(vec![node(&[("Ready", "Unknown")], false), ready()], &["node n is not ready"]);
        run(vec![node(&[("Ready", "True")], true)], &["is cordoned, and no other takes pods"]);
        run(vec![node(&[("Ready", "True")], true), ready()], &[]);
        run(vec![node(&[("Ready", "True"), ("MemoryPressure", "True")], false)], &["n has MemoryPressure"]);
    }
}
