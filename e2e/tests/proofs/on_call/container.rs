//! A container is not made, ends, or is not ready.

use anyhow::Result;
use e2e::faults::resources;
use e2e::repository::Clone;

use super::fault::{Asked, FAILED, Fault, in_git, nothing, planted};

const MANIFEST: &str = "k8s/deployment.yaml";
const ENV: &str = "          env:\n";
const CONTAINERS: &str = "      containers:\n";
const SECURITY: &str = "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}";

pub const FAULTS: &[Fault] = &[
    planted("an image that the registry has not got", nothing, nothing, "not found").asked(Asked::WithoutImage),
    in_git("a pull secret that is not there", |clone| clone.replace(MANIFEST, "ghcr-secret", "nothing"), "nothing"),
    in_git(
        "an image that may not be pulled",
        |clone| before(clone, "          ports:\n", "          imagePullPolicy: Never\n"),
        "ErrImageNeverPull",
    ),
    in_git(
        "a ConfigMap that is not there",
        |clone| before(clone, ENV, "          envFrom: [{configMapRef: {name: nothing}}]\n"),
        "configmap \"nothing\" not found",
    ),
    in_git(
        "a volume of a Secret that is not there",
        |clone| {
            before(clone, CONTAINERS, "      volumes: [{name: v, secret: {secretName: nothing}}]\n")?;
            before(clone, ENV, "          volumeMounts: [{name: v, mountPath: /v}]\n")
        },
        "secret \"nothing\" not found",
    ),
    in_git(
        "a command that is not in the image",
        |clone| before(clone, ENV, "          command: [/nowhere]\n"),
        "/nowhere",
    ),
    in_git(
        "a program that ends by itself",
        |clone| variable(clone, "ARGO_RUST_LISTEN", "nowhere"),
        "| argo-rust: ARGO_RUST_LISTEN",
    ),
    in_git(
        "an init container that does not end",
        |clone| extra(clone, "initContainers", "", "[sleep, '600']"),
        "init container first",
    ),
    in_git(
        "an init container that fails",
        |clone| extra(clone, "initContainers", "", "[sh, -c, 'echo it cannot migrate; exit 3']"),
        "it cannot migrate",
    ),
    in_git(
        "a sidecar that ends",
        |clone| extra(clone, "initContainers", "restartPolicy: Always, ", "[sh, -c, 'echo no proxy; exit 3']"),
        "no proxy",
    ),
    in_git(
        "a second container that ends",
        |clone| {
            // Behind the service's own: the Application's ignoreDifferences count from the first.
            let lines = ["- name: second", "  command: [sh, -c, 'echo not me; exit 3']", &format!("  {SECURITY}")];
            let second = lines.map(|line| format!("        {line}\n")).concat();
            let image = format!("          image: {}\n", image(clone)?);
            clone.write(MANIFEST, &format!("{}{second}{image}", clone.read(MANIFEST)?))
        },
        "not me",
    ),
    in_git(
        "a readiness probe that asks elsewhere",
        |clone| probe(clone, "readinessProbe", "path: /hello", "path: /nowhere"),
        "Readiness probe failed",
    ),
    in_git(
        "a startup probe at another port",
        |clone| probe(clone, "startupProbe", "port: 8080", "port: 9999"),
        "Startup probe failed",
    ),
    in_git(
        "a readiness gate that nobody opens",
        |clone| before(clone, CONTAINERS, "      readinessGates: [{conditionType: example.org/gate}]\n"),
        "example.org/gate",
    ),
    planted(
        "too little memory to start with",
        |the_loop, _| resources(the_loop, "memory", "2Mi", "2Mi"),
        |the_loop, _| resources(the_loop, "memory", "32Mi", "64Mi"),
        "FailedCreatePodSandBox",
    ),
    in_git(
        "a rollout that takes longer than it may",
        |clone| {
            clone.replace(MANIFEST, "progressDeadlineSeconds: 120", "progressDeadlineSeconds: 8")?;
            probe(clone, "readinessProbe", "path: /hello", "path: /nowhere")
        },
        "has timed out progressing",
    )
    .ends(FAILED),
];

fn before(clone: &Clone, line: &str, new: &str) -> Result<()> {
    clone.replace(MANIFEST, line, &format!("{new}{line}"))
}

/// One more variable of the service.
fn variable(clone: &Clone, name: &str, value: &str) -> Result<()> {
    clone.replace(MANIFEST, ENV, &format!("{ENV}            - {{name: {name}, value: \"{value}\"}}\n"))
}

/// A container of the service's own image that runs before it.
fn extra(clone: &Clone, list: &str, with: &str, command: &str) -> Result<()> {
    let container = format!("{{name: first, image: {}, {with}command: {command}, {SECURITY}}}", image(clone)?);
    before(clone, CONTAINERS, &format!("      {list}: [{container}]\n"))
}

/// One that the node has already: it is the one before.
fn image(clone: &Clone) -> Result<String> {
    Ok(format!("{}:{}", e2e::IMAGE, clone.tag()?))
}

fn probe(clone: &Clone, name: &str, from: &str, to: &str) -> Result<()> {
    let text = clone.read(MANIFEST)?;
    let at = text.find(&format!("{name}:")).unwrap_or_default();
    let (head, tail) = text.split_at(at);
    clone.write(MANIFEST, &format!("{head}{}", tail.replacen(from, to, 1)))
}
