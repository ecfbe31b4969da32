//! A release as GitHub would make it of a tag: its workflow run by act, with a `gh` that only writes down what it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use e2e::repetitions::RELEASES;
use e2e::report::{Report, ensure, expect};
use e2e::{Loop, shell};
use serde_json::json;
use tempfile::TempDir;

const WORKFLOW: &str = ".github/workflows/release.yml";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Keeps what is uploaded, and a line for each call.
const GH: &str = r#"#!/usr/bin/env bash
set -euo pipefail
echo "$*" >>"$RELEASE/calls"
case "$1 $2" in
  'release create') while (($#)); do [[ $1 != --notes-file ]] || cp "$2" "$RELEASE/notes"; shift; done ;;
  'release upload') cp "${@:4}" "$RELEASE" ;;
  'release edit') ;;
  *) echo "the played gh does not know: $*" >&2; exit 1 ;;
esac
"#;

/// The commit that is checked out, and no more of GitHub's.
const CHECKOUT: &str =
    "runs:\n  using: composite\n  steps:\n    - shell: bash\n      run: git clone --quiet \"$CHECKOUT\" .\n";
const ATTEST: &str = "inputs:\n  subject-path: {required: true}\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      \
                      run: test -f '${{ inputs.subject-path }}'\n";

pub fn a_tag_makes_a_release_of_both_programs_with_checksums_and_notes(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    if RELEASES.times() == 0 {
        report.skipped("a release compiles everything anew: `make e2e-long` makes one");
        return Ok(());
    }
    let release = Release::new(the_loop)?;
    let version = shell::run(the_loop.loopctl().arg("--version"))?;
    let version = version.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let refused = release.tag("v9.9.9");
    ensure("a tag that is not the tool's version is refused", refused.is_err(), "it was released")?;
    expect("calls before it is known what is released", release.calls()?.len(), 0)?;
    report.control("a tag v9.9.9 that no Cargo.toml knows ended before anything was published");

    release.tag(&format!("v{version}"))?;
    let calls = release.calls()?;
    let verbs: Vec<&str> = calls.iter().filter_map(|call| call.split(' ').nth(1)).collect();
    expect("a draft, its files, and only then a release", verbs, vec!["create", "upload", "edit"])?;
    let sums = shell::run(
        Command::new("sha256sum")
            .current_dir(release.path())
            .args(["--check", "--quiet"])
            .arg(format!("{}.sha256", release.archive())),
    )?;
    expect("what sha256sum complains about", sums.as_str(), "")?;
    shell::run(Command::new("tar").current_dir(release.path()).args(["--extract", "--file", &release.archive()]))?;
    let said = shell::run(Command::new(release.path().join("loopctl")).arg("--version"))?;
    ensure("the program says its version", said.contains(&version), &said)?;
    let help = shell::run(Command::new(release.path().join("cargo-loopctl")).args(["loopctl", "--help"]))?;
    ensure("cargo-loopctl is the same program", help.contains("Usage: cargo loopctl"), &help)?;
    let notes = fs::read_to_string(release.path().join("notes"))?;
    ensure("the changelog's section", notes.contains("### Added"), &notes)?;
    report.measured(format!("v{version}: {} with both programs, checksum and notes", release.archive()));
    Ok(())
}

struct Release {
    folder: TempDir,
    checkout: PathBuf,
    act: PathBuf,
}

impl Release {
    fn new(the_loop: &Loop) -> Result<Self> {
        let folder = TempDir::with_prefix("argo-rust-e2e-release-")?;
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
            fs::write(&path, text).with_context(|| format!("cannot write {file}"))
        };
        write("bin/gh", GH)?;
        fs::set_permissions(folder.path().join("bin/gh"), fs::Permissions::from_mode(0o755))?;
        write("actions/checkout/action.yml", CHECKOUT)?;
        write("actions/attest/action.yml", ATTEST)?;
        write("release/calls", "")?;
        fs::create_dir_all(folder.path().join("empty"))?;
        Ok(Self { folder, checkout: the_loop.checkout.clone(), act: the_loop.act()? })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("release")
    }

    fn archive(&self) -> String {
        format!("loopctl-{TARGET}.tar.gz")
    }

    fn calls(&self) -> Result<Vec<String>> {
        Ok(fs::read_to_string(self.path().join("calls"))?.lines().map(str::to_owned).collect())
    }

    fn tag(&self, tag: &str) -> Result<()> {
        let at = |name: &str| self.folder.path().join(name);
        let repository =
            json!({"full_name": "voloshko/argo-rust", "name": "argo-rust", "owner": {"login": "voloshko"}});
        let event = json!({"ref": format!("refs/tags/{tag}"), "after": "0".repeat(40), "deleted": false, "repository": repository});
        fs::write(at("event.json"), event.to_string())?;
        let mut act = Command::new(&self.act);
        act.current_dir(at("empty")).arg("push").arg("--workflows").arg(self.checkout.join(WORKFLOW));
        act.arg("--eventpath").arg(at("event.json")).args(["--matrix", &format!("target:{TARGET}")]);
        for runner in ["ubuntu-latest", "ubuntu-22.04"] {
            act.args(["--platform", &format!("{runner}=-self-hosted")]);
        }
        for action in pinned(&self.checkout)? {
            let name = action.split(['/', '@']).nth(1).unwrap_or_default();
            act.arg("--local-repository").arg(format!("{action}={}", at("actions").join(name).display()));
        }
        act.args(["--secret", "GITHUB_TOKEN=played", "--no-cache-server", "--action-offline-mode", "--pull=false"]);
        act.args(["--no-skip-checkout", "--container-daemon-socket", "-"]).arg("--action-cache-path").arg(at("jobs"));
        let path = std::env::var("PATH").unwrap_or_default();
        act.env("PATH", format!("{}:{path}", at("bin").display())).env("RELEASE", self.path());
        act.env("CHECKOUT", &self.checkout).env_remove("CARGO_TARGET_DIR");
        // As fast as it can be compiled: what is asked here is not how fast it runs.
        act.envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")]);
        act.envs([("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"), ("CARGO_INCREMENTAL", "0")]);
        shell::run(&mut act).map(drop)
    }
}

/// Each `owner/name@commit` of the workflow, once.
fn pinned(checkout: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(checkout.join(WORKFLOW))?;
    let mut actions: Vec<String> =
        text.lines().filter_map(|line| Some(line.split_once("uses: ")?.1.split(' ').next()?.to_owned())).collect();
    actions.sort();
    actions.dedup();
    Ok(actions)
}
