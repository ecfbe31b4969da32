//! A release that cannot run takes nothing down.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::Loop;
use e2e::application::SYNC;
use e2e::report::{Report, ensure};
use e2e::repository::Clone;
use e2e::service::{self, Witness};
use e2e::wait::{self, seconds};

/// Shorter than the 120 s of k8s/deployment.yaml, which would be spent waiting, twice.
const DEADLINE: u64 = 12;
/// Between the deployment controller's verdict and Argo CD's.
const SLACK: Duration = Duration::from_secs(10);
const MANIFEST: &str = "k8s/deployment.yaml";

pub fn a_bad_release_leaves_the_old_pods_serving_and_the_next_good_commit_goes_live(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let failing = Loop::unused_tag()?;
        the_loop.variant(live, &failing, "--env=ARGO_RUST_LISTEN=0.0.0.0:8099")?;
        for (what, bad) in [("an image that does not exist", Loop::unused_tag()?), ("a failing probe", failing)] {
            let good = the_loop.fresh_tag(live)?;
            let witness = Witness::start();
            let degraded = release(the_loop, clone, &bad, "maxUnavailable: 0").and_then(|()| degraded(the_loop))?;
            let begin = Instant::now();
            clone.replace(MANIFEST, &shortened(), SHIPPED)?;
            clone.set_tag(&good)?;
            let commit = clone.push_without_run("Release a good one")?;
            the_loop.force_sync()?;
            the_loop.wait_synced(&commit, SYNC)?;
            let synced = begin.elapsed();
            the_loop.wait_rolled_out(&good)?;
            let asked = witness.all_answered()?;
            report.measured(format!(
                "{what}: Degraded {} after its sync (deadline {DEADLINE} s); the next good commit was synced after {} and live after {}; 0 of {asked} requests failed",
                seconds(degraded),
                seconds(synced),
                seconds(begin.elapsed())
            ));
        }

        // The same bad image, but with the old pod allowed to go first: the service has to be lost.
        let old = "maxUnavailable: 1";
        clone.update()?;
        clone.replace(MANIFEST, "maxUnavailable: 0", old)?;
        clone.replace(MANIFEST, "maxSurge: 1", "maxSurge: 0")?;
        release(the_loop, clone, &Loop::unused_tag()?, old)?;
        let (_, lost) = wait::until("the service stops answering", Duration::from_secs(60), || {
            match service::probe() {
                Err(_) => Ok(()),
                Ok(_) => anyhow::bail!("it still answers"),
            }
        })?;
        report.control(format!("with maxUnavailable 1 the same bad image took the service down after {}", seconds(lost)));
        Ok(())
    })
}

const SHIPPED: &str = "progressDeadlineSeconds: 120";

fn shortened() -> String {
    format!("progressDeadlineSeconds: {DEADLINE}")
}

/// Commits the tag on top of what the clone holds, and waits until Argo CD has applied it.
fn release(the_loop: &Loop, clone: &Clone, tag: &str, strategy: &str) -> Result<()> {
    if clone.read(MANIFEST)?.contains("maxUnavailable: 0") {
        clone.update()?;
    }
    ensure("the strategy that this is about", clone.read(MANIFEST)?.contains(strategy), strategy)?;
    clone.replace(MANIFEST, SHIPPED, &shortened())?;
    clone.set_tag(tag)?;
    let commit = clone.push_without_run("Release a bad one")?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, SYNC)?;
    Ok(())
}

fn degraded(the_loop: &Loop) -> Result<Duration> {
    let within = Duration::from_secs(DEADLINE) + SLACK;
    let (_, took) = wait::until("Argo CD says Degraded", within, || {
        let health = the_loop.health()?;
        ensure("Degraded", health == "Degraded", health)
    })?;
    // Degraded from the first moment on would be some other fault than the deadline.
    ensure("it was given the time of its deadline", took.as_secs() + 5 >= DEADLINE, seconds(took))?;
    Ok(took)
}
