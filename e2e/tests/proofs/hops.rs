//! A push, followed hop by hop while somebody else makes it.

use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use e2e::report::{Report, expect};
use e2e::wait;
use e2e::{GIT, IMAGE, Loop, service, shell};
use serde_json::Value;

pub const BUILD_STEP: &str = "Build and push the image";
const ANSWERING: &str = "/version on 127.0.0.1:30800 names the commit";
/// For whoever reads on until there is something to push.
const PUSHED: Duration = Duration::from_secs(300);
const LIVE: Duration = Duration::from_secs(600);

pub fn tag_of(commit: &str) -> String {
    format!("sha-{}", &commit[..7])
}

pub fn master() -> Result<String> {
    let said = shell::run(Command::new("git").args(["-c", "http.proxy=", "ls-remote", GIT, "refs/heads/master"]))?;
    Ok(said.split_whitespace().next().context("the loop has no master")?.to_owned())
}

/// Follows the next commit that master gets, on a thread of its own.
pub struct NextPush(JoinHandle<Result<(String, Hops)>>);

impl NextPush {
    pub fn begin() -> Result<Self> {
        let before = master()?;
        Ok(Self(std::thread::spawn(move || follow(&Loop::find()?, &before))))
    }

    /// Once it is live.
    pub fn end(self, report: &mut Report) -> Result<()> {
        let (answered, hops) = self.0.join().map_err(|_| anyhow!("the thread that follows the push panicked"))??;
        report.control(format!("at the push {answered} still answered"));
        report.measured(hops.table());
        Ok(())
    }
}

/// What answered at the push, and when each hop was seen.
fn follow(the_loop: &Loop, before: &str) -> Result<(String, Hops)> {
    let (commit, _) = wait::until("a push", PUSHED, || {
        let tip = master()?;
        if tip == before { bail!("master is still at {before}") } else { Ok(tip) }
    })?;
    let mut hops = Hops { begin: Instant::now(), seen: Vec::new() };
    hops.once("pushed", true);
    let tag = tag_of(&commit);
    let answered = service::image_tag()?;
    if answered == tag {
        bail!("{tag} answered already at its push");
    }
    let (run, _) = wait::until("its run", Duration::from_secs(10), || the_loop.started_run(&commit))?;

    let mut bump = None;
    wait::until(&format!("{tag} is live; the run's log: {}", run.log().display()), LIVE, || {
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
    let version: Value = serde_json::from_str(&service::get("/version")?)?;
    expect("the revision that answers", version["revision"].as_str(), Some(commit.as_str()))?;
    Ok((answered, hops))
}

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
