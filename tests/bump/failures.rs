//! `bump-image`: races that are run again, and what stops it with a sentence that says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::manifest::{IMAGE, image, with_image};
use crate::run::{bump, bump_in_a_clone, bump_with, expect, expect_failure};
use crate::world::World;

#[test]
fn a_manifest_whose_image_is_not_read_fails_and_names_the_line() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    let broken = world.push_manifest(|manifest| with_image(manifest, &format!("{IMAGE}:latest")));
    let line = world.manifest_at(&broken).lines().position(|line| line.contains(":latest")).unwrap() + 1;
    let report = bump_in_a_clone(&world, &commit);
    expect_failure(&report, &format!("line {line}: the image {IMAGE}:latest has not the form NAME:sha-<7 hex digits>"));
    assert_eq!(world.tip(), broken);
}

/// Makes git run `body` in a repository's hook, free of the variables that tie a hook to its repository.
fn hook(git_dir: &Path, name: &str, body: &str) {
    let path = git_dir.join("hooks").join(name);
    fs::write(&path, format!("#!/bin/sh\nunset $(git rev-parse --local-env-vars)\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// In between, somebody else pushes: before this push begins, or when it has already seen master.
fn somebody_pushes_at(world: &World, clone: &Path, moment: &str, times: u32) {
    let origin = world.origin.display();
    let left = world.root.path().join("pushes-left");
    fs::write(&left, times.to_string()).unwrap();
    let body = format!(
        "left=$(cat {left}); [ $left -gt 0 ] || exit 0; echo $((left - 1)) >{left}
         cd {origin} && git update-ref refs/heads/master $(git commit-tree -p master -m document master^{{tree}})",
        left = left.display()
    );
    hook(&clone.join(".git"), moment, &body);
}

#[test]
fn a_lost_race_is_run_again_from_the_start() {
    for (moment, reason) in [("post-commit", "[rejected]"), ("pre-push", "[remote rejected]")] {
        let world = World::new();
        let commit = world.push_code("fn main() { }\n");
        let clone = world.clone_to("clone");
        somebody_pushes_at(&world, &clone, moment, 3);
        let report = bump(&world, &clone, &commit);
        expect(&report, "bumped", "");
        assert!(report.printed.contains("Try 4 of 10"), "{}", report.printed);
        assert!(report.printed.contains(reason), "{moment} gives {reason}: {}", report.printed);
        assert_eq!(world.git(&world.origin, ["rev-list", "--count", &format!("{commit}..master")]), "4");
    }
}

#[test]
fn a_bump_that_loses_every_race_gives_up_and_leaves_no_commit_behind() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    let clone = world.clone_to("clone");
    somebody_pushes_at(&world, &clone, "post-commit", 99);
    let report = bump_with(&world, &clone, &image(&commit), &commit, &[("BUMP_TRIES", "3")]);
    expect_failure(&report, "after 3 tries. Run the job again.");
    assert_eq!(world.git(&clone, ["log", "--format=%h", "origin/master..HEAD"]), "");
}

#[test]
fn a_push_whose_answer_was_lost_is_recognised_as_done() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    hook(&world.origin, "post-receive", "kill -9 $PPID");
    let report = bump_in_a_clone(&world, &commit);
    expect(&report, "current", "");
    assert!(report.printed.contains("Try 2 of 10"), "{}", report.printed);
}

#[test]
fn a_protected_branch_is_told_from_a_race_and_not_tried_again() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    hook(&world.origin, "pre-receive", "echo 'GH006: Protected branch update failed' >&2; exit 1");
    let report = bump_in_a_clone(&world, &commit);
    expect_failure(&report, "Let the job's token push to master");
    assert!(report.printed.contains("GH006"), "{}", report.printed);
    assert!(!report.printed.contains("Try 2"), "{}", report.printed);
}

#[test]
fn an_origin_that_does_not_answer_is_tried_again_and_then_reported() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    let clone = world.clone_to("clone");
    fs::rename(&world.origin, world.root.path().join("gone.git")).unwrap();
    let report = bump_with(&world, &clone, &image(&commit), &commit, &[("BUMP_TRIES", "2")]);
    expect_failure(&report, "after 2 tries");
    assert!(report.printed.contains("does not appear to be a git repository"), "{}", report.printed);
}

