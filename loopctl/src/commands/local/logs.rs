//! `loopctl logs PART`: what a part has said.

use std::fs::File;
use std::io::{ErrorKind, copy, stdout};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use machine::{Log, Place};

/// Show the log of one part
#[derive(Args)]
pub struct Options {
    /// The part, as `status` calls it
    part: String,
    /// Go on showing what is added, until interrupted
    #[arg(long, short)]
    follow: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let parts = machine::parts();
    let part = parts.iter().find(|part| part.name() == options.part).with_context(|| {
        let names: Vec<_> = parts.iter().map(|part| part.name()).collect();
        format!("there is no part {}; the parts are {}", options.part, names.join(", "))
    })?;
    match part.log(&place) {
        Log::File(path) if options.follow => show(Command::new("tail").args(["--lines=50", "--follow=name"]).arg(path)),
        Log::File(path) => {
            let mut log = File::open(&path)
                .with_context(|| format!("{} has said nothing yet ({})", part.name(), path.display()))?;
            match copy(&mut log, &mut stdout()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot show the log"),
                _ => Ok(ExitCode::SUCCESS),
            }
        }
        Log::Pods { namespace } => {
            let mut kubectl = place.kubectl()?;
            kubectl.args(["logs", "--namespace", namespace, "--selector=app.kubernetes.io/name", "--prefix"]);
            kubectl.args(["--all-containers", "--tail=200", "--max-log-requests=20"]);
            if options.follow {
                kubectl.arg("--follow");
            }
            show(&mut kubectl)
        }
        Log::None => bail!("{} is not a process and says nothing", part.name()),
    }
}

fn show(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("cannot show the log")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
