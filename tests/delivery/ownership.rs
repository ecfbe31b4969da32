use serde_json::json;

use crate::repository::{delivered, text, tfvars, yaml};

#[test]
fn argo_cd_leaves_alone_exactly_what_opentofu_owns() {
    for service in delivered() {
        let file = service.argocd("application.yaml");
        let application = yaml(&file);
        let expected = json!([
            {
                "group": "apps", "kind": "Deployment", "name": service.name,
                "jsonPointers": ["/spec/replicas", "/spec/template/spec/containers/0/resources"],
            },
            {
                "group": "", "kind": "Service", "name": service.name,
                "jqPathExpressions": [".spec.ports[].nodePort"],
            },
        ]);
        assert_eq!(application["spec"]["ignoreDifferences"], expected, "{file}");
        let options = application["spec"]["syncPolicy"]["syncOptions"].as_array().unwrap();
        assert!(
            options.contains(&json!("RespectIgnoreDifferences=true")),
            "{file}: without RespectIgnoreDifferences=true every sync resets the sizing"
        );
    }
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
    for delivered in delivered() {
        let service = &variables["services"][&delivered.name];
        assert!(service.is_object(), "tofu/terraform.tfvars has no entry {}", delivered.name);
        let deployment = yaml(&delivered.manifest("deployment.yaml"));
        let container = delivered.container();
        let check = |field: &str, git: &serde_json::Value| {
            let tofu = service.pointer(&format!("/{field}")).unwrap_or(&serde_json::Value::Null);
            assert_eq!(
                tofu, git,
                "{}: {field} in tofu/terraform.tfvars (left) and {}",
                delivered.name, delivered.manifests
            );
        };
        let (liveness, readiness) = (&container["livenessProbe"], &container["readinessProbe"]);
        check("namespace", &deployment["metadata"]["namespace"]);
        check("replicas", &deployment["spec"]["replicas"]);
        check("resources", &container["resources"]);
        check("port", &container["ports"][0]["containerPort"]);
        check("node_port", &yaml(&delivered.manifest("service.yaml"))["spec"]["ports"][0]["nodePort"]);
        check("probes/path", &liveness["httpGet"]["path"]);
        check("probes/path", &readiness["httpGet"]["path"]);
        check("probes/liveness_initial_delay", &liveness["initialDelaySeconds"]);
        check("probes/liveness_period", &liveness["periodSeconds"]);
        check("probes/readiness_initial_delay", &readiness["initialDelaySeconds"]);
        check("probes/readiness_period", &readiness["periodSeconds"]);
        let secret = &deployment["spec"]["template"]["spec"]["imagePullSecrets"][0]["name"];
        // A public image names no secret, and the map says so with an empty one.
        let secret = secret.as_str().unwrap_or_default();
        check("image_pull_secret", &json!(secret));
    }
}

#[test]
fn state_stays_out_of_git_and_the_lock_file_may_enter() {
    let ignored = text(".gitignore");
    for pattern in [".terraform/", "*.tfstate", "*.tfstate.*"] {
        assert!(ignored.lines().any(|line| line == pattern), ".gitignore must have the line {pattern}");
    }
    assert!(!ignored.contains("lock.hcl"), "the provider's lock file belongs into git");
}
