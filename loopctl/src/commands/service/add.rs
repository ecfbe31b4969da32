//! `loopctl service add`: an entry in tofu/terraform.tfvars and, where git delivers, manifests and an Application.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::node_port::{Owner, Taken};
use super::{DeliveredBy, checks, delivered_by, files, next_steps, node_port};
use crate::changes::{Changes, Listed};
use crate::commands::progress::say;
use crate::coordinates::Coordinates;
use crate::output::{Answer, Output, numbered};
use crate::target::block_on;
use crate::tfvars::{self, Service, Tfvars};

/// Declare one service more
///
/// What is not given is as in the entry of the repository's own service. Nothing that exists is
/// written over; a second run with the same options changes nothing.
#[derive(Args)]
pub struct Options {
    /// What the Deployment, the Service and the entry in tofu/terraform.tfvars are called
    #[arg(value_parser = checks::service)]
    name: String,
    /// The image that the service starts with, with its tag or digest
    #[arg(long, value_parser = checks::image)]
    image: String,
    /// Who brings new images into the cluster; sizing is OpenTofu's in both cases
    #[arg(long, value_enum, default_value = "tofu")]
    delivered_by: DeliveredBy,
    /// The port on which the container listens
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// From 30000 to 32767 [default: the next one that is free]
    #[arg(long, value_parser = node_port::parse)]
    node_port: Option<u16>,
    /// How many pods; 0 keeps it stopped
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100))]
    replicas: Option<u32>,
    /// CPU that is requested, such as 50m
    #[arg(long, value_parser = checks::cpu)]
    cpu: Option<String>,
    /// CPU that may be used at most
    #[arg(long, value_parser = checks::cpu)]
    cpu_limit: Option<String>,
    /// Memory that is requested, such as 32Mi
    #[arg(long, value_parser = checks::memory)]
    memory: Option<String>,
    /// Memory that may be used at most
    #[arg(long, value_parser = checks::memory)]
    memory_limit: Option<String>,
    /// What both probes ask
    #[arg(long, value_parser = checks::path)]
    probe_path: Option<String>,
    /// The Secret that the image is pulled with; "" for a public image
    #[arg(long, value_parser = checks::secret)]
    pull_secret: Option<String>,
    /// Where it runs, for a service that OpenTofu delivers [default: a namespace of its name]
    #[arg(long, short, value_parser = checks::namespace)]
    namespace: Option<String>,
    /// A context of the kubeconfig, whose cluster is asked for free NodePorts [default: its current one]
    #[arg(long, value_name = "NAME", env = "LOOPCTL_CONTEXT", hide_env_values = true)]
    context: Option<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
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

struct Plan {
    service: Service,
    changes: Changes,
}

