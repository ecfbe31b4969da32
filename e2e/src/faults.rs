//! Faults that a delivery can have, each planted by one change and taken back by another.

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::application::KIND;
use crate::{APPLICATION, DEPLOYMENT, Loop, NAMESPACE};

/// How OpenTofu's kubernetes provider signs what it writes.
pub const PROVIDER: &str = "HashiCorp";
const PROJECT: &str = "appprojects.argoproj.io";

/// How a fault is taken back.
pub enum Mend {
    /// By the command that doctor prints.
    AsPrinted,
    By(fn(&Loop, &Before) -> Result<()>),
}

pub struct Fault {
    pub plant: fn(&Loop) -> Result<()>,
    /// A part of what doctor has to say.
    pub said: &'static str,
    pub mend: Mend,
}

/// What the faults replace.
pub struct Before {
    secret: String,
    application: Value,
    project: Value,
}

impl Before {
    pub fn of(the_loop: &Loop) -> Result<Self> {
        let secret = the_loop.get(NAMESPACE, "secret", "ghcr-secret")?["data"][".dockerconfigjson"].take();
        Ok(Self {
            secret: secret.as_str().context("the pull secret is empty")?.to_owned(),
            application: the_loop.application()?["spec"].take(),
            project: the_loop.get("argocd", PROJECT, APPLICATION)?["spec"].take(),
        })
    }

    /// Whatever has failed half-way: the proofs that follow need all of it.
    pub fn restore(&self, the_loop: &Loop) -> Result<()> {
        secret(the_loop, &self.secret)?;
        application(the_loop, "/spec", self.application.clone())?;
        project(the_loop, "/spec", self.project.clone())?;
        replicas(the_loop, 1, "argocd-controller")?;
        the_loop.ask(&["delete", "service", "intruder", "--namespace=default", "--ignore-not-found"])?;
        node_port(the_loop, 30800)
    }
}

pub const FAULTS: [Fault; 10] = [
    Fault {
        plant: |the_loop| the_loop.set_sync_options(&["CreateNamespace=true"]),
        said: "without RespectIgnoreDifferences=true the next sync resets the sizing",
        mend: Mend::AsPrinted,
    },
    Fault {
        plant: |the_loop| application(the_loop, "/spec/ignoreDifferences/0/group", json!("")),
        said: "with group \"\" instead of \"apps\", so resources is not ignored",
        mend: Mend::AsPrinted,
    },
    Fault {
        plant: |the_loop| application(the_loop, "/spec/syncPolicy/automated/selfHeal", json!(false)),
        said: "selfHeal is off",
        mend: Mend::AsPrinted,
    },
    Fault {
        plant: |the_loop| project(the_loop, "/spec/sourceRepos", json!(["*"])),
        said: "the project takes manifests from any repository",
        mend: Mend::AsPrinted,
    },
    Fault {
        plant: |the_loop| project(the_loop, "/spec/namespaceResourceWhitelist", json!([{"group": "*", "kind": "*"}])),
        said: "the project writes objects of every kind",
        mend: Mend::AsPrinted,
    },
    Fault {
        plant: |the_loop| {
            let add = json!([{"op": "add", "path": "/data/repositories", "value": "[]"}]);
            the_loop.patch("argocd", "configmap", "argocd-cm", "e2e", &add)
        },
        said: "argocd-cm has repositories, which is not read any more",
        mend: Mend::AsPrinted,
    },
    Fault {
        plant: |the_loop| replicas(the_loop, 2, "kubectl-scale"),
        said: "replicas was last written by kubectl-scale",
        mend: Mend::By(|the_loop, _| replicas(the_loop, 1, "argocd-controller")),
    },
    Fault {
        plant: |the_loop| {
            // Argo CD would put the mark back before anybody could look.
            application(the_loop, "/spec/syncPolicy/automated/selfHeal", json!(false))?;
            let remove = json!([{"op": "remove", "path": "/metadata/annotations/argocd.argoproj.io~1tracking-id"}]);
            the_loop.patch(NAMESPACE, "service", DEPLOYMENT, "a-hand", &remove)
        },
        said: "Service argo-rust has lost Argo CD's mark",
        mend: Mend::By(|the_loop, _| application(the_loop, "/spec/syncPolicy/automated/selfHeal", json!(true))),
    },
    Fault {
        plant: |the_loop| {
            let wrong = json!({"auths": {"ghcr.io": {"auth": BASE64_STANDARD.encode("argo-rust:wrong")}}});
            secret(the_loop, &BASE64_STANDARD.encode(wrong.to_string()))
        },
        said: "to Secret ghcr-secret",
        mend: Mend::By(|the_loop, before| secret(the_loop, &before.secret)),
    },
    Fault {
        plant: |the_loop| {
            node_port(the_loop, 30801)?;
            let ports = json!([{"port": 80, "nodePort": 30800}]);
            let intruder = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "intruder", "namespace": "default"},
                "spec": {"type": "NodePort", "ports": ports, "selector": {"app": "nobody"}}});
            the_loop.apply(&intruder.to_string())
        },
        said: "NodePort 30800 of k8s/service.yaml belongs to Service default/intruder",
        mend: Mend::By(|the_loop, _| {
            the_loop.ask(&["delete", "service", "intruder", "--namespace=default", "--ignore-not-found"])?;
            node_port(the_loop, 30800)
        }),
    },
];

pub fn application(the_loop: &Loop, path: &str, value: Value) -> Result<()> {
    let set = json!([{"op": "add", "path": path, "value": value}]);
    the_loop.patch("argocd", KIND, APPLICATION, "e2e", &set)
}

fn project(the_loop: &Loop, path: &str, value: Value) -> Result<()> {
    let set = json!([{"op": "replace", "path": path, "value": value}]);
    the_loop.patch("argocd", PROJECT, APPLICATION, "e2e", &set)
}

pub fn replicas(the_loop: &Loop, count: u32, by: &str) -> Result<()> {
    let set = json!([{"op": "replace", "path": "/spec/replicas", "value": count}]);
    the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, by, &set)
}

/// Of the service's container, as OpenTofu writes it, so that no sync takes it back.
pub fn resources(the_loop: &Loop, what: &str, request: &str, limit: &str) -> Result<()> {
    let path = "/spec/template/spec/containers/0/resources";
    let patch = json!([
        {"op": "replace", "path": format!("{path}/requests/{what}"), "value": request},
        {"op": "replace", "path": format!("{path}/limits/{what}"), "value": limit},
    ]);
    the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, PROVIDER, &patch)
}

fn node_port(the_loop: &Loop, port: u16) -> Result<()> {
    let set = json!([{"op": "replace", "path": "/spec/ports/0/nodePort", "value": port}]);
    the_loop.patch(NAMESPACE, "service", DEPLOYMENT, PROVIDER, &set)
}

fn secret(the_loop: &Loop, content: &str) -> Result<()> {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "ghcr-secret", "namespace": NAMESPACE},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": content},
    });
    the_loop.apply(&secret.to_string())
}
