//! `image-changed`: which commits need an image of their own.

use std::fs;

use crate::manifest::{IMAGE, MANIFEST, tag, with_image};
use crate::run::{image_changed, image_changed_for};
use crate::world::World;

/// A repository whose newest commit is deployed, so that nothing needs a build.
fn delivered() -> (World, String) {
    let world = World::new();
    let deployed = world.tip();
    world.push_manifest(|manifest| with_image(manifest, &format!("{IMAGE}:{}", tag(&deployed))));
    (world, deployed)
}

#[track_caller]
fn check(world: &World, expected: &str) -> String {
    let clone = world.clone_to("clone");
    let report = image_changed(world, &clone);
    fs::remove_dir_all(clone).unwrap();
    assert_eq!((report.code, report.output), (0, format!("{expected}\nimage={IMAGE}")), "{}", report.printed);
    assert_eq!(report.summary, report.printed, "the page of the run says what the log says");
    report.summary
}

#[test]
fn a_document_or_a_test_changes_no_image_and_the_summary_says_so() {
    let (world, deployed) = delivered();
    world.push(&[("README.md", Some("# More\n")), ("tests/api/main.rs", Some("\n")), ("srcs/x", Some("\n"))]);
    let expected =
        format!("No input of the image changed since {}: nothing is built, nothing restarts.", tag(&deployed));
    assert_eq!(check(&world, "changed=false"), expected);
}

#[test]
fn each_file_that_the_build_reads_changes_the_image() {
    for (path, content) in [
        ("Dockerfile", Some("FROM other\n")),
        (".dockerignore", Some("*\n")),
        ("Cargo.toml", Some("[package]\nname = \"other\"\n")),
        ("Cargo.lock", Some("version = 5\n")),
        ("src/main.rs", Some("fn main() { }\n")),
        ("src/deep/below.rs", Some("\n")),
        ("src/main.rs", None),
        ("Dockerfile", None),
    ] {
        let (world, deployed) = delivered();
        world.push(&[(path, content)]);
        let input = path.split('/').next().unwrap();
        let expected = format!("Changed since {}: {input}. An image is needed.", tag(&deployed));
        assert_eq!(check(&world, "changed=true"), expected);
    }
}

#[test]
fn a_build_that_failed_is_made_up_for_by_the_next_push_whatever_it_touches() {
    let (world, _) = delivered();
    world.push(&[("src/main.rs", Some("fn main() { todo }\n"))]);
    world.push(&[("README.md", Some("# More\n"))]);
    check(&world, "changed=true");
}

#[test]
fn a_change_and_its_revert_need_no_image() {
    let (world, _) = delivered();
    let before = world.git(&world.origin, ["show", "refs/heads/master:src/main.rs"]) + "\n";
    world.push(&[("src/main.rs", Some("fn main() { }\n"))]);
    world.push(&[("src/main.rs", Some(&before))]);
    check(&world, "changed=false");
}

#[test]
fn the_commit_of_a_bump_needs_no_image_so_it_can_start_no_loop() {
    let (world, _) = delivered();
    check(&world, "changed=false");
}

#[test]
fn a_tag_that_stands_for_no_commit_of_this_history_asks_for_an_image() {
    let world = World::new();
    let summary = check(&world, "changed=true");
    assert_eq!(summary, "sha-0000000 stands for 0 commits of this history, not one: an image is needed.");
}

#[test]
fn a_fork_needs_an_image_of_its_own_though_its_inputs_are_those_deployed() {
    let (world, _) = delivered();
    let clone = world.clone_to("clone");
    let report = image_changed_for(&world, &clone, "ghcr.io/someone/argo-rust");
    assert_eq!(report.output, "changed=true\nimage=ghcr.io/someone/argo-rust", "{}", report.printed);
    assert!(report.summary.contains("this repository builds ghcr.io/someone/argo-rust"), "{}", report.summary);
}

#[test]
fn a_shallow_clone_is_refused_with_the_remedy() {
    let (world, _) = delivered();
    let origin = format!("file://{}", world.origin.display());
    world.git(world.root.path(), ["clone", "--quiet", "--depth=1", &origin, "shallow"]);
    let report = image_changed(&world, &world.root.path().join("shallow"));
    assert_eq!((report.code, report.output.as_str()), (1, ""));
    assert!(report.printed.contains("git fetch --unshallow"), "{}", report.printed);
}

#[test]
fn a_manifest_without_the_image_line_is_an_error_not_a_decision() {
    let (world, _) = delivered();
    world.push_manifest(|manifest| with_image(manifest, "ghcr.io/voloshko/argo-rust:latest"));
    let report = image_changed(&world, &world.clone_to("clone"));
    assert_eq!((report.code, report.output.as_str()), (1, ""));
    assert!(report.printed.contains(MANIFEST) && report.printed.contains("argo-rust:latest"), "{}", report.printed);
}

#[test]
fn without_an_image_name_it_shows_how_it_is_used() {
    let (world, _) = delivered();
    let clone = world.clone_to("clone");
    for (image, code) in [("", 64), ("--all", 64), ("ghcr.io/voloshko/argo-rust:sha-1234567", 64), ("--help", 0)] {
        let report = image_changed_for(&world, &clone, image);
        assert_eq!(report.code, code, "image-changed {image:?}");
        assert!(report.printed.starts_with("Usage: image-changed IMAGE"), "{}", report.printed);
    }
}
