//! What Argo CD refuses by its project, and the cluster by the account that a sync acts as.

use anyhow::{Result, bail};
use e2e::application::{AFTER_A_FAILURE, KIND};
use e2e::report::{Report, ensure};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{APPLICATION, Loop, NAMESPACE, shell};
use serde_json::{Value, json};

const ACCOUNT: &str = "--as=system:serviceaccount:argocd:argo-rust-sync";
const PROJECT: &str = "appprojects.argoproj.io";
const INTRUDER: &str = "k8s/intruder.yaml";

pub fn the_project_refuses_other_kinds_namespaces_and_repositories(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, _| {
        for (what, object, refusal) in [
            ("a ConfigMap", config_map(), "ConfigMap is not permitted in project argo-rust"),
            ("a Service in default", elsewhere(), "namespace default is not permitted in project 'argo-rust'"),
        ] {
            let took = refused(the_loop, clone, &object, refusal)?;
            report.measured(format!("{what}: refused after {} ({refusal})", seconds(took)));
        }
        report.measured(format!("an Application of another repository: {}", foreign_repository(the_loop)?));

        // Once the project allows it, Argo CD tries: then only the account's rights stand in the way.
        let kinds = the_loop.get("argocd", PROJECT, APPLICATION)?["spec"]["namespaceResourceWhitelist"].take();
        let set = |kinds: &Value| {
            let patch = json!([{"op": "replace", "path": "/spec/namespaceResourceWhitelist", "value": kinds}]);
            the_loop.patch("argocd", PROJECT, APPLICATION, "e2e", &patch)
        };
        let mut wider = kinds.clone();
        wider.as_array_mut().into_iter().for_each(|list| list.push(json!({"group": "", "kind": "ConfigMap"})));
        set(&wider)?;
        let by_the_cluster = "is forbidden: User \"system:serviceaccount:argocd:argo-rust-sync\"";
        let outcome = refused(the_loop, clone, &config_map(), by_the_cluster);
        set(&kinds)?;
        report.control(format!(
            "a project that allows ConfigMaps lets it pass, and the cluster refuses the account after {}",
            seconds(outcome?)
        ));
        Ok(())
    })
}

fn config_map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "intruder", "namespace": NAMESPACE}, "data": {"a": "b"}})
}

fn elsewhere() -> Value {
    let ports = json!([{"port": 80}]);
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "intruder", "namespace": "default"}, "spec": {"ports": ports}})
}

/// Puts the object into k8s/ and waits until Argo CD says why it does not make it.
fn refused(the_loop: &Loop, clone: &Clone, object: &Value, refusal: &str) -> Result<std::time::Duration> {
    clone.update()?;
    clone.write(INTRUDER, &object.to_string())?;
    clone.push_without_run("Add what must not be made")?;
    the_loop.force_sync()?;
    let (_, took) = wait::until(&format!("Argo CD says {refusal:?}"), AFTER_A_FAILURE, || {
        let operation = the_loop.application()?["status"]["operationState"].take();
        let said = format!("{} {}", operation["message"], operation["syncResult"]["resources"]).replace("\\\"", "\"");
        if said.contains(refusal) { Ok(()) } else { bail!("{said}") }
    })?;
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    ensure("nothing is made", !the_loop.exists(namespace, kind, "intruder")?, format!("{kind} intruder is there"))?;
    Ok(took)
}

fn foreign_repository(the_loop: &Loop) -> Result<String> {
    let mut application = the_loop.application()?;
    let spec = &mut application["spec"];
    spec["source"]["repoURL"] = "http://10.187.0.1:3000/somebody/else.git".into();
    let foreign = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "foreign", "namespace": "argocd"},
        "spec": spec,
    });
    the_loop.apply(&foreign.to_string())?;
    let outcome = wait::until("Argo CD refuses the repository", AFTER_A_FAILURE, || {
        let conditions = the_loop.get("argocd", KIND, "foreign")?["status"]["conditions"].take();
        let said = conditions.to_string();
        let refused = said.contains("is not permitted in project 'argo-rust'") && said.contains("InvalidSpecError");
        ensure("InvalidSpecError", refused, &said)
    });
    the_loop.ask(&["delete", KIND, "foreign", "--namespace=argocd"])?;
    let (_, took) = outcome?;
    Ok(format!("InvalidSpecError after {}", seconds(took)))
}

pub fn the_sync_account_can_write_nothing_else(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let may = |verb: &str, resource: &str, namespace: &str, name: &str| -> Result<bool> {
        let what = if name.is_empty() { resource.to_owned() } else { format!("{resource}/{name}") };
        let output =
            the_loop.kubectl().args(["auth", "can-i", verb, &what, "--namespace", namespace, ACCOUNT]).output()?;
        match String::from_utf8_lossy(&output.stdout).trim() {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => bail!("kubectl auth can-i: {other} {}", String::from_utf8_lossy(&output.stderr)),
        }
    };
    let forbidden = [
        ("create", "deployments.apps", "default", ""),
        ("patch", "deployments.apps", "argocd", ""),
        ("delete", "services", "kube-system", ""),
        ("create", "pods", NAMESPACE, ""),
        ("create", "configmaps", NAMESPACE, ""),
        ("get", "secrets", NAMESPACE, ""),
        ("create", "namespaces", "", ""),
        ("delete", "namespaces", "", NAMESPACE),
        ("patch", "namespaces", "", "default"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io", "", ""),
        ("impersonate", "serviceaccounts", "argocd", ""),
        ("patch", "applications.argoproj.io", "argocd", ""),
    ];
    for (verb, resource, namespace, name) in forbidden {
        let allowed = may(verb, resource, namespace, name)?;
        ensure("no", !allowed, format!("the account may {verb} {resource} {name} in {namespace:?}"))?;
    }

    // A question can be answered wrongly; a write cannot.
    let mut refused = 0;
    for object in [config_map(), elsewhere()] {
        let create = ["create", ACCOUNT, "--filename=-"];
        match shell::run_with_input(the_loop.kubectl().args(create), &object.to_string()) {
            Err(error) if error.to_string().contains("is forbidden: User") => refused += 1,
            Err(error) => bail!("expected: Forbidden\nseen: {error:#}"),
            Ok(_) => {
                bail!("expected: Forbidden\nseen: {} was made in {}", object["kind"], object["metadata"]["namespace"])
            }
        }
    }
    report.measured(format!("{} kinds of write and read denied, {refused} real writes refused", forbidden.len()));

    // The same identity doing what a sync does: it has to be let in, or the refusals say nothing.
    for (verb, resource, name) in [("patch", "deployments.apps", ""), ("patch", "namespaces", NAMESPACE)] {
        ensure("yes", may(verb, resource, NAMESPACE, name)?, format!("the account may not {verb} {resource} {name}"))?;
    }
    the_loop.ask(&[
        "patch",
        "deployment",
        "argo-rust",
        "--namespace",
        NAMESPACE,
        ACCOUNT,
        "--dry-run=server",
        "--patch={\"spec\":{\"minReadySeconds\":4}}",
    ])?;
    let controller = "--as=system:serviceaccount:argocd:argocd-application-controller";
    let said = the_loop
        .kubectl()
        .args(["auth", "can-i", "create", "deployments.apps", "-n", NAMESPACE, controller])
        .output()?;
    ensure("no", said.stdout.starts_with(b"no"), "Argo CD's controller may create Deployments as itself")?;
    report.control("the account may patch the Deployment and its namespace; the controller itself may not create one");
    Ok(())
}
