//! From exec to the first answer, and how large the program is that has to be there before.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{Outcome, Run};
use crate::client;
use crate::server::Target;

const STARTS: usize = 21;

pub fn measure(run: &Run) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    eprintln!("start: {STARTS} starts of each");
    // The first start reads the program from the disk and is not counted.
    for start in 0..=STARTS {
        for target in &run.targets {
            let took = start_once(run, target).with_context(|| format!("starting {}", target.name))?;
            if start > 0 {
                outcome.samples.add(&target.name, "exec to first answer", "ms", took.as_secs_f64() * 1e3);
            }
        }
    }
    for target in &run.targets {
        let name = target.name.as_str();
        outcome.samples.add(name, "program", "KB", fs::metadata(&target.program)?.len() as f64 / 1e3);
        outcome.samples.add(name, "program, zstd -9", "KB", compressed(target)? as f64 / 1e3);
    }
    Ok(outcome)
}

fn start_once(run: &Run, target: &Target) -> Result<Duration> {
    let started = Instant::now();
    let server = target.start_by(run.cores, &[run.cores.server], 256, |command| command)?;
    // Without a pause: a refused connection costs the load's core alone.
    while client::ask(server.address, &target.path).is_err() {
        ensure!(started.elapsed() < Duration::from_secs(10), "no answer after 10 s");
    }
    Ok(started.elapsed())
}

/// About as the layer of an image is sent to a node: what writes it is a zstd of its own, whose best is a little better.
fn compressed(target: &Target) -> Result<usize> {
    let output = Command::new("zstd").args(["-9", "--quiet", "--stdout"]).arg(&target.program).output()?;
    ensure!(output.status.success(), "zstd: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout.len())
}
