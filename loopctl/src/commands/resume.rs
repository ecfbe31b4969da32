//! `loopctl resume`: lifts the hold that a rollback has set.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::confirm::confirmed;
use crate::exit::Exit;
use crate::output::{Answer, Output};
use crate::target::{Target, block_on};
use delivery::Delivery;
use delivery::coordinates::short;
use delivery::steer::resume::Resume;

/// Lift the hold, so that the newest commit is delivered
///
/// A commit removes the annotation delivery.argo-rust/hold from k8s/deployment.yaml. Its push starts a
/// run of the workflow, as any push does, and that run delivers the newest commit: push the repair
/// first. A push by the built-in token of a workflow starts no run; resume from your own clone.
#[derive(Args)]
pub struct Options {
    /// Do it without asking
    #[arg(long, short)]
    yes: bool,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Resumed,
    NothingHeld,
    DryRun,
    Declined,
}

#[derive(Serialize)]
struct Done {
    outcome: Outcome,
    /// The commit that was pushed.
    commit: Option<String>,
    plan: Option<Resume>,
    summary: String,
}

impl Answer for Done {
    fn text(&self) -> String {
        self.summary.clone()
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let (done, exit) = block_on(async {
        let delivery = Delivery::find(&options.target.choice()).await?;
        let (done, exit) = resume(options, &delivery)?;
        Ok((Done { summary: delivery.names.files.said(&done.summary), ..done }, exit))
    })?;
    options.output.print(&done)?;
    Ok(exit.into())
}

fn resume(options: &Options, delivery: &Delivery) -> Result<(Done, Exit)> {
    let branch = delivery.branch()?;
    let place = format!("{} of {}", delivery.names.branch, delivery.remote.address);
    let nothing = || format!("Nothing is held: k8s/deployment.yaml on {place} has no hold.");
    let Some(plan) = Resume::plan(delivery, &branch)? else {
        let done = Done { outcome: Outcome::NothingHeld, commit: None, plan: None, summary: nothing() };
        return Ok((done, Exit::Done));
    };
    eprintln!("{}", plan.describe(&branch)?);
    let answer = |outcome, commit, summary| Done { outcome, commit, plan: Some(plan.clone()), summary };
    if options.dry_run {
        let summary = format!("Nothing was done: {place} would get this commit.");
        return Ok((answer(Outcome::DryRun, None, summary), Exit::Done));
    }
    if !confirmed(&format!("Push this commit to {place}?"), options.yes)? {
        return Ok((answer(Outcome::Declined, None, "Nothing was done.".to_owned()), Exit::Failed));
    }
    Ok(match plan.push(delivery)? {
        Some(commit) => {
            let summary = format!(
                "The hold is lifted by {}; `cargo loopctl where {}` shows how its run delivers it.",
                short(&commit),
                short(&commit)
            );
            (answer(Outcome::Resumed, Some(commit), summary), Exit::Done)
        }
        None => (answer(Outcome::NothingHeld, None, nothing()), Exit::Done),
    })
}
