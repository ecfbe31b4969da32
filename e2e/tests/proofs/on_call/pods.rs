//! No pod is made, or no node takes it.

use std::time::Duration;

use anyhow::Result;
use e2e::faults::resources;
use e2e::report::ensure;
use e2e::{DEPLOYMENT, Loop, NAMESPACE, shell, wait};
use serde_json::{Value, json};

use super::fault::{Fault, Mend, in_git, planted};

const MANIFEST: &str = "k8s/deployment.yaml";
const QUOTA: &str = "one-pod";
const LIMITS: &str = "small-pods";
const POLICY: &str = "no-pods-today";
const COUNTS: Duration = Duration::from_secs(15);
const POD: &str = "      automountServiceAccountToken: false\n";

pub const FAULTS: &[Fault] = &[
    planted(
        "a quota of one pod",
        |the_loop, _| the_loop.ask(&["create", "quota", QUOTA, "-n", NAMESPACE, "--hard=pods=1"]).map(drop),
        |the_loop, _| the_loop.ask(&["delete", "quota", QUOTA, "-n", NAMESPACE, "--ignore-not-found"]).map(drop),
        "exceeded quota",
    )
    .found(QUOTA),
    planted(
        "a paused rollout",
        |the_loop, _| rollout(the_loop, "pause"),
        |the_loop, _| {
            the_loop.patch(
                NAMESPACE,
                "deployment",
                DEPLOYMENT,
                "e2e",
                &json!([{"op": "add", "path": "/spec/paused", "value": false}]),
            )
        },
        "the rollout is paused",
    )
    .found("is paused")
    .mended(Mend::AsPrinted),
    planted(
        "a limit on each container's memory",
        |the_loop, _| {
            let limits = json!([{"type": "Container", "max": {"memory": "16Mi"}, "default": {"memory": "16Mi"}}]);
            the_loop.apply(&object("v1", "LimitRange", LIMITS, &json!({"limits": limits})))
        },
        |the_loop, _| the_loop.ask(&["delete", "limitrange", LIMITS, "-n", NAMESPACE, "--ignore-not-found"]).map(drop),
        "maximum memory usage per Container is 16Mi",
    ),
    planted(
        "an admission policy",
        |the_loop, _| {
            let group = "admissionregistration.k8s.io/v1";
            let rules =
                json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]);
            let policy = json!({"matchConstraints": {"resourceRules": rules}, "failurePolicy": "Fail",
                "validations": [{"expression": "false", "message": "no pods today"}]});
            let own = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}});
            let binding = json!({"policyName": POLICY, "validationActions": ["Deny"], "matchResources": own});
            the_loop.apply(&object(group, "ValidatingAdmissionPolicy", POLICY, &policy))?;
            the_loop.apply(&object(group, "ValidatingAdmissionPolicyBinding", POLICY, &binding))?;
            wait::until("a pod is refused", COUNTS, || refused(the_loop))?;
            Ok(())
        },
        |the_loop, _| {
            for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
                the_loop.ask(&["delete", kind, POLICY, "--ignore-not-found"])?;
            }
            Ok(())
        },
        "no pods today",
    ),
    in_git(
        "a pod that Pod Security refuses",
        |clone| clone.replace(MANIFEST, "drop: [ALL]", "drop: [CHOWN]"),
        "violates PodSecurity",
    ),
    in_git(
        "a PriorityClass that is not there",
        |clone| clone.replace(MANIFEST, POD, &format!("{POD}      priorityClassName: nothing\n")),
        "no PriorityClass with name nothing",
    ),
    in_git(
        "a volume that nobody has made",
        |clone| {
            let volume = "{name: v, persistentVolumeClaim: {claimName: nothing}}";
            clone.replace(MANIFEST, POD, &format!("{POD}      volumes: [{volume}]\n"))
        },
        "persistentvolumeclaim \"nothing\" not found",
    ),
    in_git(
        "a RuntimeClass that is not there",
        |clone| clone.replace(MANIFEST, POD, &format!("{POD}      runtimeClassName: nothing\n")),
        "RuntimeClass \"nothing\" not found",
    ),
    in_git(
        "a node selector that no node has",
        |clone| clone.replace(MANIFEST, POD, &format!("{POD}      nodeSelector: {{disk: fast}}\n")),
        "didn't match Pod's node affinity/selector",
    ),
    planted(
        "more CPU than a node has",
        |the_loop, _| resources(the_loop, "cpu", "100", "100"),
        |the_loop, _| resources(the_loop, "cpu", "50m", "200m"),
        "Insufficient cpu",
    ),
    planted(
        "a cordoned node",
        |the_loop, _| nodes(the_loop, &["cordon"], &[]),
        |the_loop, _| nodes(the_loop, &["uncordon"], &[]),
        "unschedulable",
    )
    .found("is cordoned")
    .mended(Mend::AsDoctorPrints),
    planted(
        "a node with a taint",
        |the_loop, _| nodes(the_loop, &["taint", "nodes"], &["e2e=x:NoSchedule"]),
        |the_loop, _| nodes(the_loop, &["taint", "nodes"], &["e2e=x:NoSchedule-"]),
        "untolerated taint",
    ),
];

fn rollout(the_loop: &Loop, does: &str) -> Result<()> {
    the_loop.ask(&["rollout", does, "deployment", DEPLOYMENT, "-n", NAMESPACE]).map(drop)
}

fn object(version: &str, kind: &str, name: &str, spec: &Value) -> String {
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    let metadata = if version.contains('/') { json!({"name": name}) } else { metadata };
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}).to_string()
}

/// The one node that there is. What is so already is no error.
fn nodes(the_loop: &Loop, does: &[&str], with: &[&str]) -> Result<()> {
    let name = the_loop.ask(&["get", "nodes", "--output=jsonpath={.items[0].metadata.name}"])?;
    let done = the_loop.ask(&[does, &[name.trim()], with].concat());
    if with.iter().any(|with| with.ends_with('-')) { Ok(()) } else { done.map(drop) }
}

/// A policy counts once the API server has read it.
fn refused(the_loop: &Loop) -> Result<()> {
    let security = json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}});
    let container = json!({"name": "x", "image": "x", "securityContext": security});
    let pod = object("v1", "Pod", "x", &json!({"containers": [container]}));
    let asked = shell::run_with_input(the_loop.kubectl().args(["create", "--dry-run=server", "-f", "-"]), &pod);
    let said = asked.err().map(|error| error.to_string()).unwrap_or_default();
    ensure("the policy's words", said.contains("no pods today"), said)
}
