//! The loop on this machine, which has to be Linux: what a person types, and what its processes call themselves.

mod down;
mod git_server;
mod keep;
mod live;
mod logs;
mod progress;
mod push;
mod run_program;
mod runs;
mod status;
mod up;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
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
    RunProgram(run_program::Options),
}

/// Those that a person types.
pub const TYPED: [&str; 6] = ["up", "down", "push", "runs", "status", "logs"];

pub fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Up(options) => up::run(options),
        Command::Down(options) => down::run(options),
        Command::Push(options) => push::run(options),
        Command::Runs(options) => runs::run(options),
        Command::Status(options) => status::run(options),
        Command::Logs(options) => logs::run(options),
        Command::Keep(options) => keep::run(options),
        Command::GitServer(options) => git_server::serve(options),
        Command::PostReceive(options) => git_server::post_receive(options),
        Command::RunWorkflow(options) => git_server::run_workflow(options),
        Command::RunProgram(options) => run_program::run(options),
    }
}
