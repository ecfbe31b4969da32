//! `loopctl status`: what runs and what does not.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::live;
use crate::output::say;
use crate::target::block_on;
use crate::text::plain::line;
use machine::processes::{Condition, condition};
use machine::state::{self, Folder};
use machine::{Place, checks, network};

/// Show each part of the loop and whether it is ready
///
/// The exit code is 0 when all of it is.
#[derive(Args)]
pub struct Options {}

pub fn run(_: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    if !matches!(state::look(&place.state)?, Folder::OfALoop) {
        match network::owner() {
            Some(other) => say(&checks::another_loop(&other)),
            None => say("There is no loop on this machine; `cargo loopctl up` starts one."),
        }
        return Ok(ExitCode::FAILURE);
    }
    let mut all_ready = true;
    for part in machine::parts() {
        let text = match part.ready(&place) {
            Ok(()) => format!("ready      {:<20} {}", part.name(), about(&place, part.name())?),
            Err(missing) => {
                all_ready = false;
                format!("not ready  {:<20} {missing:#}", part.name())
            }
        };
        say(text.trim_end());
    }
    let (live, application) = block_on(async {
        let delivery = live::delivery(&place).await?;
        Ok((live::look(&delivery).await, delivery.application().await))
    })?;
    match live {
        Ok(image) => say(&format!("live       {:<20} {image} on {}", "service", place.repository()?.service())),
        Err(missing) => {
            all_ready = false;
            say(&format!("not live   {:<20} {}", "service", line(&format!("{missing:#}"))));
        }
    }
    if let Ok(Some(application)) = application {
        let (sync, health) = (&application.status.sync, &application.status.health);
        let said = format!("Argo CD says: {}, {}, revision {}", sync.status, health.status, sync.revision);
        say(&line(&said));
    }
    Ok(if all_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// For a part that is a process: which, since when, and whether it had to be started again.
fn about(place: &Place, name: &str) -> Result<String> {
    Ok(match condition(place, name)? {
        Condition::Running { pid, since, restarts } => {
            let since = humantime::format_duration(std::time::Duration::from_secs(since.as_secs()));
            let again = if restarts == 0 { String::new() } else { format!(", started {restarts} times again") };
            format!("process {pid} for {since}{again}")
        }
        _ => String::new(),
    })
}
