//! From Argo CD to the endpoint.

use super::*;

#[test]
fn a_live_commit_has_each_hop_with_its_time() {
    let answer = check(&live(), State::Live, "answering", HopState::Done, "75 s after it was committed");
    let seconds: Vec<Option<i64>> = answer.hops.iter().map(|hop| hop.seconds).collect();
    assert_eq!(seconds, [None, Some(50), None, Some(10), Some(4), Some(1), Some(10), None]);
}

#[test]
fn a_bump_that_argo_cd_has_not_seen_is_on_its_way() {
    check(&application(|_| ()), State::Moving, "seen", HopState::Moving, "still at revision 0000000");
}

#[test]
fn a_repository_that_argo_cd_cannot_read_is_the_reason() {
    let facts = application(|status| {
        status.conditions = vec![Condition {
            kind: "ComparisonError".into(),
            message: "authentication required".into(),
            ..Default::default()
        }];
    });
    check(&facts, State::Stuck, "seen", HopState::Stuck, "ComparisonError: authentication required");
}

#[test]
fn a_missing_application_says_what_to_apply() {
    let facts = but(|facts| facts.application = Ok(None));
    check(&facts, State::Stuck, "seen", HopState::Stuck, "apply argocd/application.yaml");
}

fn operation(phase: &str, retries: u64) -> Facts {
    let mut facts = application(|status| {
        status.sync = synced_at(&bump().id, "OutOfSync");
        status.history.truncate(1);
        let operation = serde_json::json!({
            "phase": phase, "message": "resource :ConfigMap is not permitted", "retryCount": retries,
            "operation": {"sync": {"revision": bump().id}},
        });
        let operation: Operation = serde_json::from_value(operation).expect("as Argo CD writes it");
        status.operation_state = Some(operation);
    });
    facts.containing = [bump().id].into();
    facts
}

#[test]
fn a_sync_that_fails_or_is_tried_again_is_stuck_with_its_message() {
    for (phase, retries) in [("Failed", 0), ("Error", 0), ("Running", 3)] {
        check(&operation(phase, retries), State::Stuck, "synced", HopState::Stuck, "ConfigMap is not permitted");
    }
    check(&operation("Running", 0), State::Moving, "synced", HopState::Moving, "OutOfSync");
}

#[test]
fn a_sync_longer_ago_than_is_remembered_has_no_time_but_is_one() {
    let facts = but(|facts| {
        let application = facts.application.as_mut().expect("seen").as_mut().expect("there");
        application.status.history = vec![deployed(&bump().id, 64); 10];
    });
    let answer = check(&facts, State::Live, "synced", HopState::Done, "longer ago than Argo CD remembers");
    assert_eq!(answer.hops[5].at, None);
}

#[test]
fn pods_are_counted_until_all_of_them_are_ready() {
    let starting = Pod { ready: false, ..pod("b") };
    check(&rolling(vec![pod("a"), starting]), State::Moving, "pods", HopState::Moving, "1 of 2 pods");
}

#[test]
fn old_pods_and_pods_that_leave_are_not_counted() {
    let old = Pod { replica_set: "old".into(), ..pod("old") };
    let leaving = Pod { leaving: true, ..pod("leaving") };
    let mut facts = rolling(vec![old, leaving, pod("a")]);
    facts.serving.rollout.as_mut().expect("seen").as_mut().expect("there").workload.available = 1;
    check(&facts, State::Moving, "pods", HopState::Moving, "1 of 2 pods");
}

#[test]
fn what_keeps_a_pod_from_being_ready_is_the_reason() {
    let check_trouble = |kind, restarts, state, hop_state| {
        let facts = rolling(vec![pod("a"), troubled(kind, restarts)]);
        let answer = check(&facts, state, "pods", hop_state, "Reason in pod bad");
        assert!(answer.hops[6].reason.contains(&"| a line".to_owned()), "{:?}", answer.hops[6].reason);
    };
    check_trouble(Kind::Pull, 0, State::Stuck, HopState::Stuck);
    check_trouble(Kind::Place, 0, State::Stuck, HopState::Stuck);
    check_trouble(Kind::Create, 0, State::Stuck, HopState::Stuck);
    check_trouble(Kind::Crash, 1, State::Stuck, HopState::Stuck);
    check_trouble(Kind::Crash, 2, State::Failed, HopState::Failed);
    check_trouble(Kind::Probe, 1, State::Stuck, HopState::Stuck);
}

