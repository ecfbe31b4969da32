//! How long a bump takes to be live, and which hop of it takes how long.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::report::{Report, ensure, median_and_worst};
use e2e::repository::Clone;
use e2e::watch::Watch;
use e2e::{APPLICATION, IMAGE, Loop, NAMESPACE};
use serde_json::Value;

const BUMPS: u32 = 9;
/// `timeout.reconciliation` of argocd/settings.yaml.
const INTERVAL: Duration = Duration::from_secs(15);
const GOAL: f64 = 15.0;
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

pub fn a_bump_is_live_within_fifteen_seconds_in_the_median(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let tag = clone.tag()?;
    let tags = [the_loop.fresh_tag(&tag)?, tag.clone()];
    let cluster = Watches {
        application: the_loop.watch("argocd", "applications.argoproj.io")?,
        deployment: the_loop.watch(NAMESPACE, "deployments")?,
        pods: the_loop.watch(NAMESPACE, "pods")?,
    };
    let mut samples = Vec::new();
    for number in 0..BUMPS {
        // The polls of Argo CD come at a steady beat, and a rollout ends at the same point of it each time: the
        // pushes are spread over the beat.
        std::thread::sleep(INTERVAL * number / BUMPS);
        samples.push(cluster.bump(&clone, &tags[number as usize % 2])?);
    }
    clone.bump(&tag)?;
    the_loop.force_sync()?;
    the_loop.wait_rolled_out(&tag)?;
    for (hop, name) in HOPS.iter().enumerate() {
        report.measured(said(name, samples.iter().map(|sample| sample[hop + 1] - sample[hop])));
    }
    let whole = said("bump to all pods live", samples.iter().map(|sample| sample[HOPS.len()] - sample[0]));
    report.measured(format!("{whole}, of {BUMPS} bumps"));
    let (median, _) = median_and_worst(&samples.iter().map(|sample| sample[HOPS.len()]).collect::<Vec<_>>());
    ensure(&format!("a median of at most {GOAL} s"), median <= GOAL, format!("{median:.1} s"))
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
    /// One bump; the seconds after the push at which each hop ended, with 0 for the push itself.
    fn bump(&self, clone: &Clone, tag: &str) -> Result<Vec<f64>> {
        for watch in [&self.application, &self.deployment, &self.pods] {
            watch.forget();
        }
        let image = format!("{IMAGE}:{tag}");
        let old = clone.tag()?;
        let commit = clone.bump(tag)?;
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
            self.deployment.first("all pods are live", deadline, is_complete)?,
        ];
        ensure("the image changes", old != tag, tag)?;
        Ok(ends.iter().map(|end| end.duration_since(pushed).as_secs_f64()).collect())
    }
}

fn is_complete(deployment: &Value) -> bool {
    let (wanted, status) = (&deployment["spec"]["replicas"], &deployment["status"]);
    deployment["metadata"]["generation"] == status["observedGeneration"]
        && ["replicas", "updatedReplicas", "availableReplicas"].iter().all(|count| &status[*count] == wanted)
}
