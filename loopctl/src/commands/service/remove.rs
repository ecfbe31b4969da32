//! `loopctl service remove`: takes back what `service add` made, and says what OpenTofu holds on to.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use super::delivered_by::delivered_by;
use super::{checks, files, next_steps, sources};
use crate::changes::{Changes, Listed};
use crate::commands::confirm::confirmed;
use crate::output::say;
use crate::output::{Answer, Output, numbered};
use delivery::coordinates::{Coordinates, SERVICES};
use delivery::tfvars::{self, Tfvars};

/// Take a service out of the repository again: its entry, its manifests, its Application
///
/// Nothing in the cluster is touched: the steps that retire it there are printed.
#[derive(Args)]
pub struct Options {
    /// The service, as `service list` names it
    #[arg(value_parser = checks::service)]
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Show the diff and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Removed {
    name: String,
    namespace: String,
    files: Vec<Listed>,
    /// What stands in its folders beside the files that `add` writes.
    left: Vec<String>,
    /// Where its sources are, which stay.
    sources: Option<String>,
    written: bool,
    next: Vec<String>,
    #[serde(skip)]
    remark: String,
}

impl Answer for Removed {
    fn text(&self) -> String {
        let left = self.left.iter().map(|path| format!("\n{path} is not of `service add`'s making and stays.\n"));
        let end = match (self.files.is_empty(), self.written) {
            (true, _) => format!("{} is not declared here: nothing to do.", self.name),
            (false, false) => "\nNothing was written.".to_owned(),
            (false, true) => {
                format!("\n{}\nNext:\n{}\n{}", next_steps::written(&self.files), numbered(&self.next), self.remark)
            }
        };
        let sources =
            self.sources.iter().map(|folder| format!("\nIts sources in {folder} stay: `git rm -r {folder}`.\n"));
        left.chain(sources).collect::<String>() + &end
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let coordinates = Coordinates::find()?;
    let Plan { changes, mut answer } = plan(&coordinates, &options.name)?;
    if !options.output.is_json() && !changes.is_empty() {
        say(changes.diff().trim_end());
    }
    if !changes.is_empty() && !options.dry_run {
        answer.written = confirmed(&format!("Remove {} from the repository?", options.name), options.yes)?;
        if answer.written {
            changes.write()?;
        }
    }
    options.output.print(&answer)?;
    let done = answer.written || options.dry_run || changes.is_empty();
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Plan {
    changes: Changes,
    answer: Removed,
}

fn plan(coordinates: &Coordinates, name: &str) -> Result<Plan> {
    if coordinates.deployment == name {
        bail!("{name} is the repository's own service, which the workflow builds: `service add` has not made it");
    }
    let root = &coordinates.folder;
    let tfvars = Tfvars::read(root)?;
    let by = delivered_by(coordinates, name);
    let mut changes = Changes::below(root);
    for path in files::paths(name) {
        changes.set(&path, None)?;
    }
    if tfvars.service(name).is_some() {
        sources::built_no_more(&mut changes, root, name)?;
    }
    let namespace = tfvars.service(name).map_or(name, |service| service.namespace.as_str()).to_owned();
    if tfvars.service(name).is_some() {
        changes.set(tfvars::FILE, Some(tfvars.without(name)?.text().to_owned()))?;
    }
    let shared = tfvars.services().iter().any(|(other, service)| other != name && service.namespace == namespace);
    let remark = if shared {
        format!("Other services use the namespace {namespace}, so it stays.")
    } else {
        format!(
            "Where OpenTofu has applied {name}, its plan is refused until the namespace {namespace} is out of its state: \
             prevent_destroy keeps it, as whoever deletes a namespace deletes everything in it."
        )
    };
    let answer = Removed {
        name: name.to_owned(),
        files: changes.list(),
        left: if changes.is_empty() { Vec::new() } else { left_behind(root, name, &changes.paths())? },
        sources: Some(format!("{SERVICES}/{name}")).filter(|folder| !changes.is_empty() && root.join(folder).is_dir()),
        written: false,
        next: next_steps::after_remove(name, &namespace, by, shared, &changes.paths()),
        namespace,
        remark,
    };
    Ok(Plan { changes, answer })
}

fn left_behind(root: &Path, name: &str, removed: &[&str]) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for folder in [format!("k8s/{name}"), format!("argocd/{name}")] {
        let Ok(entries) = root.join(&folder).read_dir() else { continue };
        for entry in entries {
            let path = format!("{folder}/{}", entry.context("cannot list it")?.file_name().to_string_lossy());
            if !removed.contains(&path.as_str()) {
                left.push(path);
            }
        }
    }
    left.sort();
    Ok(left)
}
