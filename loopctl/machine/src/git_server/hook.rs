//! What git runs once a push is in: says which runs it calls for. The server then starts them.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, Write, stdin};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::Place;
use crate::bare;
use crate::workflow;
use crate::workflow::file::Workflow;
use crate::workflow::rules::{Push, refusal, short};
use crate::workflow::runs::{Request, Run};

/// Set by the server for the hook: who pushes, and with which run's token if it is one's.
pub const PUSHER: &str = "LOOP_PUSHER";
pub const PUSHING_RUN: &str = "LOOP_PUSHING_RUN";

/// One line of input for each reference: before, after, name. What is printed, the pusher sees.
pub fn post_receive(place: &Place) -> Result<ExitCode> {
    for line in stdin().lock().lines() {
        let line = line.context("cannot read what was pushed")?;
        let mut words = line.split_whitespace();
        let (Some(before), Some(after), Some(reference)) = (words.next(), words.next(), words.next()) else { continue };
        let mut push = Push {
            reference: reference.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
            message: String::new(),
            actor: env::var(PUSHER).context("the git server names no pusher")?,
            by_run: env::var(PUSHING_RUN).ok().and_then(|run| run.parse().ok()),
        };
        if !push.deletes() {
            push.message = bare::message(place, after)?;
        }
        let pusher = push.actor.clone();
        // The push itself is in, so an error is no failure of git's; but nothing will be delivered.
        let said = call(place, push).unwrap_or_else(|error| format!("No run for {}: {error:#}", short(reference)));
        println!("{said}");
        // Nobody reads what a run's own push prints, so the server's log has it too.
        writeln!(log(place)?, "push by {pusher}: {said}").context("cannot write the git server's log")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn log(place: &Place) -> Result<File> {
    OpenOptions::new().append(true).create(true).open(place.log("git")).context("cannot open the git server's log")
}

fn call(place: &Place, push: Push) -> Result<String> {
    let name = short(&push.reference).to_owned();
    if push.deletes() {
        return Ok(format!("No run for {name}: it was deleted"));
    }
    let Some(text) = bare::file(place, &push.after, workflow::FILE)? else {
        return Ok(format!("No run for {name}: it has no {}", workflow::FILE));
    };
    if let Some(reason) = refusal(&Workflow::read(&text)?, &push)? {
        return Ok(format!("No run for {name}: {reason}"));
    }
    let short_commit: String = push.after.chars().take(7).collect();
    let run = Run::call(place, &text, &Request { push, called: SystemTime::now() })?;
    Ok(format!(
        "Run {} of {} for {short_commit} on {name}; follow it with: cargo loopctl runs {} --follow",
        run.number,
        workflow::FILE,
        run.number
    ))
}
