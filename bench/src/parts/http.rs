//! What a request costs the server, how many it can answer, and how long an answer takes at half of that.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Outcome, Run};
use crate::client::{self, Client};
use crate::report;
use crate::server::{Kind, Server, Target};
use crate::statistics::percentile;
use crate::wrk::Load;

/// Kept connections of each load; the last one shows whether a figure grows with them.
const CONNECTIONS: [usize; 3] = [32, 256, 1000];
/// The latency is taken at half the rate that so many connections reached in the same round.
const LATENCY_CONNECTIONS: usize = 32;

pub fn measure(run: &Run) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut targets = run.targets.clone();
    for service in run.targets.iter().filter(|target| target.kind == Kind::Service) {
        for path in &run.paths {
            let answer = client::ask(service.start(run.cores, 1)?.address, path)?;
            if answer.status == 200 {
                targets.push(Target {
                    name: format!("{} {path}", service.name),
                    path: path.clone(),
                    ..service.clone()
                });
            } else {
                outcome.notes.push(format!("{} answers {path} with {}: left out.", service.name, answer.status));
            }
        }
    }
    // All at once: one that is not asked costs the others nothing.
    let servers = targets.iter().map(|target| target.start(run.cores, 1100)).collect::<Result<Vec<_>>>()?;
    for (target, server) in targets.iter().zip(&servers) {
        answers_the_same(run, target, server)?;
        Load { connections: 32, seconds: 1, fresh: false }.run(server.address, &target.path).context("warm-up")?;
    }
    let loads = CONNECTIONS.map(|connections| (format!("{connections} connections"), connections, false));
    let loads = loads.into_iter().chain([("fresh connections".to_owned(), 32, true)]);
    let loads: Vec<(String, Load)> =
        loads.map(|(name, connections, fresh)| (name, Load { connections, seconds: run.seconds, fresh })).collect();
    let mut asked = HashMap::new();
    let mut peaks = HashMap::new();
    for round in 0..run.rounds {
        // Whoever is compared is measured within seconds, and nobody is always the first.
        let mut turns: Vec<(&Target, &Server)> = targets.iter().zip(&servers).collect();
        turns.rotate_left(round % targets.len());
        for (loaded, load) in &loads {
            eprintln!("http: round {} of {}, {loaded}", round + 1, run.rounds);
            for (target, server) in &turns {
                let before = server.cpu()?;
                let counted = load.run(server.address, &target.path).with_context(|| target.name.clone())?;
                let cpu = (server.cpu()? - before).as_secs_f64() * 1e6 / counted.requests;
                outcome.samples.add(&target.name, &format!("CPU, {loaded}"), "µs", cpu);
                outcome.samples.add(&target.name, &format!("rate, {loaded}"), "requests/s", counted.requests_a_second);
                *asked.entry((target.name.clone(), loaded)).or_insert(0.0) += counted.requests;
                if load.connections == LATENCY_CONNECTIONS && !load.fresh {
                    peaks.insert(target.name.clone(), counted.requests_a_second);
                }
            }
        }
        eprintln!("http: round {} of {}, latency at half of the rate", round + 1, run.rounds);
        for (target, server) in &turns {
            let peak = peaks.get(&target.name).context("no load was measured")?;
            latency(run, target, server, peak / 2.0, &mut outcome).with_context(|| target.name.clone())?;
        }
    }
    for (loaded, _) in &loads {
        let counts = asked.iter().filter(|((_, of), _)| *of == loaded).map(|(_, count)| *count);
        let fewest = counts.fold(f64::INFINITY, f64::min);
        outcome.notes.push(format!("{loaded}: each server answered at least {} requests.", report::number(fewest)));
    }
    Ok(outcome)
}

fn latency(run: &Run, target: &Target, server: &Server, rate: f64, outcome: &mut Outcome) -> Result<()> {
    let mut client = Client::connect(server.address, &target.path, LATENCY_CONNECTIONS)?;
    // A quarter of a second until the rhythm has settled.
    client.run((rate / 4.0) as usize, Some(rate))?;
    let measured = client.run((rate * run.seconds as f64) as usize, Some(rate))?;
    let (latencies, own_delays) = (sorted_microseconds(measured.all), sorted_microseconds(measured.own_delays));
    for (measure, thousandths) in [("p50", 500), ("p99", 990), ("p99.9", 999)] {
        let value = percentile(&latencies, thousandths).context("no latency was measured")?;
        outcome.samples.add(&target.name, measure, "µs", value);
    }
    let own_delay = percentile(&own_delays, 990).context("no request was sent")?;
    outcome.samples.add(&target.name, "client's own delay, p99", "µs", own_delay);
    Ok(())
}

pub fn sorted_microseconds(latencies: Vec<Duration>) -> Vec<f64> {
    let mut microseconds: Vec<f64> = latencies.iter().map(|latency| latency.as_secs_f64() * 1e6).collect();
    microseconds.sort_by(f64::total_cmp);
    microseconds
}

/// A figure of a server that answers something else would compare nothing.
fn answers_the_same(run: &Run, target: &Target, server: &Server) -> Result<()> {
    let answer = client::ask(server.address, &target.path)?;
    let body = String::from_utf8_lossy(&answer.body);
    let is_compared = run.targets.iter().any(|other| other.name == target.name);
    ensure!(
        answer.status == 200 && (!is_compared || body == run.body),
        "{} answers {} {body}",
        target.name,
        answer.status
    );
    Ok(())
}
