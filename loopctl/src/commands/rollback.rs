//! `loopctl rollback`: back to the last revision that was seen healthy, by a commit.

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
use delivery::steer::rollback::{Pushed, Rollback};

/// Deploy the last revision that was seen healthy again, and hold all bumps
///
/// A commit on top of the branch that Argo CD watches puts that revision's tag back into
/// k8s/deployment.yaml and adds the annotation delivery.argo-rust/hold, so that the next push does not
/// undo it. It shows the commit first and asks. Nothing in your clone changes, and nothing is
/// force-pushed: when somebody changes the tag meanwhile, nothing is done.
///
/// Seen healthy is a revision of which pods are available now, or of which Argo CD has said Healthy.
/// Where no revision was, none is guessed: --to names one. `loopctl resume` lifts the hold. Where the
/// newest manifest cannot be read or is gone, --to puts the last one that can be read back, whole.
#[derive(Args)]
pub struct Options {
    /// Why, for whoever reads the history
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// The revision to go back to, which was deployed once [default: the last one seen healthy]
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
    /// Do nothing unless this revision is the deployed one
    #[arg(long, value_name = "REVISION")]
    bad: Option<String>,
    /// Do it without asking
    #[arg(long, short)]
    yes: bool,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Go on where the registry cannot be asked for the image; one that it has no more is refused all the same
    #[arg(long)]
    image_unchecked: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    RolledBack,
    DryRun,
    Declined,
    MovedOn,
    Held,
}

#[derive(Serialize)]
struct Done {
    outcome: Outcome,
    bad: String,
    good: Option<String>,
    /// The commit that was pushed.
    commit: Option<String>,
    plan: Option<Rollback>,
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
        let (done, exit) = roll_back(options, &delivery).await?;
        Ok((Done { summary: delivery.names.files.said(&done.summary), ..done }, exit))
    })?;
    options.output.print(&done)?;
    Ok(exit.into())
}

async fn roll_back(options: &Options, delivery: &Delivery) -> Result<(Done, Exit)> {
    let branch = delivery.branch_before(delivery.newest()?)?;
    let bad = branch.revision.clone();
    let without_plan =
        |outcome, summary: String| Done { outcome, bad: bad.clone(), good: None, commit: None, plan: None, summary };
    if let (Some(held), None) = (&branch.hold, &options.to) {
        let summary = format!(
            "Nothing was done: it was rolled back already. The hold names {held} as bad, and sha-{bad} is deployed; \
             --to REVISION goes back further, `loopctl resume` lifts the hold."
        );
        return Ok((without_plan(Outcome::Held, summary), Exit::Held));
    }
    if options.bad.as_deref().is_some_and(|expected| short(expected.trim_start_matches("sha-")) != bad) {
        let summary = format!("Nothing was done: the tag has moved on, k8s/deployment.yaml names sha-{bad} now.");
        return Ok((without_plan(Outcome::MovedOn, summary), Exit::Superseded));
    }
    let evidence = delivery.evidence(&branch.tip).await?;
    let (to, unchecked) = (options.to.as_deref(), options.image_unchecked);
    let plan = Rollback::plan(delivery, &branch, &evidence, to, &options.reason, unchecked).await?;
    eprintln!("{}", plan.describe(&branch)?);
    let place = format!("{} of {}", delivery.names.branch, delivery.remote.address);
    let answer = |outcome, commit, summary: String| Done {
        outcome,
        bad: plan.bad.clone(),
        good: Some(plan.good.clone()),
        commit,
        plan: Some(plan.clone()),
        summary,
    };
    if options.dry_run {
        return Ok((
            answer(Outcome::DryRun, None, format!("Nothing was done: {place} would get this commit.")),
            Exit::Done,
        ));
    }
    if !confirmed(&format!("Push this commit to {place}?"), options.yes)? {
        return Ok((answer(Outcome::Declined, None, "Nothing was done.".to_owned()), Exit::Failed));
    }
    Ok(match plan.push(delivery)? {
        Pushed::Done(commit) => {
            let summary = format!(
                "Rolled back to sha-{} by {}; Argo CD rolls it out from here, and every bump is held until \
                 `cargo loopctl resume`.",
                plan.good,
                short(&commit)
            );
            (answer(Outcome::RolledBack, Some(commit), summary), Exit::Done)
        }
        Pushed::MovedOn(to) => {
            let summary = format!("Nothing was done: the tag moved on to sha-{to} meanwhile.");
            (answer(Outcome::MovedOn, None, summary), Exit::Superseded)
        }
        Pushed::AlreadyHeld => {
            let summary = format!("Nothing was done: somebody else has rolled sha-{} back meanwhile.", plan.bad);
            (answer(Outcome::Held, None, summary), Exit::Held)
        }
        Pushed::HeldByOther(theirs) => {
            let summary = format!(
                "Nothing was done: somebody else has set a hold meanwhile, which names {}.",
                if theirs.is_empty() { "no revision" } else { &theirs }
            );
            (answer(Outcome::Held, None, summary), Exit::Held)
        }
    })
}
