//! Several services in one repository: each has an image and a manifest of its own, and one commit bumps them all.

use crate::manifest::{HOLD, IMAGE, MANIFEST, image, manifest_before_the_first_build, tag};
use crate::run::{Report, bump_in_a_clone, expect, image_changed_of};
use crate::world::World;

const OF_LEDGER: &str = "k8s/ledger/deployment.yaml";
const LEDGER: &str = "services/ledger/src/main.rs";

/// Our own service and another one, both before their first build.
fn two_services() -> World {
    let world = World::new();
    world.push(&[
        (OF_LEDGER, Some(&ledgers_manifest())),
        ("services/ledger/Dockerfile", Some("FROM scratch\n")),
        (LEDGER, Some("fn main() {}\n")),
    ]);
    world
}

fn ledgers_manifest() -> String {
    manifest_before_the_first_build().replace(IMAGE, &format!("{IMAGE}/ledger")).replace("argo-rust:", "ledger:")
}

/// What master's manifests name: our own service's image, then the ledger's.
fn deployed(world: &World) -> [String; 2] {
    [MANIFEST, OF_LEDGER].map(|file| {
        let text = world.git(&world.origin, ["show", &format!("refs/heads/master:{file}")]);
        let image = text.lines().find_map(|line| line.trim_start().strip_prefix("image: "));
        image.expect("it names an image").to_owned()
    })
}

fn ledgers(commit: &str) -> String {
    format!("{IMAGE}/ledger:{}", tag(commit))
}

/// Both are delivered by the first commit that has them.
fn both_delivered() -> (World, String) {
    let world = two_services();
    let first = world.tip();
    expect(&bump_in_a_clone(&world, &first), "bumped", "");
    (world, first)
}

fn needs_image(world: &World, folder: &str) -> Report {
    let clone = world.clone_to("asked");
    let report = image_changed_of(world, &clone, folder);
    std::fs::remove_dir_all(clone).unwrap();
    report
}

#[test]
fn all_images_of_a_push_are_written_by_one_commit_a_line_each() {
    let (world, first) = both_delivered();
    assert_eq!(deployed(&world), [image(&first), ledgers(&first)]);
    assert_eq!(world.git(&world.origin, ["rev-list", "--count", &format!("{first}..master")]), "1");
    let edited = world.git(&world.origin, ["diff-tree", "--numstat", &first, "master"]);
    assert_eq!(edited, format!("1\t1\t{MANIFEST}\n1\t1\t{OF_LEDGER}"));
    let message = world.git(&world.origin, ["log", "-1", "--format=%B", "master"]);
    assert_eq!(message, format!("ci: update image to {}\n\nSource-Commit: {first}", tag(&first)));
}

#[test]
fn a_push_that_changes_one_service_bumps_that_one_alone() {
    let (world, first) = both_delivered();
    let ledger = world.push(&[(LEDGER, Some("fn main() { 2 }\n"))]);
    assert_eq!(needs_image(&world, ".").output, format!("changed=false\nimage={IMAGE}"));
    assert_eq!(needs_image(&world, "services/ledger").output, format!("changed=true\nimage={IMAGE}/ledger"));
    let report = bump_in_a_clone(&world, &ledger);
    expect(&report, "bumped", &format!("Updated {OF_LEDGER} to {}", tag(&ledger)));
    assert!(report.summary.contains("No input of the image changed since"), "{}", report.summary);
    assert_eq!(deployed(&world), [image(&first), ledgers(&ledger)]);

    let own = world.push_code("fn main() { 3 }\n");
    expect(&bump_in_a_clone(&world, &own), "bumped", &format!("Updated {MANIFEST} to {}", tag(&own)));
    assert_eq!(deployed(&world), [image(&own), ledgers(&ledger)]);
}

#[test]
fn pushes_that_end_in_any_order_leave_each_service_with_its_newest_image() {
    let (world, _) = both_delivered();
    let ledger = world.push(&[(LEDGER, Some("fn main() { 2 }\n"))]);
    let both = world.push(&[(LEDGER, Some("fn main() { 3 }\n")), ("src/main.rs", Some("fn main() { 3 }\n"))]);
    bump_in_a_clone(&world, &both);
    expect(&bump_in_a_clone(&world, &ledger), "superseded", OF_LEDGER);
    assert_eq!(deployed(&world), [image(&both), ledgers(&both)]);

    // What is not deployed yet is built by every later push, whatever it changes.
    let ledger = world.push(&[(LEDGER, Some("fn main() { 4 }\n"))]);
    let own = world.push_code("fn main() { 5 }\n");
    bump_in_a_clone(&world, &own);
    expect(&bump_in_a_clone(&world, &ledger), "superseded", OF_LEDGER);
    assert_eq!(deployed(&world), [image(&own), ledgers(&own)]);
}

#[test]
fn a_hold_on_one_service_leaves_the_others_going() {
    let (world, first) = both_delivered();
    let held = ledgers_manifest()
        .replace("\nspec:", &format!("\n  annotations:\n    {HOLD}: \"0123abc\"\nspec:"))
        .replace("sha-0000000", &tag(&first));
    world.push(&[(OF_LEDGER, Some(&held))]);
    let both = world.push(&[(LEDGER, Some("fn main() { 2 }\n")), ("src/main.rs", Some("fn main() { 2 }\n"))]);
    let report = bump_in_a_clone(&world, &both);
    expect(&report, "bumped", &format!("Held: {OF_LEDGER} carries the annotation {HOLD}"));
    assert_eq!(deployed(&world), [image(&both), ledgers(&first)]);
}

#[test]
fn a_service_that_came_after_a_commit_or_has_gone_since_is_none_of_its_bump() {
    let world = World::new();
    let before = world.push_code("fn main() { 1 }\n");
    world.push(&[
        (OF_LEDGER, Some(&ledgers_manifest())),
        ("services/ledger/Dockerfile", Some("FROM scratch\n")),
        (LEDGER, Some("fn main() {}\n")),
    ]);
    expect(&bump_in_a_clone(&world, &before), "bumped", MANIFEST);
    assert_eq!(deployed(&world), [image(&before), ledgers("0000000")]);

    let with_it = world.push(&[(LEDGER, Some("fn main() { 2 }\n")), ("src/main.rs", Some("fn main() { 2 }\n"))]);
    world.push(&[(OF_LEDGER, None)]);
    expect(&bump_in_a_clone(&world, &with_it), "bumped", MANIFEST);
    assert_eq!(needs_image(&world, "services/ledger").code, 1);
}
