//! `loopctl new` for somebody who has nothing yet: no repository, no name known to git, no network.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn loopctl(folder: &Path, arguments: &[&str]) -> Ended {
    let mut loopctl = Command::new(env!("CARGO_BIN_EXE_loopctl"));
    loopctl.current_dir(folder).args(arguments).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
    loopctl.env("GIT_CONFIG_GLOBAL", "/dev/null").env_remove("GIT_AUTHOR_NAME").env_remove("GIT_COMMITTER_NAME");
    // rustfmt is a name of rustup's, which looks for its own home.
    for variable in ["RUSTUP_HOME", "CARGO_HOME"] {
        let below = if variable == "RUSTUP_HOME" { ".rustup" } else { ".cargo" };
        let home =
            std::env::var_os(variable).or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(below).into()));
        home.map(|home| loopctl.env(variable, home));
    }
    let output = loopctl.output().expect("loopctl can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").current_dir(folder).args(arguments).output().expect("git can be run");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

const NEW: [&str; 6] = ["new", "payments", "--owner", "Acme", "--host", "192.0.2.7"];

#[test]
fn a_repository_is_made_with_one_commit_and_says_what_comes_next() {
    let world = tempfile::tempdir().unwrap();
    let made = loopctl(world.path(), &NEW);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let folder = world.path().join("payments");
    let counted = format!("Made payments: {} files", git(&folder, &["ls-files"]).lines().count());
    assert!(made.out.starts_with(&counted) && made.out.contains("cd payments && make test"), "{}", made.out);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    assert_eq!(git(&folder, &["rev-list", "--count", "main"]), "1");
    let message = git(&folder, &["log", "-1", "--format=%an: %B"]);
    assert!(message.starts_with("loopctl: Begin payments\n") && message.contains("\nTemplate-Version: "), "{message}");
    let deployment = fs::read_to_string(folder.join("k8s/deployment.yaml")).unwrap();
    assert!(deployment.contains("image: ghcr.io/acme/payments:sha-0000000"), "{deployment}");
    let sizing = fs::read_to_string(folder.join("tofu/terraform.tfvars")).unwrap();
    assert_eq!(sizing.matches("node_host = \"192.0.2.7\"").count(), 1, "{sizing}");
    let again = loopctl(world.path(), &NEW);
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("payments is not empty, and nothing in it is written over"), "{}", again.err);
}

#[test]
fn cargo_accepts_the_lock_file_as_it_was_made() {
    let world = tempfile::tempdir().unwrap();
    for (name, with) in [("payments", [].as_slice()), ("zoo", &["--with", "fibonacci"])] {
        let arguments = [&["new", name, "--owner", "acme"], with].concat();
        assert_eq!(loopctl(world.path(), &arguments).code, Some(0));
        let mut cargo = Command::new("cargo");
        cargo.current_dir(world.path().join(name)).args(["tree", "--locked", "--offline"]);
        let output = cargo.output().unwrap();
        let advice = "name what is optional in OPTIONAL in loopctl/template/src/lock.rs";
        assert!(output.status.success(), "{name}: {}\n{advice}", String::from_utf8_lossy(&output.stderr));
        let mut fmt = Command::new("cargo");
        let output = fmt.current_dir(world.path().join(name)).args(["fmt", "--check"]).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_dry_run_lists_the_files_and_writes_nothing_and_an_empty_folder_may_be_there() {
    let world = tempfile::tempdir().unwrap();
    let dry = loopctl(world.path(), &[&NEW[..], &["--dry-run", "-o", "json"]].concat());
    let dry: Value = serde_json::from_str(&dry.out).unwrap();
    assert_eq!((&dry["written"], &dry["commit"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(fs::read_dir(world.path()).unwrap().count(), 0);
    fs::create_dir(world.path().join("empty")).unwrap();
    let made = loopctl(world.path(), &[&NEW[..], &["--into", "empty", "--branch", "trunk", "-o", "json"]].concat());
    let made: Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(made["files"], dry["files"]);
    assert_eq!(git(&world.path().join("empty"), &["rev-parse", "trunk"]), made["commit"].as_str().unwrap());
}

#[test]
fn a_name_that_is_refused_comes_with_one_that_can_be_used() {
    let world = tempfile::tempdir().unwrap();
    let check = |name: &str, words: &str| {
        let refused = loopctl(world.path(), &["new", name, "--owner", "acme"]);
        assert_ne!(refused.code, Some(0), "{name}");
        assert!(refused.err.contains(words), "{name}: {}", refused.err);
        assert_eq!(fs::read_dir(world.path()).unwrap().count(), 0, "{name}");
    };
    check("My_Payments", "my-payments can");
    check("macro", "my-macro is free");
    check("tokio", "tokio-service is free");
    check("argocd", "my-argocd is free");
}
