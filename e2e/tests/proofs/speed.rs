//! How long a bump takes to be live, and which hop of it takes how long.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::repetitions::BUMPS_BY_POLLING;
use e2e::report::{Report, ensure, expect, median_and_worst};
use e2e::repository::Clone;
use e2e::watch::{Watch, is_live};
use e2e::{APPLICATION, IMAGE, Loop, NAMESPACE, wait};
use serde_json::Value;

const GOAL: f64 = 15.0;
/// What Argo CD takes to ask git once it is awake.
const LOOK: f64 = 1.0;
const DEADLINE: Duration = Duration::from_secs(120);

/// Each counts from the one before it.
const HOPS: [&str; 6] = [
    "commit pushed -> Argo CD has seen it",
    "-> the Deployment has the new image",
    "-> the new pod exists",
    "-> its container runs",
    "-> it is ready",
    "-> all pods are live (minReadySeconds)",
];

pub fn polling_detects_a_bump_within_two_intervals_and_it_is_live_within_fifteen_seconds_in_the_median(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    let interval = the_loop.polling_interval()?;
    let bumps = u32::try_from(BUMPS_BY_POLLING.times())?;
    the_loop.on_a_clone(|clone, tag| {
        let tags = [the_loop.fresh_tag(tag)?, tag.to_owned()];
        let cluster = Watches {
            application: the_loop.watch("argocd", "applications.argoproj.io")?,
            deployment: the_loop.watch(NAMESPACE, "deployments")?,
            pods: the_loop.watch(NAMESPACE, "pods")?,
        };
        let mut samples = Vec::new();
        for number in 0..bumps {
            // Argo CD polls at a steady beat, and a rollout ends at the same point of it each time: the pushes are
            // spread over the beat.
            std::thread::sleep(interval * number / bumps);
            let tag = &tags[number as usize % 2];
            samples.push(cluster.follow(tag, || clone.bump(tag))?);
        }
        for (hop, name) in HOPS.iter().enumerate() {
            report.measured(said(name, samples.iter().map(|sample| sample[hop + 1] - sample[hop])));
        }
        // Argo CD wakes once an interval and passes over what it has looked at less than an interval ago: a commit
        // that comes right after a look is seen at the second waking.
        let limit = 2.0 * interval.as_secs_f64() + LOOK;
        let slowest = samples.iter().map(|sample| sample[1]).fold(0.0, f64::max);
        ensure(&format!("each detected within two intervals of {interval:?}"), slowest <= limit, slowest)?;
        let whole: Vec<f64> = samples.iter().map(|sample| sample[HOPS.len()]).collect();
        report.measured(format!("{}, of {bumps}", said("bump to all pods live", whole.iter().copied())));
        let (median, _) = median_and_worst(&whole);
        ensure(&format!("a median of at most {GOAL} s"), median <= GOAL, format!("{median:.1} s"))?;

        not_from_another_branch(the_loop, clone, Duration::from_secs_f64(limit), report)?;
        let slow = cluster.follow(&tags[1], || {
            clone.update()?;
            clone.replace("k8s/deployment.yaml", "minReadySeconds: 3", "minReadySeconds: 15")?;
            clone.set_tag(&tags[1])?;
            clone.push_without_run("Trust a new pod later")
        })?;
        report.control(format!("with minReadySeconds 15 a bump takes {:.1} s", slow[HOPS.len()]));
        ensure("that is more than the limit", slow[HOPS.len()] > GOAL, slow[HOPS.len()])
    })
}

/// A commit that is not on master, waited for just as long: nothing else may look like a detection.
fn not_from_another_branch(the_loop: &Loop, clone: &Clone, long: Duration, report: &mut Report) -> Result<()> {
    let revision = || -> Result<Value> { Ok(the_loop.application()?["status"]["sync"]["revision"].take()) };
    let before = revision()?;
    let commit = clone.push_elsewhere("elsewhere")?;
    wait::throughout("Argo CD stays at master's commit", long, || expect("revision", revision()?, before.clone()))?;
    report.control(format!("{} on another branch was not detected within {}", &commit[..7], wait::seconds(long)));
    Ok(())
}

fn said(name: &str, seconds: impl Iterator<Item = f64>) -> String {
    let (median, worst) = median_and_worst(&seconds.collect::<Vec<_>>());
    format!("{name}: median {median:.1} s, worst {worst:.1} s")
}

struct Watches {
    application: Watch,
    deployment: Watch,
    pods: Watch,
}

impl Watches {
    /// The seconds after the push at which each hop of a bump ended, with 0 for the push itself.
    fn follow(&self, tag: &str, push: impl FnOnce() -> Result<String>) -> Result<Vec<f64>> {
        for watch in [&self.application, &self.deployment, &self.pods] {
            watch.forget();
        }
        let image = format!("{IMAGE}:{tag}");
        let commit = push()?;
        let pushed = Instant::now();
        let deadline = pushed + DEADLINE;
        // A pod that leaves may have had the same image two bumps ago.
        let is_new = |pod: &Value| {
            pod["metadata"]["deletionTimestamp"].is_null() && pod["spec"]["containers"][0]["image"] == image.as_str()
        };
        let ends = [
            pushed,
            self.application.first("Argo CD names the commit", deadline, |application| {
                application["metadata"]["name"] == APPLICATION
                    && (application["status"]["sync"]["revision"] == commit.as_str()
                        || application["operation"]["sync"]["revision"] == commit.as_str())
            })?,
            self.deployment.first("the Deployment has the new image", deadline, |deployment| {
                deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image.as_str()
            })?,
            self.pods.first("a new pod", deadline, is_new)?,
            self.pods.first("its container runs", deadline, |pod| {
                is_new(pod) && pod["status"]["containerStatuses"][0]["state"]["running"].is_object()
            })?,
            self.pods.first("it is ready", deadline, |pod| {
                is_new(pod) && pod["status"]["containerStatuses"][0]["ready"] == true
            })?,
            self.deployment.first("all pods are live", deadline, |deployment| is_live(deployment, tag))?,
        ];
        Ok(ends.iter().map(|end| end.duration_since(pushed).as_secs_f64()).collect())
    }
}
