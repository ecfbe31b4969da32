//! Argo CD does not look, looks elsewhere, or cannot apply what it sees.

use anyhow::Result;
use e2e::application::KIND;
use e2e::{APPLICATION, Loop, NAMESPACE, shell};
use serde_json::{Value, json};

use super::fault::{Fault, Mend, in_git, nothing, planted};

const PROJECT: &str = "appprojects.argoproj.io";
const SKIP: &str = "argocd.argoproj.io/skip-reconcile";
const MANIFEST: &str = "k8s/deployment.yaml";
const EXTRA: &str = "k8s/extra.yaml";
const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: argo-rust}\n";
const ELSEWHERE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: extra, namespace: default}\n\
                         spec: {ports: [{port: 80}]}\n";

pub const FAULTS: &[Fault] = &[
    planted(
        "skip-reconcile on the Application",
        |the_loop, _| annotate(the_loop, &format!("{SKIP}=true")),
        |the_loop, _| annotate(the_loop, &format!("{SKIP}-")),
        "skip-reconcile stops Argo CD",
    )
    .found("skip-reconcile")
    .mended(Mend::AsPrinted),
    planted(
        "a repo-server without a pod",
        |the_loop, _| scale(the_loop, "deployment/argocd-repo-server", 0),
        |the_loop, _| scale(the_loop, "deployment/argocd-repo-server", 1),
        "argocd-repo-server, a part of Argo CD, is scaled to 0",
    )
    .found("argocd-repo-server")
    .mended(Mend::AsPrinted),
    planted(
        "an application-controller without a pod",
        |the_loop, _| scale(the_loop, "statefulset/argocd-application-controller", 0),
        |the_loop, _| scale(the_loop, "statefulset/argocd-application-controller", 1),
        "argocd-application-controller, a part of Argo CD, is scaled to 0",
    )
    .found("argocd-application-controller")
    .mended(Mend::AsDoctorPrints),
    planted(
        "a redis without a pod",
        |the_loop, _| scale(the_loop, "deployment/argocd-redis", 0),
        |the_loop, _| scale(the_loop, "deployment/argocd-redis", 1),
        "argocd-redis, a part of Argo CD, is scaled to 0",
    )
    .found("argocd-redis")
    .mended(Mend::AsPrinted),
    planted(
        "an Application that watches another branch",
        |the_loop, clone| {
            clone.push_elsewhere("elsewhere")?;
            source(the_loop, "targetRevision", "elsewhere")
        },
        |the_loop, _| source(the_loop, "targetRevision", "master"),
        "Argo CD watches elsewhere, not master",
    )
    .found("Argo CD watches elsewhere")
    .mended(Mend::AsPrinted),
    planted(
        "an Application that watches another repository",
        |the_loop, _| source(the_loop, "repoURL", &e2e::GIT.replace("argo-rust.git", "another.git")),
        |the_loop, _| source(the_loop, "repoURL", e2e::GIT),
        "/another.git, not http",
    )
    .mended(Mend::AsPrinted),
    planted(
        "an Application that is pinned to a commit",
        |the_loop, clone| source(the_loop, "targetRevision", &clone.head()?),
        |the_loop, _| source(the_loop, "targetRevision", "master"),
        ", not master: `kubectl patch",
    )
    .found("Argo CD watches ")
    .mended(Mend::AsDoctorPrints),
    planted(
        "an Application that reads another folder",
        |the_loop, _| source(the_loop, "path", "docs"),
        |the_loop, _| source(the_loop, "path", "k8s"),
        "Argo CD reads the folder docs, not k8s",
    )
    .mended(Mend::AsPrinted),
    planted(
        "an Application that does not sync by itself",
        |the_loop, _| application(the_loop, &json!([{"op": "remove", "path": "/spec/syncPolicy/automated"}])),
        |the_loop, _| {
            let automated = json!({"prune": true, "selfHeal": true});
            application(the_loop, &json!([{"op": "add", "path": "/spec/syncPolicy/automated", "value": automated}]))
        },
        "automated sync is off",
    )
    .found("syncs are not automated")
    .mended(Mend::AsPrinted),
    planted(
        "an Application that somebody has deleted",
        |the_loop, _| the_loop.ask(&["delete", KIND, APPLICATION, "-n", "argocd"]).map(drop),
        |the_loop, _| shell::run(the_loop.loopctl().arg("up")).map(drop),
        "there is no such Application",
    )
    .found("there is no Application")
    .mended(Mend::AsDoctorPrints),
    planted(
        "a project that does not permit the repository",
        |the_loop, _| permit(the_loop, &json!(["https://github.com/somebody/else.git"])),
        |the_loop, _| permit(the_loop, &json!([e2e::GIT])),
        "is not permitted in project",
    )
    .found("is not permitted in project"),
    planted(
        "a sync window that denies",
        |the_loop, _| {
            let window = json!({"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]});
            project(the_loop, &json!([{"op": "add", "path": "/spec/syncWindows", "value": [window]}]))
        },
        |the_loop, _| project(the_loop, &json!([{"op": "add", "path": "/spec/syncWindows", "value": []}])),
        "a sync window of the project denies it now",
    ),
    planted(
        "a sync account that may do nothing",
        |the_loop, _| the_loop.ask(&["delete", "rolebinding", "argo-rust-sync", "-n", NAMESPACE]).map(drop),
        nothing,
        "forbidden",
    )
    .found("there is no RoleBinding argo-rust-sync")
    .mended(Mend::AsDoctorPrints),
    in_git(
        "a field that cannot be changed",
        |clone| {
            let own = "app.kubernetes.io/name: argo-rust\n";
            clone.replace(
                MANIFEST,
                &format!("matchLabels:\n      {own}"),
                &format!("matchLabels:\n      e2e: x\n      {own}"),
            )?;
            clone.replace(
                MANIFEST,
                &format!("labels:\n        {own}"),
                &format!("labels:\n        e2e: x\n        {own}"),
            )
        },
        "field is immutable",
    ),
    in_git(
        "a value of the wrong type",
        |clone| clone.replace(MANIFEST, "minReadySeconds: 3", "minReadySeconds: three"),
        "unrecognized type: int32",
    ),
    in_git(
        "a kind that the project does not permit",
        |clone| clone.write(EXTRA, CONFIG_MAP),
        "ConfigMap is not permitted in project",
    ),
    in_git(
        "a namespace that the project does not permit",
        |clone| clone.write(EXTRA, ELSEWHERE),
        "namespace default is not permitted in project",
    ),
];

fn annotate(the_loop: &Loop, annotation: &str) -> Result<()> {
    the_loop.ask(&["annotate", KIND, APPLICATION, "-n", "argocd", "--overwrite", annotation]).map(drop)
}

fn scale(the_loop: &Loop, what: &str, replicas: u32) -> Result<()> {
    the_loop.ask(&["scale", what, "-n", "argocd", &format!("--replicas={replicas}")]).map(drop)
}

fn source(the_loop: &Loop, field: &str, value: &str) -> Result<()> {
    application(the_loop, &json!([{"op": "replace", "path": format!("/spec/source/{field}"), "value": value}]))
}

fn application(the_loop: &Loop, patch: &Value) -> Result<()> {
    the_loop.patch("argocd", KIND, APPLICATION, "e2e", patch)
}

fn permit(the_loop: &Loop, repositories: &Value) -> Result<()> {
    project(the_loop, &json!([{"op": "replace", "path": "/spec/sourceRepos", "value": repositories}]))
}

fn project(the_loop: &Loop, patch: &Value) -> Result<()> {
    the_loop.patch("argocd", PROJECT, APPLICATION, "e2e", patch)
}
