//! Whether the parts of Argo CD that every sync needs have a ready pod.

use serde_json::Value;

use super::Verdict;
use super::facts::Facts;

const COMPONENT: &str = "app.kubernetes.io/component";
const NEEDED: [&str; 3] = ["application-controller", "repo-server", "redis"];
/// People log in there, and no sync needs it.
const FOR_PEOPLE: &str = "server";

pub const NAME: &str = "argocd parts";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(parts) = facts.parts.seen(verdict) else { return };
    let namespace = &facts.names.application_namespace;
    for part in parts {
        let component = part["metadata"]["labels"][COMPONENT].as_str().unwrap_or_default();
        let is_needed = NEEDED.iter().any(|needed| component.starts_with(needed));
        if !is_needed && component != FOR_PEOPLE {
            continue;
        }
        let name = part["metadata"]["name"].as_str().unwrap_or_default();
        let kind = part["kind"].as_str().unwrap_or("Deployment").to_lowercase();
        let number = |value: &Value, otherwise: i64| value.as_i64().unwrap_or(otherwise);
        if number(&part["status"]["readyReplicas"], 0) > 0 {
            continue;
        }
        let is_scaled = number(&part["spec"]["replicas"], 1) == 0;
        if !is_needed {
            verdict.note(format!("{name} has no ready pod, which no sync needs"));
        } else if is_scaled {
            let mend = format!("kubectl scale {kind}/{name} -n {namespace} --replicas=1");
            verdict.find(format!("{name} of Argo CD is scaled to 0: nothing is synced"), mend);
        } else {
            let mend = format!("kubectl describe pods -n {namespace} -l app.kubernetes.io/name={name}");
            verdict.find(format!("{name} of Argo CD has no ready pod: nothing is synced"), mend);
        }
    }
    if verdict.findings.is_empty() && !parts.is_empty() {
        verdict.note("all that a sync needs has a ready pod");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_part_without_a_ready_pod_is_found_if_a_sync_needs_it() {
        let run = |kind: &str, component: &str, replicas: i64, ready: i64, expected: &[&str]| {
            let name = format!("argocd-{component}");
            let part = json!({"kind": kind, "metadata": {"name": name, "labels": {COMPONENT: component}},
                "spec": {"replicas": replicas}, "status": {"readyReplicas": ready}});
            check(look, &Facts { parts: Fact::Found(vec![part]), ..healthy() }, expected);
        };
        check(look, &healthy(), &[]);
        run("StatefulSet", "application-controller", 1, 1, &[]);
        run("StatefulSet", "application-controller", 1, 0, &["argocd-application-controller of Argo CD has no ready"]);
        run("Deployment", "repo-server", 0, 0, &["argocd-repo-server of Argo CD is scaled to 0"]);
        run("StatefulSet", "redis-ha-server", 0, 0, &["is scaled to 0"]);
        run("Deployment", "redis", 2, 1, &[]);
        run("Deployment", "server", 0, 0, &[]);
        run("Deployment", "dex-server", 1, 0, &[]);
    }
}
