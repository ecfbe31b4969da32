//! `loopctl runs`: the workflow runs of the loop, and what they printed.

use std::io::{Write, copy, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use machine::Place;
use machine::workflow::again::again;
use machine::workflow::follow::{follow, report};
use machine::workflow::rules::short;
use machine::workflow::runs::{self, Conclusion, Run};

/// List the workflow's runs, or show the log of one
#[derive(Args)]
pub struct Options {
    /// The run whose log is shown
    number: Option<u64>,
    /// Show its steps as they end, until it has ended
    #[arg(long, requires = "number")]
    follow: bool,
    /// Run it once more, under another number, and show that run's steps
    #[arg(long, requires = "number", conflicts_with = "follow")]
    again: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let Some(number) = options.number else {
        return match stdout().write_all(list(&place)?.as_bytes()) {
            // Whoever reads only the first lines has what they wanted.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(ExitCode::SUCCESS),
        };
    };
    let run = Run::of(&place, number);
    if run.request()?.is_none() {
        bail!("there is no run {number}; `cargo loopctl runs` lists them");
    }
    let run = if options.again { again(&place, &run)? } else { run };
    if options.follow || options.again {
        let outcome = follow(&run, &mut stdout())?;
        report(&run, &outcome, &mut stdout())?;
        return Ok(if outcome.conclusion == Conclusion::Success { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut log = std::fs::File::open(run.log()).context("the run has no log yet; --follow waits for it")?;
    copy(&mut log, &mut stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// The newest first.
fn list(place: &Place) -> Result<String> {
    let mut lines = String::new();
    for run in runs::all(place)?.into_iter().rev() {
        let Some(request) = run.request()? else { continue };
        let outcome = run.outcome()?;
        let state = match &outcome {
            Some(outcome) => outcome.conclusion.word(),
            None if run.is_running()? => "running",
            None => "waiting",
        };
        let time = outcome.map(|outcome| format!("{:.1} s", outcome.seconds)).unwrap_or_default();
        let subject = request.push.message.lines().next().unwrap_or_default().to_owned();
        let commit: String = request.push.after.chars().take(7).collect();
        lines += &format!(
            "{:>4}  {state:<9}  {time:>8}  {commit}  {:<10}  {subject}\n",
            run.number,
            short(&request.push.reference)
        );
    }
    Ok(lines)
}
