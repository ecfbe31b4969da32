//! Each sentence that README says about the loop, proven on a loop of its own.
//!
//! `make e2e` runs all of them, `make e2e PROOF=pull_secret` those whose name contains it.

mod adopt;
mod bad_releases;
mod board;
mod board_alone;
mod connections;
mod detection;
mod doctor;
mod drain;
mod hops;
mod image;
mod lifecycle;
mod new;
mod on_call;
mod ownership;
mod pull_secret;
mod pushes;
mod release;
mod restarts;
mod rights;
mod rollout_under_load;
mod speed;
mod steer;
mod table;
mod take_turns;
mod tofu;
mod walk;
mod where_is_it;

use std::process::ExitCode;

use anyhow::Result;
use e2e::Loop;
use e2e::report::Report;

/// A proof changes the loop and leaves it as it found it.
pub struct Proof {
    pub name: &'static str,
    pub run: fn(&Loop, &mut Report) -> Result<()>,
}

/// The proof's function is its name, so that it is found by searching for what the table says.
macro_rules! proofs {
    ($($file:ident :: $name:ident),* $(,)?) => {
        &[$(Proof { name: stringify!($name), run: $file::$name }),*]
    };
}

/// In the order in which they run: the first ones leave images behind that the later ones use.
const PROOFS: &[Proof] = proofs![
    walk::whatever_the_documents_ask_for_works_as_it_is_written,
    pushes::overlapping_pushes_and_an_older_build_that_ends_late_end_on_the_newest_commit,
    pushes::a_push_of_documents_alone_restarts_nothing,
    steer::a_rollback_stays_through_the_next_push,
    ownership::an_image_bump_keeps_the_sizing_that_was_set_outside_git,
    tofu::either_tool_may_come_first_and_both_agree_afterwards,
    ownership::a_manual_edit_is_reverted,
    ownership::a_file_removed_from_git_is_pruned_but_never_namespace_or_service,
    rights::the_project_refuses_other_kinds_namespaces_and_repositories,
    rights::the_sync_account_can_write_nothing_else,
    image::a_change_of_the_source_compiles_no_dependency_again,
    image::a_node_pulls_only_what_a_change_of_the_source_has_changed,
    image::the_image_runs_without_root_on_a_read_only_root,
    connections::as_many_connections_as_are_allowed_leave_the_pod_answering,
    bad_releases::a_bad_release_leaves_the_old_pods_serving_and_the_next_good_commit_goes_live,
    where_is_it::where_and_wait_tell_a_good_a_superseded_a_stuck_and_a_failed_deploy,
    steer::a_crashing_image_is_rolled_back_by_guard_once_and_with_the_pods_reason,
    on_call::whatever_is_in_a_commits_way_is_named_with_what_mends_it,
    doctor::doctor_finds_each_of_ten_planted_faults_and_none_on_a_healthy_loop,
    pull_secret::pods_wait_without_the_pull_secret_and_start_once_it_is_made,
    adopt::a_pull_secret_made_by_command_lets_waiting_pods_start,
    adopt::a_service_added_by_command_comes_up_with_one_apply,
    adopt::a_service_added_for_git_is_delivered_and_removed_again,
    new::a_new_repository_passes_its_tests_and_says_what_is_no_longer_the_templates,
    board::a_push_goes_through_all_hops_before_the_eyes_of_whoever_looks,
    board_alone::the_board_runs_as_it_is_typed_and_with_the_account_that_it_prints,
    detection::a_forced_sync_detects_a_commit_within_three_seconds,
    speed::polling_detects_a_bump_within_two_intervals_and_it_is_live_within_fifteen_seconds_in_the_median,
    rollout_under_load::rollouts_under_load_fail_no_request,
    lifecycle::up_while_it_is_up_says_so_and_restarts_nothing,
    restarts::each_part_is_killed_under_load_and_the_loop_heals,
    drain::a_kubelet_that_is_killed_while_a_pod_drains_loses_no_request,
    new::a_new_repository_is_delivered_by_a_loop_of_its_own,
    release::a_tag_makes_a_release_of_both_programs_with_checksums_and_notes,
];

fn main() -> ExitCode {
    take_turns::run(PROOFS)
}
