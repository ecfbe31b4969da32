//! ARCHITECTURE.md's "The delivery's contract": what it says is what the manifest has, and whoever asks the service
//! asks for nothing else.

use serde_json::{Value, json};

use crate::repository::{at, delivered, files, folder, path, text, yaml};

const DOCUMENT: &str = "ARCHITECTURE.md";
const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];

/// Where the service is asked from.
const ASKERS: [&str; 10] = [
    ".github/scripts",
    "tests/bump",
    "loopctl/src",
    "loopctl/delivery/src",
    "loopctl/machine/src",
    "loopctl/templates",
    "e2e/src",
    "e2e/tests",
    "bench/src",
    "bench/tests",
];
/// What is asked beyond the contract stands here, once for each asker.
const EXTRAS: [&str; 2] = ["e2e/src/extras.rs", "bench/src/extras.rs"];

fn contract() -> String {
    let document = text(DOCUMENT);
    let section = document.split("\n## ").find(|section| section.starts_with("The delivery's contract\n"));
    section.unwrap_or_else(|| panic!("{DOCUMENT} has no chapter \"The delivery's contract\"")).to_owned()
}

#[test]
fn the_probes_of_each_service_ask_one_path_at_its_port() {
    for service in delivered() {
        let (file, container) = (service.manifest("deployment.yaml"), service.container());
        let path = at(&container, &file, "/readinessProbe/httpGet/path");
        let asked = json!({ "path": path, "port": at(&container, &file, "/ports/0/containerPort") });
        for probe in PROBES {
            let reason = "all probes ask the same path, at the container's first port";
            assert_eq!(container[probe]["httpGet"], asked, "{file}: {probe}: {reason}");
        }
    }
}

#[test]
fn the_service_has_what_the_contract_asks_of_it() {
    let (_, startup) = argo_rust::prepare(|_| None).expect("the defaults are accepted");
    let (_, contents, _) = startup.finish();
    let document: Value = serde_json::from_slice(&contents.description()).expect("the description is JSON");
    let probe = yaml("k8s/deployment.yaml")["spec"]["template"]["spec"]["containers"][0]["readinessProbe"].take();
    for path in [at(&probe, "k8s/deployment.yaml", "/httpGet/path").as_str().unwrap_or_default(), "/version"] {
        let answers = &document["paths"][path]["get"]["responses"];
        let advice = "give the service this route, or change the probes of k8s/deployment.yaml to one that it has";
        assert!(answers["200"].is_object(), "no route answers GET {path} with 200: {advice}");
    }
}

#[test]
fn each_field_that_the_contract_names_is_in_the_manifest() {
    let (contract, manifest) = (contract(), text("k8s/deployment.yaml"));
    for field in ["httpGet", "terminationGracePeriodSeconds", "runAsUser", "readOnlyRootFilesystem"] {
        assert!(contract.contains(&format!("`{field}`")), "{DOCUMENT}'s contract no longer names `{field}`");
        assert!(
            manifest.contains(&format!("{field}:")),
            "k8s/deployment.yaml has no {field}, which the contract names"
        );
    }
    let user = yaml("k8s/deployment.yaml")["spec"]["template"]["spec"]["securityContext"]["runAsUser"].take();
    assert!(user.as_u64().is_some_and(|user| user > 0), "runAsUser is {user}: the contract asks for a number but root");
}

/// A folder's files and those below it.
fn below(relative: &str) -> Vec<String> {
    let inside = |name: String| format!("{relative}/{name}");
    let folders = folder(relative).into_iter().map(inside).filter(|name| path(name).is_dir());
    let deeper: Vec<String> = folders.flat_map(|name| below(&name)).collect();
    files(relative).into_iter().map(inside).chain(deeper).collect()
}

/// The greeting that README shows. Not the handler's own: that is a reader's to change, to any word there is.
fn words() -> Vec<String> {
    let readme = text("README.md");
    let shown = readme.split("{\"message\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    shown.filter(|greeting| greeting.split(' ').count() > 2).map(str::to_owned).collect()
}

#[test]
fn whoever_asks_the_service_knows_none_of_its_own_words_and_paths() {
    let own = words();
    let askers: Vec<String> = ASKERS.iter().flat_map(|asker| below(asker)).collect();
    assert!(askers.len() > 100, "only {} files ask: this check reads too little", askers.len());
    for file in askers.iter().filter(|file| !EXTRAS.contains(&file.as_str())) {
        let Ok(text) = std::fs::read_to_string(path(file)) else { continue };
        for word in own.iter().map(String::as_str).chain(["/fibonacci/"]) {
            let line = text.lines().position(|line| line.contains(word)).map(|line| line + 1);
            let fix = "ask the path of the probes for its status; what more this service has stands in an extras.rs";
            assert_eq!(line, None, "{file} has {word:?} in this line, which is the service's own: {fix}");
        }
    }
}
