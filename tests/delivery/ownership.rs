use serde_json::json;

use crate::repository::{container, deployment, text, tfvars, yaml};

#[test]
fn argo_cd_leaves_alone_exactly_what_opentofu_owns() {
    let application = yaml("argocd/application.yaml");
    let expected = json!([
        {
            "group": "apps", "kind": "Deployment", "name": "argo-rust",
            "jsonPointers": ["/spec/replicas", "/spec/template/spec/containers/0/resources"],
        },
        { "group": "", "kind": "Service", "name": "argo-rust", "jqPathExpressions": [".spec.ports[].nodePort"] },
    ]);
    assert_eq!(application["spec"]["ignoreDifferences"], expected, "argocd/application.yaml");
    let options = application["spec"]["syncPolicy"]["syncOptions"].as_array().unwrap();
    assert!(
        options.contains(&json!("RespectIgnoreDifferences=true")),
        "argocd/application.yaml: without RespectIgnoreDifferences=true every sync resets the sizing"
    );
}

#[test]
fn opentofu_ignores_all_of_a_deployment_but_its_sizing() {
    let ignored = ignore_changes("tofu/deployment.tf");
    for owned in ["spec[0].replicas", "spec[0].template[0].spec[0].container[0].resources"] {
        assert!(!ignored.contains(&owned.to_owned()), "tofu/deployment.tf must not ignore {owned}: OpenTofu owns it");
    }
    for given in ["metadata[0].annotations", "spec[0].strategy", "spec[0].template[0].spec[0].container[0].image"] {
        assert!(ignored.contains(&given.to_owned()), "tofu/deployment.tf must ignore {given}: git owns it");
    }
    // The image would be put back by whoever applied last; it is Argo CD's alone.
    assert!(ignored.len() >= 58, "tofu/deployment.tf ignores only {} attributes", ignored.len());
    for file in ["tofu/service.tf", "tofu/namespace.tf"] {
        for given in ["metadata[0].annotations", "metadata[0].labels"] {
            assert!(ignore_changes(file).contains(&given.to_owned()), "{file} must ignore {given}");
        }
    }
}

/// The attributes in the `ignore_changes` list of a file's resource, as they are written.
fn ignore_changes(file: &str) -> Vec<String> {
    let body = hcl::parse(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let resource = body.blocks().find(|block| block.identifier() == "resource").expect("a resource");
    let lifecycle = resource.body().blocks().find(|block| block.identifier() == "lifecycle").expect("a lifecycle");
    let list = lifecycle.body().attributes().find(|attribute| attribute.key() == "ignore_changes");
    match list.map(hcl::Attribute::expr) {
        Some(hcl::Expression::Array(attributes)) => {
            attributes.iter().map(|attribute| hcl::format::to_string(attribute).unwrap()).collect()
        }
        other => panic!("{file}: ignore_changes is {other:?}"),
    }
}

#[test]
fn the_sizing_that_opentofu_starts_from_is_the_one_in_git() {
    let variables = tfvars();
    let service = &variables["services"]["argo-rust"];
    let (deployment, container) = (deployment(), container());
    let port = &yaml("k8s/service.yaml")["spec"]["ports"][0];
    let check = |field: &str, tofu: &serde_json::Value, git: &serde_json::Value| {
        assert_eq!(tofu, git, "{field} in tofu/terraform.tfvars (left) and k8s/ (right)");
    };
    check("namespace", &service["namespace"], &deployment["metadata"]["namespace"]);
    check("replicas", &service["replicas"], &deployment["spec"]["replicas"]);
    check("resources", &service["resources"], &container["resources"]);
    check("port", &service["port"], &container["ports"][0]["containerPort"]);
    check("node_port", &service["node_port"], &port["nodePort"]);
    check("probes.path", &service["probes"]["path"], &container["livenessProbe"]["httpGet"]["path"]);
    check(
        "liveness_initial_delay",
        &service["probes"]["liveness_initial_delay"],
        &container["livenessProbe"]["initialDelaySeconds"],
    );
    check("liveness_period", &service["probes"]["liveness_period"], &container["livenessProbe"]["periodSeconds"]);
    check(
        "readiness_initial_delay",
        &service["probes"]["readiness_initial_delay"],
        &container["readinessProbe"]["initialDelaySeconds"],
    );
    check("readiness_period", &service["probes"]["readiness_period"], &container["readinessProbe"]["periodSeconds"]);
    let secret = &deployment["spec"]["template"]["spec"]["imagePullSecrets"][0]["name"];
    check("image_pull_secret", &service["image_pull_secret"], secret);
}

#[test]
fn state_stays_out_of_git_and_the_lock_file_may_enter() {
    let ignored = text(".gitignore");
    for pattern in [".terraform/", "*.tfstate", "*.tfstate.*"] {
        assert!(ignored.lines().any(|line| line == pattern), ".gitignore must have the line {pattern}");
    }
    assert!(!ignored.contains("lock.hcl"), "the provider's lock file belongs into git");
}
