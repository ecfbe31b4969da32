//! `loopctl service` in a repository, without a cluster.

use serde_json::json;

use crate::api_server::ApiServer;
use crate::repository::Repository;

const SHOP: [&str; 5] = ["service", "add", "shop", "--image", "ghcr.io/octo/shop:v1"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SHOP.iter().chain(more).copied().collect()
}

#[test]
fn adding_a_service_shows_what_is_written_and_what_comes_next() {
    let repository = Repository::new();
    insta::assert_snapshot!("add_tofu", repository.loopctl(&SHOP));
    let git = ["service", "add", "cart", "--image", "ghcr.io/octo/cart:v1", "--delivered-by", "git", "--replicas", "2"];
    insta::assert_snapshot!("add_git", repository.loopctl(&git));
    insta::assert_snapshot!("list", repository.loopctl(&["service", "list"]));
    insta::assert_snapshot!("list_json", repository.loopctl(&["service", "list", "-o", "json"]));
}

#[test]
fn a_service_of_ones_own_is_made_with_its_sources_and_built_by_the_workflow() {
    let repository = Repository::new();
    let before = repository.state();
    let new = ["service", "add", "sea-shop", "--new"];
    let refused = repository.loopctl(&new);
    assert!(refused.contains("cannot read .github/workflows/deploy.yml"), "{refused}");
    assert_eq!(repository.state(), before);

    let matrix = "jobs:\n  test:\n        folder: [.]\n  build:\n        folder: [.]\n";
    repository.write(".github/workflows/deploy.yml", matrix);
    repository.write("tofu/terraform.tfvars", &repository.read("tofu/terraform.tfvars").replace("/hello", "/mine"));
    let before = repository.state();
    let added = repository.loopctl(&new);
    let end = added.find("\nchanged  .github").expect("the files are listed");
    insta::assert_snapshot!("add_new", &added[end..]);
    assert_eq!(repository.read(".github/workflows/deploy.yml"), matrix.replace("[.]", "[., services/sea-shop]"));
    let manifest = repository.read("k8s/sea-shop/deployment.yaml");
    for words in ["ghcr.io/octo/kittens/sea-shop:sha-0000000", "SEA_SHOP_DRAIN_DELAY", "path: /hello"] {
        assert!(manifest.contains(words), "{words} in:\n{manifest}");
    }
    let cargo = repository.read("services/sea-shop/Cargo.toml");
    assert!(cargo.contains("https://github.com/octo/kittens\""), "{cargo}");

    // What became of the sources is their owner's, and the same again changes nothing.
    repository.write("services/sea-shop/src/main.rs", "fn main() {}\n");
    let after = repository.state();
    let again = repository.loopctl(&new);
    assert!(again.contains("declared already, just as asked"), "{again}");
    assert_eq!(repository.state(), after);
    let removed = repository.loopctl(&["service", "remove", "sea-shop", "--yes"]);
    assert!(removed.contains("`git rm -r services/sea-shop`"), "{removed}");
    repository.git(&["rm", "-r", "--quiet", "--force", "services/sea-shop"]);
    assert_eq!(repository.state(), before);
}

#[test]
fn the_same_again_changes_nothing_and_remove_gives_back_what_was_there() {
    let repository = Repository::new();
    let before = repository.state();
    for by in ["tofu", "git"] {
        let add = with(&["--delivered-by", by, "--cpu", "0.1"]);
        repository.loopctl(&add);
        let after = repository.state();
        assert_ne!(after, before);
        let again = repository.loopctl(&add);
        assert!(again.contains("declared already, just as asked"), "{again}");
        assert_eq!(repository.state(), after);
        repository.loopctl(&["service", "remove", "shop", "--yes"]);
        assert_eq!(repository.state(), before, "delivered by {by}");
        let again = repository.loopctl(&["service", "remove", "shop", "--yes"]);
        assert!(again.starts_with("exit code: 0\n") && again.contains("not declared here"), "{again}");
    }
}

