//! `loopctl git-server`, `post-receive` and `run-workflow`: what the git server is made of.
//! The loop runs them; nobody types them.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use machine::Place;
use machine::git_server::{hook, http};
use machine::workflow::runner;

/// Serve the loop's repository
#[derive(Args)]
#[command(hide = true)]
pub struct GitServer {}

/// Call for the runs of a push
#[derive(Args)]
#[command(hide = true)]
pub struct PostReceive {}

/// Run the workflow once
#[derive(Args)]
#[command(hide = true)]
pub struct RunWorkflow {
    /// The run
    number: u64,
}

pub fn serve(_: &GitServer) -> Result<ExitCode> {
    http::serve(Place::find()?)
}

pub fn post_receive(_: &PostReceive) -> Result<ExitCode> {
    hook::post_receive(&Place::find()?)
}

pub fn run_workflow(options: &RunWorkflow) -> Result<ExitCode> {
    runner::run(&Place::find()?, options.number)
}
