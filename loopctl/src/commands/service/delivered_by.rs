//! Who delivers a service, which its files tell.

use anyhow::Result;
use clap::ValueEnum;
use delivery::coordinates::Coordinates;
use delivery::tfvars::Service;
use serde::Serialize;

use super::files;

/// Who brings a new image of the service into the cluster. Its sizing is OpenTofu's in both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DeliveredBy {
    /// Manifests in k8s/NAME, kept in step by an Argo CD Application of its own
    Git,
    /// OpenTofu creates it; later images are yours to deliver
    Tofu,
}

pub fn delivered_by(coordinates: &Coordinates, name: &str) -> DeliveredBy {
    let has_manifests = coordinates.folder.join(files::deployment_of(coordinates, name)).exists();
    if has_manifests { DeliveredBy::Git } else { DeliveredBy::Tofu }
}

/// The image that a service is to run now, as far as the repository says it.
pub fn image_of(coordinates: &Coordinates, name: &str, service: &Service) -> Result<String> {
    match delivered_by(coordinates, name) {
        DeliveredBy::Git => files::image_in(&coordinates.folder, &files::deployment_of(coordinates, name)),
        // What the Deployment was born with: later ones are not written here.
        DeliveredBy::Tofu => Ok(service.image.clone()),
    }
}
