//! Image changes while clients that never retry send requests at a constant rate.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::load::{Connections, Load, Report as Stream, Stream as Wanted, summary};
use e2e::repetitions::{REQUESTS_OVER_ROLLOUTS, ROLLOUTS_OF_ONE_POD, ROLLOUTS_OF_THE_ORIGINAL, ROLLOUTS_OF_TWO_PODS};
use e2e::report::{Report, ensure};
use e2e::repository::Clone;
use e2e::watch::{Watch, is_live};
use e2e::{DEPLOYMENT, Loop, NAMESPACE, extras, service};
use serde_json::{Value, json};

const REST: Duration = Duration::from_secs(8);

/// Short requests and computations, at most half of what one pod bears at `SIZE`.
fn load() -> Result<Vec<Wanted>> {
    let path = service::probe_path()?;
    let mut streams = vec![
        Wanted { name: "kept alive", path, connections: Connections::Kept(48), rate: 5400 },
        Wanted { name: "fresh connections", path, connections: Connections::FreshEachTime, rate: 220 },
    ];
    let computations =
        [("short computations", extras::SHORT_COMPUTATION, 8), ("long computations", extras::LONG_COMPUTATION, 1)];
    for (name, path, rate) in computations {
        streams.extend(path.map(|path| Wanted { name, path, connections: Connections::Kept(4), rate }));
    }
    Ok(streams)
}

/// As a person would size it for this rate, at which the 200m of the birth values are throttled.
const SIZE: &str = "800m";

/// Rollouts with the drain delay taken away, until one request fails.
const CONTROL_ROLLOUTS: usize = 10;
const DELAY: &str = "value: 15s";
const AT_ONCE: &str = "value: 0s";

const DEAF: &str = r#"--cmd=["sh", "-c", "./argo-rust; exit"]"#;
const ROLLED_OUT: Duration = Duration::from_secs(120);
/// terminationGracePeriodSeconds, and time to tell.
const KILLED_AFTER: Duration = Duration::from_secs(45);

pub fn rollouts_under_load_fail_no_request(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let rollouts = Rollouts::prepare(the_loop)?;
    let outcome = rollouts
        .prove(report)
        .and_then(|()| rollouts.control(report))
        .and_then(|()| if ROLLOUTS_OF_THE_ORIGINAL.times() > 0 { rollouts.original(report) } else { Ok(()) });
    rollouts.restore().and(outcome)
}

struct Rollouts<'a> {
    the_loop: &'a Loop,
    clone: Clone,
    /// Before the proof: the commit, and the sizing.
    first: String,
    sizing: [Value; 2],
    tags: [String; 2],
    deployment: Watch,
}

impl<'a> Rollouts<'a> {
    fn prepare(the_loop: &'a Loop) -> Result<Self> {
        let clone = Clone::of(the_loop)?;
        let (first, tag) = (clone.head()?, clone.tag()?);
        let spec = the_loop.deployment()?["spec"].take();
        let sizing =
            [spec["replicas"].clone(), spec["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"].clone()];
        // Made once: from here on the two take turns.
        let other = the_loop.fresh_tag(&tag)?;
        let deployment = the_loop.watch(NAMESPACE, "deployments")?;
        Ok(Self { the_loop, clone, first, sizing, tags: [other, tag], deployment })
    }

    fn prove(&self, report: &mut Report) -> Result<()> {
        let mut streams: Vec<Stream> = Vec::new();
        let mut times = Vec::new();
        // The tag that is live is no rollout.
        let mut next = 0;
        // A rollout of two pods takes twice as long.
        let counts = [(1, ROLLOUTS_OF_ONE_POD.times()), (2, ROLLOUTS_OF_TWO_PODS.times())];
        for (replicas, count) in counts {
            self.size([json!(replicas), json!(SIZE)])?;
            let load = Load::start(service::ADDRESS.parse()?, &load()?)?;
            std::thread::sleep(REST);
            let begin = Instant::now();
            load.rollout(true);
            for _ in 0..count {
                self.roll_out(&self.tags[next % 2])?;
                next += 1;
            }
            times.push(format!(
                "{count} with {replicas} pods, {:.1} s each",
                begin.elapsed().as_secs_f64() / count as f64
            ));
            merge(&mut streams, load.end()?);
        }
        let (requests, failed) = totals(&streams);
        let rollouts: u64 = counts.iter().map(|(_, count)| count).sum();
        report.measured(format!("{requests} requests during {rollouts} rollouts and at rest, {failed} failed"));
        report.measured(format!("rollouts, from the push of the commit: {}", times.join("; ")));
        for stream in &streams {
            report.measured(stream.to_string());
        }
        ensure("no request fails", failed == 0, summary(streams.iter().flat_map(|stream| &stream.failures)))?;
        let least = REQUESTS_OVER_ROLLOUTS.times();
        ensure(&format!("at least {least} requests are sent"), requests >= least, requests)
    }