#[test]
fn removing_a_service_shows_what_goes_and_what_opentofu_holds_on_to() {
    let repository = Repository::new();
    repository.loopctl(&with(&["--delivered-by", "git"]));
    repository.write("k8s/shop/configmap.yaml", "mine: true\n");
    let removed = repository.loopctl(&["service", "remove", "shop", "--yes"]);
    // The diff is the one of `add` the other way round.
    let end = removed.find("\nk8s/shop/configmap.yaml").expect("what is left is named");
    insta::assert_snapshot!("remove", &removed[end..]);
    assert_eq!(repository.read("k8s/shop/configmap.yaml"), "mine: true\n");
}

#[test]
fn what_is_refused_says_why_and_leaves_every_file_as_it_was() {
    let repository = Repository::new();
    repository.loopctl(&SHOP);
    repository.write("k8s/taken/service.yaml", "somebody: else\n");
    let before = repository.state();
    let check = |arguments: &[&str], part: &str| {
        let said = repository.loopctl(arguments);
        assert!(!said.starts_with("exit code: 0"), "{arguments:?} was accepted: {said}");
        assert!(said.contains(part), "{arguments:?} said\n{said}\nwhich should contain: {part}");
        assert_eq!(repository.state(), before, "{arguments:?} left something behind");
    };
    let image = ["--image", "ghcr.io/octo/x:v1"];
    let add = |name: &'static str, more: &[&'static str]| -> Vec<&'static str> {
        ["service", "add", name].iter().chain(&image).chain(more).copied().collect()
    };
    check(&with(&["--replicas", "2"]), "replicas is 1 and not 2");
    check(&with(&["--node-port", "30900"]), "node_port is 30801 and not 30900");
    check(
        &add("x", &["--node-port", "30801"]),
        "NodePort 30801 belongs to shop (tofu/terraform.tfvars); 30802 is free",
    );
    check(&add("x", &["--node-port", "80"]), "must be a whole number from 30000 to 32767");
    check(&add("x", &["--cpu", "2"]), "the CPU requested (2) is above the limit (200m); --cpu-limit raises it");
    check(&add("x", &["--memory", "64MB"]), "must be a number with a suffix");
    check(&add("Shop", &[]), "must be 1 to 63 of a-z");
    check(&["service", "add", "x", "--image", "x"], "must name a repository in lower case with a tag");
    check(&add("x", &["--namespace", "kube-system"]), "neither default nor kube-*");
    check(&add("x", &["--namespace", "y", "--delivered-by", "git"]), "has a namespace of its own name");
    check(&add("kittens", &[]), "is the repository's own service");
    check(&add("taken", &["--delivered-by", "git"]), "k8s/taken/service.yaml is there already");
    check(&["service", "remove", "kittens", "--yes"], "is the repository's own service");
    check(&["service", "remove", "shop"], "say --yes to do it without being asked");
}

#[test]
fn a_dry_run_shows_the_diff_and_writes_nothing() {
    let repository = Repository::new();
    let before = repository.state();
    let said = repository.loopctl(&with(&["--dry-run"]));
    assert!(said.contains("+  \"shop\" = {") && said.contains("Nothing was written"), "{said}");
    assert_eq!(repository.state(), before);
}

#[test]
fn a_nodeport_that_the_cluster_has_given_away_is_not_taken() {
    let service = |name: &str, port: u16| json!({"metadata": {"name": name, "namespace": "theirs"}, "spec": {"ports": [{"port": 80, "nodePort": port}]}});
    let list = json!({
        "apiVersion": "v1", "kind": "ServiceList", "metadata": {},
        "items": [service("one", 30801), service("two", 30802)],
    });
    let cluster = ApiServer::start(&[("GET /api/v1/services", list)]);
    let repository = Repository::new();
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let run = |arguments: &[&str]| repository.loopctl_with(arguments, &[("KUBECONFIG", &kubeconfig)]);
    let refused = run(&with(&["--node-port", "30802"]));
    assert!(
        refused.contains("NodePort 30802 belongs to the Service theirs/two in the cluster; 30803 is free"),
        "{refused}"
    );
    let added = run(&with(&["-o", "json"]));
    assert!(added.contains("\"node_port\": 30803") && added.contains("\"cluster_not_asked\": null"), "{added}");
}
