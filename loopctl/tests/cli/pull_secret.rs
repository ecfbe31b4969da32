//! `loopctl pull-secret`, with a cluster and a registry that are played.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::api_server::{ApiServer, TOKEN, USER};
use crate::repository::Repository;

const SECRETS: &str = "/api/v1/namespaces/kittens/secrets";
const VARIABLE: &str = "LOOPCTL_REGISTRY_TOKEN";

fn cluster(more: &[(&str, Value)]) -> ApiServer {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kittens"}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ghcr-secret"}});
    let (make, renew) = (format!("POST {SECRETS}"), format!("PATCH {SECRETS}/ghcr-secret"));
    let mut answers =
        vec![("GET /api/v1/namespaces/kittens", namespace), (make.as_str(), secret.clone()), (renew.as_str(), secret)];
    answers.extend(more.iter().map(|(request, answer)| (*request, answer.clone())));
    ApiServer::start(&answers)
}

/// A repository whose image is in the registry that is played.
fn repository(cluster: &ApiServer) -> Repository {
    let repository = Repository::new();
    let manifest = repository.read("k8s/deployment.yaml").replace("ghcr.io", &cluster.address);
    repository.write("k8s/deployment.yaml", &manifest);
    repository
}

fn run(cluster: &ApiServer, arguments: &[&str], token: &str) -> String {
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let said = repository(cluster).loopctl_with(arguments, &[("KUBECONFIG", &kubeconfig), (VARIABLE, token)]);
    assert!(!said.contains(token), "the token was printed:\n{said}");
    said.replace(&cluster.address, "REGISTRY")
}

fn with_image() -> Vec<(&'static str, Value)> {
    let digest = Value::from(format!("sha256:{}", "0".repeat(64)));
    let requests = ["HEAD /v2/octo/kittens/manifests/sha-0123abc", "GET /v2/octo/kittens/manifests/sha-0123abc"];
    requests.map(|request| (request, digest.clone())).into()
}

#[test]
fn a_token_that_pulls_the_image_is_stored_as_docker_would_store_it() {
    let cluster = cluster(&with_image());
    insta::assert_snapshot!("made", run(&cluster, &["pull-secret"], TOKEN));
    let registry = cluster.address.clone();
    let written = cluster.written();
    let [(request, secret)] = &written[..] else { panic!("one write was expected: {written:#?}") };
    assert_eq!(*request, format!("POST {SECRETS}"));
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    let config = secret["data"][".dockerconfigjson"].as_str().expect("the login");
    let config = BASE64_STANDARD.decode(config).expect("it is base64");
    let auth = BASE64_STANDARD.encode(format!("{USER}:{TOKEN}"));
    let expected = json!({"auths": {registry: {"username": USER, "password": TOKEN, "auth": auth}}});
    assert_eq!(serde_json::from_slice::<Value>(&config).expect("it is JSON"), expected);
}

#[test]
fn the_logins_of_other_registries_stay_in_a_secret_that_is_renewed() {
    let config = BASE64_STANDARD.encode(json!({"auths": {"quay.io": {"auth": "YTpi"}}}).to_string());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ghcr-secret", "resourceVersion": "7"},
        "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": config},
    });
    let there = format!("GET {SECRETS}/ghcr-secret");
    let answers: Vec<(&str, Value)> = with_image().into_iter().chain([(there.as_str(), secret)]).collect();
    let cluster = cluster(&answers);
    insta::assert_snapshot!("renewed", run(&cluster, &["pull-secret"], TOKEN));
    let written = cluster.written();
    let [(request, secret)] = &written[..] else { panic!("one write was expected: {written:#?}") };
    assert_eq!(*request, format!("PATCH {SECRETS}/ghcr-secret"));
    let config = secret["data"][".dockerconfigjson"].as_str().expect("the login");
    let config = BASE64_STANDARD.decode(config).expect("it is base64");
    let config: Value = serde_json::from_slice(&config).expect("it is JSON");
    assert_eq!(config["auths"]["quay.io"]["auth"], "YTpi");
    assert_eq!(config["auths"].as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn a_token_that_the_registry_refuses_is_not_stored() {
    let cluster = cluster(&with_image());
    insta::assert_snapshot!("refused", run(&cluster, &["pull-secret"], "another-token"));
    assert_eq!(cluster.written(), []);
}

#[test]
fn an_image_that_is_not_built_yet_is_no_reason_to_refuse_a_token() {
    let cluster = cluster(&[]);
    insta::assert_snapshot!("no_image", run(&cluster, &["pull-secret"], TOKEN));
    assert_eq!(cluster.written().len(), 1);
}

#[test]
fn a_namespace_that_is_not_there_is_named_with_what_makes_it() {
    let cluster = ApiServer::start(&[]);
    insta::assert_snapshot!("no_namespace", run(&cluster, &["pull-secret", "--no-check"], TOKEN));
    assert_eq!(cluster.written(), []);
}

#[test]
fn what_is_missing_is_named_and_the_token_never_shown() {
    let check = |arguments: &[&str], token: Option<&str>, code: u8, part: &str| {
        let environment: Vec<(&str, &str)> = token.iter().map(|token| (VARIABLE, *token)).collect();
        let said = Repository::new().loopctl_with(arguments, &environment);
        assert!(said.starts_with(&format!("exit code: {code}\n")), "{arguments:?} said\n{said}");
        assert!(said.contains(part), "{arguments:?} said\n{said}\nwhich should contain: {part}");
        assert!(!said.contains("hidden-token"), "the token was printed:\n{said}");
    };
    check(&["pull-secret"], None, 1, "there is no token: pipe it in, or set LOOPCTL_REGISTRY_TOKEN");
    check(&["pull-secret"], Some("hidden-token two"), 1, "a token is one word");
    check(&["pull-secret", "-n", "elsewhere"], Some("hidden-token"), 1, "no service in the namespace elsewhere");
    check(&["pull-secret", "--username", "a:b"], Some("hidden-token"), 1, "without ':'");
    check(&["pull-secret", "--secret", "other"], Some("hidden-token"), 1, "names such a pull secret");
    check(&["pull-secret"], Some("hidden-token"), 6, "no usable kubeconfig");
    check(&["pull-secret", "--token", "x"], None, 2, "unexpected argument '--token'");
}
