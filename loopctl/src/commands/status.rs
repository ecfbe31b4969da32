//! `loopctl status`: what runs and what does not.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::local::{self, Place};

/// Show each part of the loop and whether it is ready
#[derive(Args)]
pub struct Options {}

pub fn run(_: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let mut all_ready = true;
    for part in local::parts() {
        match part.ready(&place) {
            Ok(()) => println!("ready      {:<20} {}", part.name(), part.does()),
            Err(missing) => {
                all_ready = false;
                println!("not ready  {:<20} {missing:#}", part.name());
            }
        }
    }
    Ok(if all_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
