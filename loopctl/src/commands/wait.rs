//! `loopctl wait [COMMIT]`: the same question for scripts, answered when the journey has ended.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::exit::Exit;
use crate::journey::collect::Scene;
use crate::journey::follow::Changes;
use crate::output::Output;
use crate::target::{At, Target, block_on};

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
        let scene = Scene::set(&options.target, options.at.endpoint.as_deref()).await?;
        let commit = scene.commit(&options.commit).await?;
        let mut changes = Changes::default();
        let (answer, exit) = scene
            .follow(&commit, Some(options.timeout), |answer| {
                for line in changes.lines(answer) {
                    anstream::eprintln!("{line}");
                }
                Ok(())
            })
            .await?;
        options.output.print(&answer)?;
        if exit == Exit::TimedOut {
            anstream::eprintln!("error: not live after {}", humantime::format_duration(options.timeout));
        }
        Ok(exit.into())
    })
}
