use std::collections::BTreeSet;
use std::time::Duration;

use argo_rust::config;
use serde_json::{Value, json};

use crate::repository::{at, container, deployment, folder, text, yaml, yaml_documents};

const NAME: &str = "argo-rust";

#[test]
fn argo_cd_finds_three_manifests_in_k8s_and_nothing_else() {
    assert_eq!(folder("k8s"), ["deployment.yaml", "namespace.yaml", "service.yaml"]);
}

#[test]
fn every_object_has_the_name_and_namespace_that_the_project_allows() {
    for file in ["k8s/deployment.yaml", "k8s/service.yaml"] {
        let object = yaml(file);
        assert_eq!(at(&object, file, "/metadata/name"), NAME, "{file}");
        assert_eq!(at(&object, file, "/metadata/namespace"), NAME, "{file}");
    }
    assert_eq!(at(&yaml("k8s/namespace.yaml"), "k8s/namespace.yaml", "/metadata/name"), NAME);
    assert_eq!(container()["name"], NAME);
}

#[test]
fn ports_are_the_ones_the_service_listens_on() {
    let port_of = |setting: &config::Setting| -> u64 { setting.default.rsplit(':').next().unwrap().parse().unwrap() };
    let (api, metrics) = (port_of(&config::LISTEN), port_of(&config::METRICS_LISTEN));
    let expected = json!([
        { "name": "http", "containerPort": api },
        { "name": "metrics", "containerPort": metrics },
    ]);
    assert_eq!(container()["ports"], expected, "k8s/deployment.yaml: the ports are the defaults of src/config.rs");
    let service = yaml("k8s/service.yaml");
    let expected = json!([{ "name": "http", "port": 80, "targetPort": api, "nodePort": 30800 }]);
    assert_eq!(at(&service, "k8s/service.yaml", "/spec/ports"), &expected);
    assert_eq!(at(&service, "k8s/service.yaml", "/spec/type"), "NodePort");
    let expose = format!("EXPOSE {api} {metrics}");
    assert!(text("Dockerfile").lines().any(|line| line == expose), "Dockerfile must say {expose}");
}

