use std::time::Duration;

use argo_rust::server::environment::Setting;
use argo_rust::server::settings;
use serde_json::json;

use crate::repository::{at, container, delivered, deployment, files, text, yaml};

#[test]
fn argo_cd_finds_three_manifests_for_each_service_and_nothing_else() {
    for service in delivered() {
        assert_eq!(
            files(&service.manifests),
            ["deployment.yaml", "namespace.yaml", "service.yaml"],
            "{}",
            service.name
        );
        let application = yaml(&service.argocd("application.yaml"));
        // The own service's Application would take the folders of the others along.
        assert!(application["spec"]["source"]["directory"].is_null(), "{} must not recurse", service.name);
    }
}

#[test]
fn every_object_has_the_name_and_namespace_that_the_project_allows() {
    for service in delivered() {
        for file in ["deployment.yaml", "service.yaml"].map(|file| service.manifest(file)) {
            let object = yaml(&file);
            assert_eq!(at(&object, &file, "/metadata/name"), service.name.as_str(), "{file}");
            assert_eq!(at(&object, &file, "/metadata/namespace"), service.name.as_str(), "{file}");
        }
        let namespace = service.manifest("namespace.yaml");
        assert_eq!(at(&yaml(&namespace), &namespace, "/metadata/name"), service.name.as_str());
        assert_eq!(service.container()["name"], service.name.as_str());
    }
}

#[test]
fn ports_are_the_ones_the_service_listens_on() {
    let port_of = |setting: &Setting<_>| -> u64 { setting.default.rsplit(':').next().unwrap().parse().unwrap() };
    let (api, metrics) = (port_of(&settings::LISTEN), port_of(&settings::METRICS_LISTEN));
    let expected = json!([
        { "name": "http", "containerPort": api },
        { "name": "metrics", "containerPort": metrics },
    ]);
    assert_eq!(
        container()["ports"],
        expected,
        "k8s/deployment.yaml: the ports are the defaults of src/server/settings.rs"
    );
    let service = yaml("k8s/service.yaml");
    let expected = json!([{ "name": "http", "port": 80, "targetPort": api, "nodePort": 30800 }]);
    assert_eq!(at(&service, "k8s/service.yaml", "/spec/ports"), &expected);
    assert_eq!(at(&service, "k8s/service.yaml", "/spec/type"), "NodePort");
    let expose = format!("EXPOSE {api} {metrics}");
    assert!(text("Dockerfile").lines().any(|line| line == expose), "Dockerfile must say {expose}");
}

#[test]
fn the_probes_have_the_specified_delays() {
    let check = |probe: &str, delay: u64, period: u64| {
        let probe = &container()[probe];
        assert_eq!((&probe["initialDelaySeconds"], &probe["periodSeconds"]), (&json!(delay), &json!(period)));
        // The default of one second is what a throttled pod can miss while it computes.
        assert!(probe["timeoutSeconds"].as_u64().is_some_and(|seconds| (2..=5).contains(&seconds)), "{probe}");
    };
    check("livenessProbe", 5, 10);
    check("readinessProbe", 3, 5);
}

#[test]
fn the_selectors_match_the_pods_labels() {
    for delivered in delivered() {
        let (file, service_file) = (delivered.manifest("deployment.yaml"), delivered.manifest("service.yaml"));
        let (deployment, service) = (yaml(&file), yaml(&service_file));
        let selector = at(&deployment, &file, "/spec/selector/matchLabels");
        assert_eq!(at(&service, &service_file, "/spec/selector"), selector);
        let labels = at(&deployment, &file, "/spec/template/metadata/labels").as_object().unwrap();
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(labels.get(key), Some(value), "{file}: the pod's label {key}");
        }
        let port = &service["spec"]["ports"][0]["targetPort"];
        assert_eq!(&delivered.container()["ports"][0]["containerPort"], port, "{file} and {service_file}");
    }
}

