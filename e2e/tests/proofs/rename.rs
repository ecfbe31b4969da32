//! A clone becomes somebody's own, and passes the tests that need no cluster.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::seconds;
use e2e::{IMAGE, Loop, shell, target};

use crate::adopt::{loopctl_in, tree};

pub fn a_renamed_clone_passes_its_tests_and_can_be_renamed_back(the_loop: &Loop, report: &mut Report) -> Result<()> {
    // Put together here: a name that a file has already, this one too, is refused.
    let (owner, name) = (["Tri", "Lobite"].concat(), ["ze", "bra", "fish"].join("-"));
    let clone = Clone::of(the_loop)?;
    let before = tree(&clone)?;
    let begin = Instant::now();
    rename(the_loop, &clone, &["--owner", &owner, "--name", &name])?;
    let took = begin.elapsed();
    let renamed = tree(&clone)?;
    rename(the_loop, &clone, &["--owner", &owner, "--name", &name])?;
    expect("the repository after the same again", tree(&clone)?, renamed)?;
    ensure(
        "the image is the new owner's",
        clone.read("k8s/deployment.yaml")?.contains(&format!("ghcr.io/{}/{name}:", owner.to_lowercase())),
        "it is not",
    )?;

    let begin = Instant::now();
    test_delivery(the_loop, &clone)?;
    let tested = begin.elapsed();
    for package in [".", "loopctl", "e2e"] {
        let mut cargo = Command::new("cargo");
        shell::run(cargo.current_dir(clone.folder().join(package)).args(["fmt", "--check"]))?;
    }
    report.measured(format!("renamed in {}; `make test-delivery` passed in {}", seconds(took), seconds(tested)));

    clone.replace("k8s/service.yaml", &format!("namespace: {name}"), "namespace: forgotten")?;
    ensure("a name that was forgotten is noticed", test_delivery(the_loop, &clone).is_err(), "the tests passed")?;
    report.control("with one name forgotten `make test-delivery` failed");
    clone.replace("k8s/service.yaml", "namespace: forgotten", &format!("namespace: {name}"))?;

    shell::run(clone.git().args(["commit", "--all", "--quiet", "--message=Rename"]))?;
    let (old_owner, old_name) = IMAGE.trim_start_matches("ghcr.io/").split_once('/').unwrap_or_default();
    rename(the_loop, &clone, &["--owner", old_owner, "--name", old_name])?;
    expect("the repository after it got its old name back", tree(&clone)?, before)
}

fn rename(the_loop: &Loop, clone: &Clone, names: &[&str]) -> Result<()> {
    shell::run(&mut loopctl_in(the_loop, clone, &[&["rename", "--yes"], names].concat()))?;
    Ok(())
}

fn test_delivery(the_loop: &Loop, clone: &Clone) -> Result<()> {
    let mut make = Command::new("make");
    make.current_dir(clone.folder()).arg("test-delivery");
    // What it depends on is what the service depends on, and is there where `make test` has run.
    shell::run(make.env("CARGO_TARGET_DIR", target(&the_loop.checkout, "")))?;
    Ok(())
}
