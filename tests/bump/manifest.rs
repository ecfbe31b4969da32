//! The manifest's text, and the names of images in it.

use std::fs;
use std::path::Path;

pub const IMAGE: &str = "ghcr.io/voloshko/argo-rust";
pub const MANIFEST: &str = "k8s/deployment.yaml";
pub const HOLD: &str = "delivery.argo-rust/hold";

/// The project's own manifest, as if CI had never run and nobody had put deliveries on hold.
pub fn manifest_before_the_first_build() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(MANIFEST);
    let manifest = fs::read_to_string(path).expect("the project has a manifest");
    with_image(&without_hold(&manifest), &format!("{IMAGE}:sha-0000000"))
}

/// The same manifest with deliveries held, as a rollback leaves it.
pub fn with_hold(manifest: &str, bad_revision: &str) -> String {
    manifest.replacen("\nspec:", &format!("\n  annotations:\n    {HOLD}: \"{bad_revision}\"\nspec:"), 1)
}

pub fn without_hold(manifest: &str) -> String {
    let kept = manifest.lines().filter(|line| !line.contains(HOLD) && *line != "  annotations:");
    kept.map(|line| format!("{line}\n")).collect()
}

pub fn with_image(manifest: &str, image: &str) -> String {
    let lines = manifest.lines().map(|line| match line.split_once("image: ") {
        Some((indent, _)) => format!("{indent}image: {image}\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

pub fn tag(commit: &str) -> String {
    format!("sha-{}", &commit[..7])
}

/// The image built from a commit.
pub fn image(commit: &str) -> String {
    format!("{IMAGE}:{}", tag(commit))
}
