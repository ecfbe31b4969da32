//! The service within a pod's limits, while 64 clients ask for the largest number as fast as they can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::http::sorted_microseconds;
use super::{Outcome, Run};
use crate::cgroup::{Group, Limits};
use crate::client::{Client, ask, ask_within};
use crate::server::{Kind, Server, Target, wait_until_it_listens};
use crate::statistics::percentile;
use crate::wrk::Load;

const LIMITS: Limits = Limits { milli_cores: 200, megabytes: 64 };
const FLOOD_CONNECTIONS: usize = 64;
/// Of /hello, a second: little beside the limit, so that it is the flood that is in the way.
const RATE: f64 = 50.0;

pub fn measure(run: &Run) -> Result<Outcome> {
    let mut outcome = Outcome::default();
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
            measure_one(run, target, &group, &mut outcome)
                .with_context(|| format!("{} in a pod's limits", target.name))?;
        }
    }
    Ok(outcome)
}

fn measure_one(run: &Run, target: &Target, group: &Group, outcome: &mut Outcome) -> Result<()> {
    // As in a pod, on all cores: what it may use at once is limited by time alone.
    let cores = [run.cores.server, run.cores.load];
    let mut server = target.start_by(run.cores, &cores, 1000, |command| group.wrap(&command))?;
    wait_until_it_listens(server.address)?;
    let seconds = run.seconds.max(2) * 5;
    let path = format!("/fibonacci/{}", largest_n(&server)?);
    let flood = Load { connections: FLOOD_CONNECTIONS, seconds: seconds + 2, fresh: false };
    let flooding = flood.start(server.address, &path)?;
    std::thread::sleep(Duration::from_secs(1));

    let done = AtomicBool::new(false);
    let (latencies, failed) = std::thread::scope(|scope| {
        let probes = scope.spawn(|| failed_probes(&server, &done));
        let asked = Client::connect(server.address, "/hello", 8)
            .and_then(|mut client| client.run((RATE * seconds as f64) as usize, Some(RATE)));
        done.store(true, Ordering::Relaxed);
        (asked, probes.join())
    });
    let latencies = sorted_microseconds(latencies?.all);
    let failed = failed.ok().context("the probes broke down")?;
    let flooded = flood.count(flooding)?;
    ensure!(!server.has_ended()?, "the service did not survive");

    for (measure, thousandths) in [("/hello p50", 500), ("/hello p99", 990), ("/hello max", 1000)] {
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
fn failed_probes(server: &Server, done: &AtomicBool) -> usize {
    const SECOND: Duration = Duration::from_secs(1);
    let mut failed = 0;
    while !done.load(Ordering::Relaxed) {
        let started = Instant::now();
        let answer = ask_within(server.address, "/hello", SECOND);
        let in_time = started.elapsed() <= SECOND;
        failed += usize::from(!in_time || !answer.is_ok_and(|answer| answer.status == 200));
        std::thread::sleep(SECOND.saturating_sub(started.elapsed()));
    }
    failed
}

/// The service says what it accepts when it is asked for more.
fn largest_n(server: &Server) -> Result<u64> {
    let answer = ask(server.address, &format!("/fibonacci/{}", u64::MAX))?;
    let text = String::from_utf8_lossy(&answer.body);
    let number =
        text.split("from 0 to ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    number.and_then(|digits| digits.parse().ok()).with_context(|| format!("no largest n in {text}"))
}
