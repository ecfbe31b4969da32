//! `doctor` against a fake cluster, as it is read in a terminal.

use serde_json::{Value, json};

use crate::documented;
use crate::world::{APPLICATION, DEPLOYMENT, World};

const PROJECT: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/service";
const SETTINGS: &str = "/api/v1/namespaces/argocd/configmaps/argocd-cm";
const SERVICES: &str = "/api/v1/services";
const NODES: &str = "/api/v1/nodes";
const QUOTAS: &str = "/api/v1/namespaces/service/resourcequotas";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/service/endpointslices";

/// A cluster that shows everything but what is wrong in it.
fn world() -> World {
    let mut world = World::new();
    world.push("first", 0, "Begin");
    let marks = |kind: &str| {
        json!({"argocd.argoproj.io/tracking-id": format!("service:{kind}:service/service"),
            "argocd.argoproj.io/sync-options": "Prune=false,Delete=false"})
    };
    let object = |version: &str, kind: &str, mark: &str, spec: Value| {
        let written = json!({"manager": "argocd-controller", "time": "2026-01-01T12:00:00Z", "fieldsV1": {"f:spec": {
            "f:replicas": {}, "f:ports": {"k:{}": {"f:nodePort": {}}},
        }}});
        json!({"apiVersion": version, "kind": kind, "spec": spec, "metadata": {
            "name": "service", "namespace": "service", "annotations": marks(mark), "managedFields": [written],
        }})
    };
    world.put(
        "/version",
        &json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}),
    );
    world.put("/api", &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}));
    let group = |name: &str, version: &str| json!({"name": name, "versions": [{"groupVersion": format!("{name}/{version}"), "version": version}]});
    let groups = json!({"kind": "APIGroupList", "groups": [group("apps", "v1"), group("argoproj.io", "v1alpha1")]});
    world.put("/apis", &groups);
    world.put(DEPLOYMENT, &object("apps/v1", "Deployment", "apps/Deployment", json!({"replicas": 1})));
    let service = object("v1", "Service", "/Service", json!({"ports": [{"nodePort": 30800}]}));
    world.put("/api/v1/namespaces/service/services/service", &service);
    world.put(SERVICES, &json!({"kind": "List", "metadata": {}, "items": [service]}));
    world.put("/api/v1/namespaces/service", &object("v1", "Namespace", "/Namespace", Value::Null));
    world.put(APPLICATION, &json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "service", "namespace": "argocd"},
        "spec": {
            "project": "service",
            "ignoreDifferences": [
                {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas", "/spec/template/spec/containers/0/resources"]},
                {"kind": "Service", "jqPathExpressions": [".spec.ports[].nodePort"]},
            ],
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "retry": {"limit": -1},
                "syncOptions": ["RespectIgnoreDifferences=true"]},
        }}));
    world.put(
        PROJECT,
        &json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "service", "namespace": "argocd"},
        "spec": {"sourceRepos": ["x"], "destinations": [{"namespace": "service"}],
            "namespaceResourceWhitelist": [{"group": "", "kind": "Service"}]}}),
    );
    world.put(
        SETTINGS,
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"},
        "data": {"timeout.reconciliation": "5s", "application.sync.impersonation.enabled": "true"}}),
    );
    for kind in ["deployments", "statefulsets"] {
        let list = json!({"kind": "List", "metadata": {}, "items": []});
        world.put(&format!("/apis/apps/v1/namespaces/argocd/{kind}"), &list);
    }
    let empty = json!({"kind": "List", "metadata": {}, "items": []});
    world.put(NODES, &empty);
    world.put(QUOTAS, &empty);
    let slice = json!({"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}}]});
    world.put(SLICES, &json!({"kind": "List", "metadata": {}, "items": [slice]}));
    let denied = json!({"errors": [{"code": "DENIED", "message": "denied"}]});
    world.put_with("/v2/owner/name/manifests/sha-0000000", 403, &denied.to_string());
    world
}

fn forbid(world: &World, path: &str) {
    let refused = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "forbidden: User \"ann\" cannot get it"});
    world.put_with(path, 403, &refused.to_string());
}

#[test]
fn findings_and_what_may_not_be_looked_at_are_told_apart() {
    let world = world();
    forbid(&world, SETTINGS);
    forbid(&world, SERVICES);
    insta::assert_snapshot!("doctor", world.transcript(&["doctor"]));
    let report: Value = serde_json::from_slice(&world.loopctl(&["doctor", "-o", "json"]).stdout).expect("JSON");
    let check =
        |name: &str| report["checks"].as_array().expect("a list").iter().find(|check| check["check"] == name).cloned();
    assert_eq!(check("settings").expect("a check")["state"], "unseen", "{report:#}");
    assert_eq!(check("sizing kept").expect("a check")["state"], "healthy", "{report:#}");
    assert_eq!(check("pull secret").expect("a check")["state"], "findings", "{report:#}");
    assert_eq!(report["findings"], 1, "{report:#}");
}

#[test]
fn who_may_look_at_nothing_has_no_access_and_is_not_told_that_all_is_well() {
    let world = world();
    let namespaced = ["deployments", "statefulsets"].map(|kind| format!("/apis/apps/v1/namespaces/argocd/{kind}"));
    let core = ["/services/service", "/secrets/ghcr-secret", "/pods", ""];
    let core = core.map(|path| format!("/api/v1/namespaces/service{path}"));
    for path in [APPLICATION, PROJECT, SETTINGS, SERVICES, NODES, QUOTAS, SLICES, DEPLOYMENT, "/apis", "/api"] {
        forbid(&world, path);
    }
    namespaced.iter().chain(&core).for_each(|path| forbid(&world, path));
    let output = world.loopctl(&["doctor", "-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(6), "{report:#}");
    assert!(report["summary"].as_str().expect("a sentence").contains("nothing of the cluster could be looked at"));
}

#[test]
fn a_cluster_that_does_not_know_this_person_is_no_access() {
    let world = world();
    world.put_with(
        "/version",
        401,
        r#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":401,"message":"Unauthorized"}"#,
    );
    insta::assert_snapshot!("doctor_no_access", world.transcript(&["doctor"]));
}

#[test]
fn the_documents_transcript_of_a_finding_is_true() {
    let world = world();
    let mut application: Value = json!({"metadata": {"name": "service", "namespace": "argocd"}});
    application["spec"] = json!({
        "project": "service",
        "ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas", "/spec/template/spec/containers/0/resources"]}],
        "syncPolicy": {"automated": {"prune": true}, "retry": {"limit": -1}, "syncOptions": ["CreateNamespace=true"]},
    });
    world.put(APPLICATION, &application);
    let said = world.transcript(&["doctor", "--no-plan"]).replace("127.0.0.1:PORT", "ghcr.io");
    documented::check("doctor", &documented::transcript(&["doctor", "--no-plan"], &said));
}
