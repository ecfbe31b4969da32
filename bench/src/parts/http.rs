//! What a request costs the server, how many it can answer, and how long an answer takes at half of that.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Outcome, Run};
use crate::client::{self, Client};
use crate::server::{Kind, Server, Target};
use crate::statistics::percentile;
use crate::wrk::Load;

/// Kept connections of each load; the last one shows whether a figure grows with them.
const CONNECTIONS: [usize; 3] = [32, 256, 1000];
/// The latency is taken at half the rate that so many connections reached in the same round.
const LATENCY_CONNECTIONS: usize = 32;

pub fn measure(run: &Run) -> Result<Outcome> {
    let small = run.targets.iter().filter(|target| target.kind == Kind::Service).map(|service| Target {
        name: format!("{} /fibonacci/42", service.name),
        path: "/fibonacci/42",
        ..service.clone()
    });
    let targets: Vec<Target> = run.targets.iter().cloned().chain(small).collect();
    let mut outcome = Outcome::default();
    // All at once: one that is not asked costs the others nothing.
    let servers = targets.iter().map(|target| target.start(run.cores, 1100)).collect::<Result<Vec<_>>>()?;
    for (target, server) in targets.iter().zip(&servers) {
        answers_the_same(target, server)?;
        Load { connections: 32, seconds: 1, fresh: false }.run(server.address, target.path).context("warm-up")?;
    }
    for round in 1..=run.rounds {
        for (target, server) in targets.iter().zip(&servers) {
            eprintln!("http: round {round} of {}, {}", run.rounds, target.name);
            measure_one(run, target, server, &mut outcome).with_context(|| format!("measuring {}", target.name))?;
        }
    }
    Ok(outcome)
}

fn measure_one(run: &Run, target: &Target, server: &Server, outcome: &mut Outcome) -> Result<()> {
    let name = target.name.as_str();
    let kept = CONNECTIONS.map(|connections| (connections, false, format!("{connections} connections")));
    let fresh = (32, true, "fresh connections".to_owned());
    let mut half = None;
    for (connections, fresh, loaded) in kept.into_iter().chain([fresh]) {
        let before = server.cpu()?;
        let counted = Load { connections, seconds: run.seconds, fresh }.run(server.address, target.path)?;
        let cpu = (server.cpu()? - before).as_secs_f64() * 1e6 / counted.requests;
        outcome.samples.add(name, &format!("CPU, {loaded}"), "µs", cpu);
        outcome.samples.add(name, &format!("rate, {loaded}"), "requests/s", counted.requests_a_second);
        outcome.samples.add(name, &format!("requests, {loaded}"), "requests", counted.requests);
        half = half.or(Some(counted.requests_a_second / 2.0));
    }
    let rate = half.context("no load was measured")?;
    let mut client = Client::connect(server.address, target.path, LATENCY_CONNECTIONS)?;
    // A quarter of a second until the rhythm has settled.
    client.run((rate / 4.0) as usize, Some(rate))?;
    let latencies = sorted_microseconds(client.run((rate * run.seconds as f64) as usize, Some(rate))?);
    for percent in [50.0, 99.0, 99.9] {
        let value = percentile(&latencies, percent).context("no latency was measured")?;
        outcome.samples.add(name, &format!("p{percent}"), "µs", value);
    }
    Ok(())
}

pub fn sorted_microseconds(latencies: Vec<Duration>) -> Vec<f64> {
    let mut microseconds: Vec<f64> = latencies.iter().map(|latency| latency.as_secs_f64() * 1e6).collect();
    microseconds.sort_by(f64::total_cmp);
    microseconds
}

/// A figure of a server that answers something else would compare nothing.
fn answers_the_same(target: &Target, server: &Server) -> Result<()> {
    let answer = client::ask(server.address, target.path)?;
    let body = String::from_utf8_lossy(&answer.body);
    let expected = if target.path == "/hello" { bench::HELLO } else { r#"{"n":42,"result":267914296}"# };
    ensure!(answer.status == 200 && body == expected, "{} answers {} {body}", target.name, answer.status);
    Ok(())
}
