//! `loopctl down`: leaves the machine as `up` found it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::progress::{Progress, say, seconds};
use machine::{Place, mounts, start};

/// Stop the loop and remove everything it made; built programs stay in the cache
#[derive(Args)]
pub struct Options {
    /// Remove the cache of built programs and images too
    #[arg(long)]
    purge: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    if !rustix::process::geteuid().is_root() {
        bail!("the loop runs as root, so it has to be stopped as root: put sudo in front");
    }
    let place = Place::find()?;
    let begin = Instant::now();
    let _turn = place.take_turn()?;
    if place.state.exists() {
        let progress = Progress::new();
        start::stop(&place, &machine::parts(), &|part, took| {
            // What is over at once is not worth a line.
            if took > Duration::from_millis(500) {
                progress.done(took, part.name(), "stopped");
            }
        })?;
        remove(&place.state)?;
        say(&format!(
            "The loop is down after {}; nothing of it is left but the cache in {}.",
            seconds(begin.elapsed()),
            place.cache.display()
        ));
    } else {
        say("There is no loop on this machine.");
    }
    if options.purge && place.cache.exists() {
        remove(&place.cache)?;
        say("The cache is removed too; the next `up` builds everything again.");
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(folder: &Path) -> Result<()> {
    mounts::release(folder)?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}
