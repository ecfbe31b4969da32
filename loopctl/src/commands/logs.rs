//! `loopctl logs PART`: what a part has said.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::local::{self, Place};

/// Show the log of one part
#[derive(Args)]
pub struct Options {
    /// The part, as `status` calls it
    part: String,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let parts = local::parts();
    let part = parts.iter().find(|part| part.name() == options.part).with_context(|| {
        let names: Vec<_> = parts.iter().map(|part| part.name()).collect();
        format!("there is no part {}; the parts are {}", options.part, names.join(", "))
    })?;
    let log = part.log(&place);
    let text =
        std::fs::read(&log).with_context(|| format!("{} has said nothing yet ({})", part.name(), log.display()))?;
    print!("{}", String::from_utf8_lossy(&text));
    Ok(ExitCode::SUCCESS)
}
