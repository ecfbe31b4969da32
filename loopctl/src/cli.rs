//! What can be typed: the clap tree, and which file answers each command.

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

#[cfg(target_os = "linux")]
use crate::commands::local;
use crate::commands::{
    board, completions, doctor, guard, new, pull_secret, resume, rollback, service, sync, update, verify, wait,
    where_is,
};
use crate::exit::Exit;

#[derive(Parser)]
#[command(name = "loopctl", bin_name = "cargo loopctl", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Where(where_is::Options),
    Wait(wait::Options),
    Verify(verify::Options),
    Sync(sync::Options),
    Rollback(rollback::Options),
    Resume(resume::Options),
    Guard(guard::Options),
    Doctor(doctor::Options),
    Board(board::Options),
    Service(service::Options),
    PullSecret(pull_secret::Options),
    New(new::Options),
    Update(update::Options),
    Completions(completions::Options),
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    Local(local::Command),
}

#[cfg(target_os = "linux")]
const LOCAL: &[&str] = &local::TYPED;
/// The loop is made of what Linux alone has.
#[cfg(not(target_os = "linux"))]
const LOCAL: &[&str] = &[];

/// How `--help` puts the commands under headings; a command that is in none is a mistake of this list.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "On any cluster with Argo CD",
        &["where", "wait", "verify", "sync", "rollback", "resume", "guard", "doctor", "board", "pull-secret"],
    ),
    ("A repository", &["new", "update", "service"]),
    ("The loop on this machine", LOCAL),
    ("This program", &["completions", "help"]),
];

pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Where(options) => where_is::run(&options),
        Command::Wait(options) => wait::run(&options),
        Command::Verify(options) => verify::run(&options),
        Command::Sync(options) => sync::run(&options),
        Command::Rollback(options) => rollback::run(&options),
        Command::Resume(options) => resume::run(&options),
        Command::Guard(options) => guard::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Board(options) => board::run(&options),
        Command::Service(options) => service::run(&options),
        Command::PullSecret(options) => pull_secret::run(&options),
        Command::New(options) => new::run(&options),
        Command::Update(options) => update::run(&options),
        Command::Completions(options) => completions::run(&options, tree()),
        #[cfg(target_os = "linux")]
        Command::Local(command) => local::run(&command),
    }
}

/// Ends the program with exit code 2 and advice when what was typed is not of the tree.
pub fn parse() -> Cli {
    let matches = tree().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// clap has no headings for commands, so they are made of the tree's own names and first sentences.
fn tree() -> clap::Command {
    let mut tree = Cli::command();
    tree.build();
    let about = |name: &str| {
        let found = tree.find_subcommand(name).and_then(|command| command.get_about());
        found.map(ToString::to_string).unwrap_or_default()
    };
    let mut help = String::from("{about}\n\n{usage-heading} {usage}\n");
    for (heading, names) in GROUPS.iter().filter(|(_, names)| !names.is_empty()) {
        help += &format!("\n{heading}:\n");
        for name in *names {
            help += &format!("  {name:<12} {}\n", about(name));
        }
    }
    help += "\nOptions:\n{options}{after-help}";
    Cli::command().help_template(help).after_help(Exit::help())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_has_no_contradiction() {
        tree().debug_assert();
    }

    #[test]
    fn each_command_that_a_person_types_stands_under_one_heading() {
        let mut tree = Cli::command();
        tree.build();
        let mut typed: Vec<&str> =
            tree.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name).collect();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        typed.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, typed, "GROUPS in cli.rs has to name each command once");
    }
}
