//! `loopctl push`: what `git push` and a look at GitHub's page of the run are together.

use std::io::stdout;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use delivery::coordinates::Coordinates;
use machine::argocd::declare_services;
use machine::git_server::push::push;
use machine::workflow::follow::{follow, report};
use machine::workflow::runs::Conclusion;
use machine::{Place, processes};

/// Push HEAD to the loop's master and show the run it starts, to its end
///
/// The branch that is checked out stays as it is. Where the loop's master has commits that HEAD
/// lacks, such as its own image updates, a merge of both is pushed. A service that was added since
/// is declared to Argo CD as well.
#[derive(Args)]
pub struct Options {
    /// Return as soon as the push is in
    #[arg(long)]
    no_wait: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    if !matches!(processes::condition(&place, "git")?, processes::Condition::Running { .. }) {
        bail!("the loop's git server does not run; `cargo loopctl up` starts it");
    }
    place.repository()?.require_here()?;
    let folder = Coordinates::find()?.folder;
    let Some(pushed) = push(&place, &folder)? else {
        println!("The loop's branch has this commit already: nothing to push.");
        return Ok(ExitCode::SUCCESS);
    };
    let commit: String = pushed.commit.chars().take(7).collect();
    if pushed.merged {
        println!("Pushed {commit}, which merges HEAD into the loop's branch.");
    } else {
        println!("Pushed {commit} to the loop's branch.");
    }
    for service in declare_services(&place, &folder)? {
        println!(
            "Declared {service}: its namespace, its pull secret, its account, its AppProject and its Application."
        );
    }
    for line in &pushed.said {
        println!("{line}");
    }
    let Some(run) = pushed.run.filter(|_| !options.no_wait) else { return Ok(ExitCode::SUCCESS) };
    let outcome = follow(&run, &mut stdout())?;
    report(&run, &outcome, &mut stdout())?;
    Ok(if outcome.conclusion == Conclusion::Success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
