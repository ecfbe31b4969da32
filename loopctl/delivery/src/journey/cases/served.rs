//! Pods that run serve nobody as long as no Service leads to them.

use super::*;

/// The live commit, whose endpoint is out of reach from here, with another Service.
fn with_service(change: impl FnOnce(&mut Offered)) -> Facts {
    but(|facts| {
        let mut service = offered(&["a", "b"]);
        change(&mut service);
        facts.serving.offered = Ok(Some(service));
        facts.serving.endpoint = Err("connection refused".into());
    })
}

fn stuck(facts: &Facts, words: &str) {
    check(facts, State::Stuck, "answering", HopState::Stuck, words);
}

#[test]
fn a_selector_that_finds_no_pod_is_never_live() {
    let facts = with_service(|service| {
        service.selector = [("app".to_owned(), "another".to_owned())].into();
        service.pods.clear();
    });
    let answer = check(&facts, State::Stuck, "answering", HopState::Stuck, "the Service selects no ready pod");
    assert_eq!(
        answer.summary,
        "1111111 is stuck; answering: the Service selects no ready pod: its selector is app=another, \
         and the pods have argo-rust: mend k8s/service.yaml"
    );
}

#[test]
fn a_selector_may_name_a_label_that_no_pod_has_or_nothing() {
    let facts = with_service(|service| {
        service.selector.insert("tier".to_owned(), "web".to_owned());
        service.pods.clear();
    });
    stuck(&facts, "tier=web, and the pods have no such label");
    let facts = with_service(|service| {
        service.selector.clear();
        service.pods.clear();
    });
    stuck(&facts, "has no selector");
}

#[test]
fn a_service_that_is_gone_or_leads_to_others_serves_none_of_the_new_pods() {
    let facts = but(|facts| facts.serving.offered = Ok(None));
    stuck(&facts, "there is no Service: nobody can be served");
    let facts = with_service(|service| service.pods = vec!["of-another".into()]);
    stuck(&facts, "leads to of-another and to no new pod");
}

#[test]
fn endpoints_may_follow_the_pods_for_a_moment_and_not_for_longer() {
    let after = |seconds: i64| {
        let mut facts = with_service(|service| service.pods.clear());
        (facts.now, facts.serving.now) = (at(72 + seconds), at(72 + seconds));
        facts
    };
    check(&after(9), State::Moving, "answering", HopState::Moving, "no ready endpoint yet");
    stuck(&after(10), "is kube-controller-manager running?");
}

#[test]
fn a_port_that_the_pods_have_not_got_leads_nowhere() {
    stuck(&with_service(|service| service.ports.clear()), "mend its targetPort");
    stuck(&with_service(|service| service.ports = vec![9999]), "leads to port 9999, and the pods listen at 8080");
    // Declaring a port is a courtesy: who gets an answer needs none.
    let mut facts = with_service(|service| service.ports = vec![9999]);
    facts.serving.endpoint = Ok(Endpoint { address: "http://node:30800".into(), tag: OWN.into() });
    check(&facts, State::Live, "answering", HopState::Done, "answers");
}

#[test]
fn out_of_reach_the_endpoints_decide_and_without_both_nobody_knows() {
    let seen = with_service(|_| ());
    check(&seen, State::Live, "answering", HopState::Unseen, "Service argo-rust leads to 2 of 2 ready pods");
    let neither = but(|facts| {
        facts.serving.offered = Err("endpointslices is forbidden".into());
        facts.serving.endpoint = Err("connection refused".into());
    });
    let answer = check(&neither, State::Unknown, "answering", HopState::Unseen, "endpointslices is forbidden");
    assert_eq!(answer.summary, "cannot tell where 1111111 is: could not see answering");
    let answered = but(|facts| facts.serving.offered = Err("endpointslices is forbidden".into()));
    check(&answered, State::Live, "answering", HopState::Done, "answers sha-1111111");
}

#[test]
fn one_of_several_pods_behind_the_service_is_enough_to_be_served() {
    check(
        &with_service(|service| service.pods.truncate(1)),
        State::Live,
        "answering",
        HopState::Unseen,
        "1 of 2 ready pods",
    );
}

#[test]
fn nothing_is_guessed_from_whoever_answers_while_the_pods_cannot_be_seen() {
    let unseen = |tag: &str| {
        but(|facts| {
            facts.serving.rollout = Err("Unauthorized".into());
            facts.serving.endpoint = Ok(Endpoint { address: "http://node:30800".into(), tag: tag.into() });
            facts.serving.has_to_answer = true;
        })
    };
    check(&unseen(OLD), State::Unknown, "answering", HopState::Unseen, "answers sha-0000001");
    check(&unseen(OWN), State::Unknown, "pods", HopState::Unseen, "Unauthorized");
}

#[test]
fn what_may_not_be_read_is_unknown_and_never_stuck() {
    let blind = but(|facts| {
        facts.application = Err("Unauthorized".into());
        facts.serving.rollout = Err("Unauthorized".into());
        facts.serving.offered = Err("Unauthorized".into());
        facts.serving.endpoint = Err("refused".into());
        facts.serving.has_to_answer = true;
        facts.digest = Ok(None);
    });
    check(&blind, State::Unknown, "pods", HopState::Unseen, "Unauthorized");
    let without_git = but(|facts| {
        facts.branch = Err("cannot read the repository".into());
        facts.serving.rollout = Err("Unauthorized".into());
        facts.digest = Ok(None);
    });
    check(&without_git, State::Unknown, "image", HopState::Unseen, "which the commit may not need");
}

#[test]
fn an_image_is_live_when_every_pod_runs_it_and_somebody_is_led_to_them() {
    let check = |facts: &Facts, tag: &str, missing: Option<&str>| match (
        facts.serving.live(&format!("{IMAGE}:{tag}")),
        missing,
    ) {
        (Ok(()), None) => {}
        (Err(said), Some(words)) => assert!(said.contains(words), "{said}"),
        (found, _) => panic!("{missing:?}: {found:?}"),
    };
    check(&live(), OWN, None);
    check(&live(), OLD, Some("and git says ghcr.io/voloshko/argo-rust:sha-0000001"));
    check(&rolling(vec![pod("a"), troubled(Kind::Pull, 0)]), OWN, Some("pods: 1 of 2 pods"));
    check(&but(|facts| facts.serving.offered = Ok(None)), OWN, Some("answering: there is no Service"));
    check(&but(|facts| facts.serving.rollout = Ok(None)), OWN, Some("there is no Deployment"));
    check(&but(|facts| facts.serving.rollout = Err("forbidden".into())), OWN, Some("forbidden"));
}
