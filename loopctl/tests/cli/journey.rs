//! `where`, `wait`, `verify` and `sync` against a repository and a fake cluster, as they are read in a terminal.

use serde_json::{Value, json};

use crate::delivered::{Delivery, application, delivered, deployment, pod, ready, slices, time, unready};
use crate::world::{APPLICATION, DEPLOYMENT, EVENTS, PODS, SLICES};

#[test]
fn a_live_commit_is_told_hop_by_hop_as_text_and_as_json() {
    let delivery = delivered();
    insta::assert_snapshot!("where_live", delivery.transcript(&["where", &delivery.source]));
    delivery.documented("where");
    insta::assert_snapshot!("where_live_json", delivery.transcript(&["where", &delivery.source, "-o", "json"]));
    insta::assert_snapshot!("wait_live", delivery.transcript(&["wait", &delivery.source]));
}

#[test]
fn watched_without_a_terminal_each_change_is_a_line_until_the_commit_is_live() {
    let delivery = delivered();
    let starting = json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
    let pods = [pod("service-a", &delivery.image, &ready()), pod("service-b", &delivery.image, &unready(&starting, 0))];
    delivery.world.put_at_first(DEPLOYMENT, &deployment(&delivery.image, 1));
    delivery.world.put_at_first(PODS, &json!({"metadata": {}, "items": pods}));
    insta::assert_snapshot!("where_watch", delivery.transcript(&["where", "--watch", &delivery.source]));
}

#[test]
fn an_image_that_cannot_be_pulled_is_stuck_in_the_words_of_the_registry() {
    let delivery = delivered();
    let message = "Back-off pulling image: not found";
    let waiting = json!({"state": {"waiting": {"reason": "ImagePullBackOff", "message": message}}});
    delivery.pods(1, &unready(&waiting, 0));
    insta::assert_snapshot!("where_pull", delivery.transcript(&["where", &delivery.source]));
    delivery.documented("where, stuck");
    insta::assert_snapshot!("wait_timed_out", delivery.transcript(&["wait", &delivery.source, "--timeout", "0s"]));
}

#[test]
fn a_program_that_crashes_has_failed_and_its_last_lines_are_shown() {
    let delivery = delivered();
    let waiting = json!({
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed container"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 64}},
    });
    delivery.pods(1, &unready(&waiting, 2));
    delivery.world.put_with(
        &format!("{PODS}/service-b/log"),
        200,
        "starting\nerror: ARGO_RUST_LISTEN is not an address\n",
    );
    insta::assert_snapshot!("wait_failed", delivery.transcript(&["wait", &delivery.source]));
}

#[test]
fn a_probe_that_fails_is_the_reason_for_the_restarts_it_causes() {
    let delivery = delivered();
    let waiting = json!({
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"reason": "Completed", "exitCode": 0}},
    });
    delivery.pods(1, &unready(&waiting, 1));
    let event = json!({
        "metadata": {}, "involvedObject": {"kind": "Pod", "uid": "service-b"}, "reason": "Unhealthy",
        "lastTimestamp": time(2, 40), "message": "Startup probe failed: connect: connection refused",
    });
    delivery.world.put(EVENTS, &json!({"metadata": {}, "items": [event]}));
    let said = delivery.transcript(&["where", &delivery.source]);
    let expected = "Unhealthy in pod service-b, restarted 1 times: Startup probe failed: connect: connection refused";
    assert!(said.contains(expected), "expected: {expected}\nsaid: {said}");
}

#[test]
fn a_newer_commit_supersedes_and_a_hold_holds() {
    let mut delivery = delivered();
    delivery.world.write("src/main.rs", "fn main() { println!(\"better\"); }\n");
    let newer = delivery.world.push("newer", 3, "Greet better");
    insta::assert_snapshot!("where_not_built", delivery.transcript(&["where", &newer]));
    delivery.world.tag(&delivery.tag, "delivery.argo-rust/hold: \"b920bd3\"");
    delivery.world.push("hold", 4, "Hold");
    insta::assert_snapshot!("wait_held", delivery.transcript(&["wait", &newer]));
    delivery.world.tag(&format!("sha-{}", &newer[..7]), "");
    delivery.world.push("newer-bump", 5, "ci: update image");
    insta::assert_snapshot!("wait_superseded", delivery.transcript(&["wait", &delivery.source]));
}

#[test]
fn a_commit_of_documents_alone_needs_no_build() {
    let mut delivery = delivered();
    delivery.world.write("README.md", "more\n");
    let documents = delivery.world.push("documents", 3, "Explain");
    delivery.world.put(APPLICATION, &application(&documents));
    insta::assert_snapshot!("where_no_build", delivery.transcript(&["where"]));
}

