//! A repository over three versions of the template, with edits of its owner in each kind of file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// A repository that was made of version 1 of the template, and the edits that its owner makes.
struct Shop {
    world: tempfile::TempDir,
    git: Git,
}

const WORKFLOW: &str = ".github/workflows/deploy.yml";
const MANIFEST: &str = "k8s/deployment.yaml";
const ROUTER: &str = "src/routes/mod.rs";
const CARGO: &str = "Cargo.toml";

impl Shop {
    fn new() -> Self {
        let world = tempfile::tempdir().unwrap();
        let folder = world.path().join("shop");
        let [owner, name, host, branch] = ["acme", "shop", "127.0.0.1", "main"].map(str::to_owned);
        let names = Names { owner, name, host, branch, with_example: false };
        let template = version("1", &[]);
        let files = rendered(&template, &names).unwrap();
        Git::begin(&folder, "main", &files, &message("Begin shop", &template, &names)).unwrap();
        let shop = Self { git: Git::in_folder(&folder), world };
        shop.sh("git config user.name Ann; git config user.email ann@example.org");
        shop
    }

    fn path(&self, file: &str) -> PathBuf {
        self.world.path().join("shop").join(file)
    }

    fn sh(&self, script: &str) -> String {
        let output = Command::new("sh").current_dir(self.path("")).args(["-ec", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{from} in {file}:\n{text}");
        fs::write(self.path(file), text.replacen(from, to, 1)).unwrap();
        self.sh(&format!("git commit --all --quiet --message 'Edit {file}'"));
    }

    fn update(&self, template: &Template, check: bool) -> (Outcome, Vec<String>, Exit) {
        let (updated, exit) = update(&self.git, template, check).unwrap();
        (updated.outcome, updated.files, exit)
    }
}

/// This repository's template as it will be: under another number, with other words in some files.
fn version(number: &str, edits: &[(&str, &str, &str)]) -> Template {
    let mut template = Template { version: number.to_owned(), ..Template::own() };
    for (path, from, to) in edits {
        let file = template.files.iter_mut().find(|file| file.path == *path).unwrap();
        assert!(file.text.contains(from), "{from} in {path}");
        file.text = file.text.replacen(from, to, 1);
    }
    template
}

const SECOND: [(&str, &str, &str); 4] = [
    (WORKFLOW, "timeout-minutes: 45", "timeout-minutes: 60"),
    (MANIFEST, "progressDeadlineSeconds: 120", "progressDeadlineSeconds: 180"),
    (ROUTER, "    mod openapi;\n", "    mod openapi;\n    // More to come.\n"),
    (CARGO, "strip = true", "strip = \"symbols\""),
];

fn edit_as_its_owner(shop: &Shop) {
    shop.edit(WORKFLOW, "timeout-minutes: 30", "timeout-minutes: 20");
    shop.edit(MANIFEST, "replicas: 1", "replicas: 2");
    shop.edit(ROUTER, "    mod hello;\n", "    mod hello;\n    mod ahoy;\n");
    shop.edit(CARGO, "version = \"0.1.0\"", "version = \"7.0.0\"");
}

fn files(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn over_three_versions_what_the_owner_has_changed_stays_and_what_is_new_comes() {
    let shop = Shop::new();
    edit_as_its_owner(&shop);
    assert_eq!(shop.update(&version("1", &[]), false), (Outcome::UpToDate, Vec::new(), Exit::Done));
    let second = version("2", &SECOND);
    let changed = files(&[WORKFLOW, CARGO, MANIFEST, ROUTER]);
    assert_eq!(shop.update(&second, true), (Outcome::Behind, changed.clone(), Exit::Findings));
    assert_eq!(shop.update(&second, false), (Outcome::Merged, changed, Exit::Done));
    assert_eq!(shop.update(&second, true), (Outcome::UpToDate, Vec::new(), Exit::Done));
    let third = [&SECOND[..], &[(WORKFLOW, "name: deploy", "name: deliver")]].concat();
    let third = version("3", &third);
    assert_eq!(shop.update(&third, false), (Outcome::Merged, files(&[WORKFLOW]), Exit::Done));
    for (file, words) in [
        (WORKFLOW, ["timeout-minutes: 20", "timeout-minutes: 60", "name: deliver"]),
        (MANIFEST, ["replicas: 2", "progressDeadlineSeconds: 180", "shop"]),
        (ROUTER, ["mod ahoy;", "// More to come.", "mod hello;"]),
        (CARGO, ["version = \"7.0.0\"", "strip = \"symbols\"", "name = \"shop\""]),
    ] {
        let text = shop.read(file);
        words.iter().for_each(|word| assert!(text.contains(word), "{word} in {file}:\n{text}"));
    }
    assert_eq!(shop.sh("git status --porcelain"), "");
}

#[test]
fn what_both_have_changed_is_a_conflict_that_can_be_taken_back() {
    let shop = Shop::new();
    shop.edit(WORKFLOW, "timeout-minutes: 45", "timeout-minutes: 50");
    let before = shop.sh("git rev-parse HEAD");
    let second = version("2", &SECOND);
    let (updated, exit) = update(&shop.git, &second, false).unwrap();
    assert_eq!((updated.outcome, exit), (Outcome::Conflict, Exit::Failed));
    assert_eq!(updated.conflicts, [WORKFLOW]);
    let text = shop.read(WORKFLOW);
    assert!(text.contains("<<<<<<< HEAD") && text.contains("timeout-minutes: 50"), "{text}");
    shop.sh("git merge --abort");
    assert_eq!(shop.sh("git rev-parse HEAD; git status --porcelain"), before);
    // Solved instead, it is an update like any other.
    update(&shop.git, &second, false).unwrap();
    shop.sh(&format!("git checkout --quiet --ours {WORKFLOW}; git add --all; git commit --quiet --no-edit"));
    assert_eq!(shop.update(&second, false).0, Outcome::UpToDate);
}

#[test]
fn an_update_that_was_taken_back_can_come_again() {
    let shop = Shop::new();
    edit_as_its_owner(&shop);
    let before = shop.sh("git rev-parse HEAD");
    let second = version("2", &SECOND);
    shop.update(&second, false);
    shop.sh("git reset --quiet --hard ORIG_HEAD");
    assert_eq!(shop.sh("git rev-parse HEAD"), before);
    assert_eq!(shop.update(&second, false).0, Outcome::Merged);
    // Once it is pushed it is reverted, and what is newer still comes without it.
    shop.sh("git revert --no-edit -m 1 HEAD");
    let third = [&SECOND[..], &[(WORKFLOW, "name: deploy", "name: deliver")]].concat();
    assert_eq!(shop.update(&version("3", &third), false).1, [WORKFLOW]);
    let text = shop.read(WORKFLOW);
    assert!(text.contains("name: deliver") && text.contains("timeout-minutes: 45"), "{text}");
}

#[test]
fn an_edit_of_what_is_the_templates_is_named_and_one_of_the_owners_is_not() {
    let shop = Shop::new();
    let first = version("1", &[]);
    edit_as_its_owner(&shop);
    assert_eq!(shop.update(&first, true).2, Exit::Done);
    shop.edit(".github/scripts/bump-image", "set -euo pipefail", "set -eu");
    let (updated, exit) = update(&shop.git, &first, true).unwrap();
    assert_eq!((updated.drifted, exit), (files(&[".github/scripts/bump-image"]), Exit::Findings));
}

#[test]
fn work_that_is_not_committed_is_not_merged_into_and_a_repository_of_another_kind_is_told() {
    let shop = Shop::new();
    fs::write(shop.path("README.md"), "mine").unwrap();
    let error = update(&shop.git, &version("2", &SECOND), false).err().unwrap().to_string();
    assert!(error.contains("commit or stash your changes first"), "{error}");
    let other = tempfile::tempdir().unwrap();
    let init = "git init -q . && git -c user.name=A -c user.email=a@b commit -q --allow-empty -m One";
    assert!(Command::new("sh").current_dir(other.path()).args(["-c", init]).status().unwrap().success());
    let error = update(&Git::in_folder(Path::new(other.path())), &version("2", &[]), true).err().unwrap();
    assert!(error.to_string().contains("only a repository that `loopctl new` has made"), "{error}");
}
