//! `loopctl keep NAME`: the process that keeps another one alive; `up` runs it, nobody types it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use machine::{Place, processes};

/// Keep the process of a part alive
#[derive(Args)]
#[command(hide = true)]
pub struct Options {
    /// The part
    name: String,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    processes::be_keeper(&Place::find()?, &options.name)
}
