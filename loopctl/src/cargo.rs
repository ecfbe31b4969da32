//! `cargo loopctl`, where loopctl was installed: cargo looks for a program of this name, and gives it its own word first.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let beside = env::current_exe().ok().and_then(|own| Some(own.parent()?.join("loopctl")));
    let loopctl = beside.filter(|beside| beside.is_file()).unwrap_or_else(|| "loopctl".into());
    let error = Command::new(&loopctl).args(env::args_os().skip(2)).exec();
    eprintln!("error: cannot run {}: {error}", loopctl.display());
    ExitCode::FAILURE
}
