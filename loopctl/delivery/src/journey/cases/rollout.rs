//! A rollout has a why.

use super::*;

/// The rollout of the commit, whose pods are as given, but for one thing.
fn but_workload(pods: Vec<Pod>, change: impl FnOnce(&mut Workload)) -> Facts {
    let mut facts = rolling(pods);
    change(&mut facts.serving.rollout.as_mut().expect("seen").as_mut().expect("there").workload);
    facts
}

fn stuck(facts: &Facts, words: &str) {
    check(facts, State::Stuck, "pods", HopState::Stuck, words);
}

#[test]
fn a_paused_rollout_says_how_to_resume_it_and_never_fails() {
    let paused = |pods: Vec<Pod>, updated: i32| {
        but_workload(pods, |workload| {
            workload.paused = true;
            (workload.updated, workload.available) = (updated, 2);
            workload.progress.reason = "ProgressDeadlineExceeded".into();
        })
    };
    // The pods of the template before are ready, and none of this one.
    let answer = check(
        &paused(vec![pod("a"), pod("b")], 0),
        State::Stuck,
        "pods",
        HopState::Stuck,
        "`kubectl rollout resume deployment/argo-rust -n argo-rust`",
    );
    assert_eq!(answer.hops[6].detail, "0 of 2 pods, paused");
    stuck(&paused(vec![troubled(Kind::Crash, 5)], 1), "the rollout is paused");
    // All pods run it already: there is nothing that a pause could keep back.
    check(&paused(vec![pod("a"), pod("b")], 2), State::Live, "pods", HopState::Done, "2 of 2 pods");
}

#[test]
fn a_change_on_which_nobody_acts_is_stuck_after_a_while() {
    let after = |seconds: i64| {
        let mut facts = but_workload(vec![pod("a"), pod("b")], |workload| {
            workload.observed = false;
            workload.progress.reason = "ProgressDeadlineExceeded".into();
        });
        (facts.now, facts.serving.now) = (at(65 + seconds), at(65 + seconds));
        facts
    };
    check(&after(9), State::Moving, "pods", HopState::Moving, "0 of 2 pods");
    stuck(
        &after(10),
        "nobody has acted on the Deployment's change for more than 10 s: is kube-controller-manager running?",
    );
}

#[test]
fn pods_that_are_not_even_made_are_said_to_be_missing() {
    let without = |pods: Vec<Pod>| {
        but_workload(pods, |workload| {
            (workload.updated, workload.available) = (0, 0);
            workload.newest = Some(Replicas { name: "new".into(), created_at: Some(at(60)), failure: None });
        })
    };
    stuck(&without(vec![]), "ReplicaSet new is more than 30 s old and has no pod");
    let old = Pod { replica_set: "old".into(), leaving: true, ..pod("old") };
    stuck(&without(vec![old]), "pod old of the revision before does not end");
}

#[test]
fn a_pod_of_which_nobody_says_anything_names_who_should() {
    let silent = |change: &dyn Fn(&mut Pod)| {
        let mut pod = Pod { ready: false, created_at: Some(at(66)), running_since: None, ..pod("b") };
        change(&mut pod);
        rolling(vec![super::pod("a"), pod])
    };
    stuck(&silent(&|pod| pod.node = None), "no node is chosen, and nobody says why: is kube-scheduler running?");
    stuck(&silent(&|pod| pod.is_heard_of = false), "node node has not begun with it: is its kubelet running?");
    let check_moving = |facts: &Facts, words| check(facts, State::Moving, "pods", HopState::Moving, words);
    check_moving(&silent(&|_| ()), "it pulls the image, or mounts its volumes");
    check_moving(&silent(&|pod| pod.running_since = Some(at(66))), "runs and is not ready, and nobody says why");
    check_moving(&silent(&|pod| pod.created_at = Some(at(90))), "1 of 2 pods");
}

#[test]
fn another_container_than_the_services_own_is_told_by_its_kind_and_name() {
    let unended = |since: i64| {
        let mut pod = troubled(Kind::Unended, 0);
        (pod.troubled, pod.running_since) = (Some("init container migrate".into()), Some(at(since)));
        rolling(vec![pod])
    };
    stuck(&unended(68), "Reason for more than 30 s in init container migrate of pod bad: the message");
    check(&unended(90), State::Moving, "pods", HopState::Moving, "init container migrate");
}

#[test]
fn several_reasons_come_in_the_order_in_which_they_are_mended_and_each_once() {
    let pull = troubled(Kind::Pull, 0);
    let facts = but_workload(vec![pull.clone(), pull, troubled(Kind::Place, 0)], |workload| {
        workload.paused = true;
        workload.newest.as_mut().expect("there").failure = Some("exceeded quota".into());
    });
    let answer = check(&facts, State::Stuck, "pods", HopState::Stuck, "exceeded quota");
    let reasons: Vec<&str> =
        answer.hops[6].reason.iter().map(String::as_str).filter(|line| !line.starts_with("| ")).collect();
    assert_eq!(reasons.len(), 4, "{reasons:#?}");
    assert!(reasons[0].contains("paused") && reasons[1].contains("exceeded quota"), "{reasons:#?}");
    assert!(answer.summary.contains("paused") && !answer.summary.contains("quota"), "{}", answer.summary);
}

#[test]
fn an_image_that_somebody_else_has_put_there_is_said_to_be_theirs() {
    let mut facts = but(|facts| facts.serving.rollout = Ok(Some(rollout(OLD, vec![pod("a"), pod("b")]))));
    let status = &mut facts.application.as_mut().expect("seen").as_mut().expect("there").status;
    status.sync.status = "OutOfSync".into();
    stuck(&facts, "somebody has changed the Deployment since the sync");
}
