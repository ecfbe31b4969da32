//! Pods as the API server shows them, and what is said of each.

use serde_json::{Value, json};

use super::super::pod;
use super::*;

/// One pod with an init container, a sidecar and two containers; statuses and events are up to the case.
fn check(status: &Value, events: &[Value], expected: Option<(Kind, &str, Option<&str>)>) {
    let object = json!({
        "metadata": {"name": "p", "uid": "u"},
        "spec": {
            "nodeName": "n",
            "initContainers": [{"name": "migrate"}, {"name": "mesh", "restartPolicy": "Always"}],
            "containers": [{"name": "logs"}, {"name": "own", "image": "a:b"}],
        },
        "status": status,
    });
    let events =
        events.iter().map(|event| serde_json::from_value(event.clone()).expect("an event")).collect::<Vec<_>>();
    let (pod, _) = pod(&serde_json::from_value(object).expect("a pod"), &events, "own");
    let found =
        pod.trouble.as_ref().map(|trouble| format!("{:?} {} {}", trouble.kind, trouble.reason, trouble.message));
    match (&found, expected) {
        (Some(found), Some((kind, words, container))) => {
            assert!(found.starts_with(&format!("{kind:?} ")) && found.contains(words), "{words}: {found}");
            assert_eq!(pod.troubled.as_deref(), container, "{found}");
        }
        (found, expected) => assert!(found.is_none() && expected.is_none(), "{expected:?}: {found:?} of {status}"),
    }
}

fn of(name: &str, ready: bool, state: &Value) -> Value {
    json!({"name": name, "ready": ready, "restartCount": 0, "image": "", "imageID": "", "state": state})
}

fn running(name: &str, ready: bool) -> Value {
    of(name, ready, &json!({"running": {"startedAt": "2026-01-01T12:00:00Z"}}))
}

fn waiting(name: &str, reason: &str) -> Value {
    of(name, false, &json!({"waiting": {"reason": reason, "message": "the message"}}))
}

fn ended(name: &str, code: i32) -> Value {
    of(name, code == 0, &json!({"terminated": {"exitCode": code, "reason": "Error"}}))
}

fn status(begin: &[Value], rest: &[Value]) -> Value {
    let unready = json!({"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "as always"});
    json!({"conditions": [unready], "initContainerStatuses": begin, "containerStatuses": rest})
}

fn event(reason: &str, message: &str, container: Option<&str>) -> Value {
    let field = container.map(|name| format!("spec.containers{{{name}}}"));
    json!({"metadata": {}, "involvedObject": {"uid": "u", "fieldPath": field}, "reason": reason, "message": message})
}

#[test]
fn each_kind_of_container_is_looked_at_in_the_order_in_which_they_start() {
    let rest = [waiting("logs", "PodInitializing"), waiting("own", "PodInitializing")];
    let unended = status(&[running("migrate", false), waiting("mesh", "PodInitializing")], &rest);
    check(&unended, &[], Some((Kind::Unended, "it has not ended", Some("init container migrate"))));
    let crashed = status(&[ended("migrate", 3), waiting("mesh", "PodInitializing")], &rest);
    check(&crashed, &[], Some((Kind::Crash, "exit code 3", Some("init container migrate"))));
    let sidecar = status(&[ended("migrate", 0), waiting("mesh", "ImagePullBackOff")], &rest);
    check(&sidecar, &[], Some((Kind::Pull, "the message", Some("sidecar mesh"))));
    let both = status(&[ended("migrate", 3)], &[waiting("logs", "ErrImagePull"), waiting("own", "ErrImagePull")]);
    check(&both, &[], Some((Kind::Crash, "exit code 3", Some("init container migrate"))));
    let begin = [ended("migrate", 0), running("mesh", true)];
    let beside = status(&begin, &[ended("logs", 1), running("own", true)]);
    check(&beside, &[], Some((Kind::Crash, "exit code 1", Some("container logs"))));
    let own = status(&begin, &[running("logs", true), waiting("own", "CreateContainerConfigError")]);
    check(&own, &[], Some((Kind::Create, "the message", None)));
    check(&status(&begin, &[running("logs", true), running("own", true)]), &[], None);
}

#[test]
fn a_probe_is_that_of_the_container_which_its_event_names() {
    let begin = [ended("migrate", 0), running("mesh", true)];
    let pods = status(&begin, &[running("logs", false), running("own", false)]);
    let of_own = event("Unhealthy", "Readiness probe failed: 503", Some("own"));
    check(&pods, std::slice::from_ref(&of_own), Some((Kind::Probe, "503", None)));
    let of_logs = event("Unhealthy", "Readiness probe failed: 404", Some("logs"));
    check(&pods, &[of_own, of_logs], Some((Kind::Probe, "404", Some("container logs"))));
}

#[test]
fn a_container_that_was_started_again_is_in_the_same_trouble_until_it_is_ready_or_a_probe_says_another() {
    let again = |ready: bool, code: i32| {
        let mut own = running("own", ready);
        own["restartCount"] = json!(2);
        own["lastState"] = json!({"terminated": {"exitCode": code, "reason": "Error"}});
        status(&[], &[running("logs", true), own])
    };
    let probe = |at: &str, words: &str| {
        let mut event = event("Unhealthy", words, Some("own"));
        event["lastTimestamp"] = json!(at);
        event
    };
    let crash = Some((Kind::Crash, "exit code 64", None));
    check(&again(false, 64), &[], crash);
    check(&again(true, 64), &[], None);
    check(&again(false, 64), &[probe("2026-01-01T11:59:59Z", "Readiness probe failed: 503")], crash);
    let of_now = probe("2026-01-01T12:00:05Z", "Readiness probe failed: 503");
    check(&again(false, 64), &[of_now], Some((Kind::Probe, "503", None)));
    let killed = probe("2026-01-01T11:59:59Z", "Liveness probe failed: 500");
    check(&again(false, 137), &[killed], Some((Kind::Probe, "500", None)));
}

#[test]
fn what_only_events_and_conditions_say_is_told_where_no_container_does() {
    let creating = status(&[], &[waiting("own", "ContainerCreating")]);
    let mount = event("FailedMount", "secret \"a\" not found", None);
    check(&creating, std::slice::from_ref(&mount), Some((Kind::Create, "FailedMount secret \"a\" not found", None)));
    // What was in the way of a container that runs is over.
    let up = status(&[], &[running("logs", true), running("own", true)]);
    check(&up, &[mount], None);
    check(&up, &[event("NodeNotReady", "Node is not ready", None)], Some((Kind::Place, "Node is not ready (n)", None)));
    let gate = json!({"conditions": [{"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady",
        "message": "the status of gate a is not True"}]});
    check(&gate, &[], Some((Kind::Silence, "gate a", None)));
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    check(&evicted, &[], Some((Kind::Place, "Evicted low on memory", None)));
    let unplaced = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "1 node(s) were unschedulable"}]});
    check(&unplaced, &[], Some((Kind::Place, "unschedulable", None)));
}
