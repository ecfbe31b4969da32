//! F(n) as finished text: the service's arithmetic beside libraries, compiled as the service is.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bench::Row;

use super::{Outcome, Run};
use crate::{programs, report};

pub fn measure(run: &Run, bench: &Path) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let manifest = bench.join("Cargo.toml");
    let program = ["--release", "--bin=fibonacci"];
    let programs = programs::build(&manifest, &[&program[..], &["--features=gmp"]].concat()).or_else(|_| {
        outcome.notes.push("GMP was left out: it could not be compiled; scripts/bench-tools installs m4.".to_owned());
        programs::build(&manifest, &program)
    })?;
    let rounds = run.rounds / 2 + 1;
    eprintln!("fibonacci: {rounds} rounds");
    let mut command = Command::new(programs::one(programs, "fibonacci")?);
    let output = run.cores.on(&[run.cores.server], || command.arg(rounds.to_string()).output())??;
    ensure!(output.status.success(), "the comparison failed: {}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Row> = serde_json::from_slice(&output.stdout).context("the comparison printed something else")?;
    for row in rows {
        let measure = format!("F({})", report::number(row.n as f64));
        outcome.samples.add(&row.library, &measure, "µs", row.microseconds);
    }
    Ok(outcome)
}
