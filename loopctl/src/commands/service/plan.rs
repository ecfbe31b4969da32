//! What `loopctl service add` is going to do: every check, and not one write.

use anyhow::{Result, bail};

use super::delivered_by::{DeliveredBy, delivered_by};
use super::node_port::{self, Owner, Taken};
use super::options::Options;
use super::{checks, files, sources};
use crate::changes::Changes;
use delivery::coordinates::Coordinates;
use delivery::tfvars::{self, Service, Tfvars};

pub struct Plan {
    pub service: Service,
    pub changes: Changes,
}

/// All checks come before the first write, so what is refused leaves nothing behind.
pub fn plan(coordinates: &Coordinates, options: &Options, mut taken: Taken) -> Result<Plan> {
    let name = &options.name;
    let (root, own) = (&coordinates.folder, &coordinates.deployment);
    let tfvars = Tfvars::read(root)?;
    let Some(like) = tfvars.service(own) else { bail!("{} has no entry {own} to go by", tfvars::FILE) };
    if name == own {
        bail!("{own} is the repository's own service and declared already; its sizing is in {}", tfvars::FILE);
    }
    let like = if options.new { &sources::born_like(like)? } else { like };
    let existing = tfvars.service(name);
    // Applied already, it holds its port itself.
    let in_cluster = format!("{}/{name}", options.namespace.as_ref().unwrap_or(name));
    taken.retain(|_, owner| owner.name != in_cluster);
    for (other, service) in tfvars.services().iter().filter(|(other, _)| other != name) {
        taken.insert(service.node_port, Owner { name: other.clone(), file: Some(tfvars::FILE) });
    }
    let service = match existing {
        Some(existing) => {
            let port = options.node_port.unwrap_or(existing.node_port);
            let wanted = overlaid(existing.clone(), coordinates, options, port);
            refuse_differences(name, existing, &wanted)?;
            wanted
        }
        None => {
            let port = node_port::pick(options.node_port, like.node_port, &taken)?;
            overlaid(Service { namespace: name.clone(), ..like.clone() }, coordinates, options, port)
        }
    };
    check_limits(&service)?;

    let mut changes = Changes::below(root);
    match options.by() {
        DeliveredBy::Git => {
            check_namespace(name, &service, &tfvars)?;
            let mut files = files::rendered(name, &service, coordinates, options.new);
            if options.new {
                files.extend(sources::rendered(name, coordinates)?);
                sources::built_too(&mut changes, root, name)?;
            }
            for (path, text) in files {
                if existing.is_some() && sources::is_of(name, &path) {
                    // Since it was made it is somebody's own.
                } else if !root.join(&path).exists() {
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

fn overlaid(mut service: Service, coordinates: &Coordinates, options: &Options, node_port: u16) -> Service {
    fn set<T: Clone>(field: &mut T, given: Option<&T>) {
        if let Some(given) = given {
            field.clone_from(given);
        }
    }
    service.image = options.image.clone().unwrap_or_else(|| sources::image_at_birth(coordinates, &options.name));
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
