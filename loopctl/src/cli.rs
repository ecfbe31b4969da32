//! What can be typed: the clap tree, and which file answers each command.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::commands::{down, git_server, keep, logs, push, runs, status, up};

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
    Push(push::Options),
    Runs(runs::Options),
    Status(status::Options),
    Logs(logs::Options),
    Keep(keep::Options),
    GitServer(git_server::GitServer),
    PostReceive(git_server::PostReceive),
    RunWorkflow(git_server::RunWorkflow),
}

pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Up(options) => up::run(&options),
        Command::Down(options) => down::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Logs(options) => logs::run(&options),
        Command::Push(options) => push::run(&options),
        Command::Runs(options) => runs::run(&options),
        Command::Keep(options) => keep::run(&options),
        Command::GitServer(options) => git_server::serve(&options),
        Command::PostReceive(options) => git_server::post_receive(&options),
        Command::RunWorkflow(options) => git_server::run_workflow(&options),
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
