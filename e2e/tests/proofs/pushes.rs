//! What pushes to master lead to, by the repository's own workflow, when they are not what the documents show.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{IMAGE, Loop, service, shell};
use serde_json::Value;

use crate::hops::{BUILD_STEP, master, tag_of};

/// From the bump until Argo CD has looked by itself.
const DETECTED: Duration = Duration::from_secs(60);
const LIVE: Duration = Duration::from_secs(120);
/// The exit code of a `wait` whose time is over.
const TIMED_OUT: i32 = 5;

/// A change of an input of the image that changes nothing else.
fn remark(clone: &Clone, text: &str) -> Result<()> {
    let main = clone.read("src/main.rs")?;
    clone.write("src/main.rs", &format!("{main}// {text}\n"))
}

pub fn overlapping_pushes_and_an_older_build_that_ends_late_end_on_the_newest_commit(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    remark(&clone, "the older of two pushes")?;
    let older = clone.push("Push once")?;
    let older_run = the_loop.started_run(&older)?;
    clone.write(
        "src/main.rs",
        &clone.read("src/main.rs")?.replace("// the older of two pushes\n", "// the newer of two pushes\n"),
    )?;
    let newer = clone.push("Push again before the first run has ended")?;
    let newer_run = the_loop.started_run(&newer)?;
    ensure("both runs at once", !older_run.has_ended()?, "the first had ended before the second began")?;
    let begin = Instant::now();
    let wait = |timeout| the_loop.companion(&["wait", &newer, "--timeout", timeout, "-o", "json"]);
    let at_first = wait("0s")?.ended(TIMED_OUT)?.json()?;
    report.control(format!("right after the second push, wait said {}", at_first["summary"]));
    let answer = wait("10m")?.ended(0)?.json()?;
    for hop in answer["hops"].as_array().into_iter().flatten() {
        let timed = ["pushed", "bump", "seen", "synced", "pods"].iter().any(|name| hop["hop"] == *name);
        ensure("a time for each hop that has one", !timed || hop["at"].is_string(), hop)?;
    }
    // The older one may end later, and changes nothing then.
    older_run.wait()?;
    newer_run.wait()?;
    let tag = tag_of(&newer);
    wait_live(the_loop, &clone, &tag)?;
    report.measured(format!(
        "two overlapping pushes: {tag}, the newer, live {} after the second",
        seconds(begin.elapsed())
    ));

    // The older run's bump job, started once more after everything else, as a slow build would come.
    let image = format!("{IMAGE}:{}", tag_of(&older));
    clone.update()?;
    let late = |script: &str, name: &str| -> Result<String> {
        let output = clone.folder().join(".git").join(name);
        std::fs::write(&output, "")?;
        let mut bump = clone.script(script);
        bump.args([&image, &older]).env("GITHUB_OUTPUT", &output);
        shell::run(&mut bump)?;
        Ok(std::fs::read_to_string(output)?)
    };
    let outcome = late(".github/scripts/bump-image", "outcome")?;
    expect("the late bump's outcome", outcome.trim(), "outcome=superseded")?;
    clone.update()?;
    expect("the tag after it", clone.tag()?, tag.clone())?;
    report.measured(format!("the older build's bump, run again afterwards: {}", outcome.trim()));

    // What the usual bump does, on a copy that nobody deploys from.
    let naive = naive_bump(the_loop, &older, &newer)?;
    ensure("the older image wins without the check", naive == tag_of(&older), &naive)?;
    report.control(format!("a bump by pull --rebase -X theirs would have put {naive} back"));
    Ok(())
}

/// The race as it would have gone with the bump that most workflows have: on a copy on which only the newer
/// image has been deployed yet, the older one is pushed. Says which tag that ends on.
fn naive_bump(the_loop: &Loop, older: &str, newer: &str) -> Result<String> {
    let clone = Clone::of(the_loop)?;
    let bump_on = |branch: &str, commit: &str| -> Result<()> {
        shell::run(clone.git().args(["checkout", "--quiet", "-B", branch, commit]))?;
        clone.set_tag(&tag_of(commit))?;
        shell::run(clone.git().args(["commit", "--quiet", "--all", "--message", "ci: update image"]))?;
        Ok(())
    };
    shell::run(clone.git().args(["init", "--quiet", "--bare", ".git/copy"]))?;
    bump_on("first", newer)?;
    shell::run(clone.git().args(["push", "--quiet", ".git/copy", "HEAD:refs/heads/master"]))?;
    bump_on("late", older)?;
    shell::run(clone.git().args(["pull", "--quiet", "--rebase", "-X", "theirs", ".git/copy", "master"]))?;
    shell::run(clone.git().args(["push", "--quiet", ".git/copy", "HEAD:refs/heads/master"]))?;
    shell::run(clone.git().args(["fetch", "--quiet", ".git/copy", "master"]))?;
    let manifest = shell::run(clone.git().args(["show", "FETCH_HEAD:k8s/deployment.yaml"]))?;
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix(&format!("image: {IMAGE}:")));
    Ok(line.context("the copy names no image")?.trim().to_owned())
}

fn wait_live(the_loop: &Loop, clone: &Clone, tag: &str) -> Result<()> {
    clone.update()?;
    expect("the tag in git", clone.tag()?, tag.to_owned())?;
    wait::until(&format!("Argo CD has synced {tag}"), DETECTED, || the_loop.is_synced(&clone.head()?))?;
    the_loop.wait_rolled_out(tag)?;
    // Behind the NodePort an old pod may answer until it has drained.
    wait::until(&format!("/version answers {tag}"), LIVE, || {
        expect("image_tag", service::image_tag()?, tag.to_owned())
    })?;
    Ok(())
}

pub fn a_push_of_documents_alone_restarts_nothing(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let identity = || -> Result<Vec<Value>> {
        let mut seen = vec![the_loop.deployment()?["metadata"]["generation"].take()];
        seen.extend(the_loop.pods()?.into_iter().map(|mut pod| pod["metadata"]["uid"].take()));
        Ok(seen)
    };
    let tag = clone.tag()?;
    the_loop.wait_rolled_out(&tag)?;
    wait::until("one set of pods", LIVE, || {
        let (pods, wanted) = (the_loop.pods()?.len(), the_loop.deployment()?["spec"]["replicas"].take());
        ensure("none that is still going", wanted == pods, pods)
    })?;
    let before = identity()?;
    clone.write("docs/decisions.md", &(clone.read("docs/decisions.md")? + "\nA proof adds this line.\n"))?;
    let commit = clone.push("Explain more")?;
    let run = the_loop.started_run(&commit)?;
    let took = run.wait()?;
    ensure("the run says why", run.summary().contains("nothing is built, nothing restarts"), run.summary())?;
    expect("whether an image was built", run.step(BUILD_STEP)?.1, false)?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, DETECTED)?;
    expect("master", master()?, commit)?;
    expect("generation and pods", identity()?, before)?;
    report.measured(format!("run {}, nothing built, same pods, same generation", seconds(took)));

    let restart = "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"e2e\":\"restart\"}}}}}";
    let mut dry = the_loop.kubectl();
    dry.args(["patch", "deployment", "argo-rust", "--namespace=argo-rust", "--dry-run=server", "--patch", restart]);
    let other = shell::run(dry.arg("--output=jsonpath={.metadata.generation}"))?;
    ensure("a restart would be noticed", identity()?[0] != other.parse::<u64>()?, &other)?;
    report.control(format!("a restart would have made it generation {other}, not {}", identity()?[0]));
    Ok(())
}
