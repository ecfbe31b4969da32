//! `loopctl guard`: follows a rollout, and takes it back when it fails.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Answer, Output};
use crate::target::{Target, block_on};
use crate::text::plain::{line, plain};
use delivery::access::NoAccess;
use delivery::coordinates::short;
use delivery::steer::follow::{Followed, Reason};
use delivery::steer::rollback::{Pushed, Rollback, may_not_push};
use delivery::steer::watch::{self, End};
use delivery::watcher::Watcher;
use delivery::{Delivery, steer::branch::Branch};

/// Follow the rollout that a bump has started, and roll it back when it fails
///
/// It follows the newest commit of k8s/deployment.yaml, also where the tag stays the same: live is what
/// Argo CD has synced, every pod runs and the Service leads to. What is paused or scaled to 0 is said to be, and left alone.
/// Made for a step after the bump, or for a cron job. It fails when Kubernetes gives it up
/// (progressDeadlineSeconds), or when it is not live by --deadline; a pull error or a crash may heal
/// until then. The rollback is the commit of `loopctl rollback`, with the pod's own reason in its
/// message, to the last revision that was seen healthy. It happens once for a revision: while the hold
/// stands nothing more is done. Where the push is refused, the command for somebody who may is printed.
///
/// Exit codes of its own: 0 live, 8 rolled back, 9 to be rolled back by the printed command, 3 the tag
/// has moved on, 4 held, 5 Argo CD has not applied it by the deadline, 1 failed without a way back.
#[derive(Args)]
pub struct Options {
    /// How long the rollout may take, from now on
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    deadline: Duration,
    /// Print the command instead of pushing
    #[arg(long)]
    no_push: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Live,
    RolledBack,
    NotPushed,
    MovedOn,
    Held,
    NotApplied,
    Stopped,
    NoWayBack,
}

#[derive(Serialize)]
struct Done {
    outcome: Outcome,
    /// The one that was followed.
    revision: String,
    seconds: u64,
    /// Why the rollout failed.
    reason: Option<String>,
    /// The commit of the rollback, when it was pushed.
    commit: Option<String>,
    /// For somebody who may push, when this one may not.
    command: Option<String>,
    plan: Option<Rollback>,
    summary: String,
}

