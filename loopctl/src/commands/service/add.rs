//! `loopctl service add`: an entry in tofu/terraform.tfvars and, where git delivers, manifests and an Application.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::delivered_by::DeliveredBy;
use super::node_port::Taken;
use super::options::Options;
use super::plan::{Plan, plan};
use super::{next_steps, node_port, sources};
use crate::changes::Listed;
use crate::output::say;
use crate::output::{Answer, numbered};
use crate::target::block_on;
use delivery::coordinates::Coordinates;
use delivery::tfvars::Service;

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Added {
    name: String,
    delivered_by: DeliveredBy,
    /// Its sources were made as well, in services/NAME.
    new: bool,
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
                    DeliveredBy::Git if self.new => "Its first image is built and delivered by the run of that push.",
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
        delivered_by: options.by(),
        new: options.new,
        next: next_steps::after_add(&options.name, &service, options.by(), &changes.paths()),
        service,
        files: changes.list(),
        written: false,
        cluster_not_asked: cluster_not_asked.filter(|_| !changes.is_empty()),
    };
    if !options.output.is_json() && !changes.is_empty() {
        // Sources that nobody has seen yet are read in the files themselves.
        say(changes.diff_of(|path| !sources::is_of(&options.name, path)).trim_end());
    }
    if !options.dry_run && !changes.is_empty() {
        changes.write()?;
        answer.written = true;
    }
    options.output.print(&answer)?;
    Ok(ExitCode::SUCCESS)
}