    /// The same service, told to close its listener at once: what the drain delay is for.
    fn control(&self, report: &mut Report) -> Result<()> {
        self.clone.update()?;
        self.clone.replace("k8s/deployment.yaml", DELAY, AT_ONCE)?;
        self.push("Close the listener at once", &self.tags[0])?;
        let load = Load::start(service::ADDRESS.parse()?, &load()?)?;
        let mut rollouts = 0;
        while load.failures().is_empty() && rollouts < CONTROL_ROLLOUTS {
            rollouts += 1;
            self.roll_out(&self.tags[rollouts % 2])?;
        }
        let streams = load.end()?;
        let (requests, failed) = totals(&streams);
        report.control(format!(
            "without the drain delay {failed} of {requests} requests fail within {rollouts} rollouts: {}",
            summary(streams.iter().flat_map(|stream| &stream.failures))
        ));
        ensure("the load notices a service that does not wait before it stops accepting", failed > 0, failed)
    }

    /// The original had no handler for SIGTERM, and process 1 ignores what it does not handle: it serves until it is
    /// killed. A shell as process 1 does just that.
    fn original(&self, report: &mut Report) -> Result<()> {
        let deaf = Loop::unused_tag()?;
        self.the_loop.variant(&self.tags[1], &deaf, DEAF)?;
        self.clone.restore(&self.first)?;
        self.roll_out(&deaf)?;
        let load = Load::start(service::ADDRESS.parse()?, &load()?)?;
        self.roll_out(&self.tags[1])?;
        self.the_loop.wait_for_old_pods()?;
        let streams = load.end()?;
        let (requests, failed) = totals(&streams);
        report.measured(format!(
            "the rollout of a process that ignores SIGTERM, as the original's did: {failed} of {requests} requests fail: {}",
            summary(streams.iter().flat_map(|stream| &stream.failures))
        ));
        Ok(())
    }

    fn restore(&self) -> Result<()> {
        self.clone.restore(&self.first)?;
        self.the_loop.force_sync()?;
        self.size(self.sizing.clone())?;
        self.the_loop.wait_rolled_out(&self.tags[1]).map(drop)
    }

    /// As OpenTofu writes it: outside of git, and no sync takes it back.
    fn size(&self, [replicas, limit]: [Value; 2]) -> Result<()> {
        let patch = json!([
            {"op": "replace", "path": "/spec/replicas", "value": replicas},
            {"op": "replace", "path": "/spec/template/spec/containers/0/resources/limits/cpu", "value": limit},
        ]);
        self.the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, "HashiCorp", &patch)?;
        self.clone.update()?;
        self.the_loop.wait_rolled_out(&self.clone.tag()?).map(drop)
    }

    /// The commit of a bump, and README's way not to wait for the next look.
    fn roll_out(&self, tag: &str) -> Result<()> {
        self.clone.bump(tag)?;
        self.the_loop.force_sync()?;
        let deadline = Instant::now() + ROLLED_OUT;
        self.deployment.first(&format!("every pod runs {tag}"), deadline, |deployment| is_live(deployment, tag))?;
        Ok(())
    }

    fn push(&self, message: &str, tag: &str) -> Result<()> {
        self.clone.set_tag(tag)?;
        let commit = self.clone.push_without_run(message)?;
        self.the_loop.force_sync()?;
        self.the_loop.wait_synced(&commit, KILLED_AFTER)?;
        self.the_loop.wait_rolled_out(tag).map(drop)
    }
}

fn merge(streams: &mut Vec<Stream>, more: Vec<Stream>) {
    if streams.is_empty() {
        *streams = more;
    } else {
        streams.iter_mut().zip(more).for_each(|(stream, more)| stream.add(more));
    }
}

fn totals(streams: &[Stream]) -> (u64, usize) {
    (streams.iter().map(|stream| stream.requests).sum(), streams.iter().map(|stream| stream.failures.len()).sum())
}
