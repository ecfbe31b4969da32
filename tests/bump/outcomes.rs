//! `bump-image`: bumped, current, superseded and held, one case at a time.

use crate::manifest::{MANIFEST, image, manifest_before_the_first_build, tag, with_hold, with_image, without_hold};
use crate::run::{bump, bump_in_a_clone, bump_with, expect};
use crate::world::World;

#[test]
fn a_new_image_becomes_one_commit_of_one_line_by_the_bot() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    expect(&bump_in_a_clone(&world, &commit), "bumped", &format!("Updated {MANIFEST} to {}", tag(&commit)));
    assert_eq!(world.deployed(), image(&commit));
    let written = world.git(&world.origin, ["log", "-1", "--format=%an <%ae>|%cn <%ce>|%P|%B", "--numstat", "master"]);
    let bot = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>";
    let message = format!("ci: update image to {}\n\nSource-Commit: {commit}", tag(&commit));
    assert_eq!(written, format!("{bot}|{bot}|{commit}|{message}\n\n\n1\t1\t{MANIFEST}"));
}

#[test]
fn an_image_that_is_already_named_is_not_written_again() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    bump_in_a_clone(&world, &commit);
    let before = world.tip();
    expect(&bump_in_a_clone(&world, &commit), "current", "nothing to write");
    assert_eq!(world.tip(), before);
}

#[test]
fn an_older_build_that_ends_late_never_replaces_a_newer_one() {
    let world = World::new();
    let older = world.push_code("fn main() { 1 }\n");
    let newer = world.push_code("fn main() { 2 }\n");
    expect(&bump_in_a_clone(&world, &newer), "bumped", "");
    expect(&bump_in_a_clone(&world, &older), "superseded", &format!("{} is deployed and newer", tag(&newer)));
    assert_eq!(world.deployed(), image(&newer));
}

#[test]
fn a_change_reverted_while_it_was_building_does_not_go_out() {
    let world = World::new();
    let good = world.push_code("good\n");
    bump_in_a_clone(&world, &good);
    let regretted = world.push_code("regretted\n");
    world.push_code("good\n");
    expect(&bump_in_a_clone(&world, &regretted), "superseded", "went back to since");
    assert_eq!(world.deployed(), image(&good));
}

#[test]
fn a_reverted_change_does_not_go_out_under_a_newer_one_either() {
    let world = World::new();
    let good = world.push_code("good\n");
    bump_in_a_clone(&world, &good);
    let regretted = world.push_code("regretted\n");
    world.push_code("good\n");
    let better = world.push_code("better\n");
    expect(&bump_in_a_clone(&world, &regretted), "superseded", "went back to since");
    expect(&bump_in_a_clone(&world, &better), "bumped", "");
}

#[test]
fn a_change_that_was_reverted_and_made_again_goes_out() {
    let world = World::new();
    let good = world.push_code("good\n");
    bump_in_a_clone(&world, &good);
    world.push_code("change\n");
    world.push_code("good\n");
    let again = world.push_code("change\n");
    expect(&bump_in_a_clone(&world, &again), "bumped", "");
}

#[test]
fn a_second_build_of_the_deployed_inputs_restarts_nothing() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    let document = world.push_document("# More\n");
    world.push_code("newer, and still building\n");
    bump_in_a_clone(&world, &commit);
    expect(&bump_in_a_clone(&world, &document), "superseded", "has the inputs that master had");
    assert_eq!(world.deployed(), image(&commit));
}

#[test]
fn a_commit_that_needed_no_image_is_not_bumped_since_none_was_built() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    bump_in_a_clone(&world, &commit);
    let document = world.push_document("# More\n");
    expect(&bump_in_a_clone(&world, &document), "unneeded", "No input of the image changed since");
    assert_eq!(world.deployed(), image(&commit));
}

#[test]
fn a_hold_stops_every_bump_and_says_how_to_lift_it() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    let held = world.push_manifest(|manifest| with_hold(manifest, "0123abc"));
    let report = bump_in_a_clone(&world, &commit);
    expect(&report, "held", "naming 0123abc as bad");
    expect(&report, "held", "To lift the hold, remove that annotation and push");
    assert_eq!(world.tip(), held, "nothing is pushed");
}

#[test]
fn after_a_rollback_with_a_hold_the_bad_image_stays_out_and_lifting_it_lets_the_next_one_in() {
    let world = World::new();
    let good = world.push_code("good\n");
    bump_in_a_clone(&world, &good);
    let bad = world.push_code("bad\n");
    bump_in_a_clone(&world, &bad);
    world.push_manifest(|manifest| with_hold(&with_image(manifest, &image(&good)), &bad[..7]));
    expect(&bump_in_a_clone(&world, &bad), "held", &bad[..7]);
    let mended = world.push_code("mended\n");
    expect(&bump_in_a_clone(&world, &mended), "held", "");
    assert_eq!(world.deployed(), image(&good));

    let lifted = world.push_manifest(without_hold);
    expect(&bump_in_a_clone(&world, &lifted), "bumped", "");
    expect(&bump_in_a_clone(&world, &bad), "superseded", "newer");
    expect(&bump_in_a_clone(&world, &mended), "superseded", "newer");
}

#[test]
fn a_commit_that_a_forced_push_removed_is_not_deployed_and_its_successor_is() {
    let world = World::new();
    let kept = world.tip();
    let removed = world.push_code("removed\n");
    bump_in_a_clone(&world, &removed);
    let clone = world.clone_to("clone");
    world.git(&world.origin, ["update-ref", "refs/heads/master", &kept]);
    world.push_image(&removed);
    let successor = world.push_code("instead\n");
    let slow = world.push_code("later\n");
    world.git(&world.origin, ["update-ref", "refs/heads/master", &successor]);

    expect(&bump(&world, &clone, &slow), "superseded", "history was rewritten");
    expect(&bump(&world, &clone, &successor), "bumped", "");
    assert_eq!(world.deployed(), image(&successor));
}

#[test]
fn a_fork_replaces_the_image_it_inherited_even_without_a_change_of_code() {
    let world = World::new();
    let inherited = world.push_code("fn main() { }\n");
    bump_in_a_clone(&world, &inherited);
    let own = world.push_document("# A fork\n");
    let image = format!("ghcr.io/someone/argo-rust:{}", tag(&own));
    expect(&bump_with(&world, &world.clone_to("fork"), &image, &own, &[]), "bumped", "");
    assert_eq!(world.deployed(), image);
}

#[test]
fn a_commit_is_older_when_any_commit_that_the_tag_may_stand_for_is_newer() {
    // Commits 717 and 745 of this chain share their first seven digits; the search for such a chain took a second.
    let world = World::empty();
    let link =
        "commit refs/heads/master\ncommitter A Person <person@example.org> 1790000000 +0000\ndata 10\nchain 189\n\n";
    let made = world.git_with_input(&world.origin, ["fast-import", "--quiet"], &link.repeat(746));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    world.push(&[(MANIFEST, Some(&manifest_before_the_first_build()))]);
    let history = world.git(&world.origin, ["rev-list", "--reverse", "master"]);
    let history: Vec<&str> = history.lines().collect();
    assert_eq!(tag(history[717]), tag(history[745]), "the chain no longer has its collision");

    world.push_image(history[745]);
    expect(&bump_in_a_clone(&world, history[716]), "superseded", "newer");
    expect(&bump_in_a_clone(&world, history[730]), "superseded", "newer");
    let newer = world.push_document("# The inputs are the same, but which commit is deployed is uncertain\n");
    expect(&bump_in_a_clone(&world, &newer), "bumped", "");
}
