//! `loopctl down`: leaves the machine as `up` found it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use super::progress::{Progress, seconds};
use crate::output::say;
use machine::state::{self, Folder};
use machine::{Place, checks, network, start};

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
    match state::look(&place.state)? {
        Folder::OfALoop => end(&place, begin)?,
        Folder::OfSomebodyElse => bail!(state::refusal(&place.state)),
        Folder::Missing | Folder::Empty => match network::owner() {
            Some(other) => bail!(checks::another_loop(&other)),
            None => say("There is no loop on this machine."),
        },
    }
    if options.purge && place.cache.exists() {
        state::remove_one(&place.cache)?;
        say("The cache is removed too; the next `up` builds everything again.");
    }
    Ok(ExitCode::SUCCESS)
}

fn end(place: &Place, begin: Instant) -> Result<()> {
    let progress = Progress::new();
    start::stop(place, &machine::parts(), &|part, took| {
        // What is over at once is not worth a line.
        if took > Duration::from_millis(500) {
            progress.done(took, part.name(), "stopped");
        }
    })?;
    let others = state::remove(&place.state)?;
    let cache = place.cache.display();
    say(&format!(
        "The loop is down after {}; nothing of it is left but the cache in {cache}.",
        seconds(begin.elapsed())
    ));
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|name| name.to_string_lossy()).collect();
        say(&format!(
            "{} stays: the loop did not make what else is in it: {}.",
            place.state.display(),
            names.join(", ")
        ));
    }
    Ok(())
}
