//! `loopctl completions SHELL`: lets the shell complete commands and options.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use clap_complete::{Shell, generate};

/// Print the completions for a shell, such as `loopctl completions bash`
///
/// They are for a `loopctl` that is on PATH; for bash:
/// `loopctl completions bash > ~/.local/share/bash-completion/completions/loopctl`.
#[derive(Args)]
pub struct Options {
    shell: Shell,
}

pub fn run(options: &Options, mut tree: clap::Command) -> Result<ExitCode> {
    let mut script = Vec::new();
    generate(options.shell, &mut tree, "loopctl", &mut script);
    crate::output::say(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}
