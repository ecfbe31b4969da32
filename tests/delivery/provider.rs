use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::repository::{delivered, deployment, yaml};

/// Every field that a manifest may use, list members without their index. An update by OpenTofu's kubernetes provider
/// sends the whole spec as the provider knows it: hostUsers, resizePolicy, appArmorProfile and a probe's
/// terminationGracePeriodSeconds would be dropped without a word, and preStop.sleep makes every update fail.
const FIELDS_THE_PROVIDER_KEEPS: [&str; 19] = [
    "minReadySeconds",
    "progressDeadlineSeconds",
    "replicas",
    "selector/matchLabels",
    "strategy/rollingUpdate/maxSurge",
    "strategy/rollingUpdate/maxUnavailable",
    "strategy/type",
    "template/metadata/labels",
    "template/spec/automountServiceAccountToken",
    "template/spec/containers",
    "template/spec/enableServiceLinks",
    "template/spec/imagePullSecrets",
    "template/spec/securityContext/runAsGroup",
    "template/spec/securityContext/runAsNonRoot",
    "template/spec/securityContext/runAsUser",
    "template/spec/securityContext/seccompProfile/type",
    "template/spec/shareProcessNamespace",
    "template/spec/terminationGracePeriodSeconds",
    "template/spec/topologySpreadConstraints",
];
const CONTAINER_FIELDS_THE_PROVIDER_KEEPS: [&str; 30] = [
    "env/name",
    "env/value",
    "image",
    "livenessProbe/failureThreshold",
    "livenessProbe/httpGet/path",
    "livenessProbe/httpGet/port",
    "livenessProbe/initialDelaySeconds",
    "livenessProbe/periodSeconds",
    "livenessProbe/timeoutSeconds",
    "name",
    "ports/containerPort",
    "ports/name",
    "readinessProbe/failureThreshold",
    "readinessProbe/httpGet/path",
    "readinessProbe/httpGet/port",
    "readinessProbe/initialDelaySeconds",
    "readinessProbe/periodSeconds",
    "readinessProbe/timeoutSeconds",
    "resources",
    "securityContext/allowPrivilegeEscalation",
    "securityContext/capabilities/drop",
    "securityContext/privileged",
    "securityContext/readOnlyRootFilesystem",
    "securityContext/runAsNonRoot",
    "startupProbe/failureThreshold",
    "startupProbe/httpGet/path",
    "startupProbe/httpGet/port",
    "startupProbe/initialDelaySeconds",
    "startupProbe/periodSeconds",
    "startupProbe/timeoutSeconds",
];

#[test]
fn the_deployment_uses_only_fields_that_the_provider_writes_back() {
    let check = |document: &Value, known: &[&str]| {
        let mut used = BTreeSet::new();
        fields(document, "", known, &mut used);
        let unknown: Vec<_> = used.iter().filter(|field| !known.contains(&field.as_str())).collect();
        assert!(
            unknown.is_empty(),
            "a deployment.yaml in k8s/ uses {unknown:?}; try a sizing apply on a live Deployment that has it, and add it to \
             the list in this test if it stays as it was"
        );
    };
    let mut deployment = deployment();
    for service in delivered() {
        check(&service.container(), &CONTAINER_FIELDS_THE_PROVIDER_KEEPS);
        check(&yaml(&service.manifest("deployment.yaml"))["spec"], &FIELDS_THE_PROVIDER_KEEPS);
    }

    deployment["spec"]["template"]["spec"]["hostUsers"] = json!(false);
    let dropped = std::panic::catch_unwind(|| check(&deployment["spec"], &FIELDS_THE_PROVIDER_KEEPS));
    assert!(dropped.is_err(), "this check could not see a field that is dropped");
}

fn fields(value: &Value, path: &str, known: &[&str], found: &mut BTreeSet<String>) {
    match value {
        _ if known.contains(&path) => drop(found.insert(path.to_owned())),
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                fields(member, &path, known, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, path, known, found)),
        _ => drop(found.insert(path.to_owned())),
    }
}