#[test]
fn a_rollout_never_takes_an_old_pod_before_a_new_one_is_ready_and_drains_it_in_time() {
    let deployment = deployment();
    let spec = &deployment["spec"];
    assert_eq!(spec["strategy"]["rollingUpdate"], json!({ "maxUnavailable": 0, "maxSurge": 1 }));
    assert_eq!(spec["progressDeadlineSeconds"], 120);
    assert!(spec["minReadySeconds"].as_u64().is_some_and(|seconds| seconds >= 1));
    let deadline = humantime::parse_duration(settings::DRAIN_DEADLINE.default).unwrap();
    let grace = Duration::from_secs(spec["template"]["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap());
    assert!(grace >= deadline + Duration::from_secs(5), "terminationGracePeriodSeconds {grace:?}, drain {deadline:?}");
    let container = container();
    let set = container["env"].as_array().unwrap().iter().find(|each| each["name"] == settings::DRAIN_DELAY.name);
    let delay = humantime::parse_duration(set.and_then(|each| each["value"].as_str()).unwrap()).unwrap();
    assert!(
        delay >= Duration::from_secs(10),
        "a kubelet that is started anew needs up to 8 seconds to ask the new pod"
    );
    assert!(deadline >= delay + Duration::from_secs(5), "what is in flight has {deadline:?} less {delay:?}");
}

#[test]
fn the_pod_meets_the_restricted_profile_that_its_namespace_enforces() {
    let user = text("Dockerfile").lines().find_map(|line| line.strip_prefix("USER ").map(str::to_owned));
    let id = &deployment()["spec"]["template"]["spec"]["securityContext"]["runAsUser"];
    assert_eq!(user, Some(format!("{id}:{id}")), "Dockerfile's USER and the pod's runAsUser");
    for service in delivered() {
        let namespace = yaml(&service.manifest("namespace.yaml"));
        for mode in ["enforce", "audit", "warn"] {
            let label = format!("pod-security.kubernetes.io/{mode}");
            assert_eq!(namespace["metadata"]["labels"][&label], "restricted", "{}: {label}", service.name);
        }
        let pod = &yaml(&service.manifest("deployment.yaml"))["spec"]["template"]["spec"];
        let of_the_pod = json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": { "type": "RuntimeDefault" },
        });
        assert_eq!(pod["securityContext"], of_the_pod, "{}", service.name);
        let of_the_container = json!({
            "runAsNonRoot": true, "privileged": false, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(service.container()["securityContext"], of_the_container, "{}", service.name);
        for field in ["automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace"] {
            let reason = "must be written out: OpenTofu's provider writes it at every update";
            assert_eq!(pod[field], false, "{}: {field} {reason}", service.name);
        }
    }
}

#[test]
fn as_many_connections_as_are_accepted_fit_into_the_memory_limit() {
    // tests/crowd/cost.rs keeps a connection at its worst below this; the rest is the process and its Fibonacci
    // numbers. Sixteen more are served while others make room.
    const CONNECTION: u64 = 32 * 1024;
    const PROCESS: u64 = 27 * 1024 * 1024;
    const NEWCOMERS: u64 = 16;
    let container = container();
    let accepted =
        container["env"].as_array().unwrap().iter().find(|env| env["name"] == settings::MAX_CONNECTIONS.name);
    let accepted: u64 = accepted.and_then(|env| env["value"].as_str()).unwrap().parse().unwrap();
    let limit = container["resources"]["limits"]["memory"].as_str().unwrap().strip_suffix("Mi").unwrap();
    let limit = limit.parse::<u64>().unwrap() * 1024 * 1024;
    assert!(
        PROCESS + (accepted + NEWCOMERS) * CONNECTION <= limit,
        "k8s/deployment.yaml: {accepted} connections in {limit} bytes"
    );
}

#[test]
fn what_a_prune_must_not_delete_says_so() {
    for service in delivered() {
        for file in ["namespace.yaml", "service.yaml"].map(|file| service.manifest(file)) {
            let options = &yaml(&file)["metadata"]["annotations"]["argocd.argoproj.io/sync-options"];
            assert_eq!(options, "Prune=false,Delete=false", "{file}");
        }
    }
}
