//! `loopctl doctor`: is everything as the delivery needs it?

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::exit::Exit;
use crate::output::Output;
use crate::target::{Target, block_on};
use delivery::cluster::kubeconfig;
use delivery::doctor::facts::{Fact, Plan};
use delivery::doctor::report::Report;
use delivery::doctor::{collect, examine};
use delivery::tofu::{self, Planned};

/// Check everything that a delivery depends on, and name the command that mends each finding
///
/// It only reads: pull secret, owners of shared fields, the Application's and Argo CD's settings, the
/// project's width, versions, NodePorts, and `tofu plan` where OpenTofu is set up. What it may not look
/// at it names, and judges nothing about it. Exit codes: 0 nothing found, 7 findings, 6 no access.
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
        let plan = plan(options, &names.folder.join("tofu"));
        Ok(Report::of(examine(&collect::facts(names, &cluster, plan).await)))
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