#[test]
fn a_merged_commit_is_looked_for_as_the_merge_that_brought_it_in() {
    let mut delivery = delivered();
    let clone = delivery.world.path("clone");
    let git = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .current_dir(&clone)
            .args(["-c", "user.name=a", "-c", "user.email=b"])
            .args(arguments)
            .status();
        assert!(done.is_ok_and(|status| status.success()), "git {arguments:?}");
    };
    git(&["switch", "--quiet", "--create", "feature"]);
    delivery.world.write("src/main.rs", "fn main() { println!(\"feature\"); }\n");
    git(&["commit", "--quiet", "--all", "--message", "Feature"]);
    git(&["switch", "--quiet", "master"]);
    git(&["merge", "--quiet", "--no-ff", "--message", "Merge", "feature"]);
    let merge = delivery.world.push("merge", 6, "On top");
    let answer = delivery.world.loopctl(&["where", "feature", "-o", "json"]);
    let answer: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    let parent =
        std::process::Command::new("git").current_dir(&clone).args(["rev-parse", &format!("{merge}^")]).output();
    let parent = String::from_utf8_lossy(&parent.expect("git").stdout).trim().to_owned();
    assert_eq!(answer["merged_by"], parent.as_str(), "{answer}");
}

#[test]
fn a_squashed_commit_is_answered_with_the_one_that_has_its_change() {
    let mut delivery = delivered();
    let clone = delivery.world.path("clone");
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=b"];
        let done = std::process::Command::new("git").current_dir(&clone).args(who).args(arguments).status();
        assert!(done.is_ok_and(|status| status.success()), "git {arguments:?}");
    };
    git(&["switch", "--quiet", "--create", "feature"]);
    delivery.world.write("src/main.rs", "fn main() { println!(\"feature\"); }\n");
    git(&["commit", "--quiet", "--all", "--message", "Feature"]);
    git(&["switch", "--quiet", "master"]);
    git(&["merge", "--quiet", "--squash", "feature"]);
    delivery.world.push("squash", 6, "Feature (#3)");
    let said = delivery.transcript(&["wait", "feature"]);
    let expected = "its change is in master as <squash> (Feature (#3)): ask about that one";
    assert!(said.starts_with("exit code: 3\n") && said.contains(expected), "{said}");
}

#[test]
fn what_may_not_be_read_is_said_and_the_rest_is_answered() {
    let delivery = delivered();
    let forbidden = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "applications.argoproj.io \"service\" is forbidden: User \"dev\" cannot get resource"});
    delivery.world.put_with(APPLICATION, 403, &forbidden.to_string());
    insta::assert_snapshot!("where_partial", delivery.transcript(&["where", &delivery.source]));
    delivery.world.put_with(DEPLOYMENT, 403, &forbidden.to_string());
    insta::assert_snapshot!("wait_no_access", delivery.transcript(&["wait", &delivery.source]));
}

#[test]
fn verify_passes_when_all_agree_and_fails_on_another_answer() {
    let delivery = delivered();
    insta::assert_snapshot!("verify", delivery.transcript(&["verify"]));
    delivery.world.put("/orders/42", &json!({"order": 42}));
    delivery.world.put_with("/orders", 200, &"an order\n".repeat(1000));
    insta::assert_snapshot!(
        "verify_more",
        delivery.transcript(&["verify", "--path", "/orders/42", "--path", "/orders"])
    );
    delivery.world.put_with("/live", 503, "not yet");
    // As a build says it that was given no commit.
    let unknown = json!({"version": "0.1.0", "revision": "none", "image_tag": delivery.tag});
    delivery.world.put("/version", &unknown);
    delivery.pods(1, &unready(&json!({}), 0));
    insta::assert_snapshot!("verify_failed", delivery.transcript(&["verify", "--path", "/orders/43"]));
    let said = delivery.transcript(&["verify", "--path", "orders"]);
    assert!(said.starts_with("exit code: 2\n") && said.contains("must start with '/'"), "{said}");
}

#[test]
fn verify_without_a_probe_says_what_the_manifest_lacks() {
    let delivery = delivered();
    delivery.world.tag(&delivery.tag, "");
    let said = delivery.transcript(&["verify"]);
    assert!(said.starts_with("exit code: 1\n"), "{said}");
    assert!(said.contains("FAILED   probe        k8s/deployment.yaml has no readinessProbe with an httpGet"), "{said}");
}

/// The Service leads to nobody, and nothing answers at the endpoint.
fn unserved() -> Delivery {
    let delivery = delivered();
    let service = json!({"metadata": {"name": "service"},
        "spec": {"selector": {"app": "another"}, "ports": [{"port": 80, "nodePort": 1}]}});
    delivery.world.put("/api/v1/namespaces/service/services/service", &service);
    delivery.world.put(SLICES, &slices(&[]));
    delivery
}

