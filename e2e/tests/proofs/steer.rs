//! Going back: by rollback, and by the guard that does it by itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::application::SYNC;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::seconds;
use e2e::{Loop, shell};

use crate::hops::BUILD_STEP;

const HELD: &str = "delivery.argo-rust/hold";
const MANIFEST: &str = "k8s/deployment.yaml";
const SOURCE: &str = "src/main.rs";

/// The exit codes of loopctl that these proofs meet.
const DONE: i32 = 0;
const IS_HELD: i32 = 4;
const ROLLED_BACK: i32 = 8;
const NOT_PUSHED: i32 = 9;

/// Deploys a tag as a run does, without waiting for the rollout.
fn release(the_loop: &Loop, clone: &Clone, tag: &str) -> Result<()> {
    let commit = clone.bump(tag)?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, SYNC)?;
    Ok(())
}

/// Git's side of a rollback: the tag is back, and the hold names the bad one.
fn is_rolled_back(clone: &Clone, good: &str, bad: &str) -> Result<()> {
    clone.update()?;
    expect("the tag in git", clone.tag()?, good.to_owned())?;
    let hold = format!("{HELD}: \"{}\"", bad.trim_start_matches("sha-"));
    let manifest = clone.read(MANIFEST)?;
    ensure(&format!("the hold {hold}"), manifest.contains(&hold), manifest)
}

pub fn a_rollback_stays_through_the_next_push(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let source = clone.read(SOURCE)?;
        let outcome = rollback_and_push(the_loop, clone, live, report);
        // No change of the service is left for whichever proof comes next.
        clone.update()?;
        clone.write(SOURCE, &source)?;
        clone.push_without_run("Take the change of the service back")?;
        outcome
    })
}

fn rollback_and_push(the_loop: &Loop, clone: &Clone, live: &str, report: &mut Report) -> Result<()> {
    let bad = Loop::unused_tag()?;
    release(the_loop, clone, &bad)?;
    let before = clone.read(MANIFEST)?;

    // Where nobody can answer, nothing is done.
    let tip = clone.head()?;
    let unanswered = the_loop.companion(&["rollback", "--reason", "a proof"])?;
    ensure("a refusal that names --yes", unanswered.code == 1 && unanswered.err.contains("--yes"), &unanswered.err)?;
    expect("master after it", clone.update()?, tip)?;

    let begin = Instant::now();
    the_loop.companion(&["rollback", "--reason", "Its image does not exist", "--yes"])?.ended(DONE)?;
    let rolled_back = clone.update()?;
    is_rolled_back(clone, live, &bad)?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&rolled_back, SYNC)?;
    the_loop.wait_rolled_out(live)?;
    report.measured(format!("{bad} was rolled back to {live} and all pods ran it after {}", seconds(begin.elapsed())));
    let kept = |text: &str| -> Vec<String> {
        let lines =
            text.lines().filter(|line| !["image:", HELD, "  annotations:"].iter().any(|part| line.contains(part)));
        lines.map(str::to_owned).collect()
    };
    expect("the manifest's other lines", kept(&clone.read(MANIFEST)?), kept(&before))?;

    // The next push, by the workflow itself: only that compiles the revision into what answers.
    clone.write(SOURCE, &(clone.read(SOURCE)? + "// pushed while rolled back\n"))?;
    let pushed = clone.push("Change the service")?;
    let run = the_loop.started_run(&pushed)?;
    let took = run.wait()?;
    ensure("the run says that it is held", run.summary().contains("Held:"), run.summary())?;
    ensure("the image was built", run.step(BUILD_STEP)?.1, "it was not")?;
    expect("master, which nobody bumped", clone.update()?, pushed)?;
    is_rolled_back(clone, live, &bad)?;
    the_loop.is_rolled_out(live).context("the rollback has to stay")?;
    the_loop.companion(&["rollback", "--reason", "Once more", "--yes"])?.ended(IS_HELD)?;
    report.measured(format!(
        "the next push was built in {} and held, and a second rollback went no further back",
        seconds(took)
    ));
    Ok(())
}

pub fn a_crashing_image_is_rolled_back_by_guard_once_and_with_the_pods_reason(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let good = the_loop.fresh_tag(live)?;
        release(the_loop, clone, &good)?;
        let tip = clone.head()?;
        the_loop.companion(&["guard", "--deadline", "60s"])?.ended(DONE)?;
        expect("master after a good rollout", clone.update()?, tip)?;
        report.control(format!("guard followed {good} until it was live and pushed nothing"));

        let bad = Loop::unused_tag()?;
        // A setting that is not valid ends the service with exit code 64 before it binds a port.
        the_loop.variant(live, &bad, "--env=ARGO_RUST_LISTEN=nowhere")?;
        release(the_loop, clone, &bad)?;
        let begin = Instant::now();
        let tip = clone.head()?;
        let said = the_loop.companion(&["guard", "--deadline", "12s", "--no-push"])?.ended(NOT_PUSHED)?;
        let command =
            format!("rollback --bad {} --to {}", bad.trim_start_matches("sha-"), good.trim_start_matches("sha-"));
        ensure("the command to type", said.out.contains(&command), &said.out)?;
        expect("master after --no-push", clone.update()?, tip)?;

        let said = the_loop.companion(&["guard", "--deadline", "1s", "-o", "json"])?.ended(ROLLED_BACK)?.json()?;
        let commit = clone.update()?;
        expect("the commit that guard names", said["commit"].as_str(), Some(commit.as_str()))?;
        is_rolled_back(clone, &good, &bad)?;
        let message = shell::run(clone.git().args(["log", "-1", "--format=%B"]))?;
        ensure("the pod's own reason", message.contains("exit code 64") && message.contains("in pod"), &message)?;
        report.measured(format!(
            "{bad} was rolled back {} after its sync: {}",
            seconds(begin.elapsed()),
            first_reason(&message)
        ));

        the_loop.companion(&["guard", "--deadline", "1s"])?.ended(IS_HELD)?;
        expect("master after a second guard", clone.update()?, commit)?;
        the_loop.force_sync()?;
        let healed = the_loop.wait_rolled_out(&good)?;
        report.measured(format!("a second guard pushed nothing; {good} was on all pods {} later", seconds(healed)));
        ensure("no long wait", begin.elapsed() < Duration::from_secs(90), seconds(begin.elapsed()))
    })
}

fn first_reason(message: &str) -> String {
    message.lines().nth(2).unwrap_or_default().to_owned()
}
