//! `loopctl service list`: what the repository declares, without asking a cluster.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::delivered_by::{DeliveredBy, delivered_by, image_of};
use crate::output::{Answer, Output};
use delivery::coordinates::Coordinates;
use delivery::tfvars::{Service, Tfvars};

/// List the services that this repository declares, with their sizing
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    output: Output,
}

/// Its fields are what `-o json` prints.
#[derive(Serialize)]
struct Declared {
    services: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    delivered_by: DeliveredBy,
    #[serde(flatten)]
    service: Service,
}

impl Answer for Declared {
    fn text(&self) -> String {
        table(&self.services)
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let coordinates = Coordinates::find()?;
    let mut services = Vec::new();
    for (name, service) in Tfvars::read(&coordinates.folder)?.services() {
        let image = image_of(&coordinates, name, service)?;
        let service = Service { image, ..service.clone() };
        services.push(Row { name: name.clone(), delivered_by: delivered_by(&coordinates, name), service });
    }
    options.output.print(&Declared { services })?;
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[Row]) -> String {
    let head = ["NAME", "NAMESPACE", "DELIVERED BY", "REPLICAS", "CPU", "MEMORY", "NODEPORT", "IMAGE"];
    let mut lines = vec![head.map(str::to_owned)];
    for Row { name, delivered_by, service } in rows {
        let (requests, limits) = (&service.resources.requests, &service.resources.limits);
        let by = match delivered_by {
            DeliveredBy::Git => "git",
            DeliveredBy::Tofu => "tofu",
        };
        lines.push([
            name.clone(),
            service.namespace.clone(),
            by.to_owned(),
            service.replicas.to_string(),
            format!("{} to {}", requests.cpu, limits.cpu),
            format!("{} to {}", requests.memory, limits.memory),
            service.node_port.to_string(),
            service.image.clone(),
        ]);
    }
    let widths: Vec<usize> =
        (0..head.len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    let written = lines.iter().map(|line| {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    });
    written.collect()
}
