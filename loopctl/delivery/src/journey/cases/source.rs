//! Up to the bump: what git, the registry and the workflow say.

use super::*;

#[test]
fn a_commit_that_the_branch_has_not_got_is_not_pushed() {
    let facts = branch(|branch| branch.source = None);
    check(&facts, State::NotPushed, "pushed", HopState::Waiting, "push it");
}

#[test]
fn a_commit_that_a_merge_brought_in_is_built_as_that_merge() {
    let facts = branch(|branch| branch.source = Some(commit('3', "Merge", 1)));
    let answer = decide(&facts);
    assert_eq!(answer.merged_by, Some("3".repeat(40)));
    check(&facts, State::Stuck, "pods", HopState::Stuck, "the Deployment has");
}

#[test]
fn a_commit_whose_workflow_runs_is_on_its_way() {
    let run = |state| Ok(Some(Run { state, look: "the run".into(), built: None }));
    let check_run = |state, expected, hop_state, words| {
        check(&waiting(|facts| facts.run = run(state)), expected, "built", hop_state, words);
    };
    check_run(RunState::Running, State::Moving, HopState::Moving, "the workflow runs: the run");
    check_run(RunState::Failed, State::Failed, HopState::Failed, "see the run");
    check_run(RunState::Succeeded, State::Stuck, HopState::Stuck, "without writing the tag");
}

#[test]
fn a_workflow_that_cannot_be_seen_is_not_guessed_at() {
    let facts = waiting(|facts| facts.run = Err("no gh".into()));
    check(&facts, State::Moving, "built", HopState::Moving, "could not be seen: no gh");
}

#[test]
fn a_commit_behind_the_tip_without_a_run_goes_with_a_newer_one() {
    let facts = waiting(|facts| facts.branch.as_mut().expect("seen").tip = "9".repeat(40));
    check(&facts, State::Moving, "built", HopState::Moving, "together with a newer commit");
    check(&waiting(|_| ()), State::Moving, "built", HopState::Moving, "no run of the workflow yet");
}

#[test]
fn an_image_that_is_there_waits_for_its_bump() {
    let facts = waiting(|facts| {
        facts.digest = Ok(Some("sha256:abc".into()));
        facts.run = Ok(Some(Run { state: RunState::Running, look: "the run".into(), built: None }));
    });
    check(&facts, State::Moving, "bump", HopState::Moving, "the workflow runs");
    check(&facts, State::Moving, "built", HopState::Done, "");
}

#[test]
fn a_hold_keeps_a_commit_whose_tag_was_never_written() {
    let facts = waiting(|facts| {
        facts.branch.as_mut().expect("seen").hold = hold("b920bd3");
    });
    check(&facts, State::Held, "bump", HopState::Stuck, "naming b920bd3 as bad");
}

#[test]
fn a_rollback_without_a_hold_is_a_failure_that_names_its_commit() {
    let facts = branch(|branch| {
        let by = commit('4', "Back to what worked", 80);
        branch.newest = Newest { tag: OLD.into(), relation: Relation::Older, by: Some(by) };
    });
    check(&facts, State::Failed, "bump", HopState::Failed, "4444444 (Back to what worked) put sha-0000001");
}

#[test]
fn a_rollback_with_a_hold_is_held() {
    let facts = branch(|branch| {
        branch.newest = Newest { tag: OLD.into(), relation: Relation::Older, by: Some(commit('4', "Back", 80)) };
        branch.hold = hold("1111111");
    });
    check(&facts, State::Held, "bump", HopState::Stuck, "`cargo loopctl resume` lifts it");
}

#[test]
fn a_hold_does_not_matter_to_a_commit_that_is_deployed() {
    let facts = branch(|branch| branch.hold = hold("other"));
    check(&facts, State::Live, "bump", HopState::Done, "live on 2 of 2 pods");
}

#[test]
fn a_newer_tag_supersedes_whether_or_not_the_commit_was_ever_bumped() {
    let newer = commit('5', "Greet better", 90);
    for bumped in [true, false] {
        let facts = branch(|branch| {
            branch.newest = Newest { tag: "sha-5555555".into(), relation: Relation::Newer(newer.clone()), by: None };
            branch.bump = branch.bump.take().filter(|_| bumped);
        });
        let expected = if bumped { HopState::Done } else { HopState::Skipped };
        let answer = check(&facts, State::Superseded, "bump", expected, "by 5555555 (Greet better)");
        assert_eq!(answer.superseded_by.map(|by| by.commit), Some("5".repeat(40)));
    }
}

