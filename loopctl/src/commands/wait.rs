//! `loopctl wait [COMMIT]`: the same question for scripts, answered when the journey has ended.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use delivery::access::NoAccess;

use crate::exit::Exit;
use crate::output::Output;
use crate::target::{At, Target, block_on};
use crate::text::journey::Changes;
use delivery::Delivery;

/// Wait until a commit is live on all pods, or until it is clear that it will not be
///
/// Each step is told on standard error, the answer of `loopctl where` on standard output.
/// What is stuck may pass, so it is waited for until Kubernetes gives the rollout up, or until the timeout.
#[derive(Args)]
#[command(after_help = Exit::help())]
pub struct Options {
    /// The source commit, in any way that git understands
    #[arg(default_value = "HEAD")]
    commit: String,
    /// How long at most; 0s looks once
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    timeout: Duration,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    block_on(async {
        let delivery = Delivery::find(&options.target.choice_at(&options.at)).await?;
        let commit = delivery.commit(&options.commit).await?;
        let mut changes = Changes::default();
        let (answer, end) = delivery
            .follow(&commit, Some(options.timeout), |answer| {
                for line in changes.lines(answer) {
                    anstream::eprintln!("{line}");
                }
                Ok(())
            })
            .await?;
        let Some(answer) = answer else {
            bail!(NoAccess(format!(
                "nobody has answered within {}; is the cluster or the repository overloaded?",
                humantime::format_duration(options.timeout)
            )))
        };
        options.output.print(&answer)?;
        let exit = Exit::of_journey(answer.state, end);
        if exit == Exit::TimedOut {
            anstream::eprintln!("error: not live after {}", humantime::format_duration(options.timeout));
        }
        Ok(exit.into())
    })
}
