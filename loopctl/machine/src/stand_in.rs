//! What the loop stands in for, written down for whoever asks about its deliveries: the `delivery` library reads it.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::Place;
use super::addresses::{API_PORT, BRIDGE_ADDRESS, REGISTRY_PORT, REGISTRY_USER};
use super::private::write_private;
use super::repository::Repository;

pub const FILE: &str = "stand-in.json";

pub fn write(place: &Place) -> Result<()> {
    write_private(&place.state.join(FILE), &serde_json::to_string_pretty(&of(&place.state, place.repository()?))?)
}

/// Of the loop that has its things in that folder.
pub fn of(state: &Path, repository: &Repository) -> Value {
    json!({
        "server": format!("https://{BRIDGE_ADDRESS}:{API_PORT}"),
        "kubeconfig": state.join("kubeconfig"),
        "repository": repository.url(),
        "registry": format!("{BRIDGE_ADDRESS}:{REGISTRY_PORT}"),
        "registry_user": REGISTRY_USER,
        "registry_password": state.join("keys/registry-password"),
        "git_password": state.join("keys/git-password"),
        "runs": state.join("runs"),
        "branches": super::bare::folder_in(state, repository).join("refs/heads"),
    })
}