#[test]
fn what_supersedes_is_called_live_only_when_all_pods_run_it() {
    let newer = |ready| {
        let mut facts = branch(|branch| {
            let relation = Relation::Newer(commit('5', "Greet better", 90));
            branch.newest = Newest { tag: "sha-5555555".into(), relation, by: None };
        });
        let pods = if ready { vec![pod("a"), pod("b")] } else { vec![pod("a")] };
        facts.serving.rollout = Ok(Some(rollout("sha-5555555", pods)));
        facts.serving.endpoint = Err("connection refused".into());
        facts
    };
    let mut unserved = newer(true);
    unserved.serving.offered = Ok(None);
    check(&unserved, State::Superseded, "pods", HopState::Skipped, "which is being rolled out");
    check(&newer(true), State::Superseded, "pods", HopState::Skipped, "which is live");
    check(&newer(false), State::Superseded, "pods", HopState::Skipped, "which is being rolled out");
}

#[test]
fn a_change_that_was_taken_back_before_its_bump_is_superseded_by_the_revert() {
    let facts = waiting(|facts| {
        facts.branch.as_mut().expect("seen").taken_back_by = Some(commit('6', "Revert", 50));
    });
    check(&facts, State::Superseded, "bump", HopState::Skipped, "6666666 (Revert) took its change back");
}

#[test]
fn a_commit_without_a_changed_input_is_live_once_a_sync_has_it() {
    let facts = |synced: bool| {
        but(|facts| {
            facts.branch.as_mut().expect("seen").build = Build::NotNeeded(OLD.into());
            facts.serving.rollout = Ok(Some(rollout(OLD, vec![pod("a"), pod("b")])));
            facts.serving.endpoint = Ok(Endpoint { address: "http://node:30800".into(), tag: OLD.into() });
            if !synced {
                facts.containing.clear();
            }
        })
    };
    check(&facts(true), State::Live, "built", HopState::Skipped, "no input of the image changed since sha-0000001");
    check(&facts(false), State::Moving, "seen", HopState::Moving, "still at revision");
}

#[test]
fn a_change_that_the_branch_has_by_a_squash_is_asked_about_under_its_new_name() {
    let facts = branch(|branch| {
        branch.source = None;
        branch.taken_over_as = Some(commit('7', "Greet (#3)", 40));
    });
    let words = "its change is in master as 7777777 (Greet (#3)): ask about that one";
    let answer = check(&facts, State::Superseded, "pushed", HopState::Skipped, words);
    assert_eq!(answer.superseded_by.map(|by| by.commit), Some("7".repeat(40)));
}

#[test]
fn a_message_that_keeps_runs_away_is_the_reason_why_none_comes() {
    let skipping = |run| {
        waiting(|facts| {
            facts.branch.as_mut().expect("seen").skips_runs = Some("[skip ci]".into());
            facts.run = run;
        })
    };
    check(&skipping(Ok(None)), State::Stuck, "built", HopState::Stuck, "no run of the workflow will come");
    check(&skipping(Err("no gh".into())), State::Stuck, "built", HopState::Stuck, "its message says [skip ci]");
    // Somebody has started one by hand.
    let run = Ok(Some(Run { state: RunState::Running, look: "the run".into(), built: None }));
    check(&skipping(run), State::Moving, "built", HopState::Moving, "the workflow runs");
}

#[test]
fn while_a_commit_waits_for_its_image_what_is_in_the_way_of_the_pods_is_told() {
    let facts = waiting(|facts| {
        facts.serving.rollout = Ok(Some(rollout("sha-abcdef0", vec![pod("a"), troubled(Kind::Pull, 0)])));
    });
    let answer = check(&facts, State::Moving, "pods", HopState::Waiting, "Reason in pod bad: the message");
    assert!(answer.hops[6].detail.starts_with("meanwhile 1 of 2 pods of "), "{}", answer.hops[6].detail);
}

#[test]
fn a_manifest_that_is_gone_or_broken_leaves_the_cluster_to_be_looked_at() {
    let facts = but(|facts| {
        facts.branch = Err("branch master has no k8s/deployment.yaml".into());
        facts.serving.rollout = Ok(None);
    });
    check(&facts, State::Stuck, "pods", HopState::Stuck, "there is no Deployment");
    let broken = but(|facts| {
        facts.branch = Err("k8s/deployment.yaml, line 4: a tab".into());
        facts.serving.rollout = Ok(Some(rollout(OLD, vec![pod("a"), pod("b")])));
        let status = &mut facts.application.as_mut().expect("seen").as_mut().expect("there").status;
        let message = "error converting YAML".into();
        status.conditions = vec![Condition { kind: "ComparisonError".into(), message, ..Condition::default() }];
    });
    check(&broken, State::Unknown, "seen", HopState::Unseen, "ComparisonError: error converting YAML");
}