#[test]
fn both_probes_ask_hello_with_the_specified_delays() {
    let check = |probe: &str, delay: u64, period: u64| {
        let probe = &container()[probe];
        assert_eq!(probe["httpGet"], json!({ "path": "/hello", "port": 8080 }));
        assert_eq!((&probe["initialDelaySeconds"], &probe["periodSeconds"]), (&json!(delay), &json!(period)));
        // The default of one second is what a throttled pod can miss while it computes.
        assert!(probe["timeoutSeconds"].as_u64().is_some_and(|seconds| (2..=5).contains(&seconds)), "{probe}");
    };
    check("livenessProbe", 5, 10);
    check("readinessProbe", 3, 5);
    assert!(text("src/routes/hello.rs").contains(r#"path = "/hello""#), "the probes' path is no route");
}

#[test]
fn the_selectors_match_the_pods_labels() {
    let deployment = deployment();
    let selector = at(&deployment, "k8s/deployment.yaml", "/spec/selector/matchLabels");
    let service = yaml("k8s/service.yaml");
    assert_eq!(at(&service, "k8s/service.yaml", "/spec/selector"), selector);
    let labels = at(&deployment, "k8s/deployment.yaml", "/spec/template/metadata/labels").as_object().unwrap();
    for (key, value) in selector.as_object().unwrap() {
        assert_eq!(labels.get(key), Some(value), "the pod's label {key}");
    }
}

#[test]
fn a_rollout_never_takes_an_old_pod_before_a_new_one_is_ready_and_drains_it_in_time() {
    let deployment = deployment();
    let spec = &deployment["spec"];
    assert_eq!(spec["strategy"]["rollingUpdate"], json!({ "maxUnavailable": 0, "maxSurge": 1 }));
    assert_eq!(spec["progressDeadlineSeconds"], 120);
    assert!(spec["minReadySeconds"].as_u64().is_some_and(|seconds| seconds >= 1));
    let deadline = humantime::parse_duration(config::DRAIN_DEADLINE.default).unwrap();
    let grace = Duration::from_secs(spec["template"]["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap());
    assert!(grace >= deadline + Duration::from_secs(5), "terminationGracePeriodSeconds {grace:?}, drain {deadline:?}");
    let delay = humantime::parse_duration(config::DRAIN_DELAY.default).unwrap();
    assert!(delay >= Duration::from_secs(5), "endpoints need seconds to leave the routing");
}

#[test]
fn the_pod_meets_the_restricted_profile_that_its_namespace_enforces() {
    let namespace = yaml("k8s/namespace.yaml");
    for mode in ["enforce", "audit", "warn"] {
        let label = format!("pod-security.kubernetes.io/{mode}");
        assert_eq!(namespace["metadata"]["labels"][&label], "restricted", "{label}");
    }
    let pod = &deployment()["spec"]["template"]["spec"];
    let user = text("Dockerfile").lines().find_map(|line| line.strip_prefix("USER ").map(str::to_owned));
    let id = &pod["securityContext"]["runAsUser"];
    assert_eq!(user, Some(format!("{id}:{id}")), "Dockerfile's USER and the pod's runAsUser");
    assert_eq!(
        pod["securityContext"],
        json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": { "type": "RuntimeDefault" },
        })
    );
    assert_eq!(
        container()["securityContext"],
        json!({
            "runAsNonRoot": true, "privileged": false, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        })
    );
    for field in ["automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace"] {
        assert_eq!(pod[field], false, "{field} must be written out: OpenTofu's provider writes it at every update");
    }
}

#[test]
fn as_many_connections_as_are_accepted_fit_into_the_memory_limit() {
    // tests/api keeps an idle connection below this; the rest is the process and the answers in its queue.
    const CONNECTION: u64 = 16 * 1024;
    const PROCESS: u64 = 24 * 1024 * 1024;
    let container = container();
    let accepted = container["env"].as_array().unwrap().iter().find(|env| env["name"] == config::MAX_CONNECTIONS.name);
    let accepted: u64 = accepted.and_then(|env| env["value"].as_str()).unwrap().parse().unwrap();
    let limit = container["resources"]["limits"]["memory"].as_str().unwrap().strip_suffix("Mi").unwrap();
    let limit = limit.parse::<u64>().unwrap() * 1024 * 1024;
    assert!(PROCESS + accepted * CONNECTION <= limit, "k8s/deployment.yaml: {accepted} connections in {limit} bytes");
}

#[test]
fn what_a_prune_must_not_delete_says_so() {
    for file in ["k8s/namespace.yaml", "k8s/service.yaml"] {
        let options = &yaml(file)["metadata"]["annotations"]["argocd.argoproj.io/sync-options"];
        assert_eq!(options, "Prune=false,Delete=false", "{file}");
    }
}

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
const CONTAINER_FIELDS_THE_PROVIDER_KEEPS: [&str; 24] = [
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
];

#[test]
fn the_deployment_uses_only_fields_that_the_provider_writes_back() {
    let check = |document: &Value, known: &[&str]| {
        let mut used = BTreeSet::new();
        fields(document, "", known, &mut used);
        let unknown: Vec<_> = used.iter().filter(|field| !known.contains(&field.as_str())).collect();
        assert!(
            unknown.is_empty(),
            "k8s/deployment.yaml uses {unknown:?}; try a sizing apply on a live Deployment that has it, and add it to \
             the list in this test if it stays as it was"
        );
    };
    let mut deployment = deployment();
    check(&container(), &CONTAINER_FIELDS_THE_PROVIDER_KEEPS);
    check(&deployment["spec"], &FIELDS_THE_PROVIDER_KEEPS);

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

#[test]
fn the_project_the_application_and_the_account_name_the_same_things() {
    let (project, application) = (yaml("argocd/project.yaml"), yaml("argocd/application.yaml"));
    assert_eq!(application["spec"]["project"], project["metadata"]["name"]);
    assert_eq!(project["spec"]["sourceRepos"], json!([application["spec"]["source"]["repoURL"]]));
    assert_eq!(project["spec"]["destinations"], json!([application["spec"]["destination"]]));
    assert_eq!(application["spec"]["source"]["path"], "k8s");
    assert_eq!(application["spec"]["destination"]["namespace"], NAME);

    let account = &project["spec"]["destinationServiceAccounts"][0];
    assert_eq!(account["namespace"], application["spec"]["destination"]["namespace"]);
    let documents = yaml_documents("argocd/sync-account.yaml");
    let service_account = &documents[0]["metadata"];
    let expected = format!("{}:{}", service_account["namespace"], service_account["name"]).replace('"', "");
    assert_eq!(account["defaultServiceAccount"], expected.as_str());
    let controller = &yaml("argocd/controller-role.yaml")["rules"][2];
    assert_eq!(controller["resourceNames"], json!([service_account["name"]]), "argocd/controller-role.yaml");
    assert_eq!(
        yaml("argocd/settings.yaml")["data"]["application.sync.impersonation.enabled"],
        "true",
        "without it destinationServiceAccounts has no effect"
    );
}

#[test]
fn the_project_allows_the_kinds_of_k8s_and_no_other() {
    let project = yaml("argocd/project.yaml");
    let mut allowed: Vec<String> = Vec::new();
    for list in ["clusterResourceWhitelist", "namespaceResourceWhitelist"] {
        allowed.extend(project["spec"][list].as_array().unwrap().iter().map(|entry| entry["kind"].to_string()));
    }
    let mut used: Vec<String> =
        folder("k8s").iter().map(|file| yaml(&format!("k8s/{file}"))["kind"].to_string()).collect();
    allowed.sort();
    used.sort();
    assert_eq!(allowed, used, "argocd/project.yaml against k8s/");
}
