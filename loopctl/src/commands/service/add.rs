//! `loopctl service add`: an entry in tofu/terraform.tfvars and, where git delivers, manifests and an Application.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::node_port::Taken;
use super::plan::{Plan, plan};
use super::{DeliveredBy, checks, next_steps, node_port};
use crate::changes::Listed;
use crate::commands::progress::say;
use crate::output::{Answer, Output, numbered};
use crate::target::block_on;
use delivery::coordinates::Coordinates;
use delivery::tfvars::Service;

/// Declare one service more
///
/// What is not given is as in the entry of the repository's own service. Nothing that exists is
/// written over; a second run with the same options changes nothing.
#[derive(Args)]
pub struct Options {
    /// What the Deployment, the Service and the entry in tofu/terraform.tfvars are called
    #[arg(value_parser = checks::service)]
    pub name: String,
    /// The image that the service starts with, with its tag or digest
    #[arg(long, value_parser = checks::image)]
    pub image: String,
    /// Who brings new images into the cluster; sizing is OpenTofu's in both cases
    #[arg(long, value_enum, default_value = "tofu")]
    pub delivered_by: DeliveredBy,
    /// The port on which the container listens
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// From 30000 to 32767 [default: the next one that is free]
    #[arg(long, value_parser = node_port::parse)]
    pub node_port: Option<u16>,
    /// How many pods; 0 keeps it stopped
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub replicas: Option<u32>,
    /// CPU that is requested, such as 50m
    #[arg(long, value_parser = checks::cpu)]
    pub cpu: Option<String>,
    /// CPU that may be used at most
    #[arg(long, value_parser = checks::cpu)]
    pub cpu_limit: Option<String>,
    /// Memory that is requested, such as 32Mi
    #[arg(long, value_parser = checks::memory)]
    pub memory: Option<String>,
    /// Memory that may be used at most
    #[arg(long, value_parser = checks::memory)]
    pub memory_limit: Option<String>,
    /// What both probes ask
    #[arg(long, value_parser = checks::path)]
    pub probe_path: Option<String>,
    /// The Secret that the image is pulled with; "" for a public image
    #[arg(long, value_parser = checks::secret)]
    pub pull_secret: Option<String>,
    /// Where it runs, for a service that OpenTofu delivers [default: a namespace of its name]
    #[arg(long, short, value_parser = checks::namespace)]
    pub namespace: Option<String>,
    /// A context of the kubeconfig, whose cluster is asked for free NodePorts [default: its current one]
    #[arg(long, value_name = "NAME", env = "LOOPCTL_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub output: Output,
}

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Added {
    name: String,
    delivered_by: DeliveredBy,
    service: Service,
    files: Vec<Listed>,
    written: bool,
    /// Why the cluster was not asked which NodePorts it has given away.
    cluster_not_asked: Option<String>,
    next: Vec<String>,
}

impl Answer for Added {
    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(reason) = &self.cluster_not_asked {
            text += &format!("\nThe cluster was not asked which NodePorts it has given away: {reason}\n");
        }
        text += &match (self.files.is_empty(), self.written) {
            (true, _) => format!("{} is declared already, just as asked: nothing to do.", self.name),
            (false, false) => "\nNothing was written (--dry-run).".to_owned(),
            (false, true) => {
                let later = match self.delivered_by {
                    DeliveredBy::Tofu => {
                        "Later images are yours to deliver: tofu writes one only where it creates the Deployment."
                    }
                    DeliveredBy::Git => "A later image is a commit that changes the tag in its deployment.yaml.",
                };
                format!("\n{}\nNext:\n{}\n{later}", next_steps::written(&self.files), numbered(&self.next))
            }
        };
        text
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let coordinates = Coordinates::find()?;
    let (taken, cluster_not_asked) = match block_on(node_port::in_cluster(options.context.as_deref())) {
        Ok(taken) => (taken, None),
        // Without a cluster the file's own ports are known, and Kubernetes refuses the others' at the apply.
        Err(error) => (Taken::new(), Some(format!("{error:#}"))),
    };
    let Plan { service, changes } = plan(&coordinates, options, taken)?;
    let mut answer = Added {
        name: options.name.clone(),
        delivered_by: options.delivered_by,
        next: next_steps::after_add(&options.name, &service, options.delivered_by, &changes.paths()),
        service,
        files: changes.list(),
        written: false,
        cluster_not_asked: cluster_not_asked.filter(|_| !changes.is_empty()),
    };
    if !options.output.is_json() && !changes.is_empty() {
        say(changes.diff().trim_end());
    }
    if !options.dry_run && !changes.is_empty() {
        changes.write()?;
        answer.written = true;
    }
    options.output.print(&answer)?;
    Ok(ExitCode::SUCCESS)
}
