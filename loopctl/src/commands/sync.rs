//! `loopctl sync`: Argo CD looks at git now, and what it finds is followed to its end.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::exit::Exit;
use crate::output::{Answer, Output, style};
use crate::target::{Target, block_on};
use delivery::Delivery;
use delivery::cluster::Cluster;
use delivery::cluster::application::{Application, REFRESH};
use delivery::coordinates::{Coordinates, short};

/// Make Argo CD look at git now, and follow the sync until all pods run what it applied
#[derive(Args)]
#[command(after_help = Exit::help())]
pub struct Options {
    /// How long at most
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = humantime::parse_duration)]
    timeout: Duration,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Synced {
    application: String,
    /// The commit that Argo CD has seen.
    revision: String,
    sync: String,
    health: String,
    live: bool,
    seconds: f64,
    /// Why it is not live.
    problem: Option<String>,
}

impl Answer for Synced {
    fn text(&self) -> String {
        let (color, end) = match &self.problem {
            None => (style::GOOD, "all pods run it".to_owned()),
            Some(problem) => (style::BAD, problem.clone()),
        };
        let said = format!("{} is {} and {} at {}", self.application, self.sync, self.health, short(&self.revision));
        format!("{said} after {:.1} s; {}", self.seconds, style::paint(color, &end))
    }
}

const PAUSE: Duration = Duration::from_millis(300);

pub fn run(options: &Options) -> Result<ExitCode> {
    block_on(async {
        let delivery = Delivery::find(&options.target.choice()).await?;
        let cluster = delivery.reachable().map_err(|reason| anyhow!(delivery::access::NoAccess(reason)))?;
        let names = &delivery.names;
        let begin = Instant::now();
        cluster.refresh(&names.application_namespace, &names.application).await?;
        let (application, problem) = loop {
            let application = look(cluster, names).await?;
            let looked = !application.metadata.annotations.contains_key(REFRESH);
            let problem = if looked {
                unfinished(&delivery, &application).await?
            } else {
                Some("Argo CD has not looked yet".into())
            };
            if problem.is_none() || begin.elapsed() + PAUSE > options.timeout || looked && has_failed(&delivery).await?
            {
                break (application, problem);
            }
            sleep(PAUSE).await;
        };
        let exit = match &problem {
            None => Exit::Done,
            Some(_) if begin.elapsed() + PAUSE > options.timeout => Exit::TimedOut,
            Some(_) => Exit::Failed,
        };
        options.output.print(&Synced {
            application: names.application.clone(),
            revision: application.status.sync.revision,
            sync: application.status.sync.status,
            health: application.status.health.status,
            live: problem.is_none(),
            seconds: begin.elapsed().as_secs_f64(),
            problem,
        })?;
        Ok(exit.into())
    })
}

async fn look(cluster: &Cluster, names: &Coordinates) -> Result<Application> {
    let found = cluster.application(&names.application_namespace, &names.application).await?;
    found.with_context(|| {
        format!(
            "there is no Application {} in {}: apply argocd/application.yaml",
            names.application, names.application_namespace
        )
    })
}

/// None once the sync has been made and its rollout has ended.
async fn unfinished(delivery: &Delivery, application: &Application) -> Result<Option<String>> {
    let status = &application.status;
    let errors: Vec<String> = status
        .conditions
        .iter()
        .filter(|condition| condition.kind.ends_with("Error"))
        .map(|condition| format!("{}: {}", condition.kind, condition.message))
        .collect();
    if let Some(error) = errors.first() {
        return Ok(Some(error.clone()));
    }
    if let Some(operation) = status.operation_state.as_ref().filter(|operation| operation.phase != "Succeeded") {
        return Ok(Some(format!("the sync is {}: {}", operation.phase, operation.message)));
    }
    if status.sync.status != "Synced" {
        return Ok(Some(format!("Argo CD says {}", status.sync.status)));
    }
    let workload = delivery.rollout().await.map_err(|reason| anyhow!(delivery::access::NoAccess(reason)))?;
    let workload = workload.context("there is no Deployment")?.workload;
    let progress =
        format!("{} of {} pods run {}", workload.updated.min(workload.available), workload.wanted, workload.image);
    Ok((!workload.is_complete()).then_some(progress))
}

/// Kubernetes has given the rollout up.
async fn has_failed(delivery: &Delivery) -> Result<bool> {
    Ok(delivery.rollout().await.ok().flatten().is_some_and(|rollout| rollout.workload.deadline_exceeded()))
}