#[test]
fn a_clone_with_something_to_lose_is_refused_with_the_remedy() {
    for (prepare, remedy) in [
        ("echo '# Mine' >README.md", "Commit, stash or remove them"),
        ("echo mine >new.txt", "Commit, stash or remove them"),
        ("git commit --quiet --allow-empty --message Mine", "commits that origin's master lacks"),
        ("git switch --quiet --create feature", "git switch master"),
        ("git fetch --quiet --depth=1 file://$PWD/../origin.git master", "git fetch --unshallow"),
    ] {
        let world = World::new();
        let commit = world.push_code("fn main() { }\n");
        let clone = world.clone_to("clone");
        let prepared = world.command("sh", &clone).args(["-c", prepare]).status().expect("sh starts");
        assert!(prepared.success(), "{prepare}");
        let state =
            || world.git(&clone, ["status", "--branch", "--porcelain"]) + &world.git(&clone, ["rev-parse", "HEAD"]);
        let before = state();
        expect_failure(&bump(&world, &clone, &commit), remedy);
        assert_eq!((state(), world.tip()), (before, commit), "nothing is lost, nothing is pushed");
    }
}

#[test]
fn tags_and_branches_with_the_names_of_the_branch_and_the_commit_change_nothing() {
    let world = World::new();
    let commit = world.push_code("fn main() { }\n");
    for name in ["master", "HEAD", "origin/master", &commit, &commit[..7]] {
        let older = format!("{commit}^0~1");
        world.git(&world.origin, ["update-ref", &format!("refs/tags/{name}"), &older]);
        if name != "master" {
            world.git(&world.origin, ["update-ref", &format!("refs/heads/{name}"), &older]);
        }
    }
    let report = bump_in_a_clone(&world, &commit);
    assert_eq!((report.code, report.output.as_str()), (0, "outcome=bumped"), "{}", report.printed);
    assert_eq!(world.manifest_at("refs/heads/master").matches(&image(&commit)).count(), 1);
}

#[test]
fn settings_of_the_users_git_change_nothing() {
    let world = World::new();
    let settings = "[log]\n showSignature = true\n follow = true\n[color]\n ui = always\n status = always\n\
                    [diff]\n external = false\n noprefix = true\n mnemonicPrefix = true\n[core]\n pager = false\n\
                    quotePath = false\n[status]\n short = true\n branch = true\n showUntrackedFiles = no\n\
                    [push]\n default = nothing\n[pull]\n rebase = true\n[commit]\n gpgSign = true\n verbose = true\n";
    let path = world.root.path().join("gitconfig");
    fs::write(&path, fs::read_to_string(&path).unwrap() + settings).unwrap();
    let commit = world.push_code("fn main() { }\n");
    let clone = world.clone_to("clone");
    fs::write(clone.join("new.txt"), "mine").unwrap();
    expect_failure(&bump(&world, &clone, &commit), "?? new.txt");
    fs::remove_file(clone.join("new.txt")).unwrap();
    expect(&bump(&world, &clone, &commit), "bumped", "");
}

#[test]
fn wrong_arguments_are_explained_with_exit_code_64() {
    let world = World::new();
    let clone = world.clone_to("clone");
    let commit = world.tip();
    let good = image(&commit);
    for (image, commit, settings, explanation) in [
        ("", commit.as_str(), ("BUMP_TRIES", "1"), "Usage: bump-image"),
        (good.as_str(), "HEAD", ("BUMP_TRIES", "1"), "Usage: bump-image"),
        ("x|e touch /tmp/x:sha-0123456", commit.as_str(), ("BUMP_TRIES", "1"), "Usage: bump-image"),
        ("name:sha-0123456", commit.as_str(), ("BUMP_TRIES", "1"), "does not stand for commit"),
        (good.as_str(), commit.as_str(), ("BUMP_TRIES", "0"), "BUMP_TRIES"),
        (good.as_str(), commit.as_str(), ("BUMP_PAUSE_MS", "soon"), "BUMP_PAUSE_MS"),
    ] {
        let report = bump_with(&world, &clone, image, commit, &[settings]);
        assert_eq!(report.code, 64, "{image} {commit} {settings:?}: {}", report.printed);
        assert!(report.printed.contains(explanation), "{}", report.printed);
    }
    let help = bump_with(&world, &clone, "--help", "", &[]);
    assert_eq!(help.code, 0);
    for outcome in ["bumped", "current", "superseded", "unneeded", "held"] {
        assert!(help.printed.contains(outcome), "{}", help.printed);
    }
}
