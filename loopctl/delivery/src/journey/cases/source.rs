//! Up to the bump: what git, the registry and the workflow say.

use super::*;

#[test]
fn a_commit_that_the_branch_has_not_got_is_not_pushed() {
    let facts = branch(|branch| branch.source = None);
    check(&facts, State::NotPushed, Name::Pushed, HopState::Waiting, "push it");
}

#[test]
fn a_commit_that_a_merge_brought_in_is_built_as_that_merge() {
    let facts = branch(|branch| branch.source = Some(commit('3', "Merge", 1)));
    let answer = decide(&facts);
    assert_eq!(answer.merged_by, Some("3".repeat(40)));
    check(&facts, State::Stuck, Name::Pods, HopState::Stuck, "the Deployment has");
}

#[test]
fn a_commit_whose_workflow_runs_is_on_its_way() {
    let run = |state| Ok(Some(Run { state, look: "the run".into() }));
    let check_run = |state, expected, hop_state, words| {
        check(&waiting(|facts| facts.run = run(state)), expected, Name::Built, hop_state, words);
    };
    check_run(RunState::Running, State::Moving, HopState::Moving, "the workflow runs: the run");
    check_run(RunState::Failed, State::Failed, HopState::Failed, "see the run");
    check_run(RunState::Succeeded, State::Stuck, HopState::Stuck, "without writing the tag");
}

#[test]
fn a_workflow_that_cannot_be_seen_is_not_guessed_at() {
    let facts = waiting(|facts| facts.run = Err("no gh".into()));
    check(&facts, State::Moving, Name::Built, HopState::Moving, "could not be seen: no gh");
}

#[test]
fn a_commit_behind_the_tip_without_a_run_goes_with_a_newer_one() {
    let facts = waiting(|facts| facts.branch.as_mut().expect("seen").tip = "9".repeat(40));
    check(&facts, State::Moving, Name::Built, HopState::Moving, "together with a newer commit");
    check(&waiting(|_| ()), State::Moving, Name::Built, HopState::Moving, "no run of the workflow yet");
}

#[test]
fn an_image_that_is_there_waits_for_its_bump() {
    let facts = waiting(|facts| {
        facts.digest = Ok(Some("sha256:abc".into()));
        facts.run = Ok(Some(Run { state: RunState::Running, look: "the run".into() }));
    });
    check(&facts, State::Moving, Name::Bump, HopState::Moving, "the workflow runs");
    check(&facts, State::Moving, Name::Built, HopState::Done, "");
}

#[test]
fn a_hold_keeps_a_commit_whose_tag_was_never_written() {
    let facts = waiting(|facts| {
        facts.branch.as_mut().expect("seen").hold = hold("b920bd3");
    });
    check(&facts, State::Held, Name::Bump, HopState::Stuck, "naming b920bd3 as bad");
}

#[test]
fn a_rollback_without_a_hold_is_a_failure_that_names_its_commit() {
    let facts = branch(|branch| {
        let by = commit('4', "Back to what worked", 80);
        branch.newest = Newest { tag: OLD.into(), relation: Relation::Older, by: Some(by) };
    });
    check(&facts, State::Failed, Name::Bump, HopState::Failed, "4444444 (Back to what worked) put sha-0000001");
}

#[test]
fn a_rollback_with_a_hold_is_held() {
    let facts = branch(|branch| {
        branch.newest = Newest { tag: OLD.into(), relation: Relation::Older, by: Some(commit('4', "Back", 80)) };
        branch.hold = hold("1111111");
    });
    check(&facts, State::Held, Name::Bump, HopState::Stuck, "`cargo loopctl resume` lifts it");
}

#[test]
fn a_hold_does_not_matter_to_a_commit_that_is_deployed() {
    let facts = branch(|branch| branch.hold = hold("other"));
    check(&facts, State::Live, Name::Bump, HopState::Done, "live on 2 of 2 pods");
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
        let answer = check(&facts, State::Superseded, Name::Bump, expected, "by 5555555 (Greet better)");
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
        facts.rollout = Ok(Some(rollout("sha-5555555", pods)));
        facts
    };
    check(&newer(true), State::Superseded, Name::Pods, HopState::Skipped, "which is live");
    check(&newer(false), State::Superseded, Name::Pods, HopState::Skipped, "which is being rolled out");
}

#[test]
fn a_change_that_was_taken_back_before_its_bump_is_superseded_by_the_revert() {
    let facts = waiting(|facts| {
        facts.branch.as_mut().expect("seen").taken_back_by = Some(commit('6', "Revert", 50));
    });
    check(&facts, State::Superseded, Name::Bump, HopState::Skipped, "6666666 (Revert) took its change back");
}

#[test]
fn a_commit_without_a_changed_input_is_live_once_a_sync_has_it() {
    let facts = |synced: bool| {
        but(|facts| {
            facts.branch.as_mut().expect("seen").build = Build::NotNeeded(OLD.into());
            facts.rollout = Ok(Some(rollout(OLD, vec![pod("a"), pod("b")])));
            facts.endpoint = Ok(Endpoint { address: "http://node:30800".into(), tag: OLD.into() });
            if !synced {
                facts.containing.clear();
            }
        })
    };
    check(&facts(true), State::Live, Name::Built, HopState::Skipped, "no input of the image changed since sha-0000001");
    check(&facts(false), State::Moving, Name::Seen, HopState::Moving, "still at revision");
}
