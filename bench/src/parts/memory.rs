//! Resident memory: at rest, under load, and with ten thousand clients that say nothing.

use anyhow::{Context as _, Result, ensure};

use super::{Outcome, Run};
use crate::client::{self, Client};
use crate::wrk::Load;

const IDLE_CONNECTIONS: usize = 10_000;

pub fn measure(run: &Run) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for target in &run.targets {
        for round in 1..=run.rounds.div_ceil(3) {
            eprintln!("memory: round {round}, {}", target.name);
            let name = target.name.as_str();
            let server = target.start(run.cores, 256)?;
            client::ask(server.address, &target.path)?;
            outcome.samples.add(name, "idle", "MB", server.resident_megabytes()?);
            Load { connections: 256, seconds: run.seconds, fresh: false }.run(server.address, &target.path)?;
            outcome.samples.add(name, "after 256 connections under load", "MB", server.resident_megabytes()?);
            drop(server);

            let server = target.start(run.cores, IDLE_CONNECTIONS + 100)?;
            let mut client = Client::connect(server.address, &target.path, IDLE_CONNECTIONS)?;
            for (rate, measure) in [(Some(5_000.0), "10,000 idle connections"), (None, "after all asked at once")] {
                client
                    .run(IDLE_CONNECTIONS, rate)
                    .with_context(|| format!("{IDLE_CONNECTIONS} connections to {name}"))?;
                outcome.samples.add(name, measure, "MB", server.resident_megabytes()?);
            }
            let open = client.still_open();
            ensure!(open == IDLE_CONNECTIONS, "{name} kept {open} of {IDLE_CONNECTIONS} connections");
        }
    }
    Ok(outcome)
}
