//! Instructions in user space for each request, counted by callgrind: the figure that does not wander.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Outcome, Run};
use crate::client::Client;
use crate::server::{Kind, Target, wait_until_it_listens};

const CONNECTIONS: usize = 32;
/// The start-up and the end cost both runs the same, so that the difference is the requests' alone.
const REQUESTS: [usize; 2] = [2_000, 12_000];

pub fn measure(run: &Run) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    if Command::new("valgrind").arg("--version").output().is_err() {
        outcome
            .notes
            .push("Instructions were not counted: valgrind is not installed; scripts/bench-tools does it.".to_owned());
        return Ok(outcome);
    }
    for target in &run.targets {
        eprintln!("instructions: {}", target.name);
        let [few, many] = REQUESTS.map(|requests| count(run, target, requests));
        let instructions = (many? - few?) / (REQUESTS[1] - REQUESTS[0]) as f64;
        outcome.samples.add(&target.name, "instructions a request", "instructions", instructions);
    }
    Ok(outcome)
}

fn count(run: &Run, target: &Target, requests: usize) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("callgrind");
    let mut server = target.start_by(run.cores, &[run.cores.server], 256, |command| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind"]).arg(format!("--callgrind-out-file={}", file.display()));
        valgrind.arg(command.get_program()).args(command.get_args());
        valgrind.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if matches!(target.kind, Kind::Nginx(_)) {
            // A worker below a master would be a second process to count.
            valgrind.args(["-g", "master_process off;"]);
        }
        valgrind.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        valgrind
    })?;
    wait_until_it_listens(server.address)?;
    Client::connect(server.address, &target.path, CONNECTIONS)?.run(requests, None)?;
    server.stop()?;
    total(&file)
}

fn total(file: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(file).context("callgrind wrote nothing")?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("callgrind wrote no totals")?;
    Ok(line.trim().parse()?)
}
