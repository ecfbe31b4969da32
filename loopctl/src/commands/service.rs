//! `loopctl service`: the services that this repository declares.

mod add;
pub mod checks;
pub mod delivered_by;
mod files;
mod list;
mod next_steps;
mod node_port;
mod options;
mod plan;
mod remove;
mod sources;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Add, list or remove the services that this repository declares
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(Box<options::Options>),
    List(list::Options),
    Remove(remove::Options),
}

pub fn run(options: &Options) -> Result<ExitCode> {
    match &options.command {
        Command::Add(options) => add::run(options),
        Command::List(options) => list::run(options),
        Command::Remove(options) => remove::run(options),
    }
}
