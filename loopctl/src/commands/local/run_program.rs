//! `loopctl run-program NAME`: becomes a program of the loop, which is built when somebody first uses it.
//! The links beside kubectl run it; nobody types it.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use super::progress::seconds;
use machine::Place;
use machine::builds::Event;
use machine::builds::amount::roughly;

/// Run a program of the loop
#[derive(Args)]
#[command(hide = true, disable_help_flag = true)]
pub struct Options {
    /// Its name
    name: String,
    /// What it is called with
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let program = place.program(&options.name)?;
    if !program.exists() {
        build(&place, &options.name)?;
    }
    Err(Command::new(&program).args(&options.arguments).exec())
        .with_context(|| format!("cannot run {}", program.display()))
}

/// Everything is told on standard error: the output belongs to the program.
fn build(place: &Place, name: &str) -> Result<()> {
    let version = place.builds()?.version(name)?.map(|version| format!(" {version}")).unwrap_or_default();
    eprintln!("{name}{version} is built now that it is used for the first time; it stays in the cache.");
    let (often, begin) = (Duration::from_secs(if stderr().is_terminal() { 2 } else { 30 }), Instant::now());
    let last = Cell::new(begin);
    place.builds()?.build(name, &|event| {
        if let Event::Building { left, .. } = event
            && last.get().elapsed() > often
        {
            last.set(Instant::now());
            let (line, end) = if stderr().is_terminal() { ("\r\u{1b}[K", "") } else { ("", "\n") };
            let text = format!("{line}{:>8}  building {name}, {}{end}", seconds(begin.elapsed()), roughly(left));
            let _ = stderr().write_all(text.as_bytes());
        }
        true
    })?;
    let line = if stderr().is_terminal() { "\r\u{1b}[K" } else { "" };
    eprintln!("{line}{:>8}  {name} built", seconds(begin.elapsed()));
    Ok(())
}
