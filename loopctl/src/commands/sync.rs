//! `loopctl sync`: Argo CD looks at git now, and what it finds is followed to its end.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Answer, Output, style};
use crate::target::{Target, block_on};
use crate::text::plain::line;
use delivery::Delivery;
use delivery::access::{NoAccess, is_refused};
use delivery::cluster::application::{Application, REFRESH};
use delivery::coordinates::short;
use delivery::journey::answer::HopState;
use delivery::journey::argocd::errors;
use delivery::journey::hops::pods::pods;
use delivery::watcher::{Look, Watched, Watcher};

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
            Some(problem) => (style::BAD, line(problem)),
        };
        let said = format!("{} is {} and {} at {}", self.application, self.sync, self.health, short(&self.revision));
        let said = line(&said);
        format!("{said} after {:.1} s; {}", self.seconds, style::paint(color, &end))
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    block_on(async {
        let delivery = Delivery::find(&options.target.choice()).await?;
        let cluster = delivery.reachable().map_err(|reason| anyhow!(NoAccess(reason)))?;
        let names = &delivery.names;
        let watcher = Watcher::new(Some(options.timeout));
        cluster.refresh(&names.application_namespace, &names.application).await?;
        let mut has_seen = false;
        let watched = watcher.watch(async || look(&delivery, &mut has_seen).await).await;
        let (seen, is_over) = match watched {
            Watched::End(seen) => (seen?, false),
            Watched::Time(Some(seen)) => (seen?, true),
            Watched::Time(None) => bail!(NoAccess(format!(
                "nobody has answered within {}; is the cluster overloaded?",
                humantime::format_duration(options.timeout)
            ))),
        };
        let Seen { application, problem } = seen;
        let exit = match &problem {
            None => Exit::Done,
            Some(_) if is_over => Exit::TimedOut,
            Some(_) => Exit::Failed,
        };
        options.output.print(&Synced {
            application: names.application.clone(),
            revision: application.status.sync.revision,
            sync: application.status.sync.status,
            health: application.status.health.status,
            live: problem.is_none(),
            seconds: watcher.elapsed().as_secs_f64(),
            problem,
        })?;
        Ok(exit.into())
    })
}

struct Seen {
    application: Application,
    /// None once the sync has been made, its rollout has ended and somebody is served.
    problem: Option<String>,
}

/// What was seen once may be gone for a moment; what was never seen will not appear by waiting.
async fn look(delivery: &Delivery, has_seen: &mut bool) -> Look<Result<Seen>> {
    match seen(delivery).await {
        Err(error) if *has_seen && is_refused(&error) => Look::Yet(Err(error)),
        Err(error) => Look::End(Err(error)),
        Ok((seen, is_end)) => {
            *has_seen = true;
            if is_end { Look::End(Ok(seen)) } else { Look::Yet(Ok(seen)) }
        }
    }
}

async fn seen(delivery: &Delivery) -> Result<(Seen, bool)> {
    let names = &delivery.names;
    let application = delivery.application().await.map_err(|reason| anyhow!(NoAccess(reason)))?;
    let application = application.with_context(|| {
        let namespace = &names.application_namespace;
        format!("there is no Application {} in {namespace}: apply argocd/application.yaml", names.application)
    })?;
    if application.metadata.annotations.contains_key(REFRESH) {
        return Ok((Seen { application, problem: Some("Argo CD has not looked yet".to_owned()) }, false));
    }
    if let Some(problem) = unapplied(&application) {
        return Ok((Seen { application, problem: Some(problem) }, false));
    }
    let serving = delivery.serving().await;
    let rollout = serving.rollout.clone().map_err(|reason| anyhow!(NoAccess(reason)))?;
    let rollout = rollout.context("there is no Deployment")?;
    let pods = pods(serving.now, &rollout);
    let (hop, what) = if pods.is_done() {
        (serving.answering(None), None)
    } else {
        (pods, Some(format!(" run {}", rollout.workload.image)))
    };
    let is_live = hop.is_done() || what.is_none() && serving.is_served(&hop);
    let said = format!("{}{}", hop.detail, what.unwrap_or_default());
    let said = [said.as_str(), hop.reason.first().map_or("", String::as_str)];
    let said: Vec<&str> = said.into_iter().filter(|part| !part.is_empty()).collect();
    let is_end = is_live || hop.state == HopState::Failed;
    Ok((Seen { application, problem: (!is_live).then(|| said.join(": ")) }, is_end))
}

/// Why what git says is not in the cluster.
fn unapplied(application: &Application) -> Option<String> {
    let status = &application.status;
    if let Some(error) = errors(application).into_iter().next() {
        return Some(error);
    }
    if let Some(operation) = status.operation_state.as_ref().filter(|operation| operation.phase != "Succeeded") {
        return Some(format!("the sync is {}: {}", operation.phase, operation.message));
    }
    (status.sync.status != "Synced").then(|| format!("Argo CD says {}", status.sync.status))
}
