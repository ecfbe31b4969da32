//! The service among as many clients as the manifest allows, and more: minutes of the whole machine, so apart from `api`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    dead_code,
    reason = "a test that cannot go on must panic; client and service are those of `api`, which uses all of them"
)]

#[path = "../api/client.rs"]
mod client;
mod control_group;
mod cost;
mod newcomers;
mod pod_memory;
#[path = "../api/service.rs"]
mod service;

/// What k8s/deployment.yaml allows.
fn manifest_connections() -> usize {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/k8s/deployment.yaml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let (_, rest) = manifest.split_once("name: ARGO_RUST_MAX_CONNECTIONS").expect("the manifest sets it");
    rest.split('"').nth(1).and_then(|value| value.parse().ok()).expect("a number in quotes")
}
