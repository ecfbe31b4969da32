//! Who last wrote each shared field, from managedFields, against the table in ARCHITECTURE.md.

use serde_json::Value;

use super::Verdict;
use super::facts::Facts;

/// How OpenTofu's kubernetes provider signs what it writes.
const TOFU: &str = "HashiCorp";
/// How a sync of Argo CD does.
const ARGO: &str = "argocd-controller";

const SIZE: &str = "cd tofu && tofu apply";
const SYNC: &str = "cargo loopctl sync";

pub const NAME: &str = "field owners";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let container = format!("k:{{\"name\":\"{}\"}}", facts.names.container);
    let of_container = ["f:spec", "f:template", "f:spec", "f:containers", &container];
    if let Some(deployment) = facts.deployment.seen(verdict) {
        contract(deployment, "replicas", &["f:spec", "f:replicas"], SIZE, verdict);
        contract(deployment, "resources", &[&of_container[..], &["f:resources"]].concat(), SIZE, verdict);
        contract(deployment, "image", &[&of_container[..], &["f:image"]].concat(), SYNC, verdict);
    }
    if let Some(service) = facts.service.seen(verdict) {
        contract(service, "nodePort", &["f:spec", "f:ports", "*", "f:nodePort"], SIZE, verdict);
    }
}

/// Both tools may have written any of them at birth; afterwards sizing is OpenTofu's and the image is Argo CD's, and
/// neither takes the other's by force. So whoever else has written one is not of this contract.
fn contract(object: &Value, field: &str, path: &[&str], mend: &str, verdict: &mut Verdict) {
    let mut seen = false;
    for (manager, time) in writers(object, path) {
        seen = true;
        match manager {
            TOFU => verdict.note(format!("{field}: OpenTofu")),
            ARGO => verdict.note(format!("{field}: Argo CD")),
            other => {
                let owner = if mend == SIZE { "OpenTofu" } else { "git, through Argo CD" };
                verdict.find(format!("{field} was last written by {other} at {time}; it belongs to {owner}"), mend);
            }
        }
    }
    if !seen && object["metadata"]["managedFields"].is_null() {
        verdict.unseen("the API server gives no managedFields".to_owned());
    }
}

/// Each manager that holds the field or a part of it, and when it wrote last.
fn writers<'a>(object: &'a Value, path: &[&str]) -> Vec<(&'a str, &'a str)> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let holders = entries.filter(|entry| holds(&entry["fieldsV1"], path));
    holders
        .map(|entry| (entry["manager"].as_str().unwrap_or_default(), entry["time"].as_str().unwrap_or_default()))
        .collect()
}

fn holds(fields: &Value, path: &[&str]) -> bool {
    match path {
        [] => true,
        ["*", rest @ ..] => fields.as_object().is_some_and(|fields| fields.values().any(|field| holds(field, rest))),
        [name, rest @ ..] => fields.get(name).is_some_and(|field| holds(field, rest)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cases::{check, healthy, with};
    use super::*;

    fn wrote(manager: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Update", "time": "2026-11-25T01:00:00Z", "fieldsV1": fields})
    }

    fn deployment_also(manager: &str, fields: &Value) -> Facts {
        with(
            |facts| &mut facts.deployment,
            |deployment| {
                if let Some(entries) = deployment["metadata"]["managedFields"].as_array_mut() {
                    entries.push(wrote(manager, fields));
                }
            },
        )
    }

    #[test]
    fn whoever_is_not_of_the_contract_is_found_with_the_field_and_the_owner() {
        check(look, &healthy(), &[]);
        let replicas = json!({"f:spec": {"f:replicas": {}}});
        check(look, &deployment_also("kubectl-scale", &replicas), &["replicas was last written by kubectl-scale"]);
        check(look, &deployment_also("HashiCorp", &replicas), &[]);
        let of_container = |field: Value| json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"argo-rust\"}": field}}}}});
        let image = of_container(json!({"f:image": {}}));
        check(look, &deployment_also("kubectl-set", &image), &["image was last written by kubectl-set"]);
        let limit = of_container(json!({"f:resources": {"f:limits": {"f:cpu": {}}}}));
        check(look, &deployment_also("kubectl-edit", &limit), &["resources was last written by kubectl-edit"]);
        let port = json!({"f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:nodePort": {}}}}});
        let service = with(
            |facts| &mut facts.service,
            |service| {
                service["metadata"]["managedFields"] = json!([wrote("kubectl-edit", &port)]);
            },
        );
        check(look, &service, &["nodePort was last written by kubectl-edit"]);
        // Another container is another field.
        let sidecar =
            json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"x\"}": {"f:image": {}}}}}}});
        check(look, &deployment_also("kubectl-set", &sidecar), &[]);
    }
}
