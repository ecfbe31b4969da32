//! What may be said of a service that is added.

use clap::Args;

use super::delivered_by::DeliveredBy;
use super::{checks, node_port};
use crate::output::Output;

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
    #[arg(long, value_parser = checks::image, required_unless_present = "new")]
    pub image: Option<String>,
    /// Make its sources as well, in services/NAME: the workflow tests, builds and delivers them with the repository's own
    #[arg(long, conflicts_with_all = ["image", "delivered_by", "namespace", "port"])]
    pub new: bool,
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

impl Options {
    pub fn by(&self) -> DeliveredBy {
        if self.new { DeliveredBy::Git } else { self.delivered_by }
    }
}
