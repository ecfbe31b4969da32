//! What can be typed: the clap tree, and which file answers each command.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::commands::{down, keep, logs, status, up};

#[derive(Parser)]
#[command(name = "loopctl", bin_name = "cargo loopctl", version, about)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Options),
    Down(down::Options),
    Status(status::Options),
    Logs(logs::Options),
    Keep(keep::Options),
}

pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Up(options) => up::run(&options),
        Command::Down(options) => down::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Logs(options) => logs::run(&options),
        Command::Keep(options) => keep::run(&options),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_tree_has_no_contradiction() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
