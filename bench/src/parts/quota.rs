//! The service within a pod's limits, while 64 clients ask for the largest computation as fast as they can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::http::sorted_microseconds;
use super::{Outcome, Run};
use crate::cgroup::{Group, Limits};
use crate::client::{Client, ask, ask_within};
use crate::extras;
use crate::server::{Kind, Server, Target, wait_until_it_listens};
use crate::statistics::percentile;
use crate::wrk::Load;

const LIMITS: Limits = Limits { milli_cores: 200, megabytes: 64 };
const FLOOD_CONNECTIONS: usize = 64;
/// Of the probe's path, a second: little beside the limit, so that it is the flood that is in the way.
const RATE: f64 = 50.0;

pub fn measure(run: &Run) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let Some(flood) = extras::FLOOD else {
        outcome.notes.push("The limits of a pod were not measured: nothing is named to flood it with.".to_owned());
        return Ok(outcome);
    };
    for target in run.targets.iter().filter(|target| target.kind == Kind::Service) {
        for round in 1..=run.rounds.div_ceil(3) {
            eprintln!("quota: round {round}, {}", target.name);
            let group = match Group::create(LIMITS) {
                Ok(group) => group,
                Err(error) => {
                    outcome.notes.push(format!("The limits of a pod were not measured: {error:#}."));
                    return Ok(outcome);
                }
            };
            measure_one(run, target, flood, &group, &mut outcome)
                .with_context(|| format!("{} in a pod's limits", target.name))?;
        }
    }
    Ok(outcome)
}

fn measure_one(run: &Run, target: &Target, path: &str, group: &Group, outcome: &mut Outcome) -> Result<()> {
    // As in a pod, on all cores: what it may use at once is limited by time alone.
    let cores = [run.cores.server, run.cores.load];
    let mut server = target.start_by(run.cores, &cores, 1000, |command| group.wrap(&command))?;
    wait_until_it_listens(server.address)?;
    let seconds = run.seconds.max(2) * 5;
    let status = ask(server.address, path)?.status;
    if status != 200 {
        outcome.notes.push(format!("{} answers {path} with {status}: nothing to flood it with.", target.name));
        return Ok(());
    }
    let flood = Load { connections: FLOOD_CONNECTIONS, seconds: seconds + 2, fresh: false };
    let flooding = flood.start(server.address, path)?;
    std::thread::sleep(Duration::from_secs(1));

    let done = AtomicBool::new(false);
    let (latencies, failed) = std::thread::scope(|scope| {
        let probes = scope.spawn(|| failed_probes(&server, &target.path, &done));
        let asked = Client::connect(server.address, &target.path, 8)
            .and_then(|mut client| client.run((RATE * seconds as f64) as usize, Some(RATE)));
        done.store(true, Ordering::Relaxed);
        (asked, probes.join())
    });
    let latencies = sorted_microseconds(latencies?.all);
    let failed = failed.ok().context("the probes broke down")?;
    let flooded = flood.count(flooding)?;
    ensure!(!server.has_ended()?, "the service did not survive");

    for (measure, thousandths) in [("probe p50", 500), ("probe p99", 990), ("probe max", 1000)] {
        let value = percentile(&latencies, thousandths).context("no latency was measured")?;
        outcome.samples.add(&target.name, measure, "ms", value / 1e3);
    }
    outcome.samples.add(&target.name, "failed probes", "probes", failed as f64);
    let answered = (flooded.requests - flooded.refused) / (seconds + 2) as f64;
    outcome.samples.add(&target.name, &format!("{path} answered"), "requests/s", answered);
    outcome.samples.add(&target.name, "memory peak", "MB", group.peak_megabytes()?);
    drop(server);
    Ok(())
}

/// One each second with a second of patience, on a connection of its own, as the kubelet asks.
fn failed_probes(server: &Server, path: &str, done: &AtomicBool) -> usize {
    const SECOND: Duration = Duration::from_secs(1);
    let mut failed = 0;
    while !done.load(Ordering::Relaxed) {
        let started = Instant::now();
        let answer = ask_within(server.address, path, SECOND);
        let in_time = started.elapsed() <= SECOND;
        failed += usize::from(!in_time || !answer.is_ok_and(|answer| answer.status == 200));
        std::thread::sleep(SECOND.saturating_sub(started.elapsed()));
    }
    failed
}
