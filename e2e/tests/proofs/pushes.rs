//! What a push to master leads to, by the repository's own workflow.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{GIT, IMAGE, Loop, service, shell};
use serde_json::Value;

const BUILD_STEP: &str = "Build and push the image";
/// From the bump until Argo CD has looked by itself.
const DETECTED: Duration = Duration::from_secs(60);
const LIVE: Duration = Duration::from_secs(120);

fn tag_of(commit: &str) -> String {
    format!("sha-{}", &commit[..7])
}

/// A change of an input of the image that changes nothing else.
fn remark(clone: &Clone, text: &str) -> Result<()> {
    let main = clone.read("src/main.rs")?;
    clone.write("src/main.rs", &format!("{main}// {text}\n"))
}

fn master() -> Result<String> {
    let said = shell::run(Command::new("git").args(["-c", "http.proxy=", "ls-remote", GIT, "refs/heads/master"]))?;
    Ok(said.split_whitespace().next().context("the loop has no master")?.to_owned())
}

/// When each hop was first seen, in seconds since the push.
struct Hops {
    begin: Instant,
    seen: Vec<(&'static str, f64)>,
}

impl Hops {
    fn once(&mut self, hop: &'static str, happened: bool) {
        if happened && !self.has(hop) {
            self.seen.push((hop, self.begin.elapsed().as_secs_f64()));
        }
    }

    fn has(&self, hop: &str) -> bool {
        self.seen.iter().any(|(seen, _)| *seen == hop)
    }

    fn table(&self) -> String {
        let mut last = 0.0;
        let mut lines = vec!["seconds since the push, and since the hop before:".to_owned()];
        for (hop, at) in &self.seen {
            lines.push(format!("{at:>7.1} {:>7.1}  {hop}", at - last));
            last = *at;
        }
        lines.join("\n")
    }
}

pub fn a_pushed_code_change_is_live_without_a_hand(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let before = clone.tag()?;
    remark(&clone, "a proof changes the source")?;

    let begin = Instant::now();
    let mut hops = Hops { begin, seen: Vec::new() };
    let commit = clone.push("Change the source")?;
    hops.once("pushed", true);
    let tag = tag_of(&commit);
    let run = the_loop.started_run(&commit)?;
    let answering = service::image_tag()?;
    expect("what answers at the push", answering.as_str(), before.as_str())?;
    report.control(format!("at the push {before} still answered, and not {tag}"));

    let mut bump = None;
    wait::until(&format!("{tag} is live; the run's log: {}", run.log().display()), Duration::from_secs(600), || {
        hops.once("workflow started", run.has_begun());
        hops.once("image pushed", run.step(BUILD_STEP)?.1);
        if bump.is_none() {
            let tip = master()?;
            if tip != commit {
                bump = Some(tip);
                hops.once("manifest bumped", true);
            } else if run.has_ended()? && run.has_succeeded().is_err() {
                return Ok(());
            }
        }
        if let Some(bump) = &bump {
            look_at_the_cluster(the_loop, bump, &tag, &mut hops)?;
        }
        if hops.has(ANSWERING) { Ok(()) } else { bail!("{}", hops.table()) }
    })?;
    run.wait()?;
    service::probe()?;
    let version: Value = serde_json::from_str(&service::get("/version")?)?;
    expect("the revision that answers", version["revision"].as_str(), Some(commit.as_str()))?;
    report.measured(hops.table());
    Ok(())
}

const ANSWERING: &str = "/version on 127.0.0.1:30800 names the commit";

fn look_at_the_cluster(the_loop: &Loop, bump: &str, tag: &str, hops: &mut Hops) -> Result<()> {
    if !hops.has("synced") {
        let status = the_loop.application()?["status"].take();
        hops.once("detected", status["sync"]["revision"] == bump);
        let synced = status["sync"]["status"] == "Synced" && status["operationState"]["syncResult"]["revision"] == bump;
        hops.once("synced", status["sync"]["revision"] == bump && synced);
        return Ok(());
    }
    if !hops.has("first new pod ready") {
        let image = format!("{IMAGE}:{tag}");
        let ready = the_loop.pods()?.iter().any(|pod| {
            pod["spec"]["containers"][0]["image"] == image.as_str()
                && pod["status"]["containerStatuses"][0]["ready"] == true
        });
        hops.once("first new pod ready", ready);
    }
    hops.once(ANSWERING, service::image_tag().is_ok_and(|live| live == tag) && hops.has("all pods"));
    if !hops.has("all pods") {
        hops.once("all pods", hops.has("first new pod ready") && the_loop.is_rolled_out(tag).is_ok());
    }
    Ok(())
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

pub fn a_push_while_held_is_not_deployed_until_the_hold_is_lifted(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let live = clone.tag()?;
    let hold = "  annotations:\n    delivery.argo-rust/hold: \"0000000\"\n";
    let place = "  namespace: argo-rust\n";
    clone.replace("k8s/deployment.yaml", place, &format!("{place}{hold}"))?;
    remark(&clone, "pushed while held")?;
    let held = clone.push("Hold, and change the service")?;
    let run = the_loop.started_run(&held)?;
    let took = run.wait()?;
    ensure("the run says that it is held", run.summary().contains("Held:"), run.summary())?;
    ensure("the image was built", run.step(BUILD_STEP)?.1, "it was not")?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&held, DETECTED)?;
    expect("master, which nobody bumped", master()?, held)?;
    the_loop.is_rolled_out(&live).context("what was live before has to stay so")?;
    report.measured(format!("pushed while held: built in {}, not bumped, {live} stayed live", seconds(took)));

    clone.replace("k8s/deployment.yaml", hold, "")?;
    let lifted = clone.push("Lift the hold")?;
    let begin = Instant::now();
    the_loop.started_run(&lifted)?.wait()?;
    wait_live(the_loop, &clone, &tag_of(&lifted))?;
    report.control(format!(
        "the same change without the hold was live {} after the push that lifted it",
        seconds(begin.elapsed())
    ));
    Ok(())
}
