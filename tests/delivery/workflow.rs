use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::repository::{folder, text, yaml};

const DEPLOY: &str = ".github/workflows/deploy.yml";

fn jobs() -> Vec<(String, Value)> {
    let jobs = yaml(DEPLOY)["jobs"].as_object().unwrap().clone();
    jobs.into_iter().collect()
}

#[test]
fn every_push_to_master_and_nothing_else_starts_a_deploy() {
    let workflow = yaml(DEPLOY);
    assert_eq!(workflow["on"], json!({ "push": { "branches": ["master"] } }));
    assert_eq!(yaml("argocd/application.yaml")["spec"]["source"]["targetRevision"], "master");
}

#[test]
fn each_job_may_do_what_it_needs_and_no_more() {
    assert_eq!(yaml(DEPLOY)["permissions"], json!({}), "{DEPLOY}: no right by default");
    let check = |name: &str, expected: Value| {
        let job = jobs().into_iter().find(|(job, _)| job == name).unwrap_or_else(|| panic!("{DEPLOY}: job {name}")).1;
        assert_eq!(job["permissions"], expected, "{DEPLOY}: job {name}");
        assert!(job["timeout-minutes"].is_u64(), "{DEPLOY}: job {name} needs timeout-minutes");
    };
    assert_eq!(jobs().len(), 3, "{DEPLOY}: a new job needs a line in this test");
    check("test", json!({ "contents": "read" }));
    check("build", json!({ "contents": "read", "packages": "write", "id-token": "write", "attestations": "write" }));
    check("bump", json!({ "contents": "write" }));
}

#[test]
fn tests_and_build_run_side_by_side_and_the_bump_waits_for_both() {
    let workflow = yaml(DEPLOY);
    let needs = |job: &str| workflow["jobs"][job]["needs"].clone();
    assert_eq!((needs("test"), needs("build")), (Value::Null, Value::Null), "{DEPLOY}: neither waits for the other");
    assert_eq!(needs("bump"), json!(["test", "build"]), "{DEPLOY}: nothing is deployed whose tests fail");
}

#[test]
fn no_job_depends_on_an_output_which_github_may_empty_because_of_a_secret() {
    for (name, job) in jobs() {
        assert_eq!(job["outputs"], Value::Null, "{DEPLOY}: job {name} has outputs");
    }
    let bump = yaml(DEPLOY)["jobs"]["bump"].to_string();
    assert!(!bump.contains("outputs."), "{DEPLOY}: bump uses another job's output: {bump}");
}

#[test]
fn tests_and_build_are_of_the_same_services_and_one_that_fails_keeps_no_other_from_its_verdict() {
    let strategy = |job: &str| yaml(DEPLOY)["jobs"][job]["strategy"].clone();
    let test = strategy("test");
    assert_eq!((&test["fail-fast"], &test["matrix"]["folder"][0]), (&json!(false), &json!(".")), "{DEPLOY}: job test");
    assert_eq!(strategy("build"), strategy("test"), "{DEPLOY}: jobs test (left) and build (right)");
    assert_eq!(strategy("bump"), Value::Null, "{DEPLOY}: one commit has all images of a push");
}

#[test]
fn every_step_of_the_build_behind_the_decision_asks_for_it() {
    let build = yaml(DEPLOY)["jobs"]["build"]["steps"].as_array().unwrap().clone();
    let decision = build.iter().position(|step| step["id"] == "image").expect("a step decides");
    assert!(build.len() > decision + 1, "{DEPLOY}: nothing is behind the decision");
    for step in &build[decision + 1..] {
        let asks = step["if"].as_str().is_some_and(|asks| asks.starts_with("steps.image.outputs.changed == 'true'"));
        assert!(asks, "{DEPLOY}: give the step {} `if: steps.image.outputs.changed == 'true'`", step["name"]);
    }
}

#[test]
fn the_seven_steps_of_the_specification_come_in_order() {
    let steps: Vec<String> = ["build", "bump"]
        .iter()
        .flat_map(|name| yaml(DEPLOY)["jobs"][*name]["steps"].as_array().unwrap().clone())
        .map(|step| [&step["uses"], &step["run"]].map(|field| field.as_str().unwrap_or_default().to_owned()).concat())
        .collect();
    let expected = [
        "actions/checkout@",
        ".github/scripts/image-changed",
        "docker/login-action@",
        "docker/setup-buildx-action@",
        "docker/metadata-action@",
        "docker/build-push-action@",
        ".github/scripts/smoke-image",
        "actions/attest@",
        ".github/scripts/bump-image",
    ];
    let mut rest = steps.iter();
    for step in expected {
        assert!(rest.any(|found| found.contains(step)), "{DEPLOY}: {step} is missing or out of order in {steps:#?}");
    }
    let test = yaml(DEPLOY)["jobs"]["test"]["steps"].to_string();
    assert!(test.contains("make test-service"), "{DEPLOY}: the job test does not run the service's tests");
}

#[test]
fn every_action_is_pinned_by_commit_and_one_version_of_it_is_used() {
    let mut pins = BTreeMap::new();
    for file in folder(".github/workflows") {
        for line in text(&format!(".github/workflows/{file}")).lines() {
            let Some((_, action)) = line.split_once("uses: ") else { continue };
            let (action, version) = action.split_once(" # ").unwrap_or_else(|| panic!("{file}: {line}: no version"));
            let (name, commit) = action.split_once('@').unwrap_or_else(|| panic!("{file}: {line}: no commit"));
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {name} must be pinned by the 40 hex digits of a commit");
            assert!(version.starts_with('v') && version.split('.').count() == 3, "{file}: {name}: version {version}");
            let first = pins.entry(name.to_owned()).or_insert_with(|| action.to_owned());
            assert_eq!(first, action, "{name} is pinned to two commits");
        }
    }
    assert!(pins.contains_key("actions/checkout"), "no pin was read");
}
