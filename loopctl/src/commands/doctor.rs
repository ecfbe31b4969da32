//! `loopctl doctor`: is everything as the delivery needs it?

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::exit::Exit;
use crate::output::Output;
use crate::target::{Target, block_on};
use delivery::Delivery;
use delivery::cluster::kubeconfig;
use delivery::doctor::facts::{Fact, Plan, Standing};
use delivery::doctor::report::Report;
use delivery::doctor::{collect, examine};
use delivery::tofu::{self, Planned};
use delivery::watcher::LOOK;

/// Check everything that a delivery depends on, and name the command that mends each finding
///
/// It only reads: holds in git, the Application and Argo CD's parts, the account of a sync, endpoints,
/// nodes and quotas, pull secret, owners of shared fields, settings, the project's width, versions,
/// NodePorts, and `tofu plan` where OpenTofu is set up. What it may not look at it names, and judges
/// nothing about it; whoever may look at nothing has no access. Exit codes: 0 nothing found, 7 findings, 6 no access.
#[derive(Args)]
pub struct Options {
    /// Leave `tofu plan` out, which takes longest
    #[arg(long)]
    no_plan: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let report = block_on(async {
        let names = options.target.choice().coordinates()?;
        let cluster = options.target.choice().cluster().await?;
        // A cluster that answers nothing at all is no access, and not ten checks that could not look.
        cluster.version().await?;
        let hold = hold(&options.target).await;
        let plan = plan(options, &names.folder.join("tofu"));
        Ok(Report::of(examine(&collect::facts(names, &cluster, plan, hold).await)))
    })?;
    options.output.print(&report)?;
    // Whoever could look at nothing must not say that all is well.
    Ok(if report.findings > 0 {
        Exit::Findings
    } else if report.is_blind() {
        Exit::NoAccess
    } else {
        Exit::Done
    }
    .into())
}

/// A repository that does not answer is not waited for: the rest is about the cluster.
async fn hold(target: &Target) -> Fact<Standing> {
    let asked = async { Delivery::find(&target.choice()).await?.standing_hold().await };
    match tokio::time::timeout(LOOK, asked).await {
        Ok(looked) => looked.into(),
        Err(_) => Fact::Unseen("the repository has not answered".to_owned()),
    }
}

fn plan(options: &Options, folder: &std::path::Path) -> Fact<Plan> {
    if options.no_plan {
        return Fact::Unseen("--no-plan leaves it out".to_owned());
    }
    let kubeconfig = kubeconfig::file();
    match tofu::plan(folder, kubeconfig.as_deref(), options.target.context.as_deref()) {
        Ok(Planned::Nothing) => Fact::Found(Plan::Empty),
        Ok(Planned::Changes(summary)) => Fact::Found(Plan::Changes(summary)),
        Err(error) => Fact::Unseen(format!("{error:#}")),
    }
}
