//! For the checks' tests: the facts of a delivery that is as it should be, and a way to spoil one of them.

use std::path::Path;

use serde_json::{Value, json};

use super::Verdict;
use super::facts::{Fact, Facts, Outcome, Plan, Pull, Secret};
use crate::coordinates::Coordinates;

/// The check finds exactly these, by a part of what it says; each finding comes with a command.
pub fn check(look: fn(&Facts, &mut Verdict), facts: &Facts, expected: &[&str]) {
    let mut verdict = Verdict::default();
    look(facts, &mut verdict);
    let found: Vec<&str> = verdict.findings.iter().map(|finding| finding.what.as_str()).collect();
    let matches = found.len() == expected.len() && found.iter().zip(expected).all(|(what, part)| what.contains(part));
    assert!(matches, "expected {expected:#?}\nfound {found:#?}");
    assert!(verdict.findings.iter().all(|finding| !finding.mend.is_empty()), "{:#?}", verdict.findings);
}

/// One object of a healthy delivery, changed.
pub fn with(object: impl Fn(&mut Facts) -> &mut Fact<Value>, change: impl FnOnce(&mut Value)) -> Facts {
    let mut facts = healthy();
    match object(&mut facts) {
        Fact::Found(found) => change(found),
        other => panic!("a healthy delivery has no {other:?}"),
    }
    facts
}

/// As `cargo loopctl up` leaves it, from the project's own files.
pub fn healthy() -> Facts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = |path: &str| -> Value {
        let text = std::fs::read_to_string(root.join(path)).expect(path);
        serde_saphyr::from_str(&text).expect(path)
    };
    let live = |path: &str, kind: &str| {
        let mut object = file(path);
        object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] =
            format!("argo-rust:{kind}:argo-rust/argo-rust").into();
        object["metadata"]["managedFields"] = json!([written_by_argo_cd()]);
        object
    };
    let service = live("k8s/service.yaml", "/Service");
    let image = "ghcr.io/owner/name@sha256:0123";
    let refused = Outcome::Refused("nobody without the right to it".into());
    Facts {
        names: Coordinates::read(&root).expect("the checkout is whole"),
        deployment: Fact::Found(live("k8s/deployment.yaml", "apps/Deployment")),
        namespace: Fact::Found(live("k8s/namespace.yaml", "/Namespace")),
        services: Fact::Found(vec![service.clone()]),
        service: Fact::Found(service),
        declared: Fact::Found(vec![("argo-rust/argo-rust".into(), 30800)]),
        application: Fact::Found(file("argocd/application.yaml")),
        project: Fact::Found(file("argocd/project.yaml")),
        settings: Fact::Found(file("argocd/settings.yaml")["data"].clone()),
        argocd: Fact::Found(vec![("argocd-repo-server".into(), "quay.io/argoproj/argocd:v3.6.1".into())]),
        kubernetes: Fact::Found("v1.36.3".into()),
        served: Fact::Found(["v1", "apps/v1", "argoproj.io/v1alpha1"].map(str::to_owned).into()),
        secret: Fact::Found(Secret {
            kind: "kubernetes.io/dockerconfigjson".into(),
            registries: Some(vec!["ghcr.io".into()]),
        }),
        pull: Fact::Found(Pull { image: image.into(), with_secret: Outcome::Pulled, anonymous: refused }),
        token: Fact::Missing,
        plan: Fact::Found(Plan::Empty),
        parts: Fact::Found(Vec::new()),
        nodes: Fact::Found(Vec::new()),
        quotas: Fact::Found(Vec::new()),
        slices: Fact::Found(vec![json!({"endpoints": [{"conditions": {"ready": true}}]})]),
        account: Fact::Found(Vec::new()),
        hold: Fact::Missing,
        template: Fact::Missing,
    }
}

fn written_by_argo_cd() -> Value {
    json!({"manager": "argocd-controller", "time": "2026-11-25T01:00:00Z", "fieldsV1": {"f:spec": {
        "f:replicas": {},
        "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:nodePort": {}}},
        "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"argo-rust\"}": {
            "f:image": {}, "f:resources": {"f:limits": {"f:cpu": {}}},
        }}}},
    }}})
}