#[test]
fn a_program_that_runs_again_may_hold_this_time_and_how_it_ended_before_is_told() {
    let after = |seconds: i64| {
        but(|facts| {
            (facts.now, facts.serving.now) = (at(68 + seconds), at(68 + seconds));
            let again = Pod { running_since: Some(at(68)), ..troubled(Kind::Crash, 2) };
            facts.serving.rollout = Ok(Some(rollout(OWN, vec![again])));
        })
    };
    check(&after(29), State::Moving, "pods", HopState::Moving, "the message");
    check(&after(30), State::Stuck, "pods", HopState::Stuck, "the message");
}

#[test]
fn a_probe_may_fail_while_the_pod_starts_and_not_for_longer() {
    let after = |seconds: i64| {
        but(|facts| {
            (facts.now, facts.serving.now) = (at(68 + seconds), at(68 + seconds));
            facts.serving.rollout = Ok(Some(rollout(OWN, vec![troubled(Kind::Probe, 0)])));
        })
    };
    check(&after(29), State::Moving, "pods", HopState::Moving, "the message");
    check(&after(30), State::Stuck, "pods", HopState::Stuck, "the message");
}

#[test]
fn a_rollout_that_kubernetes_gave_up_has_failed_for_the_pods_reason() {
    let mut facts = rolling(vec![troubled(Kind::Pull, 0)]);
    let rollout = facts.serving.rollout.as_mut().expect("seen").as_mut().expect("there");
    rollout.workload.progress = Progress {
        reason: "ProgressDeadlineExceeded".into(),
        message: "ReplicaSet new has timed out progressing.".into(),
        at: None,
    };
    check(&facts, State::Failed, "pods", HopState::Failed, "the message");
}

#[test]
fn pods_that_cannot_be_made_are_the_reason() {
    let mut facts = rolling(vec![]);
    let rollout = facts.serving.rollout.as_mut().expect("seen").as_mut().expect("there");
    rollout.workload.newest.as_mut().expect("there").failure = Some("exceeded quota".into());
    check(&facts, State::Stuck, "pods", HopState::Stuck, "no pod can be made: exceeded quota");
}

#[test]
fn a_deployment_that_is_scaled_to_nothing_is_stuck() {
    let mut facts = rolling(vec![]);
    facts.serving.rollout.as_mut().expect("seen").as_mut().expect("there").workload.wanted = 0;
    check(&facts, State::Stuck, "pods", HopState::Stuck, "set replicas in tofu/terraform.tfvars");
}

#[test]
fn an_image_that_is_gone_from_the_registry_matters_only_while_pods_need_it() {
    check(&but(|facts| facts.digest = Ok(None)), State::Live, "image", HopState::Stuck, "the registry has no");
    let mut facts = rolling(vec![troubled(Kind::Pull, 0)]);
    facts.digest = Ok(None);
    check(&facts, State::Stuck, "pods", HopState::Stuck, "the message");
}

#[test]
fn an_endpoint_with_another_version_is_not_live_yet() {
    let after = |seconds: i64| {
        but(|facts| {
            (facts.now, facts.serving.now) = (at(72 + seconds), at(72 + seconds));
            facts.serving.endpoint = Ok(Endpoint { address: "http://node:30800".into(), tag: OLD.into() });
        })
    };
    check(&after(9), State::Moving, "answering", HopState::Moving, "http://node:30800 answers sha-0000001");
    check(&after(10), State::Stuck, "answering", HopState::Stuck, "something else answers there");
}

#[test]
fn an_endpoint_that_does_not_answer_matters_only_when_it_was_given() {
    let silent = |given| {
        but(|facts| {
            facts.serving.endpoint = Err("connection refused".into());
            facts.serving.has_to_answer = given;
        })
    };
    check(&silent(false), State::Live, "answering", HopState::Unseen, "connection refused");
    check(&silent(true), State::Stuck, "answering", HopState::Stuck, "connection refused");
}

#[test]
fn what_cannot_be_seen_is_left_out_and_said() {
    let unseen = || "forbidden".to_owned();
    // Without git, the Deployment's own image is enough to know that the commit is live, and not enough for anything else.
    check(&but(|facts| facts.branch = Err(unseen())), State::Live, "pushed", HopState::Unseen, "forbidden");
    let other = but(|facts| {
        facts.branch = Err(unseen());
        facts.serving.rollout = Ok(Some(rollout(OLD, vec![pod("a"), pod("b")])));
    });
    check(&other, State::Unknown, "pods", HopState::Unseen, "the Deployment has");
    check(&but(|facts| facts.application = Err(unseen())), State::Live, "synced", HopState::Unseen, "forbidden");
    check(&but(|facts| facts.digest = Err(unseen())), State::Live, "image", HopState::Unseen, "forbidden");
    check(&but(|facts| facts.serving.rollout = Err(unseen())), State::Unknown, "pods", HopState::Unseen, "forbidden");
}