#[test]
fn nothing_is_live_while_nobody_can_be_served() {
    let delivery = unserved();
    insta::assert_snapshot!("wait_unserved", delivery.transcript(&["wait", &delivery.source, "--timeout", "0s"]));
    insta::assert_snapshot!("verify_unserved", delivery.transcript(&["verify"]));
    let said = delivery.transcript(&["sync", "--timeout", "0s"]);
    assert!(said.starts_with("exit code: 5\n") && said.contains("the Service selects no ready pod"), "{said}");
}

#[test]
fn where_neither_endpoints_nor_service_can_be_seen_nobody_knows() {
    let delivery = unserved();
    let forbidden = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "endpointslices.discovery.k8s.io is forbidden"});
    delivery.world.put_with(SLICES, 403, &forbidden.to_string());
    insta::assert_snapshot!("wait_unknown", delivery.transcript(&["wait", &delivery.source]));
}

#[test]
fn an_init_container_that_does_not_end_is_told_by_name_with_its_last_lines() {
    let delivery = delivered();
    let mut status = unready(&json!({"state": {"waiting": {"reason": "PodInitializing"}}}), 0);
    status["initContainerStatuses"] = json!([{"name": "migrate", "ready": false, "restartCount": 0, "image": "",
        "imageID": "", "state": {"running": {"startedAt": time(2, 8)}}}]);
    let mut second = pod("service-b", &delivery.image, &status);
    second["spec"]["initContainers"] = json!([{"name": "migrate"}]);
    delivery.world.put(DEPLOYMENT, &deployment(&delivery.image, 1));
    let pods = [pod("service-a", &delivery.image, &ready()), second];
    delivery.world.put(PODS, &json!({"metadata": {}, "items": pods}));
    delivery.world.put_with(&format!("{PODS}/service-b/log"), 200, "waiting for the database\n");
    insta::assert_snapshot!("where_init", delivery.transcript(&["where", &delivery.source]));
    let said = delivery.transcript(&["verify"]);
    let expected = "FAILED   rollout      1 of 2 pods run ";
    assert!(said.contains(expected) && said.contains("init container migrate of pod service-b"), "{said}");
}

#[test]
fn nothing_of_a_log_or_a_subject_is_obeyed_by_the_terminal() {
    let mut delivery = delivered();
    let waiting = json!({
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 64}},
    });
    delivery.pods(1, &unready(&waiting, 2));
    let log = "\u{1b}[2J\u{1b}[Hall is well\n\u{9b}2Jtxt.\u{202e}exe\u{7}\n";
    delivery.world.put_with(&format!("{PODS}/service-b/log"), 200, log);
    let is_obeyed = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
    for arguments in [vec!["where", &delivery.source], vec!["where", &delivery.source, "-o", "json"]] {
        let said = delivery.transcript(&arguments);
        assert!(!said.contains(is_obeyed), "{}", said.escape_debug());
        assert!(said.contains("all is well") && said.contains("202e"), "{said}");
    }
    delivery.world.write("README.md", "more\n");
    let subject = delivery.world.push("subject", 3, "Clear \u{1b}[2J the screen");
    delivery.world.put(APPLICATION, &application(&subject));
    let said = delivery.transcript(&["where"]);
    assert!(said.contains("Clear \\u{1b}[2J the screen") && !said.contains(is_obeyed), "{}", said.escape_debug());
}

#[test]
fn sync_follows_what_the_refresh_has_found() {
    let delivery = delivered();
    let mut before = application(&"0".repeat(40));
    before["metadata"]["annotations"] = json!({"argocd.argoproj.io/refresh": "normal"});
    delivery.world.put(APPLICATION, &before);
    delivery.world.put_after_refresh(&application(&delivery.source));
    let said = delivery.transcript(&["sync", "--timeout", "5s"]);
    assert!(said.starts_with("exit code: 0\n") && said.contains("service is Synced and Healthy at <source>"), "{said}");
    // Asked again before Argo CD has looked: the annotation that is there already is no obstacle, only a wait.
    delivery.world.put(APPLICATION, &before);
    let said = delivery.transcript(&["sync", "--timeout", "0s"]);
    assert!(said.starts_with("exit code: 5\n") && said.contains("Argo CD has not looked yet"), "{said}");
}

#[test]
fn a_commit_that_does_not_exist_is_refused() {
    let said = delivered().transcript(&["where", "0123456"]);
    assert!(
        said.starts_with("exit code: 1\n") && said.contains("has a commit 0123456; `git fetch` it first"),
        "{said}"
    );
}