impl Answer for Done {
    fn text(&self) -> String {
        match &self.command {
            Some(command) => format!("{}\n\n    {command}", self.summary),
            None => self.summary.clone(),
        }
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let (done, exit) = block_on(async {
        let delivery = Delivery::find(&options.target.choice()).await?;
        let (done, exit) = guard(options, &delivery).await?;
        Ok((Done { summary: delivery.names.files.said(&done.summary), ..done }, exit))
    })?;
    options.output.print(&done)?;
    Ok(exit.into())
}

async fn guard(options: &Options, delivery: &Delivery) -> Result<(Done, Exit)> {
    let watcher = Watcher::new(Some(options.deadline));
    let (branch, followed) = watch::begin(delivery, &watcher).await?;
    let revision = branch.revision.clone();
    let done = |outcome, summary: String| Done {
        outcome,
        revision: revision.clone(),
        seconds: watcher.elapsed().as_secs(),
        reason: None,
        commit: None,
        command: None,
        plan: None,
        summary,
    };
    if let Some(bad) = &branch.hold {
        let summary =
            format!("Nothing to guard: the hold names {bad} as bad, and sha-{revision} is deployed meanwhile.");
        return Ok((done(Outcome::Held, summary), Exit::Held));
    }
    delivery.reachable().map_err(NoAccess)?;
    let reason = match watch::watch(delivery, &branch, followed.clone(), &watcher).await? {
        End::Live => {
            let summary = format!("sha-{revision} is live on all pods.");
            return Ok((done(Outcome::Live, summary), Exit::Done));
        }
        End::MovedOn(to) => {
            let summary = format!("sha-{revision} was followed until the tag moved on to sha-{to}.");
            return Ok((done(Outcome::MovedOn, summary), Exit::Superseded));
        }
        End::Held(bad) => {
            let summary = format!("sha-{revision} was followed until somebody set a hold, which names {bad} as bad.");
            return Ok((done(Outcome::Held, summary), Exit::Held));
        }
        End::NotApplied(seen) => {
            let summary = format!("sha-{revision} was not applied by the deadline, so no rollback would help: {seen}.");
            return Ok((done(Outcome::NotApplied, summary), Exit::TimedOut));
        }
        End::Stopped(why) => {
            let (name, namespace) = (&delivery.names.deployment, &delivery.names.namespace);
            let summary = format!(
                "sha-{revision} is not live, and nothing was rolled back: {why}. `kubectl rollout resume \
                 deployment/{name} -n {namespace}` goes on where it is paused; replicas are in tofu/terraform.tfvars."
            );
            return Ok((done(Outcome::Stopped, summary), Exit::TimedOut));
        }
        End::Failed(reason) => reason,
    };
    eprintln!("sha-{revision} has failed: {}", plain(&reason.text));
    reason.log.iter().for_each(|logged| eprintln!("  {}", line(logged)));
    let (end, exit) = take_back(options, delivery, &branch, &followed, &reason).await;
    Ok((Done { revision: revision.clone(), seconds: watcher.elapsed().as_secs(), ..end }, exit))
}

async fn way_back(delivery: &Delivery, branch: &Branch, followed: &Followed, reason: &Reason) -> Result<Rollback> {
    let evidence = delivery.evidence(&branch.tip).await?;
    if let Some(seen) = evidence.of(&branch.image, &branch.revision) {
        if !followed.wrote_the_tag {
            bail!(
                "the revision itself was seen healthy ({seen}), and what changed since is the manifest: \
                 `git revert {}` takes back \"{}\"",
                short(&followed.commit),
                followed.subject
            );
        }
        // Its rollout is over: what fails is a node, a size, a neighbour, and an older image would fail as well.
        bail!("the revision itself was seen healthy ({seen}), so it is something else that fails");
    }
    Rollback::plan(delivery, branch, &evidence, None, &reason.text, false).await
}

/// Never fails: whatever stands in the way is part of the answer.
async fn take_back(
    options: &Options,
    delivery: &Delivery,
    branch: &Branch,
    followed: &Followed,
    reason: &Reason,
) -> (Done, Exit) {
    let bad = &branch.revision;
    let plan = way_back(delivery, branch, followed, reason).await;
    let done = |outcome, summary: String, plan: Option<&Rollback>| Done {
        outcome,
        revision: bad.clone(),
        seconds: 0,
        reason: Some(reason.text.clone()),
        commit: None,
        command: None,
        plan: plan.cloned(),
        summary,
    };
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            let summary = format!("sha-{bad} has failed and was not rolled back: {error:#}");
            return (done(Outcome::NoWayBack, summary, None), Exit::Failed);
        }
    };
    let by_hand = |why: &str| {
        let summary = format!("sha-{bad} has failed and was not rolled back: {why}. Somebody who may push types:");
        Done { command: Some(plan.command()), ..done(Outcome::NotPushed, summary, Some(&plan)) }
    };
    if options.no_push {
        return (by_hand("--no-push was said"), Exit::NotPushed);
    }
    match plan.push(delivery) {
        Ok(Pushed::Done(commit)) => {
            let summary = format!(
                "sha-{bad} has failed and was rolled back to sha-{} by {}; every bump is held until `cargo loopctl resume`.",
                plan.good,
                short(&commit)
            );
            (Done { commit: Some(commit), ..done(Outcome::RolledBack, summary, Some(&plan)) }, Exit::RolledBack)
        }
        Ok(Pushed::MovedOn(to)) => {
            let summary = format!("sha-{bad} has failed, and the tag moved on to sha-{to} meanwhile.");
            (done(Outcome::MovedOn, summary, Some(&plan)), Exit::Superseded)
        }
        Ok(Pushed::AlreadyHeld) => {
            let summary = format!("sha-{bad} has failed, and somebody else has rolled it back meanwhile.");
            (done(Outcome::Held, summary, Some(&plan)), Exit::Held)
        }
        Ok(Pushed::HeldByOther(theirs)) => {
            let theirs = if theirs.is_empty() { "no revision" } else { &theirs };
            let summary = format!("sha-{bad} has failed, and somebody has set a hold meanwhile, which names {theirs}.");
            (done(Outcome::Held, summary, Some(&plan)), Exit::Held)
        }
        Err(error) if may_not_push(&error) => (by_hand(&format!("{error:#}")), Exit::NotPushed),
        Err(error) => {
            let summary = format!("sha-{bad} has failed and was not rolled back: {error:#}");
            (done(Outcome::NoWayBack, summary, Some(&plan)), Exit::Failed)
        }
    }
}