/// All checks come before the first write, so what is refused leaves nothing behind.
fn plan(coordinates: &Coordinates, options: &Options, mut taken: Taken) -> Result<Plan> {
    let name = &options.name;
    let (root, own) = (&coordinates.folder, &coordinates.deployment);
    let tfvars = Tfvars::read(root)?;
    let Some(like) = tfvars.service(own) else { bail!("{} has no entry {own} to go by", tfvars::FILE) };
    if name == own {
        bail!("{own} is the repository's own service and declared already; its sizing is in {}", tfvars::FILE);
    }
    let existing = tfvars.service(name);
    // Applied already, it holds its port itself.
    let in_cluster = format!("{}/{name}", options.namespace.as_ref().unwrap_or(name));
    taken.retain(|_, owner| owner.name != in_cluster);
    for (other, service) in tfvars.services().iter().filter(|(other, _)| other != name) {
        taken.insert(service.node_port, Owner { name: other.clone(), file: Some(tfvars::FILE) });
    }
    let service = match existing {
        Some(existing) => {
            let wanted = overlaid(existing.clone(), options, options.node_port.unwrap_or(existing.node_port));
            refuse_differences(name, existing, &wanted)?;
            wanted
        }
        None => {
            let port = node_port::pick(options.node_port, like.node_port, &taken)?;
            overlaid(Service { namespace: name.clone(), ..like.clone() }, options, port)
        }
    };
    check_limits(&service)?;

    let mut changes = Changes::below(root);
    match options.delivered_by {
        DeliveredBy::Git => {
            check_namespace(name, &service, &tfvars)?;
            for (path, text) in files::rendered(name, &service, coordinates) {
                if !root.join(&path).exists() {
                    changes.set(&path, Some(text))?;
                } else if existing.is_none() && std::fs::read_to_string(root.join(&path))? != text {
                    bail!("{path} is there already and would be written over; move it away or choose another name");
                }
            }
        }
        DeliveredBy::Tofu if delivered_by(coordinates, name) == DeliveredBy::Git => {
            bail!("k8s/{name} is there, so {name} is delivered by git: say --delivered-by git, or remove it first")
        }
        DeliveredBy::Tofu => {}
    }
    if existing.is_none() {
        // Last: whoever sees the entry finds the files as well.
        changes.set(tfvars::FILE, Some(tfvars.with(name, &service)?.text().to_owned()))?;
    }
    Ok(Plan { service, changes })
}

fn overlaid(mut service: Service, options: &Options, node_port: u16) -> Service {
    fn set<T: Clone>(field: &mut T, given: Option<&T>) {
        if let Some(given) = given {
            field.clone_from(given);
        }
    }
    service.image.clone_from(&options.image);
    service.node_port = node_port;
    set(&mut service.namespace, options.namespace.as_ref());
    set(&mut service.port, options.port.as_ref());
    set(&mut service.replicas, options.replicas.as_ref());
    set(&mut service.resources.requests.cpu, options.cpu.as_ref());
    set(&mut service.resources.limits.cpu, options.cpu_limit.as_ref());
    set(&mut service.resources.requests.memory, options.memory.as_ref());
    set(&mut service.resources.limits.memory, options.memory_limit.as_ref());
    set(&mut service.probes.path, options.probe_path.as_ref());
    set(&mut service.image_pull_secret, options.pull_secret.as_ref());
    service
}

fn refuse_differences(name: &str, existing: &Service, wanted: &Service) -> Result<()> {
    let (existing, wanted) = (serde_json::to_value(existing)?, serde_json::to_value(wanted)?);
    let Some(fields) = existing.as_object() else { return Ok(()) };
    let differing: Vec<String> = fields
        .iter()
        .filter(|(field, value)| wanted[field.as_str()] != **value)
        .map(|(field, value)| format!("{field} is {value} and not {}", wanted[field.as_str()]))
        .collect();
    if differing.is_empty() {
        return Ok(());
    }
    bail!(
        "{name} is declared already, and otherwise: {}. Nothing was written; edit {}, or remove {name} first",
        differing.join(", "),
        tfvars::FILE
    )
}

fn check_limits(service: &Service) -> Result<()> {
    let (requests, limits) = (&service.resources.requests, &service.resources.limits);
    for (what, option, request, limit) in
        [("CPU", "--cpu", &requests.cpu, &limits.cpu), ("memory", "--memory", &requests.memory, &limits.memory)]
    {
        if !checks::not_above(request, limit) {
            bail!("the {what} requested ({request}) is above the limit ({limit}); {option}-limit raises it");
        }
    }
    Ok(())
}

/// Its account and its AppProject end at the namespace, so nobody else may live there.
fn check_namespace(name: &str, service: &Service, tfvars: &Tfvars) -> Result<()> {
    if service.namespace != *name {
        bail!("a service that git delivers has a namespace of its own name: leave --namespace out");
    }
    match tfvars.services().iter().find(|(other, service)| other != name && service.namespace == *name) {
        Some((other, _)) => bail!("the namespace {name} is {other}'s; choose another name"),
        None => Ok(()),
    }
}
